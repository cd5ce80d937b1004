/** Options: what whoever opens a connection says about it, and wants to hear of it. Types only. */
import type { Failure } from '../errors.ts';
import type { Message } from '../wire/messages.ts';
import type { Budget } from './budget.ts';
import type { Exchange } from './exchange.ts';
import type { ConnectionLimits } from './limits.ts';
import type { Request, Side } from './rules.ts';

export interface ConnectionOptions {
  readonly side: Side;
  readonly agent: string;
  readonly budget?: Budget;
  readonly limits?: Partial<ConnectionLimits>;
  /** Whoever made the socket hands on what it receives by `receive`, out of memory that is used again. */
  readonly pushed?: boolean;
  /** Whether something here waits for the rate at which the peer may move bytes (server only): that is no lack of progress at either end, and both hear of it. */
  isPaced?(): boolean;
  /** A request by the client (server only). */
  onRequest?(exchange: Exchange, message: Message<Request>): void;
  /** A word on exchange 0 that this file does not handle itself: hello, auth, ready, goaway. */
  onWord(message: Message): void;
  /** Once, when it is over; undefined: both sides meant it to be. */
  onEnd(failure: Failure | undefined): void;
}
