/**
 * Extents: which bytes of a file are there, when they come in any order. Neighbours are one, so that what comes in
 * order costs nothing; what is between them is bounded, because every gap costs memory and a peer chooses them.
 */
import { Failure } from '../errors.ts';

/**
 * Gaps at once. Data of several connections leaves one gap for each frame that one of them is behind with, and those
 * are at most its credit: 16 frames of 1 MiB, but 2,000 of the smallest blocks that change by themselves, for each of 16
 * connections.
 */
const MAX_GAPS = 1 << 15;

export class Extents {
  /** Begin and end of each, in order, none touching the next. */
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  /** How many extents begin at `start` or before: what comes is mostly the last. */
  #upTo(start: number): number {
    let at = this.#starts.length;
    while (at > 0 && this.#starts[at - 1]! > start) at -= 1;
    return at;
  }

  /** Adds `size` bytes from `start` on; false when all of them are there already. Throws PROTOCOL when only some are, or there are too many gaps. */
  add(start: number, size: number): boolean {
    const end = start + size;
    const at = this.#upTo(start);
    if (at > 0 && this.#ends[at - 1]! > start) {
      if (this.#ends[at - 1]! >= end) return false;
      overlapping();
    }
    if (at < this.#starts.length && this.#starts[at]! < end) overlapping();
    const before = at > 0 && this.#ends[at - 1] === start;
    const after = this.#starts[at] === end;
    if (before && after) {
      this.#ends[at - 1] = this.#ends[at]!;
      this.#starts.splice(at, 1);
      this.#ends.splice(at, 1);
    } else if (before) this.#ends[at - 1] = end;
    else if (after) this.#starts[at] = start;
    else this.#insert(at, start, end);
    return true;
  }

  /** How many of `size` bytes from `start` on, counted from the first, are all there or all missing. */
  alike(start: number, size: number): number {
    const at = this.#upTo(start);
    const end = this.#ends[at - 1] ?? 0;
    return Math.min(size, (end > start ? end : this.#starts[at] ?? Infinity) - start);
  }

  #insert(at: number, start: number, end: number): void {
    if (this.#starts.length > MAX_GAPS) throw new Failure('PROTOCOL', 'bytes too far out of order', { who: 'network' });
    this.#starts.splice(at, 0, start);
    this.#ends.splice(at, 0, end);
  }

  /** The end of the bytes that are there from `start` on, without a gap; `start` itself when that one is missing. */
  reach(start: number): number {
    let at = 0;
    while (at < this.#ends.length && this.#ends[at]! <= start) at += 1;
    return at < this.#starts.length && this.#starts[at]! <= start ? this.#ends[at]! : start;
  }

  /** Forgets the bytes before `end`. */
  forget(end: number): void {
    while (this.#ends.length > 0 && this.#ends[0]! <= end) {
      this.#starts.shift();
      this.#ends.shift();
    }
    if (this.#starts.length > 0 && this.#starts[0]! < end) this.#starts[0] = end;
  }
}

function overlapping(): never {
  throw new Failure('PROTOCOL', 'bytes sent twice', { who: 'network' });
}
