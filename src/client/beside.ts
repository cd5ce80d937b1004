/**
 * Beside: the large files of a folder that is fetched. They go beside its packs, a few at a time, in the order they were told of,
 * in exchanges of their own on the same connection.
 *
 * To tell of them never waits. Whoever took no more packs until a file has arrived might wait for ever: what the connection may hold is full of
 * packs then, and the bytes of the file are behind them. How many names wait here is bounded by the credit of the folder's
 * exchange: for a word that told of files it is given back when the last of them has begun.
 */

/** Files of one word, and how many of them have begun. */
interface Told<F> { readonly files: readonly F[]; begun: number; readonly begin: (file: F) => Promise<void>; readonly onBegun: () => void }

export class Beside<F> {
  readonly #most: number;
  readonly #folderOf: (file: F) => string;
  readonly #told: Told<F>[] = [];
  readonly #running = new Set<Promise<void>>();
  /** Files of each folder that have not ended. */
  readonly #left = new Map<string, number>();

  /** At most `most` at once. */
  constructor(most: number, folderOf: (file: F) => string) {
    this.#most = most;
    this.#folderOf = folderOf;
  }

  /** Has `begin`, which must not reject, called for each of the files in its turn; `onBegun` when it was for all of them. */
  add(files: readonly F[], begin: (file: F) => Promise<void>, onBegun: () => void): void {
    for (const file of files) this.#count(this.#folderOf(file), 1);
    this.#told.push({ files, begun: 0, begin, onBegun });
    this.#go();
  }

  /** Whether a file of this folder has not ended. */
  busy(folder: string): boolean { return this.#left.has(folder); }

  /** Resolves when all have ended. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #go(): void {
    for (;;) {
      const told = this.#told[0];
      if (told === undefined) return;
      if (told.begun === told.files.length) {
        this.#told.shift();
        told.onBegun();
        continue;
      }
      if (this.#running.size >= this.#most) return;
      const file = told.files[told.begun]!;
      told.begun += 1;
      const running: Promise<void> = told.begin(file).finally(() => {
        this.#running.delete(running);
        this.#count(this.#folderOf(file), -1);
        this.#go();
      });
      this.#running.add(running);
    }
  }

  #count(folder: string, change: 1 | -1): void {
    const left = (this.#left.get(folder) ?? 0) + change;
    if (left === 0) this.#left.delete(folder);
    else this.#left.set(folder, left);
  }
}
