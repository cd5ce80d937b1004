/** Slots: at most so many jobs at once; and which folders have one running, because their times are set last. */
export class Slots {
  readonly #most: number;
  readonly #running = new Map<Promise<void>, string>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Starts `job`, which must not reject, once there is a slot for it. */
  async start(folder: string, job: () => Promise<void>): Promise<void> {
    while (this.#running.size >= this.#most) await Promise.race(this.#running.keys());
    const running: Promise<void> = job().finally(() => { this.#running.delete(running); });
    this.#running.set(running, folder);
  }

  /** Whether a job of this folder is running. */
  busy(folder: string): boolean {
    for (const other of this.#running.values()) if (other === folder) return true;
    return false;
  }

  /** Resolves when all have ended. */
  async idle(): Promise<void> {
    await Promise.all(this.#running.keys());
  }
}
