/**
 * Pace: how fast a transfer goes and how long it still takes, from its readings. Pure: the time is an argument.
 *
 * The rate is an exponential average over the time between two readings (time constant 3 s: steady enough to read, quick enough to
 * show a change within seconds), of bytes that moved: what resume kept comes in leaps, and says nothing about the way. It begins
 * with the first of them: that nothing moved while the ends agreed on what to send does not count, nor does the first step more than others.
 */
import type { Progress } from '../client/api.ts';

const TIME_CONSTANT_MS = 3_000;
/** Readings closer than this would measure the bursts of buffers and not the transfer. */
const LEAST_STEP_MS = 100;

export class Pace {
  #last: { readonly time: number; readonly moved: number } | undefined;
  /** Rates of the steps by their weights, and the weights: both fade. */
  #sum = 0;
  #weight = 0;
  #rate: number | undefined;
  #remaining: number | undefined;

  /** Takes a reading at `now`, in milliseconds of any steady clock. */
  take({ bytes, kept, totalBytes }: Progress, now: number): void {
    const moved = bytes - kept;
    this.#remaining = totalBytes === undefined ? undefined : Math.max(0, totalBytes - bytes);
    this.#last ??= { time: now, moved };
    const step = now - this.#last.time;
    if (step < LEAST_STEP_MS) return;
    const more = Math.max(0, moved - this.#last.moved);
    this.#last = { time: now, moved };
    if (more > 0 || this.#weight > 0) {
      const weight = 1 - Math.exp(-step / TIME_CONSTANT_MS);
      this.#sum += weight * ((more * 1000) / step - this.#sum);
      this.#weight += weight * (1 - this.#weight);
    }
    this.#rate = this.#weight === 0 ? 0 : this.#sum / this.#weight;
  }

  /** Bytes a second; undefined before two readings. */
  get rate(): number | undefined {
    return this.#rate;
  }

  /** Seconds; undefined where the total or the rate is not known, or next to nothing moves. */
  get left(): number | undefined {
    return this.#remaining === undefined || this.#rate === undefined || this.#rate < 1 ? undefined : this.#remaining / this.#rate;
  }
}
