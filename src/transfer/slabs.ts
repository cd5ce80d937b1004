/**
 * SlabTurns: the few slabs of one sender, taking turns: one is being read, one written, one waits. A reader that finds
 * none free waits for the socket, so that the network's pace is the disk's.
 */
import { giveSlab, takeSlab } from '../session/slabs.ts';

export class SlabTurns {
  #unmade: number;
  #over = false;
  readonly #free: Buffer[] = [];
  #waiting: ((slab: Buffer) => void) | undefined;

  /** At most `count` slabs, taken when first needed. */
  constructor(count: number) {
    this.#unmade = count;
  }

  /** A free slab. One caller at a time. */
  take(): Promise<Buffer> {
    const slab = this.#free.pop();
    if (slab !== undefined) return Promise.resolve(slab);
    if (this.#unmade > 0) {
      this.#unmade -= 1;
      return Promise.resolve(takeSlab());
    }
    return new Promise((resolve) => { this.#waiting = resolve; });
  }

  give(slab: Buffer): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (this.#over) giveSlab(slab);
    else if (waiting === undefined) this.#free.push(slab);
    else waiting(slab);
  }

  /** The sender needs no more: what is free, and what becomes free, goes to others. */
  done(): void {
    this.#over = true;
    for (const slab of this.#free.splice(0)) giveSlab(slab);
  }
}
