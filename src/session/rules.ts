/**
 * Rules: who may say what, when. Two tables, no code that decides anything besides them.
 *
 * Everything that affects what is allowed on the wire must live here; this file does not know which side it is on.
 * `OPENINGS` is how each side begins: from `SILENT` to `OPEN`. `EXCHANGES` has, for every request, the states its exchange goes through and
 * what each side may say in them; the word leads to the next state, and `over` ends the exchange. Besides what the
 * tables show, the server may end any exchange with `error` at any time, and the client may say `cancel` once.
 * Two ends always learn of an end at different times: words on an exchange that is over are legal and dropped.
 * `docs/protocol.md` draws its diagrams from these tables.
 */
import type { Kind } from '../wire/messages.ts';

export type Side = 'client' | 'server';

/** A message, or one of the frames that are none. */
export type Word = Kind | 'data' | 'batch';

/** What each side says first, before anything else: in each state the words it may say, and where they lead. */
export const OPENINGS: Readonly<Record<Side, Readonly<Record<string, Readonly<Partial<Record<Word, string>>>>>>> = {
  client: { silent: { hello: 'greeted' }, greeted: { auth: 'open', codeStart: 'started' }, started: { auth: 'open' } },
  server: { silent: { hello: 'greeted' }, greeted: { ready: 'open', codeAnswer: 'answered' }, answered: { ready: 'open' } },
};
/** Where each side begins, and where it may say what an open connection allows. */
export const SILENT = 'silent';
export const OPEN = 'open';

/** What may be said on exchange 0 at any time after HELLO. */
export const CONNECTION_WORDS: Readonly<Record<Side, ReadonlySet<Word>>> = {
  client: new Set<Word>(['ping', 'pong', 'goaway', 'error']),
  server: new Set<Word>(['ping', 'pong', 'goaway', 'error']),
};

export type State = string;
type Words = Readonly<Partial<Record<Word, State>>>;
export interface Allowed { readonly client?: Words; readonly server?: Words }
export type Exchange = Readonly<Record<State, Allowed>>;

/** A request with one answer. */
function answered(word: Word): Exchange {
  return { asked: { server: { [word]: 'over' } } };
}

/** For each request the states of its exchange; the first is entered by the request itself. */
export const EXCHANGES = {
  stat: answered('entry'),
  list: { asked: { server: { entries: 'asked', done: 'over' } } },
  makeFolder: answered('done'),
  remove: answered('done'),
  move: answered('done'),
  undo: { asked: { server: { undone: 'asked', done: 'over' } } },
  setAttributes: answered('done'),
  usage: answered('used'),
  space: answered('room'),
  hash: answered('digest'),
  measure: {
    asked: { client: { data: 'asked', finish: 'told' }, server: { data: 'asked', measured: 'over' } },
    told: { server: { data: 'told', measured: 'over' } },
  },
  put: {
    asked: { server: { accept: 'sending', stored: 'over' } }, // the latter in answer to `again`
    sending: { client: { data: 'sending', compressedData: 'sending', keep: 'sending', whole: 'whole', commit: 'committing' }, server: { hashes: 'sending' } },
    whole: { client: { data: 'whole', compressedData: 'whole', keep: 'whole', commit: 'committing' }, server: { hashes: 'whole' } }, // they crossed
    committing: { server: { hashes: 'committing', stored: 'over' } },
  },
  get: {
    asked: { client: { hashes: 'asked' }, server: { offer: 'sending' } },
    sending: { client: { hashes: 'sending' }, server: { data: 'sending', compressedData: 'sending', keep: 'sending', whole: 'whole', commit: 'over' } },
    whole: { client: { hashes: 'whole' }, server: { data: 'whole', compressedData: 'whole', keep: 'whole', commit: 'over' } },
  },
  putTree: {
    asked: { client: { batch: 'asked', compressedBatch: 'asked', folders: 'asked', finish: 'finishing' }, server: { batched: 'asked', problems: 'asked' } },
    finishing: { server: { batched: 'finishing', problems: 'finishing', done: 'over' } },
  },
  putLane: {
    asked: { server: { lent: 'sending' } },
    sending: { client: { data: 'sending', compressedData: 'sending', finish: 'finishing' } },
    finishing: { server: { done: 'over' } },
  },
  getLane: {
    asked: { server: { lent: 'sending' } },
    sending: { client: { enough: 'stopping' }, server: { data: 'sending', compressedData: 'sending', finish: 'finishing' } },
    stopping: { server: { data: 'stopping', compressedData: 'stopping', finish: 'stopped' } },
    finishing: { client: { enough: 'stopped', landed: 'landed' } }, // `enough` crossed `finish`
    stopped: { client: { landed: 'landed' } },
    landed: { server: { done: 'over' } },
  },
  getTree: { asked: { server: { batch: 'asked', compressedBatch: 'asked', folders: 'asked', large: 'asked', problems: 'asked', same: 'asked', done: 'over' } } },
} as const satisfies Partial<Record<Kind, Exchange>>;

export type Request = keyof typeof EXCHANGES;

export function isRequest(kind: Kind): kind is Request {
  return kind in EXCHANGES;
}

/** The state after `side` has said `word` in `state`; undefined when it may not. */
export function next(request: Request, state: State, side: Side, word: Word): State | undefined {
  return (EXCHANGES[request] as Exchange)[state]?.[side]?.[word];
}

/** The state in which an exchange begins. */
export const FIRST: State = 'asked';
export const OVER: State = 'over';
