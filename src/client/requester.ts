/** Requester: how the parts of the client open exchanges, so that every one of them listens to its signal. */
import type { Connection } from '../session/connection.ts';
import type { Exchange } from '../session/exchange.ts';
import type { Request } from '../session/rules.ts';
import type { Kind, Message } from '../wire/messages.ts';
import { reasonOf } from './dial.ts';

export class Requester {
  readonly connection: Connection;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  /** Opens an exchange, which `signal` cancels. Whoever opens it disposes it. */
  open(message: Message<Request>, signal: AbortSignal | undefined): Exchange {
    if (signal?.aborted === true) throw reasonOf(signal);
    const exchange = this.connection.request(message);
    if (signal !== undefined) {
      const stop = (): void => exchange.cancel(reasonOf(signal));
      signal.addEventListener('abort', stop, { once: true });
      exchange.signal.addEventListener('abort', () => signal.removeEventListener('abort', stop), { once: true });
    }
    return exchange;
  }

  /** A request with one answer. */
  async ask<K extends Kind>(message: Message<Request>, answer: K, signal: AbortSignal | undefined): Promise<Message<K>> {
    using exchange = this.open(message, signal);
    return await exchange.expect(answer);
  }
}
