/**
 * Talk: what a server and its worker processes say to each other, over the channel that Node opens between them.
 *
 * Both ends are of one build and trust each other: nobody else can write into the channel. So the words are types and
 * are not checked again. They arrive in the order in which they were said, in each direction.
 */
import type { Ended } from '../access/entries.ts';
import type { Adjustments } from '../doors/limits.ts';
import type { Credentials } from '../identity.ts';
import { type Code, Failure, type Party } from '../errors.ts';

import type { Accounting } from './accounting.ts';
import type { ServerLimits } from './limits.ts';
import type { ServerEvent } from './log.ts';
import type { Load } from './metrics/measured.ts';
import type { Account, ServiceSettings } from './service.ts';

/** One call of `Accounting`, under a number of its own. */
export interface Asking { readonly asked: number; readonly call: keyof Accounting; readonly given: readonly unknown[] }
/** What came of it. */
export interface Answering { readonly asked: number; readonly value?: number | undefined; readonly failure?: ToldFailure | undefined }

/** What the front says. */
export type Order =
  /** First of all, once. */
  | { readonly do: 'open'; readonly settings: SentSettings; readonly numbers: Numbers }
  /** With a socket of which nothing was read. Such an order may be lost on the way, all of it, so each is followed by `check`. */
  | { readonly do: 'take'; readonly connection: number; readonly known: boolean }
  | { readonly do: 'check'; readonly connection: number }
  /** There are too many: end this one, unless it has signed in. */
  | { readonly do: 'drop'; readonly connection: number }
  /** Who the peer of a session is, which was asked. */
  | { readonly do: 'admit'; readonly session: number; readonly account: ToldAccount; readonly confirmation: Uint8Array | undefined }
  /** The share of a spoken code, which was asked for. */
  | { readonly do: 'answer code'; readonly session: number; readonly point: Uint8Array }
  | { readonly do: 'refuse'; readonly session: number; readonly failure: ToldFailure }
  /** One stranger may sign in, as was asked. */
  | { readonly do: 'let in' }
  /** What was asked of the counts. */
  | ({ readonly do: 'counted' } & Answering)
  /** The accounts of these sessions are active no more. */
  | { readonly do: 'lock out'; readonly sessions: readonly { readonly session: number; readonly why: Ended }[]; readonly turn: number }
  /** From now on for new connections. */
  | { readonly do: 'adjust'; readonly changes: Adjustments<ServerLimits> }
  /** Take nothing new, and leave when what runs has ended. */
  | { readonly do: 'drain'; readonly graceMs: number; readonly lingerMs: number };

/** Settings as they go over the channel, which takes no `Secret`. */
export type SentSettings = Omit<ServiceSettings, 'key'> & { readonly key: string };

/** What a worker says. */
export type Word =
  | { readonly said: 'open'; readonly memory: number }
  | { readonly said: 'failed'; readonly failure: ToldFailure }
  /** Whether a connection has arrived; it has not where the process may open no more files. */
  | { readonly said: 'taken'; readonly connection: number; readonly arrived: boolean }
  /** A connection that it took has signed in. */
  | { readonly said: 'settled'; readonly connection: number }
  /** A connection that it took has ended. */
  | { readonly said: 'gone'; readonly connection: number }
  | { readonly said: 'who'; readonly session: number; readonly credentials: Credentials }
  | { readonly said: 'code'; readonly session: number; readonly point: Uint8Array; readonly exporter: Uint8Array }
  /** Somebody from an address that is not known waits for their turn; said once until it is answered. */
  | { readonly said: 'stranger' }
  /** One call of `Accounting`. */
  | ({ readonly said: 'count' } & Asking)
  | { readonly said: 'event'; readonly event: ServerEvent }
  | { readonly said: 'locked out'; readonly turn: number }
  /** What it has in hand; once a second, when that has changed. */
  | { readonly said: 'load'; readonly load: Load }
  /** The last word. */
  | { readonly said: 'leaving' };

/** The numbers of a worker's sessions: `first`, `first + step` … so that no two workers have the same. */
export interface Numbers { readonly first: number; readonly step: number }

/** An account as data: that it is active still is told by `lock out`. */
export type ToldAccount = Omit<Account, 'active' | 'ended' | 'confirmation'>;

export interface ToldFailure {
  readonly code: Code;
  readonly message: string;
  readonly path: string | undefined;
  readonly who: Party | undefined;
  readonly retry: boolean;
  readonly hint: string | undefined;
}

/** A failure as data, without what caused it. */
export function told(error: unknown): ToldFailure {
  const { code, message, path, who, retry, hint } = Failure.from(error);
  return { code, message, path, who, retry, hint };
}

export function failureOf({ code, message, ...details }: ToldFailure): Failure {
  return new Failure(code, message, details);
}
