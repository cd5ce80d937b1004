/**
 * Turns: whose bulk frame goes to the socket next. At most two are on their way there, one being written and one
 * behind it, so that neither side waits and nothing piles up in memory when the peer does not read.
 * Whoever was let through and does not write after all must `pass`, or those behind it would wait for ever. A socket that is
 * stuck lets nobody through, so that whoever has given up meanwhile must not wait for it.
 * Several that find room in the same moment may all write: the excess is one frame for each open exchange.
 */
const IN_FLIGHT = 2;

export class Turns {
  #writing = 0;
  readonly #waiting: (() => void)[] = [];

  /** Resolves when it is worth asking again, rejects when `signal` aborts before; undefined: there is room now. */
  room(signal?: AbortSignal): Promise<void> | undefined {
    if (this.#writing < IN_FLIGHT) return undefined;
    return new Promise((resolve, reject) => {
      const through = (): void => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(through), 1);
        reject(signal?.reason as Error);
      };
      this.#waiting.push(through);
      signal?.addEventListener('abort', leave, { once: true });
    });
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
