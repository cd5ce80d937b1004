/**
 * Sounding: whether anything is still on its way between the two ends of a connection.
 *
 * A question goes the way of all that was said before it, and its answer the way of all that was said there. When the
 * answer is back and nothing else moved meanwhile, the network is empty both ways: what is awaited now is the other side's
 * to say. When something did move, nothing is known. Questions are asked only while somebody wants to know, one at a time.
 */

/** Whoever waits for the other side. */
export interface Listener {
  /** Whether the answer matters now. */
  readonly wondering: boolean;
  /** The answer has changed. */
  tell(): void;
}

/** Often enough to name what had most of a second, and so seldom that it costs nothing (ms): each question is two records of TLS and their wake-ups. */
const ASK_EVERY_MS = 50;

export class Sounding {
  readonly #ask: (token: number) => void;
  readonly #listeners = new Set<Listener>();
  #timer: NodeJS.Timeout | undefined;
  /** Frames that went either way, in number. */
  #moves = 0;
  /** The number when the question that is out was asked; also its token, so never that of other questions, which is 0. */
  #asked: number | undefined;
  #still = false;
  /** What waits for the answer to its own question, by token: far above all numbers of frames. */
  readonly #travelling = new Map<number, () => void>();
  #trips = 2 ** 48;
  /** No question was asked since the last look at the clock. */
  #rested = true;

  /** `ask` sends a question with this token. */
  constructor(ask: (token: number) => void) {
    this.#ask = ask;
  }

  /** Nothing is on its way; what is awaited is the other side's to say. */
  get still(): boolean { return this.#still; }

  /** Until `delete`, `listener` is asked whether it wonders, and told. */
  add(listener: Listener): void {
    this.#listeners.add(listener);
    this.#timer ??= setInterval(() => { this.#rested = true; this.wonder(); }, ASK_EVERY_MS).unref();
  }

  delete(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Asks once more, whatever else moves; how long the answer took (ms). Never settles when the connection ends. */
  trip(): Promise<number> {
    const began = performance.now();
    const token = (this.#trips += 1);
    return new Promise((resolve) => {
      this.#travelling.set(token, () => resolve(performance.now() - began));
      this.#ask(token);
    });
  }

  /** A frame was written, or one that is no answer has come, or its first bytes. */
  moved(): void {
    this.#moves += 1;
    if (this.#still) this.#become(false);
  }

  answered(token: number): void {
    this.#travelling.get(token)?.();
    this.#travelling.delete(token);
    if (token !== this.#asked) return;
    this.#asked = undefined;
    if (token === this.#moves) this.#become(true);
  }

  /** A listener may have begun to wonder: asks, if that was not done just now. */
  wonder(): void {
    if (this.#still || this.#asked !== undefined || !this.#rested) return;
    for (const { wondering } of this.#listeners) {
      if (!wondering) continue;
      this.#rested = false;
      this.#asked = this.#moves + 1; // the question itself moves
      return this.#ask(this.#asked);
    }
  }

  #become(still: boolean): void {
    this.#still = still;
    for (const listener of this.#listeners) listener.tell();
  }
}
