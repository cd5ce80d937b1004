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
import { createServer as createTlsServer, type Server as TlsServer, type TLSSocket } from 'node:tls';
import { setTimeout as pause } from 'node:timers/promises';
import type { Drive } from '../drive.ts';
import { Failure } from '../errors.ts';
import { EXPORTER_BYTES, EXPORTER_LABEL, type Credentials } from '../identity.ts';
import { printable } from '../printable.ts';
import type { Right } from '../rights.ts';
import { Connection } from '../session/connection.ts';
import type { Exchange } from '../session/exchange.ts';
import { Inlet } from '../session/inlet.ts';
import type { ConnectionLimits } from '../session/limits.ts';
import { ALPN, type Message } from '../wire/messages.ts';
import { Gate } from './gate.ts';
import { fulfil } from './verbs.ts';

export interface SignedIn { readonly drive: Drive; readonly account: string; readonly rights: readonly Right[] }

export interface DoorEvent { readonly event: 'connected' | 'refused' | 'signed-in' | 'disconnected' | 'action'; readonly [key: string]: unknown }

export interface NativeLimits extends Partial<ConnectionLimits> {
  /** From the first byte to the end of the TLS handshake (ms). */
  readonly handshakeMs: number;
  /** From there to a proof that was accepted (ms). */
  readonly signInMs: number;
  /** Connections from one address that may be signing in at a time; further ones wait, up to `handshakeMs`. */
  readonly pendingPerAddress: number;
}

const LIMITS: NativeLimits = { handshakeMs: 10_000, signInMs: 30_000, pendingPerAddress: 20 };

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
  onEvent(event: DoorEvent): void;
  readonly limits?: Partial<NativeLimits>;
}

export interface NativeDoor {
  /** Takes over a socket of which no byte was read, or all were put back. */
  accept(socket: Socket): void;
  /** Connections that are signed in. */
  readonly active: number;
  /** Transfers and other requests that run now. */
  readonly requests: number;
  /** Takes nothing new, gives what runs `graceMs`, then ends it, resumably. */
  drain(graceMs: number): Promise<void>;
}

/** The exporter takes a context; the sign-in needs none. */
const NO_CONTEXT = Buffer.alloc(0);
/** AES-128 first: on machines with AES instructions the fastest, and what peers are measured with; ChaCha20 for those without. */
const CIPHERS = 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384';

/** Trees that are sent at once on one connection: each holds up to 3 MiB while its client does not read. */
const MAX_TREES = 4;

/** How long requests that were cut off may take to clean up (ms): a disk that hangs must not keep the process. */
const TIDY_MS = 5_000;

export function createNativeDoor(options: NativeOptions): NativeDoor {
  return new Door(options);
}

class Door implements NativeDoor {
  readonly #options: NativeOptions;
  readonly #limits: NativeLimits;
  readonly #tls: TlsServer;
  readonly #sessions = new Set<Session>();
  /** Connections that are not signed in yet. */
  readonly #gate: Gate;
  /** For each of them, what to call when it has signed in; by address and port, which its TLS socket has too. */
  readonly #waiting = new Map<string, () => void>();
  /** Requests that run, or are cleaning up behind a connection that has ended. */
  readonly #running = new Set<Promise<void>>();
  #numbered = 0;
  #draining = false;

  constructor(options: NativeOptions) {
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#gate = new Gate(this.#limits.pendingPerAddress, this.#limits.handshakeMs);
    this.#tls = createTlsServer({
      key: options.key, cert: options.certificate, minVersion: 'TLSv1.3', ciphers: CIPHERS, honorCipherOrder: true,
      ALPNProtocols: [ALPN], handshakeTimeout: this.#limits.handshakeMs,
    });
    this.#tls.on('secureConnection', (socket) => this.#begin(socket));
    this.#tls.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
      const address = addressOf(socket);
      options.onEvent({ event: 'refused', address, code: 'PROTOCOL', reason: `no TLS handshake (${error.code ?? 'failed'})` });
      socket.destroy();
    });
  }

  get active(): number { return [...this.#sessions].filter((session) => session.account !== undefined).length; }
  get requests(): number { return [...this.#sessions].reduce((sum, session) => sum + session.connection.active, 0); }

  accept(socket: Socket): void {
    const address = addressOf(socket);
    socket.on('error', () => {}); // told by TLS or by the connection
    if (this.#draining) this.#refuse(socket, 'SHUTDOWN', 'the server is stopping');
    else this.#gate.enter(address, socket, {
      admit: (leave) => this.#handshake(socket, leave),
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
    socket.setNoDelay(true); // two small frames must not wait for each other (measured: 8 times slower without)
    this.#tls.emit('connection', socket);
  }

  #begin(socket: TLSSocket): void {
    const session = new Session(++this.#numbered, socket, this.#options, this.#limits, (request) => this.#run(request));
    const { address, number } = session;
    this.#sessions.add(session);
    void session.settled.then(this.#waiting.get(peerOf(socket)));
    this.#options.onEvent({ event: 'connected', session: number, address, active: this.#sessions.size });
    void session.over.then((failure) => {
      this.#sessions.delete(session);
      const reason = failure === undefined ? undefined : printable(failure.message);
      this.#options.onEvent({ event: 'disconnected', session: number, address, account: session.account, code: failure?.code, reason, active: this.#sessions.size });
    });
  }

  async drain(graceMs: number): Promise<void> {
    this.#draining = true;
    await Promise.all([...this.#sessions].map(async (session) => {
      await session.connection.drain(graceMs);
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

function addressOf(socket: Socket): string {
  return socket.remoteAddress ?? 'unknown';
}

function peerOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}

/** One client's connection. */
class Session {
  readonly number: number;
  readonly address: string;
  readonly connection: Connection;
  /** Set when signed in. */
  account: string | undefined;
  /** Resolves when it has signed in. */
  readonly settled: Promise<void>;
  /** Resolves when it has ended, with why. */
  readonly over: Promise<Failure | undefined>;
  readonly #socket: TLSSocket;
  readonly #options: NativeOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #trees = new Set<Promise<void>>();
  #drive: Drive | undefined;
  #settle: () => void = () => {};

  constructor(number: number, socket: TLSSocket, options: NativeOptions, limits: NativeLimits, run: (request: Promise<void>) => void) {
    this.number = number;
    this.address = addressOf(socket);
    this.#socket = socket;
    this.#options = options;
    this.settled = new Promise((resolve) => { this.#settle = resolve; });
    let end: (failure: Failure | undefined) => void;
    this.over = new Promise((resolve) => { end = resolve; });
    const inlet = new Inlet();
    const pushed = inlet.takeOver(socket);
    this.connection = new Connection(socket, {
      side: 'server', agent: options.agent, limits, pushed,
      onWord: (message) => this.#word(message),
      // A request can only arrive here after `auth`, and is dealt with only after `release`.
      onRequest: (exchange, message) => run(message.kind === 'getTree' ? this.#tree(exchange, message) : fulfil(this.#drive!, exchange, message)),
      onEnd: (failure) => { clearTimeout(this.#timer); end(failure); },
    });
    if (pushed) inlet.listen(this.connection);
    this.#timer = setTimeout(() => this.connection.abort(new Failure('TIMEOUT', 'no sign-in in time', { who: 'network' })), limits.signInMs).unref();
    if (socket.alpnProtocol !== ALPN) this.connection.abort(new Failure('VERSION', `this port speaks ${ALPN}`, { who: 'network' }));
  }

  /** Walks hold packs that wait for credit, so only a few go on at a time; the others wait for their turn. */
  async #tree(exchange: Exchange, message: Message<'getTree'>): Promise<void> {
    while (this.#trees.size >= MAX_TREES) await Promise.race(this.#trees);
    const running = fulfil(this.#drive!, exchange, message);
    this.#trees.add(running);
    await running.finally(() => this.#trees.delete(running));
  }

  #word(message: Message): void {
    if (message.kind !== 'auth') return;
    this.connection.hold(); // what came behind it waits for the decision
    void this.#signIn(message);
  }

  async #signIn({ method, key, signature, device, deviceSignature, label }: Message<'auth'>): Promise<void> {
    try {
      const exporter = new Uint8Array(this.#socket.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, NO_CONTEXT));
      const credentials: Credentials = { kind: method, key, signature, exporter, ...(device !== undefined && { device }), ...(deviceSignature !== undefined && { deviceSignature }), ...(label !== undefined && { label }) };
      const { drive, account, rights } = await this.#options.driveFor(credentials, { address: this.address, session: this.number });
      if (this.connection.over) return;
      this.#drive = drive;
      this.account = account;
      clearTimeout(this.#timer);
      this.connection.machine.trust();
      this.connection.say({ kind: 'ready', account, rights, name: this.#options.name });
      this.#options.onEvent({ event: 'signed-in', session: this.number, address: this.address, account, method });
      this.#settle();
      this.connection.release();
    } catch (error) {
      const failure = Failure.from(error);
      this.#options.onEvent({ event: 'refused', session: this.number, address: this.address, code: failure.code, reason: printable(failure.message) });
      this.connection.abort(failure);
    }
  }
}
