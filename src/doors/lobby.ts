/**
 * Lobby: all connections of a server, whatever the number of its processes, that are not signed in yet, and which of them goes when they become too many.
 *
 * As OpenSSH's MaxStartups: from some number on, one is dropped with a chance that grows to certainty at the highest number.
 * Here it is drawn from all that are there, not always the one that came last: whoever holds many and says nothing loses the
 * most, and somebody who signs in at once is rarely met. Knows no socket and no protocol.
 */

/** `from` connections that are not signed in, `percent` of further ones cost somebody the place, all do from `full` on. */
export interface EarlyDrop { readonly from: number; readonly percent: number; readonly full: number }

export class Lobby {
  #limits: EarlyDrop;
  readonly #random: () => number;
  /** What to do with each when it is to go. */
  readonly #waiting: (() => void)[] = [];
  readonly #places = new Map<() => void, number>();

  /** `random` gives numbers from 0 to below 1. */
  constructor(limits: EarlyDrop, random = Math.random) {
    this.#limits = limits;
    this.#random = random;
  }

  /** From now on; nobody has to go at once. */
  set limits(limits: EarlyDrop) { this.#limits = limits; }

  get size(): number { return this.#waiting.length; }

  /** One more; `drop` is called at most once, when it is to go, perhaps at once. Returns what to call when it has signed in or is gone. */
  enter(drop: () => void): () => void {
    const tooMany = this.#isTooMany();
    const own = (): void => drop();
    this.#places.set(own, this.#waiting.length);
    this.#waiting.push(own);
    if (tooMany) {
      const chosen = this.#waiting[Math.floor(this.#random() * this.#waiting.length)]!;
      this.#leave(chosen);
      chosen();
    }
    return () => this.#leave(own);
  }

  #isTooMany(): boolean {
    const { from, percent, full } = this.#limits;
    const there = this.#waiting.length;
    if (there < from) return false;
    return there >= full || this.#random() * 100 < percent + ((100 - percent) * (there - from)) / (full - from);
  }

  #leave(one: () => void): void {
    const place = this.#places.get(one);
    if (place === undefined) return;
    this.#places.delete(one);
    const last = this.#waiting.pop()!;
    if (last === one) return;
    this.#waiting[place] = last;
    this.#places.set(last, place);
  }
}
