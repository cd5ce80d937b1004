/**
 * The native door: our own protocol over TLS 1.3, from an accepted socket to requests on a drive.
 *
 * It speaks TLS, checks that the peer wants `wherry/1`, lets `driveFor` decide who it is, and from then on hands
 * every request to `verbs.ts`. Nothing of a request is acted on, and no disk is touched, before `driveFor` has said
 * yes, though requests may already have arrived. A peer that is not signed in costs one small decoder, for at most
 * the handshake and sign-in time, and only a few of them may come from one address.
 * Whatever a connection does ends with that connection. Access is decided elsewhere: this door is handed it.
 */
import type { Socket } from 'node:net';
import type { Server as TlsServer, TLSSocket } from 'node:tls';
import { setTimeout as pause } from 'node:timers/promises';
import type { Drive } from '../drive.ts';
import { accessEnded } from '../drive/refusals.ts';
import { Failure } from '../errors.ts';
import { EXPORTER_BYTES, EXPORTER_LABEL, type Credentials } from '../identity.ts';
import { printable } from '../printable.ts';
import type { Budget } from '../session/budget.ts';
import { Connection } from '../session/connection.ts';
import type { Exchange } from '../session/exchange.ts';
import { Inlet } from '../session/inlet.ts';
import type { Request } from '../session/rules.ts';
import { ALPN, type Message } from '../wire/messages.ts';
import { Descriptors } from './descriptors.ts';
import type { DoorEvent, Newcomer, SignedIn } from './door.ts';
import { Gate } from './gate.ts';
import { type AccountLanes, LaneBook } from './lanes.ts';
import { type Adjustments, gateLimits, KEEP_ALIVE_MS, NATIVE_LIMITS, type NativeLimits } from './limits.ts';
import { linger } from './linger.ts';
import { comeIn } from './patience.ts';
import { addressOf, peerOf } from './peer.ts';
import { Running } from './running.ts';
import { securedServer } from './secured.ts';
import { type Strangers, StrangersHere } from './strangers.ts';
import { fulfil } from './verbs.ts';

export interface NativeOptions {
  /** PEM of the server's Ed25519 key and its certificate. */
  readonly key: string;
  readonly certificate: string;
  /** What this software calls itself. */
  readonly agent: string;
  /** What the server calls itself. */
  readonly name: string;
  /** Who this is; rejects with AUTH. */
  driveFor(credentials: Credentials, peer: { readonly address: string; readonly session: number }): Promise<SignedIn>;
  /** The server's share of the exchange about a spoken code, for the client's; without it no code is ever open. */
  answerCode?(point: Uint8Array, exporter: Uint8Array, peer: { readonly address: string; readonly session: number }): Promise<Uint8Array>;
  onEvent(event: DoorEvent): void;
  readonly limits?: Partial<NativeLimits>;
  /** The number of its first connection; by default 1. */
  readonly firstSession?: number | undefined;
  /** Bounds what its connections hold together; by default with all others of this process. */
  readonly budget?: Budget | undefined;
  /** Bounds sign-ins from addresses that are not known; by default each door does by itself. */
  readonly strangers?: Strangers | undefined;
  /** Bounds the files that its requests have open together; by default nothing does. */
  readonly descriptors?: Descriptors;
}

export interface NativeDoor {
  /** Takes over a socket of which no byte was read, or all were put back. */
  accept(socket: Socket, newcomer: Newcomer): void;
  /** Connections that are signed in. */
  readonly active: number;
  /** Transfers and other requests that run now. */
  readonly requests: number;
  /**
   * Takes nothing new, gives what runs `graceMs`, then ends it, resumably. With `lingerMs` those who are there may begin further
   * things too, until one of them has had nothing in hand for so long, or the time is over; calling it again without ends that.
   */
  drain(graceMs: number, lingerMs?: number): Promise<void>;
  /** From now on for new connections; those that are open go on as they began. */
  adjust(changes: Adjustments): void;
  /** Ends the connections of those who may do other things now, resumably, so that they come again; and of those who may be here no more, also where nothing runs that would find out. */
  recheck(): void;
}

/** The exporter takes a context; the sign-in needs none. */
const NO_CONTEXT = Buffer.alloc(0);

/** How long requests that were cut off may take to clean up (ms): a disk that hangs must not keep the process. */
const TIDY_MS = 5_000;

export function createNativeDoor(options: NativeOptions): NativeDoor {
  return new Door(options);
}

class Door implements NativeDoor {
  #options: NativeOptions;
  #limits: NativeLimits;
  readonly #descriptors: Descriptors;
  #tls: TlsServer; // handshakes under way end at the one that it was
  readonly #sessions = new Set<Session>();
  readonly #lanes = new LaneBook();
  /** Connections that are not signed in yet. */
  readonly #gate: Gate;
  /** For each of them, what to call when it has signed in; by address and port, which its TLS socket has too. */
  readonly #waiting = new Map<string, () => void>();
  /** Requests that run, or are cleaning up behind a connection that has ended. */
  readonly #running = new Set<Promise<void>>();
  #numbered: number;
  #draining = false;

  constructor(options: NativeOptions) {
    this.#options = options;
    this.#limits = { ...NATIVE_LIMITS, ...options.limits };
    this.#numbered = (options.firstSession ?? 1) - 1;
    this.#descriptors = options.descriptors ?? new Descriptors();
    this.#gate = new Gate(gateLimits(this.#limits), options.strangers ?? new StrangersHere(this.#limits));
    this.#tls = this.#secure();
  }

  #secure(): TlsServer {
    const { key, certificate, onEvent } = this.#options;
    return securedServer({
      key, certificate, protocol: ALPN, handshakeMs: this.#limits.handshakeMs, onSecure: (socket) => this.#begin(socket),
      onRefused: (address, reason, offence) => onEvent({ event: 'refused', address, code: 'PROTOCOL', reason, offence }),
    });
  }

  get active(): number { return [...this.#sessions].filter((session) => session.account !== undefined).length; }
  get requests(): number { return [...this.#sessions].reduce((sum, session) => sum + session.connection.active, 0); }

  accept(socket: Socket, { known, settled }: Newcomer): void {
    const address = addressOf(socket);
    socket.on('error', () => {}); // told by TLS or by the connection
    if (this.#draining) this.#refuse(socket, 'SHUTDOWN', 'the server is stopping');
    else comeIn(this.#gate, address, socket, {
      known,
      admit: (leave) => this.#handshake(socket, () => { leave(); settled(); }),
      refuse: () => this.#refuse(socket, 'LIMIT', 'too many connections that are not signed in'),
    });
  }

  #refuse(socket: Socket, code: 'SHUTDOWN' | 'LIMIT', reason: string): void {
    this.#options.onEvent({ event: 'refused', address: addressOf(socket), code, reason });
    socket.destroy();
  }

  /** `leave` is called when it has signed in or is gone, whichever comes first and however it ends. */
  #handshake(socket: Socket, leave: () => void): void {
    const peer = peerOf(socket);
    const settled = (): void => {
      this.#waiting.delete(peer);
      leave();
    };
    socket.once('close', settled);
    this.#waiting.set(peer, settled);
    socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS); // two small frames must not wait for each other (measured: 8 times slower without)
    this.#tls.emit('connection', socket);
  }

  #begin(socket: TLSSocket): void {
    const signedIn = this.#waiting.get(peerOf(socket)) ?? ((): void => {});
    const session = new Session(++this.#numbered, socket, this.#options, this.#limits, this.#lanes, { descriptors: this.#descriptors, signedIn, add: (request) => this.#run(request) });
    const { address, number } = session;
    this.#sessions.add(session);
    this.#options.onEvent({ event: 'connected', session: number, address, active: this.#sessions.size });
    void session.over.then((failure) => {
      this.#sessions.delete(session);
      const reason = failure === undefined ? undefined : printable(failure.message);
      this.#options.onEvent({ event: 'disconnected', session: number, address, account: session.account, code: failure?.code, reason, active: this.#sessions.size, offence: session.offence(failure) });
    });
  }

  adjust({ certificate, name, limits }: Adjustments): void {
    this.#options = { ...this.#options, certificate, name };
    this.#limits = limits;
    this.#tls = this.#secure();
    this.#gate.limits = gateLimits(limits);
  }

  recheck(): void {
    for (const { connection, ended } of this.#draining ? [] : this.#sessions) {
      if (ended !== undefined) void (ended === 'changed' ? connection.drain(0, accessEnded(ended)) : connection.abort(accessEnded(ended)));
    }
  }

  async drain(graceMs: number, lingerMs = 0): Promise<void> {
    if (lingerMs > 0) await linger({ present: () => [...this.#sessions].map(({ connection }) => connection), coming: () => this.#waiting.size, isCut: () => this.#draining }, graceMs, lingerMs);
    const isFirst = !this.#draining;
    this.#draining = true;
    await Promise.all([...this.#sessions].map(async (session) => {
      if (isFirst) await session.connection.drain(lingerMs > 0 ? 0 : graceMs);
      await session.over;
    }));
    // What was cut off puts its parts to rest: the vault is closed next.
    await Promise.race([Promise.all(this.#running), pause(TIDY_MS, undefined, { ref: false })]);
  }

  #run(request: Promise<void>): void {
    this.#running.add(request);
    void request.finally(() => this.#running.delete(request));
  }
}

/** One client's connection. */
class Session {
  readonly number: number;
  readonly address: string;
  readonly connection: Connection;
  /** Set when signed in. */
  account: string | undefined;
  /** Resolves when it has ended, with why. */
  readonly over: Promise<Failure | undefined>;
  readonly #socket: TLSSocket;
  readonly #options: NativeOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #running: Running;
  readonly #lanes: LaneBook;
  #signedIn: { readonly drive: Drive; readonly lanes: AccountLanes; readonly ended: SignedIn['ended']; readonly isPaced: SignedIn['isPaced'] } | undefined;
  readonly #settle: () => void;

  constructor(number: number, socket: TLSSocket, options: NativeOptions, limits: NativeLimits, lanes: LaneBook, all: { readonly descriptors: Descriptors; signedIn(): void; add(request: Promise<void>): void }) {
    this.number = number;
    this.address = addressOf(socket);
    this.#socket = socket;
    this.#options = options;
    this.#lanes = lanes;
    this.#running = new Running(limits.filesPerConnection, all.descriptors);
    this.#settle = () => all.signedIn();
    let end: (failure: Failure | undefined) => void;
    this.over = new Promise((resolve) => { end = resolve; });
    const inlet = new Inlet();
    const pushed = inlet.takeOver(socket);
    this.connection = new Connection(socket, {
      side: 'server', agent: options.agent, limits, pushed, ...(options.budget !== undefined && { budget: options.budget }),
      onWord: (message) => this.#word(message), isPaced: () => this.#signedIn?.isPaced?.() === true,
      // A request can only arrive here after `auth`, and is dealt with only after `release`.
      onRequest: (exchange, message) => all.add(this.#running.run(message.kind, () => this.#fulfil(exchange, message))),
      onEnd: (failure) => { clearTimeout(this.#timer); end(failure); },
    });
    if (pushed) inlet.listen(this.connection);
    this.#timer = setTimeout(() => this.connection.abort(new Failure('TIMEOUT', 'no sign-in in time', { who: 'network' })), limits.signInMs).unref();
    if (socket.alpnProtocol !== ALPN) this.connection.abort(new Failure('VERSION', `this port speaks ${ALPN}`, { who: 'network' }));
  }

  get ended(): ReturnType<NonNullable<SignedIn['ended']>> { return this.#signedIn?.ended?.(); }

  #fulfil(exchange: Exchange, message: Message<Request>): Promise<void> {
    const { drive, lanes } = this.#signedIn!;
    return fulfil(drive, exchange, message, lanes, (failure) => {
      const { stack } = failure.cause instanceof Error ? failure.cause : failure;
      this.#options.onEvent({ event: 'warning', session: this.number, message: `a mistake in Wherry, in answer to ${message.kind}: ${stack ?? failure.message}` });
    });
  }

  /** What its end says about where it came from. Of somebody who is signed in a slow line says nothing. */
  offence(failure: Failure | undefined): 'garbage' | 'slow' | undefined {
    if (failure?.code === 'PROTOCOL') return 'garbage';
    return failure?.code === 'TIMEOUT' && this.account === undefined ? 'slow' : undefined;
  }

  #word(message: Message): void {
    if (message.kind !== 'auth' && message.kind !== 'codeStart') return;
    this.connection.hold(); // what came behind it waits for the decision
    void (message.kind === 'auth' ? this.#signIn(message) : this.#answerCode(message.point));
  }

  get #exporter(): Uint8Array {
    return new Uint8Array(this.#socket.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, NO_CONTEXT));
  }

  async #answerCode(point: Uint8Array): Promise<void> {
    try {
      if (this.#options.answerCode === undefined) throw new Failure('AUTH', 'no code is open on this server', { who: 'rule' });
      const answer = await this.#options.answerCode(point, this.#exporter, { address: this.address, session: this.number });
      if (this.connection.over) return;
      this.connection.say({ kind: 'codeAnswer', point: answer });
      this.connection.release();
    } catch (error) {
      this.#refuse(error);
    }
  }

  #refuse(error: unknown): void {
    const failure = Failure.from(error);
    this.#options.onEvent({ event: 'refused', session: this.number, address: this.address, code: failure.code, reason: printable(failure.message) });
    this.connection.abort(failure);
  }

  async #signIn({ method, key, signature, device, deviceSignature, label, confirmation }: Message<'auth'>): Promise<void> {
    try {
      const credentials: Credentials = { kind: method, key, signature, exporter: this.#exporter, ...(device !== undefined && { device }), ...(deviceSignature !== undefined && { deviceSignature }), ...(label !== undefined && { label }), ...(confirmation !== undefined && { confirmation }) };
      const { drive, account, device: known, rights, confirmation: confirmed, ended, isPaced } = await this.#options.driveFor(credentials, { address: this.address, session: this.number });
      if (this.connection.over) return;
      this.#signedIn = { drive, ended, isPaced, lanes: this.#lanes.of(account, this.number, (lane) => this.#options.onEvent({ event: 'lane', session: this.number, address: this.address, account, device: known, ...lane })) };
      this.account = account;
      clearTimeout(this.#timer);
      this.connection.machine.trust();
      this.#settle(); // before anybody is told: who has been told is no stranger any more, for other processes either
      this.connection.say({ kind: 'ready', account, rights, name: this.#options.name, confirmation: confirmed });
      this.#options.onEvent({ event: 'signed-in', session: this.number, address: this.address, account, device: known, method });
      this.connection.release();
    } catch (error) {
      this.#refuse(error);
    }
  }
}
