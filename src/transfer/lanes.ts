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

export class Lanes implements Disposable {
  #serve: ((lane: Lane) => Promise<void>) | undefined;
  #transfer: AbortSignal | undefined;
  /** Resolves when the transfer serves, or is over: a lane may be there before, when a disk is slow to open a file or a word is late. */
  readonly #begun: Promise<void>;
  #begin!: () => void;
  readonly #leaving = new WeakSet<Lane>();
  #joined = 0;

  constructor() {
    this.#begun = new Promise((resolve) => { this.#begin = resolve; });
  }

  /**
   * From the transfer on `exchange`: serves each lane that has joined or joins, until the result is disposed. `serve` resolves when all
   * data of the lane has arrived. Lanes end with their transfer.
   */
  serve(exchange: Exchange, serve: (lane: Lane) => Promise<void>): Disposable {
    this.#serve = serve;
    this.#transfer = exchange.signal;
    setMaxListeners(MAX_LANES + 5, exchange.signal);
    this.#begin();
    return { [Symbol.dispose]: () => this[Symbol.dispose]() };
  }

  /** The transfer is over, also one that never began. */
  [Symbol.dispose](): void {
    this.#serve = undefined;
    this.#begin();
  }

  /** A sender gives `lane` nothing more. */
  leave(lane: Lane): void { this.#leaving.add(lane); }
  leaving(lane: Lane): boolean { return this.#leaving.has(lane); }

  /** Resolves when everything that went over `lane` has arrived. Rejects when it failed; LIMIT when there are too many, NOTFOUND when the transfer is over. */
  async join(lane: Lane): Promise<void> {
    if (this.#joined >= MAX_LANES) throw new Failure('LIMIT', `more than ${MAX_LANES} lanes for one transfer`, { who: 'server' });
    this.#joined += 1;
    try {
      await this.#begun;
      await this.#carry(lane);
    } finally {
      this.#joined -= 1;
    }
  }

  async #carry(lane: Lane): Promise<void> {
    if (this.#serve === undefined) throw new Failure('NOTFOUND', 'no transfer of this key is running', { who: 'server' });
    const transfer = this.#transfer!;
    const stop = (): void => lane.cancel(Failure.from(transfer.reason));
    transfer.addEventListener('abort', stop, { once: true });
    try {
      await this.#serve(lane);
    } finally {
      transfer.removeEventListener('abort', stop);
    }
  }
}
