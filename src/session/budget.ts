/**
 * Budget: the bytes that all connections of this process may hold for their consumers, in one number.
 *
 * Every bulk frame is reserved whole before its first byte is kept, and released when its consumer has taken it, so
 * that a frame that was begun can always be completed. When the budget is used up, connections stop reading and the
 * network slows the senders down. A connection that holds nothing may always hold one frame: without that, others
 * could starve it. So the bound is the budget and one frame a connection.
 */

/** 128 MiB: with it, a server with 200 busy connections stays small, and each has room for what a disk needs to stay busy. */
export const DEFAULT_BUDGET = 128 << 20;

export class Budget {
  readonly limit: number;
  #used = 0;
  readonly #waiting = new Set<() => void>();

  constructor(limit = DEFAULT_BUDGET) {
    this.limit = limit;
  }

  get used(): number { return this.#used; }

  /** Takes `bytes` if they fit, or if `held` (what the caller has already) is 0; else `retry` is called once, later. */
  reserve(bytes: number, held: number, retry: () => void): boolean {
    if (held > 0 && this.#used + bytes > this.limit) {
      this.#waiting.add(retry);
      return false;
    }
    this.#used += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#used -= bytes;
    if (this.#used >= this.limit || this.#waiting.size === 0) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const retry of waiting) retry();
  }

  /** `retry` will not be called any more. */
  forget(retry: () => void): void {
    this.#waiting.delete(retry);
  }
}

/** The budget of this process; a program that serves several folders has one for all. */
export const processBudget = new Budget();
