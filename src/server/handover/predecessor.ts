/**
 * Predecessor: the process whose place this one takes, as this one sees it: asked for what there is one of, and from then on
 * heard, told whom it is to lock out, and waited for.
 *
 * Whom it has signed in is judged here, by the book that only this process reads. When this process is followed by another
 * in turn, what it cannot judge any more it passes on.
 */
import type { Server as Listening } from 'node:net';
import type { Ended } from '../../access/entries.ts';
import { Failure } from '../../errors.ts';
import { SOFTWARE_VERSION } from '../../version.ts';
import type { Accounting } from '../accounting.ts';
import type { Config } from '../config.ts';
import type { Listen } from '../listen.ts';
import type { ServerEvent } from '../log.ts';
import { told } from '../talk.ts';
import { HeardCounts } from './counted.ts';
import { Elder } from './elder.ts';
import type { Barred, Guest } from './guests.ts';
import type { Successor } from './successor.ts';
import { type Counted, HANDOVER, MARK, type Order, type Word } from './words.ts';

/** How long the older one may take to answer (ms): it has nothing to open. */
const ANSWER_MS = 10_000;
/** How long its end may take beyond the grace (ms): what was cut tidies up for 5 s. It hangs after that, and is ended. */
const END_MS = 15_000;

/** The longest that is waited for at a time (ms): longer than that no timer of Node waits. */
const LONGEST_MS = 2 ** 31 - 1;

/** What came of its start. */
export interface Inheritance {
  /** Sessions are numbered from here. */
  readonly sessions: number;
  readonly guests: readonly Guest[];
  readonly counted: readonly Counted[];
  /** Older processes that have not ended. */
  readonly behind: number;
  /** As it says; not looked at yet. */
  readonly bans: unknown;
}

/** What is asked of this process. */
export interface Judge {
  /** Why a guest may go on no longer, if so; asked again and again. */
  endOf(guest: Guest): () => Ended | undefined;
  readonly accounting: Accounting;
  record(event: ServerEvent): void;
  /** Somebody has asked the older one for it. */
  reload(): void;
  warn(message: string): void;
}

/** The channel to it. */
export interface Channel {
  readonly connected: boolean;
  send?(word: Word): unknown;
  disconnect(): void;
  on(event: 'message', listener: (order: Order, socket: Listening | undefined) => void): unknown;
  once(event: 'disconnect', listener: () => void): unknown;
}

export class Predecessor {
  /** Resolves when it has ended. */
  readonly over: Promise<void>;
  readonly #channel: Channel;
  readonly #guests = new Map<number, Guest & { ended(): Ended | undefined }>();
  readonly #turns = new Map<number, () => void>();
  readonly #waiting = new Map<Order['do'], (order: Order) => void>();
  #onSocket: (listen: Listen, socket: Listening) => void = (_, socket) => socket.close();
  #judge: Judge | undefined;
  /** Resolves when there is somebody to judge. */
  readonly #serving: Promise<void>;
  #serves!: () => void;
  #counts: HeardCounts | undefined;
  #next: Successor | undefined;
  #asked = 0;
  #isOver = false;
  #behind = 0;
  #elder: Elder | undefined;
  /** How long it may last when this one serves, and then until when (ms, by the clock of this process). */
  #lastsMs = 0;
  #until = Infinity;

  private constructor(channel: Channel) {
    this.#channel = channel;
    this.#serving = new Promise((resolve) => { this.#serves = resolve; });
    channel.on('message', (order, socket) => this.#hear(order, socket));
    this.over = new Promise((resolve) => {
      channel.once('disconnect', () => { this.#end(); resolve(); });
    });
  }

  /** The process that started this one to take its place; undefined: it was started for itself. Takes the mark out of `env`. */
  static of(channel: Channel, env: Record<string, string | undefined>): Predecessor | undefined {
    const marked = env[MARK] !== undefined && channel.connected;
    delete env[MARK];
    return marked ? new Predecessor(channel) : undefined;
  }

  /** Older processes that have not ended, as far as is known. */
  get behind(): number { return this.#isOver ? 0 : this.#behind; }
  /** Those signed in there. */
  get guests(): Guest[] { return [...this.#guests.values()].map(({ session, key, account }) => ({ session, key, account })); }

  /** Says that this process can take over; resolves when everything but the sockets is free. */
  async begin({ dir, state }: Config): Promise<Inheritance> {
    this.#say({ said: 'here', handover: HANDOVER, version: SOFTWARE_VERSION, folder: dir, state });
    const { pid, lastsMs, bans, sessions, guests, counted, behind } = await this.#answer('begin');
    this.#behind = behind;
    this.#elder = Elder.of(pid);
    this.#lastsMs = Number.isFinite(lastsMs) && lastsMs > 0 ? lastsMs : 0;
    return { bans, sessions, guests, counted, behind };
  }

  /** Hears it from now on. */
  serve(judge: Judge, { guests, counted }: Inheritance): void {
    this.#judge = judge;
    const counts = new HeardCounts(judge.accounting, (answering) => this.#say({ said: 'counted', ...answering }));
    this.#counts = counts;
    for (const guest of guests) this.#guests.set(guest.session, { ...guest, ended: judge.endOf(guest) });
    for (const one of counted) counts.inherit(one);
    this.#serves();
  }

  /** Its listening sockets, each told as it arrives, before anything can come in by it. Resolves when there are no more. */
  async sockets(onSocket: (listen: Listen, socket: Listening) => void): Promise<void> {
    this.#onSocket = onSocket;
    this.#say({ said: 'ports' });
    await this.#answer('listened');
  }

  ready(): void {
    this.#say({ said: 'ready' });
    this.#until = performance.now() + this.#lastsMs + END_MS;
    void this.#outlast();
  }

  /** How long it may still last at most (ms). */
  get leftMs(): number { return this.#isOver ? 0 : Math.max(0, this.#until - performance.now()); }

  /** This process does not serve. */
  failed(error: unknown): void {
    this.#say({ said: 'failed', failure: told(error) });
    this.leave();
  }


  /** Has it lock out those who may stay no longer; resolves when nothing further is done for them. */
  async recheck(): Promise<void> {
    if (this.#next !== undefined) return;
    const barred = [...this.#guests.values()].flatMap(({ session, ended }) => { const why = ended(); return why === undefined ? [] : { session, why }; });
    if (barred.length > 0) await this.bar(barred);
  }

  async bar(barred: readonly Barred[]): Promise<void> {
    if (this.#isOver) return;
    this.#asked += 1;
    const turn = this.#asked;
    const heard = new Promise<void>((resolve) => { this.#turns.set(turn, resolve); });
    this.#say({ said: 'bar', barred, turn });
    await Promise.race([heard, this.over, soon()]);
    this.#turns.delete(turn);
  }

  /** Another one takes this process's place. */
  passOn(next: Successor): void {
    this.#next = next;
  }

  /** Gives what runs there `graceMs`; resolves when it has ended. */
  async stop(graceMs: number): Promise<void> {
    if (this.#isOver) return;
    this.#say({ said: 'stop', graceMs });
    this.#until = Math.min(this.#until, performance.now() + graceMs + END_MS);
    await this.#outlast();
  }

  /** Waits for its end, and ends it when it has had its time: what hangs would hold memory and descriptors for ever. */
  async #outlast(): Promise<void> {
    while (this.leftMs > 0) await Promise.race([this.over, new Promise((resolve) => { setTimeout(resolve, Math.min(this.leftMs, LONGEST_MS)).unref(); })]);
    if (this.#isOver || this.#elder === undefined) return;
    const { pid } = this.#elder;
    if (this.#elder.end()) this.#judge?.warn(`the version before this one, process ${pid}, did not end in its time and was killed; what it was still sending is resumed when its clients come again`);
    this.#elder = undefined;
  }

  /** There is nothing further to say. */
  leave(): void {
    if (this.#channel.connected) this.#channel.disconnect();
  }

  #hear(order: Order, socket: Listening | undefined): void {
    switch (order.do) {
      case 'listen': return socket === undefined ? undefined : this.#onSocket(order.listen, socket);
      case 'vouch': return void this.#vouch(order.guest);
      case 'gone': this.#guests.delete(order.session); return this.#next?.gone(order.session);
      case 'barred': return this.#turns.get(order.turn)?.();
      case 'event': return this.#judge?.record(order.event);
      case 'reload': return this.#judge?.reload();
      case 'count': return void this.#serving.then(() => this.#counts?.hear(order));
      case 'begin':
      case 'listened': this.#waiting.get(order.do)?.(order);
    }
  }

  async #vouch(guest: Guest): Promise<void> {
    await this.#serving;
    const ended = this.#next === undefined ? this.#judge?.endOf(guest) : undefined;
    const may = this.#next === undefined ? ended !== undefined && ended() === undefined : await this.#next.vouch(guest);
    if (may) this.#guests.set(guest.session, { ...guest, ended: ended ?? (() => undefined) });
    this.#say({ said: 'vouched', session: guest.session, may });
  }

  #end(): void {
    this.#isOver = true;
    for (const session of this.#guests.keys()) this.#next?.gone(session);
    this.#guests.clear();
    this.#counts?.over();
  }

  #answer<D extends Order['do']>(kind: D): Promise<Order & { do: D }> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Failure('TIMEOUT', 'the version before this one does not answer', { who: 'here' })), ANSWER_MS).unref();
      this.#waiting.set(kind, (order) => { clearTimeout(timer); resolve(order as Order & { do: D }); });
      void this.over?.then(() => reject(new Failure('LOST', 'the version before this one has ended', { who: 'here' })));
    });
  }

  #say(word: Word): void {
    if (this.#channel.connected) this.#channel.send?.(word);
  }
}

/** A bound for an older process that hangs: whoever revokes a device waits 10 s for the answer. */
function soon(): Promise<void> {
  return new Promise((resolve) => { setTimeout(resolve, 5_000).unref(); });
}
