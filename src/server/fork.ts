/**
 * Fork: one worker process of a server, as that sees it.
 *
 * Sockets go out as they were accepted; back come events for the log, questions who somebody is, and word of each
 * connection that has ended. However a worker ends, nothing is left open by it: its sessions are told to be over, and
 * what was not handed over yet is closed.
 */
import { type ChildProcess, fork } from 'node:child_process';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Adjustments } from '../doors/limits.ts';
import { addressOf } from '../doors/peer.ts';
import type { StrangersHere } from '../doors/strangers.ts';
import { accessEnded } from '../drive/refusals.ts';
import { Failure } from '../errors.ts';
import { AnsweredCounts } from './counts.ts';
import type { Credentials } from '../identity.ts';
import type { ServerLimits } from './limits.ts';
import type { ServerEvent } from './log.ts';
import type { Load } from './metrics/measured.ts';
import type { Account, Arrival, Host, ServiceSettings } from './service.ts';
import { failureOf, type Order, told, type Word } from './talk.ts';

/** What the front is to a worker. */
export interface Front extends Host {
  readonly settings: ServiceSettings;
  readonly strangers: StrangersHere;
  /** How many workers there are. */
  readonly count: number;
  /** Sessions at all workers. */
  active(): number;
}

/** How long a worker may take to say that it has locked somebody out (ms): whoever revokes a device waits 10 s for the answer. */
const ANSWER_MS = 5_000;
/** How long one that cannot be talked to any more may take to end (ms). */
const END_MS = 10_000;
/** A worker gives up by itself before this much time beyond the grace (ms). */
const LEAVE_MS = 15_000;
/** One for each socket that the server listens at, and our own. */
const MAX_LISTENERS = 32;

interface Handed { readonly socket: Socket; readonly address: string; readonly arrival: Arrival }
interface Session { readonly address: string; account?: Account }

export class Fork {
  /** Counted from 1. */
  readonly place: number;
  /** Resolves when it can serve, with the bytes its connections may hold; rejects with why it cannot. */
  readonly open: Promise<number>;
  /** Resolves as soon as it cannot be talked to any more. */
  readonly parted: Promise<void>;
  /** Resolves when it has ended and all it said was heard, with how. */
  readonly over: Promise<string>;
  readonly #child: ChildProcess;
  readonly #front: Front;
  readonly #connections = new Map<number, Handed>();
  readonly #sessions = new Map<number, Session>();
  readonly #turns = new Map<number, () => void>();
  readonly #counts: AnsweredCounts;
  /** What it had in hand when it last said so. */
  load: Load = { requests: 0, held: 0, resident: 0 };
  #opened!: { resolve(memory: number): void; reject(failure: Failure): void };
  #handed = 0;
  #asked = 0;
  #nextSession: number;

  /** Starts the process, which numbers its sessions from `firstSession`. Throws when the system does not let it. */
  constructor(place: number, front: Front, firstSession: number) {
    this.place = place;
    this.#nextSession = firstSession;
    this.#front = front;
    this.#counts = new AnsweredCounts(front.accounting, (answering) => this.#order({ do: 'counted', ...answering }));
    this.open = new Promise((resolve, reject) => { this.#opened = { resolve, reject }; });
    this.open.catch(() => undefined); // whoever started it may look at `over` alone
    // The same way from the folder of this file and from that of the bundled command; with the extension of what runs.
    const main = new URL(import.meta.url.endsWith('.ts') ? '../server/worker.ts' : '../server/worker.js', import.meta.url);
    const child = fork(fileURLToPath(main), {
      serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child = child;
    child.setMaxListeners(MAX_LISTENERS);
    child.on('message', (word: Word) => this.#hear(word));
    const silent = new Promise<void>((resolve) => { child.once('disconnect', resolve); });
    const ended = endOf(child);
    this.parted = Promise.race([silent, ended]).then(() => undefined);
    this.over = Promise.all([ended, silent]).then(([how]) => this.#end(how));
    void this.parted.then(() => this.#mustEnd(ended, END_MS));
    this.#order({ do: 'open', settings: { ...front.settings, key: front.settings.key.reveal() }, numbers: { first: firstSession, step: front.count } });
  }

  get pid(): number | undefined { return this.#child.pid; }
  get sessions(): number { return this.#sessions.size; }
  /** The first number of a session that this worker has not used. */
  get nextSession(): number { return this.#nextSession; }
  /** Whether it can be given anything. */
  get listens(): boolean { return this.#child.connected; }

  /** Hands a connection on; what is returned ends it, where it has not signed in. */
  take(socket: Socket, arrival: Arrival): () => void {
    this.#handed += 1;
    const connection = this.#handed;
    this.#connections.set(connection, { socket, address: addressOf(socket), arrival });
    this.#order({ do: 'take', connection, known: arrival.known }, socket);
    this.#order({ do: 'check', connection });
    return () => this.#order({ do: 'drop', connection });
  }

  /** Locks out the sessions whose accounts are active no more, and resolves when nothing further is done for them. */
  async recheck(): Promise<void> {
    const sessions = [...this.#sessions].flatMap(([session, { account }]) => (account?.active() === false ? { session, why: account.ended() } : []));
    if (sessions.length === 0) return;
    this.#asked += 1;
    const turn = this.#asked;
    const heard = new Promise<void>((resolve) => { this.#turns.set(turn, resolve); });
    this.#order({ do: 'lock out', sessions, turn });
    // One that does not answer ends, and with it what it still does for them.
    this.#mustEnd(heard, ANSWER_MS);
    await Promise.race([heard, this.over]);
    this.#turns.delete(turn);
  }

  /** Connections that it is given from now on are under these. */
  adjust(changes: Adjustments<ServerLimits>): void {
    this.#order({ do: 'adjust', changes });
  }

  /** Takes nothing new, gives what runs `graceMs`, and ends. */
  async drain(graceMs: number, lingerMs = 0): Promise<void> {
    this.#order({ do: 'drain', graceMs, lingerMs });
    this.#mustEnd(this.over, graceMs + LEAVE_MS);
    await this.over;
  }

  #order(order: Order, socket?: Socket): void {
    if (!this.listens) return;
    // Kept open here: else Node would send again what did not arrive, in a way that can end this process (seen on Node 20).
    this.#child.send(order, socket, { keepOpen: true }, () => {}); // nothing arrives any more when the process has ended, which is told
  }

  #hear(word: Word): void {
    switch (word.said) {
      case 'open': return this.#opened.resolve(word.memory);
      case 'failed': return this.#opened.reject(failureOf(word.failure));
      case 'gone': return this.#gone(word.connection);
      case 'settled': return this.#connections.get(word.connection)?.arrival.settled();
      case 'taken': return this.#taken(word.connection, word.arrived);
      case 'who': return void this.#who(word.session, word.credentials);
      case 'code': return void this.#code(word);
      case 'stranger': return void this.#front.strangers.lend().then(() => this.#order({ do: 'let in' }));
      case 'count': return this.#counts.hear(word);
      case 'event': return this.#event(word.event);
      case 'load': this.load = word.load; return;
      case 'locked out': return this.#turns.get(word.turn)?.();
      case 'leaving': return;
    }
  }

  #gone(connection: number): void {
    const handed = this.#connections.get(connection);
    this.#connections.delete(connection);
    handed?.socket.destroy(); // its end may be told before its arrival
    handed?.arrival.gone();
  }

  /** The worker has a copy of the socket, or will never have one: ours is of no use any more. */
  #taken(connection: number, arrived: boolean): void {
    const handed = this.#connections.get(connection);
    handed?.socket.destroy(); // says nothing to the peer as long as there is another copy
    if (arrived) return;
    this.#front.onEvent({ event: 'refused', address: handed?.address, code: 'LIMIT', reason: 'the worker may open no more files', worker: this.place });
    this.#gone(connection);
  }

  async #who(session: number, credentials: Credentials): Promise<void> {
    const known = this.#sessions.get(session);
    if (known === undefined) return;
    try {
      const account = await this.#front.who(credentials, { address: known.address, session });
      if (!account.active()) throw accessEnded(account.ended());
      known.account = account;
      const { name, device, roots, grants, byToken, byOwner, metered } = account;
      this.#order({ do: 'admit', session, account: { name, device, roots, grants, byToken, byOwner, metered }, confirmation: account.confirmation });
    } catch (error) {
      this.#order({ do: 'refuse', session, failure: told(error) });
    }
  }

  async #code({ session, point, exporter }: Word & { said: 'code' }): Promise<void> {
    const known = this.#sessions.get(session);
    if (known === undefined) return;
    try {
      this.#order({ do: 'answer code', session, point: await this.#front.answerCode(point, exporter, { address: known.address, session }) });
    } catch (error) {
      this.#order({ do: 'refuse', session, failure: told(error) });
    }
  }

  /** Keeps count of the sessions, and tells the log, with the count of all workers. */
  #event(event: ServerEvent): void {
    const { session } = event as ServerEvent & { session?: number };
    if (session !== undefined && event.event === 'connected') {
      this.#sessions.set(session, { address: event['address'] as string });
      this.#nextSession = session + this.#front.count;
    }
    if (session !== undefined && event.event === 'disconnected') this.#sessions.delete(session);
    this.#front.onEvent({ ...event, ...('active' in event && { active: this.#front.active() }), worker: this.place });
  }

  #end(how: string): string {
    this.load = { requests: 0, held: 0, resident: 0 };
    this.#opened.reject(new Failure('INTERNAL', `a worker of the server ended before it could serve: ${how}`, { who: 'here', hint: 'see what it said, or serve without --workers' }));
    for (const [session, { address, account }] of [...this.#sessions]) {
      this.#event({ event: 'disconnected', session, address, account: account?.name, code: 'LOST', reason: 'its worker ended', active: 0 });
    }
    for (const connection of [...this.#connections.keys()]) this.#gone(connection);
    this.#counts.over();
    return how;
  }

  /** Ends the process the hard way when `sign` does not come within `ms`. */
  #mustEnd(sign: Promise<unknown>, ms: number): void {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), ms).unref();
    void sign.then(() => clearTimeout(timer));
  }
}

/** How the process ended, once it has, or never began. */
function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    child.on('error', (error) => {
      if (child.pid !== undefined) return;
      resolve(error.message);
      if (child.connected) child.disconnect();
    });
  });
}
