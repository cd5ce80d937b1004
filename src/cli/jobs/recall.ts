/**
 * Recall: what one try of a job leaves for the next, while this agent lives: what the server has confirmed of a folder, and
 * what of one has been fetched. It is not moved again, so that a folder gets done over a line on which no try lasts long enough for all of it.
 * What lies back long is forgotten, as it would be by another command: somebody may have taken it away since.
 */
import type { Remembered } from '../../client/api.ts';
import { remembering } from '../going.ts';

/** As long as a person at a prompt is given to be connected again. */
const FRESH_MS = 10 * 60_000;
/** Each is some 10 MB at most; the one that ended first is forgotten first. As many as may run at the same time. */
const MAX_KEPT = 12;

interface Kept { readonly remembered: Remembered; ended: number }

export class Recall {
  /** Job number → what its tries left. */
  readonly #kept = new Map<number, Kept>();

  /** What a try that begins now takes from those before it, and adds to; `now` in ms of any steady clock. */
  of(number: number, now: number): Remembered {
    const kept = this.#kept.get(number);
    if (kept !== undefined && now - kept.ended < FRESH_MS) return kept.remembered;
    const remembered = remembering();
    this.#kept.delete(number);
    this.#kept.set(number, { remembered, ended: Infinity });
    for (const [other] of this.#kept) if (this.#kept.size > MAX_KEPT && other !== number) this.#kept.delete(other);
    return remembered;
  }

  /** A try is over, and another may follow. */
  ended(number: number, now: number): void {
    const kept = this.#kept.get(number);
    if (kept !== undefined) kept.ended = now;
  }

  /** There will be no further try. */
  forget(number: number): void {
    this.#kept.delete(number);
  }
}
