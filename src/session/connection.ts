/**
 * Connection: one socket and one machine; the only file above the doors' listeners that touches a socket.
 *
 * It turns bytes into deliveries to exchanges and hands requests to `onRequest`; it says HELLO by itself, answers
 * pings, and ends a connection that is silent for 45 s, makes no progress, drips, or does not read what a server sent. Reading stops while the process-wide
 * budget is used up, while `hold` is in force (a server decides on a proof), and while answers pile up unread;
 * what was already read is kept in order, bounded by one chunk of the socket. Whatever happens to a connection reaches its own exchanges as a `Failure` and nobody else.
 */
import type { Duplex } from 'node:stream';
import { Failure } from '../errors.ts';
import { greaseFrame, MAX_BODY } from '../wire/frame.ts';
import { errorMessage, failureOf, TAKES_ZSTD, VERSION, type Message } from '../wire/messages.ts';
import { kept, received } from './arrival.ts';
import { processBudget, type Budget } from './budget.ts';
import { lost, stopping } from './ends.ts';
import { Exchange } from './exchange.ts';
import { Gathering } from './gathering.ts';
import { CONNECTION_LIMITS, LOOK_MS, TICK_MS } from './limits.ts';
import type { Line, Received } from './line.ts';
import { Liveness } from './liveness.ts';
import { INITIAL_CREDIT, Machine, MAX_EXCHANGES, type MachineEvent } from './machine.ts';
import type { ConnectionOptions } from './options.ts';
import { takenFrom } from './outflow.ts';
import { Outlet } from './outlet.ts';
import { isRequest, type Request } from './rules.ts';
import { SlabShare } from './slabs.ts';
import { Sounding } from './sounding.ts';
import { Turns } from './turns.ts';
import { hasZstd } from './zstd.ts';

/** Unsent answers at which we stop taking requests from a peer that does not read. */
const MAX_UNSENT = 4 << 20;

export class Connection implements Line {
  readonly machine: Machine;
  readonly slabs: SlabShare;
  readonly packs: SlabShare;
  readonly turns = new Turns();
  readonly sounding = new Sounding((token) => this.say({ kind: 'ping', token }));
  onEnded = (): void => {}; // an exchange has ended: there is room for another request
  readonly #socket: Duplex;
  readonly #outlet: Outlet;
  readonly #gathering: Gathering;
  readonly #options: ConnectionOptions;
  readonly #liveness: Liveness;
  readonly budget: Budget;
  readonly #exchanges = new Map<number, Exchange>();
  #events: MachineEvent[] = []; // read but not yet dealt with
  #dealing = false;
  #holding = false;
  #over = false;
  #leaving: Failure | undefined;
  #drained: (() => void) | undefined;
  readonly #tick: NodeJS.Timeout;
  #looking: NodeJS.Timeout | undefined;

  constructor(socket: Duplex, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    const limits = { ...CONNECTION_LIMITS, ...options.limits };
    this.#liveness = new Liveness(limits);
    this.budget = options.budget ?? processBudget;
    this.#gathering = new Gathering(this.budget, this.#proceed, (id, part) => this.#deliver(id, part));
    this.#outlet = new Outlet(socket, () => this.#taken());
    this.machine = new Machine(options.side);
    [this.slabs, this.packs] = [new SlabShare(this.budget), new SlabShare(this.budget)];
    this.#tick = setInterval(() => this.#check(), Math.min(TICK_MS, limits.pingAfterMs, limits.deadAfterMs / 3, limits.progressMs / 3, limits.idleMs / 3, limits.slowAfterMs / 3, limits.unreadMs / 3)).unref();
    if (options.pushed !== true) socket.on('data', (chunk: Buffer) => this.receive(chunk));
    for (const [event, how] of [['end', 'the other side closed the connection'], ['close', 'the connection broke']] as const) socket.on(event, () => this.end(this.#leaving !== undefined && this.#exchanges.size === 0 ? undefined : lost(how)));
    socket.on('error', (error: NodeJS.ErrnoException) => this.end(lost(`the connection broke (${error.code ?? error.message})`, error)));
    socket.on('resume', () => this.#liveness.heard()); // the silence was ours
    this.say({ kind: 'hello', version: VERSION, agent: options.agent, maxBody: MAX_BODY, credit: INITIAL_CREDIT, takes: hasZstd ? TAKES_ZSTD : undefined });
    this.write(greaseFrame());
  }

  get active(): number { return this.#exchanges.size; } // exchanges that are open
  get over(): boolean { return this.#over; }
  get idleMs(): number { return this.#exchanges.size > 0 ? 0 : this.#liveness.quietMs; } // for how long nothing was in hand

  /** Opens an exchange with a request. Throws when the connection is over or being closed. */
  request(message: Message<Request>): Exchange {
    if (this.#over) throw this.#leaving?.code === 'AUTH' ? this.#leaving : lost('the connection is closed');
    if (this.#leaving !== undefined) throw this.#leaving;
    if (this.machine.open >= MAX_EXCHANGES) throw new Failure('LIMIT', `more than ${MAX_EXCHANGES} requests at once`, { who: 'here', hint: 'wait for some of them to end', retry: true });
    const { exchange: id, frame } = this.machine.request(message);
    const exchange = new Exchange(id, this);
    this.#exchanges.set(id, exchange);
    this.write(frame);
    return exchange;
  }

  /** Says a word about the connection itself. */
  say(message: Message): void {
    const frame = this.machine.say(0, message);
    if (frame !== undefined) this.write(frame);
  }

  /** Stops acting on what arrives until `release`; what was read waits. */
  hold(): void { this.#holding = true; }
  release(): void { this.#holding = false; this.#proceed(); }

  write(frame: Uint8Array, written?: () => void): void {
    if (this.#over) { written?.(); return; }
    this.sounding.moved();
    if (written !== undefined) this.turns.began();
    if (this.#outlet.unsent === 0) this.#liveness.taken();
    this.#outlet.write(frame, written && (() => {
      written();
      this.turns.ended();
    }));
  }

  #taken(): void { this.#liveness.taken(); if (this.#events.length > 0) this.#proceed(); }

  released(bytes: number): void {
    this.#gathering.release(bytes);
    // Who holds less may have more.
    if (this.#events.length > 0 || this.#socket.isPaused()) this.#proceed();
  }

  ended(id: number): void {
    this.#exchanges.get(id)?.credited(); // there will be no more: whoever waits for some learns that it is over
    this.#exchanges.delete(id);
    this.#liveness.busy();
    if (this.#exchanges.size === 0) this.#drained?.();
    this.onEnded();
  }

  /** Where the next bytes from the peer belong, if they are known to be of a bulk frame that is wanted. */
  landing(): Uint8Array | undefined { return this.#events.length > 0 || this.machine.dropping ? undefined : this.#gathering.landing(); }

  /** Bytes from the peer. Whoever calls may use their memory again afterwards, but for what `landing` gave. */
  receive(chunk: Uint8Array): void {
    if (this.#over) return;
    this.#liveness.heard(chunk.byteLength, this.machine.inFrame);
    try {
      // All of a bulk body but its first and last record goes this short way.
      const last = this.#events.length > 0 ? undefined : this.machine.inside(chunk);
      if (last === undefined) this.#events.push(...this.machine.receive(chunk));
      else if (this.machine.dropping) return;
      else {
        const piece = { event: 'piece', exchange: this.#gathering.exchange, bytes: chunk, last } as const;
        if (this.#gathering.piece(piece)) return;
        this.#events.push(piece);
      }
      this.#proceed();
      this.#events = kept(this.#events);
    } catch (error) {
      this.abort(Failure.from(error));
    }
  }

  /** Deals with what was read, as far as that is possible now, and reads on when all is dealt with. */
  readonly #proceed = (): void => {
    if (this.#over || this.#dealing) return;
    this.#dealing = true; // what is done below may lead back here
    try {
      let done = 0;
      while (done < this.#events.length && !this.#holding && this.#outlet.unsent < MAX_UNSENT && this.#deal(this.#events[done]!)) done += 1;
      if (done > 0) this.#events = done === this.#events.length ? [] : this.#events.slice(done);
      this.#read(this.#events.length === 0 && !this.#holding && this.#gathering.expect(this.machine.gathering));
    } catch (error) {
      this.abort(Failure.from(error));
    } finally {
      this.#dealing = false;
    }
  };

  /** Reads on, or not: a socket that is not read keeps no process alive, whoever waits there for what it will bring. */
  #read(on: boolean): void {
    if (this.#over || on !== this.#socket.isPaused()) return;
    if (on) this.#socket.resume(); else this.#socket.pause();
    clearInterval(this.#looking);
    if (!on && this.machine.side === 'client') this.#looking = setInterval(() => this.#look(), LOOK_MS);
  }

  /** While nothing is read: whether what waits for the peer waits for what is held, which waits for that. */
  #look(): void {
    if (!this.#gathering.standsStill() || [...this.#exchanges.values()].every(({ waitingSince }) => waitingSince === undefined)) return;
    this.#gathering.force();
    this.#proceed();
  }

  /** False: not now. */
  #deal(event: MachineEvent): boolean {
    if (event.event === 'begin') return this.#begin(event);
    if (event.event === 'piece') return this.#gathering.piece(event);
    if (event.event === 'credit') this.#credited(event.exchange);
    else if (event.event === 'stalled') this.#exchanges.get(event.exchange)?.stalled();
    else if (event.event === 'over') this.ended(event.exchange);
    else return this.#message(event);
    return true;
  }

  /** Of the server any credit says, even none, that it is at work and will read on; a client may say so without end. */
  #credited(id: number): void {
    if (this.machine.side === 'client') { this.#liveness.taken(); this.#exchanges.get(id)?.goesOn(); }
    this.#exchanges.get(id)?.credited();
  }

  #begin(event: MachineEvent & { event: 'begin' }): boolean {
    if (!this.#gathering.begin(event)) return false;
    this.#exchanges.get(event.exchange)?.arriving();
    return true;
  }

  #deliver(id: number, what: Received): void {
    const exchange = this.#exchanges.get(id);
    if (exchange === undefined) this.released(what.bulk);
    else exchange.deliver(what);
  }

  #message(event: MachineEvent & { event: 'message' }): boolean {
    const { exchange: id, message, bulk, over } = event;
    if (bulk > 0 && !this.#gathering.take(bulk)) return false;
    if (id === 0) this.#word(message);
    else if (isRequest(message.kind)) this.#requested(id, message as Message<Request>);
    else if (message.kind === 'error') this.#exchanges.get(id)?.fail(failureOf(message));
    else if (message.kind === 'cancel') this.#exchanges.get(id)?.fail(new Failure('CANCELLED', 'the client cancelled the request', { who: 'here' }));
    else this.#deliver(id, received(message, bulk));
    if (over && id !== 0) this.ended(id);
    return true;
  }

  #requested(id: number, message: Message<Request>): void {
    const exchange = new Exchange(id, this);
    this.#exchanges.set(id, exchange);
    this.#liveness.busy();
    if (this.#leaving !== undefined) exchange.say(errorMessage(this.#leaving));
    else this.#options.onRequest?.(exchange, message);
  }

  #word(message: Message): void {
    if (message.kind === 'ping') this.say({ kind: 'pong', token: message.token });
    else if (message.kind === 'error') this.end(failureOf(message));
    else if (message.kind === 'pong') this.sounding.answered(message.token);
    else {
      if (message.kind === 'goaway') this.#leaving = stopping();
      if (message.kind === 'hello') for (const exchange of this.#exchanges.values()) exchange.credited();
      this.#options.onWord(message);
    }
  }

  /** Looks at every time limit. */
  #check(): void {
    const due = this.#liveness.due({ paused: this.#socket.isPaused(), unsent: this.#outlet.unsent > 0, idle: this.#exchanges.size === 0, inFrame: this.machine.inFrame, taken: this.machine.side === 'server' ? takenFrom(this.#socket) : undefined });
    if (due instanceof Failure) return this.abort(due);
    if (due === 'ping' && this.machine.ready) this.say({ kind: 'ping', token: 0 });
    for (const exchange of [...this.#exchanges.values()]) {
      if (this.#options.isPaced?.() === true) exchange.paced();
      if (this.#liveness.stuck(exchange.waitingSince)) exchange.cancel(new Failure('TIMEOUT', 'no progress for too long', { who: 'network' }));
    }
  }

  /** Takes no new requests, gives running ones `graceMs`, then ends them, resumably, and the connection. */
  async drain(graceMs: number, why = stopping()): Promise<void> {
    if (this.#over) return;
    this.#leaving = why;
    if (this.machine.ready) this.say({ kind: 'goaway', code: 'SHUTDOWN', graceMs });
    if (this.#exchanges.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, graceMs);
        this.#drained = () => { clearTimeout(timer); resolve(); };
      });
    }
    for (const exchange of [...this.#exchanges.values()]) exchange.cancel(why);
    this.end(undefined);
  }

  /** Tells the peer why, and ends. */
  abort(failure: Failure): void {
    if (this.#over) return;
    try {
      this.say(errorMessage(failure));
    } catch {} // not in a state to say so: the end of the connection says enough
    this.end(failure);
  }

  /** Ends the connection and everything on it; undefined: as intended. What was written still goes out. */
  end(failure: Failure | undefined): void {
    if (this.#over) return;
    this.#over = true;
    if (failure?.code === 'AUTH') this.#leaving = failure; // whoever asks for more hears why
    clearInterval(this.#tick);
    clearInterval(this.#looking);
    this.#events = [];
    const why = failure ?? new Failure('LOST', 'the connection was closed', { who: 'network' });
    for (const exchange of this.#exchanges.values()) exchange.fail(why);
    this.#exchanges.clear();
    this.#gathering.end();
    this.turns.close();
    for (const share of [this.slabs, this.packs]) share.close(why);
    this.#drained?.();
    this.#outlet.end();
    // A peer that does not take the rest must not keep the socket.
    setTimeout(() => this.#socket.destroy(), failure === undefined ? 2_000 : 500).unref();
    this.#socket.resume();
    this.#options.onEnd(failure);
  }
}
