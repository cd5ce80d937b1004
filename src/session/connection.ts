/**
 * Connection: one socket and one machine; the only file above the doors' listeners that touches a socket.
 *
 * It turns bytes into deliveries to exchanges and hands requests to `onRequest`; it says HELLO by itself, answers
 * pings, and ends a connection that is silent for 45 s or makes no progress. Reading stops while the process-wide
 * budget is used up, while `hold` is in force (a server decides on a proof), and while answers pile up unread;
 * what was already read is kept in order, bounded by one chunk of the socket.
 * Whatever happens to a connection reaches its own exchanges as a `Failure` and nobody else.
 */
import type { Duplex } from 'node:stream';
import { Failure } from '../errors.ts';
import { greaseFrame, MAX_BODY } from '../wire/frame.ts';
import { errorMessage, failureOf, VERSION, type Message } from '../wire/messages.ts';
import { Arrival, kept } from './arrival.ts';
import { processBudget, type Budget } from './budget.ts';
import { lost, stopping } from './ends.ts';
import { Exchange, type Line, type Received } from './exchange.ts';
import { CONNECTION_LIMITS, type ConnectionLimits } from './limits.ts';
import { Liveness } from './liveness.ts';
import { INITIAL_CREDIT, Machine, MAX_EXCHANGES, type MachineEvent } from './machine.ts';
import { isRequest, type Request, type Side } from './rules.ts';
import { SlabShare } from './slabs.ts';
import { Turns } from './turns.ts';

export interface ConnectionOptions {
  readonly side: Side;
  readonly agent: string;
  readonly budget?: Budget;
  readonly limits?: Partial<ConnectionLimits>;
  /** Whoever made the socket hands on what it receives by `receive`, out of memory that is used again. */
  readonly pushed?: boolean;
  /** A request by the client (server only). */
  onRequest?(exchange: Exchange, message: Message<Request>): void;
  /** A word on exchange 0 that this file does not handle itself: hello, auth, ready, goaway. */
  onWord(message: Message): void;
  /** Once, when it is over; undefined: both sides meant it to be. */
  onEnd(failure: Failure | undefined): void;
}

/** Unsent answers at which we stop taking requests from a peer that does not read. */
const MAX_UNSENT = 4 << 20;
/** How often time limits are looked at (ms). */
const TICK_MS = 5_000;

export class Connection implements Line {
  readonly machine: Machine;
  readonly slabs: SlabShare;
  onEnded = (): void => {}; // an exchange has ended: there is room for another request
  readonly #socket: Duplex;
  readonly #options: ConnectionOptions;
  readonly #liveness: Liveness;
  readonly #budget: Budget;
  readonly #exchanges = new Map<number, Exchange>();
  readonly #turns = new Turns();
  #events: MachineEvent[] = []; // read but not yet dealt with
  #dealing = false;
  #holding = false;
  #arriving: Arrival | undefined;
  #held = 0;
  #over = false;
  #leaving = false;
  #drained: (() => void) | undefined;
  readonly #tick: NodeJS.Timeout;

  constructor(socket: Duplex, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    const limits = { ...CONNECTION_LIMITS, ...options.limits };
    this.#liveness = new Liveness(limits);
    this.#budget = options.budget ?? processBudget;
    this.machine = new Machine(options.side);
    this.slabs = new SlabShare(this.#budget);
    this.#tick = setInterval(() => this.#check(), Math.min(TICK_MS, limits.pingAfterMs, limits.deadAfterMs / 3, limits.progressMs / 3, limits.idleMs / 3)).unref();
    if (options.pushed !== true) socket.on('data', (chunk: Buffer) => this.receive(chunk));
    socket.on('end', () => this.end(this.#leaving && this.#exchanges.size === 0 ? undefined : lost('the other side closed the connection')));
    socket.on('close', () => this.end(this.#leaving && this.#exchanges.size === 0 ? undefined : lost('the connection broke')));
    socket.on('error', (error: NodeJS.ErrnoException) => this.end(lost(`the connection broke (${error.code ?? error.message})`, error)));
    socket.on('drain', () => this.#proceed());
    socket.on('resume', () => this.#liveness.heard()); // the silence was ours
    this.say({ kind: 'hello', version: VERSION, agent: options.agent, maxBody: MAX_BODY, credit: INITIAL_CREDIT });
    this.write(greaseFrame());
  }

  /** How many exchanges are open. */
  get active(): number { return this.#exchanges.size; }
  get over(): boolean { return this.#over; }

  /** Opens an exchange with a request. Throws when the connection is over or being closed. */
  request(message: Message<Request>): Exchange {
    if (this.#over) throw lost('the connection is closed');
    if (this.#leaving) throw stopping();
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
    if (written !== undefined) this.#turns.began();
    if (this.#socket.writableLength === 0) this.#liveness.taken();
    this.#socket.write(frame, () => {
      this.#liveness.taken();
      if (written === undefined) return;
      written();
      this.#turns.ended();
    });
  }

  room(): Promise<void> | undefined { return this.#turns.room(); }
  pass(): void { this.#turns.pass(); }
  released(bytes: number): void {
    this.#held -= bytes;
    this.#budget.release(bytes);
    // Others may have used up the budget, but whoever holds nothing may go on.
    if (this.#held === 0 && this.#events.length > 0) this.#proceed();
  }

  ended(id: number): void {
    this.#exchanges.get(id)?.credited(); // there will be no more: whoever waits for some learns that it is over
    this.#exchanges.delete(id);
    this.#liveness.busy();
    if (this.#exchanges.size === 0) this.#drained?.();
    this.onEnded();
  }

  /** Where the next bytes from the peer belong, if they are known to be of a bulk frame that is wanted. */
  landing(): Uint8Array | undefined {
    return this.#events.length > 0 || this.machine.dropping ? undefined : this.#arriving?.landing();
  }

  /** Bytes from the peer. Whoever calls may use their memory again afterwards, but for what `landing` gave. */
  receive(chunk: Uint8Array): void {
    if (this.#over) return;
    this.#liveness.heard();
    try {
      // All of a bulk body but its first and last record goes this short way.
      const last = this.#events.length > 0 ? undefined : this.machine.inside(chunk);
      if (last !== undefined) return this.machine.dropping ? undefined : this.#piece(chunk, last);
      this.#events.push(...this.machine.receive(chunk));
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
      while (done < this.#events.length && !this.#holding && this.#socket.writableLength < MAX_UNSENT && this.#deal(this.#events[done]!)) done += 1;
      if (done > 0) this.#events = done === this.#events.length ? [] : this.#events.slice(done);
      if (this.#events.length > 0 || this.#holding) this.#socket.pause();
      else if (this.#socket.isPaused()) this.#socket.resume();
    } catch (error) {
      this.abort(Failure.from(error));
    } finally {
      this.#dealing = false;
    }
  };

  /** False: not now. */
  #deal(event: MachineEvent): boolean {
    if (event.event === 'begin') return this.#begin(event);
    if (event.event === 'piece') this.#piece(event.bytes, event.last);
    else if (event.event === 'credit') this.#exchanges.get(event.exchange)?.credited();
    else if (event.event === 'over') this.ended(event.exchange);
    else return this.#message(event);
    return true;
  }

  #begin(event: MachineEvent & { event: 'begin' }): boolean {
    if (!this.#budget.reserve(event.bulk, this.#held, this.#proceed)) return false;
    this.#held += event.bulk;
    this.#arriving = new Arrival(event);
    return true;
  }

  #piece(bytes: Uint8Array, last: boolean): void {
    const arriving = this.#arriving!;
    arriving.add(bytes);
    if (!last) return;
    this.#arriving = undefined;
    this.#deliver(arriving.exchange, arriving.whole());
  }

  #deliver(id: number, received: Received): void {
    const exchange = this.#exchanges.get(id);
    if (exchange === undefined) this.released(received.bulk);
    else exchange.deliver(received);
  }

  #message(event: MachineEvent & { event: 'message' }): boolean {
    const { exchange: id, message, bulk, over } = event;
    if (bulk > 0) {
      if (!this.#budget.reserve(bulk, this.#held, this.#proceed)) return false;
      this.#held += bulk;
    }
    if (id === 0) this.#word(message);
    else if (isRequest(message.kind)) this.#requested(id, message as Message<Request>);
    else if (message.kind === 'error') this.#exchanges.get(id)?.fail(failureOf(message));
    else if (message.kind === 'cancel') this.#exchanges.get(id)?.fail(new Failure('CANCELLED', 'the client cancelled the request', { who: 'here' }));
    else this.#deliver(id, { kind: 'message', message, bulk });
    if (over && id !== 0) this.ended(id);
    return true;
  }

  #requested(id: number, message: Message<Request>): void {
    const exchange = new Exchange(id, this);
    this.#exchanges.set(id, exchange);
    this.#liveness.busy();
    if (this.#leaving) exchange.say(errorMessage(stopping()));
    else this.#options.onRequest?.(exchange, message);
  }

  #word(message: Message): void {
    if (message.kind === 'ping') this.say({ kind: 'pong', token: message.token });
    else if (message.kind === 'error') this.end(failureOf(message));
    else if (message.kind !== 'pong') {
      if (message.kind === 'goaway') this.#leaving = true;
      if (message.kind === 'hello') for (const exchange of this.#exchanges.values()) exchange.credited();
      this.#options.onWord(message);
    }
  }

  /** Looks at every time limit. */
  #check(): void {
    const due = this.#liveness.due({ paused: this.#socket.isPaused(), unsent: this.#socket.writableLength > 0, idle: this.#exchanges.size === 0 });
    if (due instanceof Failure) return this.abort(due);
    if (due === 'ping' && this.machine.ready) this.say({ kind: 'ping', token: 0 });
    for (const exchange of [...this.#exchanges.values()]) {
      if (this.#liveness.stuck(exchange.waitingSince)) exchange.cancel(new Failure('TIMEOUT', 'no progress for too long', { who: 'network' }));
    }
  }

  /** Takes no new requests, gives running ones `graceMs`, then ends them, resumably, and the connection. */
  async drain(graceMs: number): Promise<void> {
    if (this.#over) return;
    this.#leaving = true;
    if (this.machine.ready) this.say({ kind: 'goaway', code: 'SHUTDOWN', graceMs });
    if (this.#exchanges.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, graceMs);
        this.#drained = () => { clearTimeout(timer); resolve(); };
      });
    }
    for (const exchange of [...this.#exchanges.values()]) exchange.cancel(stopping());
    this.end(undefined);
  }

  /** Tells the peer why, and ends. */
  abort(failure: Failure): void {
    if (this.#over) return;
    try {
      this.say(errorMessage(failure));
    } catch {
      // not in a state to say so: the end of the connection says enough
    }
    this.end(failure);
  }

  /** Ends the connection and everything on it; undefined: as intended. What was written still goes out. */
  end(failure: Failure | undefined): void {
    if (this.#over) return;
    this.#over = true;
    clearInterval(this.#tick);
    this.#budget.forget(this.#proceed);
    this.#events = [];
    const why = failure ?? new Failure('LOST', 'the connection was closed', { who: 'network' });
    for (const exchange of this.#exchanges.values()) exchange.fail(why);
    this.#exchanges.clear();
    if (this.#arriving !== undefined) this.released(this.#arriving.bulk);
    this.#arriving = undefined;
    this.#turns.close();
    this.slabs.close(why);
    this.#drained?.();
    this.#socket.end();
    // A peer that does not take the rest must not keep the socket.
    setTimeout(() => this.#socket.destroy(), failure === undefined ? 2_000 : 500).unref();
    this.#socket.resume();
    this.#options.onEnd(failure);
  }
}
