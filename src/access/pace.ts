/**
 * Pace: how fast the transfers of an account, and all of the server, may go: a token bucket for each limit and way.
 *
 * Whoever moved bytes says so and waits until they were allowed: what comes at once may be as much as a quarter of a second's worth,
 * so that the rate holds over any second and nobody waits for what is small. What is more is taken in pieces of that size, each in its turn: beside
 * somebody who moves megabytes at a low rate, a small file waits for one piece, and not for all that was moved before it. Pure but for its clock.
 */
import { setTimeout as pause } from 'node:timers/promises';

export type Way = 'in' | 'out';

/** What may come at once, of a second's worth. */
const BURST = 0.25;

export interface PaceOptions {
  /** Milliseconds, never going back. */
  now(): number;
  wait(milliseconds: number): Promise<unknown>;
}

const CLOCK: PaceOptions = { now: () => performance.now(), wait: (milliseconds) => pause(milliseconds, undefined, { ref: false }) };

export class Pace {
  readonly #options: PaceOptions;
  /** When each bucket will have let through all that was taken from it. */
  readonly #until = new Map<string, number>();

  constructor(options: PaceOptions = CLOCK) {
    this.#options = options;
  }

  /** Resolves when `bytes` more may have gone this way, at `rate` bytes a second, for what is called `name`. */
  async take(name: string, way: Way, bytes: number, rate: number): Promise<void> {
    const piece = rate * BURST;
    for (let left = bytes; left > 0; left -= piece) await this.#take(`${way} ${name}`, Math.min(left, piece), rate);
  }

  async #take(key: string, bytes: number, rate: number): Promise<void> {
    const now = this.#options.now();
    const from = Math.max(now - BURST * 1000, this.#until.get(key) ?? 0);
    const until = from + (bytes / rate) * 1000;
    this.#until.set(key, until);
    if (this.#until.size > MAX_BUCKETS) this.#tidy(now);
    if (until > now) await this.#options.wait(until - now);
  }

  /** A bucket that is full again says nothing. */
  #tidy(now: number): void {
    for (const [key, until] of this.#until) if (until <= now - BURST * 1000) this.#until.delete(key);
  }
}

/** Both ways of as many accounts as may ever be busy at once; those that are not are forgotten. */
const MAX_BUCKETS = 2000;
