/**
 * Turns: whose bulk frame goes to the socket next. At most two are on their way there, one being written and one
 * behind it, so that neither side waits and nothing piles up in memory when the peer does not read.
 * Whoever was let through and does not write after all must `pass`, or those behind it would wait for ever.
 * Several that find room in the same moment may all write: the excess is one frame for each open exchange.
 */
const IN_FLIGHT = 2;

export class Turns {
  #writing = 0;
  readonly #waiting: (() => void)[] = [];

  /** Resolves when it is worth asking again; undefined: there is room now. */
  room(): Promise<void> | undefined {
    if (this.#writing < IN_FLIGHT) return undefined;
    return new Promise((resolve) => { this.#waiting.push(resolve); });
  }

  began(): void { this.#writing += 1; }
  ended(): void {
    this.#writing -= 1;
    this.pass();
  }

  pass(): void { this.#waiting.shift()?.(); }

  /** The socket is gone: nobody waits any more, whoever asks again is let through. */
  close(): void {
    this.#writing = -Infinity;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
