/**
 * Requester: how the parts of the client open exchanges, so that every one of them listens to its signal, and waits
 * for its turn when the connection has as many as it may.
 *
 * Requests that stay open for as long as their caller has more to do (a tree, a listing, what a pipe says) get half of
 * the places at most: what they wait for are often other requests, which must find a place themselves.
 * Turns are in the order of asking, for each of the two kinds.
 */
import { Failure } from '../errors.ts';
import type { Connection } from '../session/connection.ts';
import type { Exchange } from '../session/exchange.ts';
import { MAX_EXCHANGES } from '../session/machine.ts';
import type { Request } from '../session/rules.ts';
import type { Kind, Message } from '../wire/messages.ts';
import { Aborts } from './aborts.ts';
import { reasonOf } from './dial.ts';
import type { Redial } from './lanes.ts';

const MAX_LASTING = MAX_EXCHANGES / 2;
/** Some 1 KiB each: a program that asks faster than it is answered should hear of it before its memory is used up. */
const MAX_WAITING = 16_384;

interface Waiting {
  start(): void;
}

export class Requester {
  readonly connection: Connection;
  /** How further connections to the same server are made; undefined: not at all. */
  readonly redial: Redial | undefined;
  readonly #waiting: Readonly<Record<'brief' | 'lasting', Set<Waiting>>> = { brief: new Set(), lasting: new Set() };
  readonly #aborts = new Aborts();
  #lasting = 0;

  /** `closed` settles when the connection is over: nobody waits any longer then. */
  constructor(connection: Connection, closed: Promise<unknown>, redial?: Redial) {
    this.connection = connection;
    this.redial = redial;
    connection.onEnded = () => this.#proceed();
    void closed.then(() => this.#proceed());
  }

  /** Opens an exchange, which `signal` cancels, also while it waits for its turn. Whoever opens it disposes it. */
  async open(message: Message<Request>, signal: AbortSignal | undefined): Promise<Exchange> {
    if (signal?.aborted === true) throw reasonOf(signal);
    const kind = isLasting(message) ? 'lasting' : 'brief';
    if (this.#waiting[kind].size === 0 && this.#hasRoom(kind)) return this.#start(message, signal);
    if (this.#waiting.brief.size + this.#waiting.lasting.size >= MAX_WAITING) {
      throw new Failure('LIMIT', `more than ${MAX_WAITING} requests wait for their turn`, { who: 'here', hint: 'wait for some of them to end', retry: true });
    }
    return this.#turn(kind, message, signal);
  }

  /** A request with one answer. */
  async ask<K extends Kind>(message: Message<Request>, answer: K, signal: AbortSignal | undefined): Promise<Message<K>> {
    using exchange = await this.open(message, signal);
    return await exchange.expect(answer);
  }

  #turn(kind: 'brief' | 'lasting', message: Message<Request>, signal: AbortSignal | undefined): Promise<Exchange> {
    const queue = this.#waiting[kind];
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        queue.delete(waiting);
        reject(reasonOf(signal!));
      };
      const listening = this.#aborts.on(signal, leave);
      const waiting: Waiting = {
        start: () => {
          listening[Symbol.dispose]();
          try {
            resolve(this.#start(message, signal));
          } catch (error) {
            reject(error); // the connection is over
          }
        },
      };
      queue.add(waiting);
    });
  }

  #hasRoom(kind: 'brief' | 'lasting'): boolean {
    return this.connection.over || (this.connection.machine.open < MAX_EXCHANGES && (kind === 'brief' || this.#lasting < MAX_LASTING));
  }

  #proceed(): void {
    for (const kind of ['brief', 'lasting'] as const) {
      for (const waiting of this.#waiting[kind]) {
        if (!this.#hasRoom(kind)) break;
        this.#waiting[kind].delete(waiting);
        waiting.start();
      }
    }
  }

  /** Throws when the connection is over or being closed. */
  #start(message: Message<Request>, signal: AbortSignal | undefined): Exchange {
    const exchange = this.connection.request(message);
    if (isLasting(message)) {
      this.#lasting += 1;
      // Every exchange is disposed, which aborts its signal.
      exchange.signal.addEventListener('abort', () => { this.#lasting -= 1; this.#proceed(); }, { once: true });
    }
    if (signal !== undefined) {
      const listening = this.#aborts.on(signal, () => exchange.cancel(reasonOf(signal)));
      exchange.signal.addEventListener('abort', () => listening[Symbol.dispose](), { once: true });
    }
    return exchange;
  }
}

function isLasting(message: Message<Request>): boolean {
  return message.kind === 'putTree' || message.kind === 'getTree' || message.kind === 'list' || message.kind === 'undo' || (message.kind === 'put' && message.size === undefined);
}
