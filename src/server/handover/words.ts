/**
 * Words: what a server and the one that takes its place say to each other, over the channel that Node opens between them.
 *
 * The two are of different versions, so what is said has a number of its own: one that does not know it does not take
 * over. It goes over a channel that nobody else can write to. Types alone, but for the number and the mark.
 */
import type { KeptBans } from '../../access/bans.ts';
import type { Listen } from '../listen.ts';
import type { ServerEvent } from '../log.ts';
import type { Answering, Asking, ToldFailure } from '../talk.ts';
import type { Barred, Guest } from './guests.ts';

/** What both have to speak. A change of any word below is another number. */
export const HANDOVER = 5;

/** In the environment of a process that is to take the place of the one with this number. */
export const MARK = 'WHERRY_HANDOVER';

/** Room that is kept, with its number there, or what is taken of a token: the call of the counts that did it. */
export interface Counted { readonly call: 'keep' | 'spend'; readonly given: readonly unknown[]; readonly number?: number | undefined }

/** What the new one says. */
export type Word =
  /** First of all: it can read its configuration, and serves the same. Nothing is open yet. */
  | { readonly said: 'here'; readonly handover: number; readonly version: string; readonly folder: string; readonly state: string }
  /** All else is open: the listening sockets are wanted. */
  | { readonly said: 'ports' }
  /** It serves. */
  | { readonly said: 'ready' }
  | { readonly said: 'failed'; readonly failure: ToldFailure }
  | ({ readonly said: 'counted' } & Answering)
  | { readonly said: 'vouched'; readonly session: number; readonly may: boolean }
  /** These are let do nothing further. */
  | { readonly said: 'bar'; readonly barred: readonly Barred[]; readonly turn: number }
  /** The whole service stops: what runs has so long. */
  | { readonly said: 'stop'; readonly graceMs: number };

/** What the old one says. */
export type Order =
  /** The state folder is free. `behind`: older ones that have not ended, this one among them. `pid`: of this one, which has ended `lastsMs` after the new one serves, unless it hangs. */
  | { readonly do: 'begin'; readonly pid: number; readonly lastsMs: number; readonly bans: KeptBans; readonly sessions: number; readonly guests: readonly Guest[]; readonly counted: readonly Counted[]; readonly behind: number }
  /** With a listening socket. */
  | { readonly do: 'listen'; readonly listen: Listen }
  | { readonly do: 'listened' }
  /** Somebody has signed in who had come before: may they? */
  | { readonly do: 'vouch'; readonly guest: Guest }
  /** Read the configuration again: somebody has asked the old one to. */
  | { readonly do: 'reload' }
  | { readonly do: 'gone'; readonly session: number }
  | { readonly do: 'barred'; readonly turn: number }
  | { readonly do: 'event'; readonly event: ServerEvent }
  /** What the counts are asked, which are the new one's now. */
  | ({ readonly do: 'count' } & Asking);
