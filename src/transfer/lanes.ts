/**
 * Lanes: further exchanges that carry data of one transfer, each on a connection that it has to itself. At a long
 * distance one connection is held to what the kernel lets be on the way; several are not.
 *
 * This is only where they meet their transfer: whoever has such an exchange lets it `join`, the transfer serves it.
 * It does not decide how many there are, nor open or end one. What a lane fails with is no failure of the transfer: what was
 * lost with it goes over another one.
 */
import { setMaxListeners } from 'node:events';
import { Failure } from '../errors.ts';
import type { Exchange } from '../session/exchange.ts';

/** What a transfer asks of an exchange that is a lane: of a connection of this thread, or of what stands for one of another thread. */
export type Lane = Pick<Exchange, 'open' | 'unpaid' | 'next' | 'hurry' | 'say' | 'affords' | 'credit' | 'room' | 'data' | 'consumed' | 'cancel'>;

/** For one transfer: more than any client of ours asks for, each some kilobytes of bookkeeping and a socket. */
export const MAX_LANES = 15;

export class Lanes {
  #serve: ((lane: Lane) => Promise<void>) | undefined;
  #transfer: AbortSignal | undefined;
  readonly #leaving = new WeakSet<Lane>();
  #joined = 0;

  /**
   * From the transfer on `exchange`: serves each lane that joins, until the result is disposed. `serve` resolves when all
   * data of the lane has arrived. Lanes end with their transfer.
   */
  serve(exchange: Exchange, serve: (lane: Lane) => Promise<void>): Disposable {
    this.#serve = serve;
    this.#transfer = exchange.signal;
    setMaxListeners(MAX_LANES + 5, exchange.signal);
    return { [Symbol.dispose]: () => { this.#serve = undefined; } };
  }

  /** A sender gives `lane` nothing more. */
  leave(lane: Lane): void { this.#leaving.add(lane); }
  leaving(lane: Lane): boolean { return this.#leaving.has(lane); }

  /** Resolves when everything that went over `lane` has arrived. Rejects when it failed; LIMIT when there are too many, NOTFOUND when the transfer is over. */
  async join(lane: Lane): Promise<void> {
    if (this.#serve === undefined) throw new Failure('NOTFOUND', 'no transfer of this key is running', { who: 'server' });
    if (this.#joined >= MAX_LANES) throw new Failure('LIMIT', `more than ${MAX_LANES} lanes for one transfer`, { who: 'server' });
    const transfer = this.#transfer!;
    const stop = (): void => lane.cancel(Failure.from(transfer.reason));
    transfer.addEventListener('abort', stop, { once: true });
    this.#joined += 1;
    try {
      await this.#serve(lane);
    } finally {
      this.#joined -= 1;
      transfer.removeEventListener('abort', stop);
    }
  }
}
