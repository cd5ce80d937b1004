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
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import type { Drive } from '../drive.ts';
import { Failure } from '../errors.ts';
import { EXPORTER_BYTES, EXPORTER_LABEL, type Credentials } from '../identity.ts';
import { printable } from '../printable.ts';
import type { Right } from '../rights.ts';
import { Connection } from '../session/connection.ts';
import type { ConnectionLimits } from '../session/limits.ts';
import { ALPN, type Message } from '../wire/messages.ts';
import { fulfil } from './verbs.ts';

export interface SignedIn { readonly drive: Drive; readonly account: string; readonly rights: readonly Right[] }

export interface DoorEvent { readonly event: 'connected' | 'refused' | 'signed-in' | 'disconnected' | 'action'; readonly [key: string]: unknown }

export interface NativeLimits extends Partial<ConnectionLimits> {
  /** From the first byte to the end of the TLS handshake (ms). */
  readonly handshakeMs: number;
  /** From there to a proof that was accepted (ms). */
  readonly signInMs: number;
  /** Connections from one address that are not signed in yet: those behind one NAT, not a flood. */
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

export function createNativeDoor(options: NativeOptions): NativeDoor {
  const limits = { ...LIMITS, ...options.limits };
  const sessions = new Set<Session>();
  const pending = new Map<string, number>();
  let numbered = 0;
  let draining = false;

  const tls = createTlsServer({
    key: options.key, cert: options.certificate, minVersion: 'TLSv1.3', ciphers: CIPHERS, honorCipherOrder: true,
    ALPNProtocols: [ALPN], handshakeTimeout: limits.handshakeMs,
  });
  tls.on('secureConnection', (socket) => {
    const session = new Session(++numbered, socket, options, limits);
    const address = session.address;
    sessions.add(session);
    options.onEvent({ event: 'connected', session: session.number, address, active: sessions.size });
    void session.settled.then(() => count(pending, address, -1));
    void session.over.then((failure) => {
      sessions.delete(session);
      options.onEvent({ event: 'disconnected', session: session.number, address, account: session.account, code: failure?.code, reason: failure === undefined ? undefined : printable(failure.message), active: sessions.size });
    });
  });
  tls.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    const address = addressOf(socket);
    count(pending, address, -1);
    options.onEvent({ event: 'refused', address, code: 'PROTOCOL', reason: `no TLS handshake (${error.code ?? 'failed'})` });
    socket.destroy();
  });

  return {
    get active() { return [...sessions].filter((session) => session.account !== undefined).length; },
    get requests() { return [...sessions].reduce((sum, session) => sum + session.connection.active, 0); },
    accept(socket) {
      const address = addressOf(socket);
      socket.on('error', () => {}); // told by TLS or by the connection
      if (draining || (pending.get(address) ?? 0) >= limits.pendingPerAddress) {
        options.onEvent({ event: 'refused', address, code: draining ? 'SHUTDOWN' : 'LIMIT', reason: draining ? 'the server is stopping' : 'too many connections that are not signed in' });
        socket.destroy();
        return;
      }
      count(pending, address, 1);
      socket.setNoDelay(true); // two small frames must not wait for each other (measured: 8 times slower without)
      tls.emit('connection', socket);
    },
    async drain(graceMs) {
      draining = true;
      await Promise.all([...sessions].map(async (session) => {
        await session.connection.drain(graceMs);
        await session.over;
      }));
    },
  };
}

function count(counts: Map<string, number>, key: string, step: number): void {
  const value = (counts.get(key) ?? 0) + step;
  if (value > 0) counts.set(key, value);
  else counts.delete(key);
}

function addressOf(socket: Socket): string {
  return socket.remoteAddress ?? 'unknown';
}

/** One client's connection. */
class Session {
  readonly number: number;
  readonly address: string;
  readonly connection: Connection;
  /** Set when signed in. */
  account: string | undefined;
  /** Resolves when it has signed in or ended; and when it has ended, with why. */
  readonly settled: Promise<void>;
  readonly over: Promise<Failure | undefined>;
  readonly #socket: TLSSocket;
  readonly #options: NativeOptions;
  readonly #timer: NodeJS.Timeout;
  #drive: Drive | undefined;
  #settle: () => void = () => {};

  constructor(number: number, socket: TLSSocket, options: NativeOptions, limits: NativeLimits) {
    this.number = number;
    this.address = addressOf(socket);
    this.#socket = socket;
    this.#options = options;
    this.settled = new Promise((resolve) => { this.#settle = resolve; });
    let end: (failure: Failure | undefined) => void;
    this.over = new Promise((resolve) => { end = resolve; });
    this.connection = new Connection(socket, {
      side: 'server', agent: options.agent, limits,
      onWord: (message) => this.#word(message),
      // A request can only arrive here after `auth`, and is dealt with only after `release`.
      onRequest: (exchange, message) => void fulfil(this.#drive!, exchange, message),
      onEnd: (failure) => { clearTimeout(this.#timer); this.#settle(); end(failure); },
    });
    this.#timer = setTimeout(() => this.connection.abort(new Failure('TIMEOUT', 'no sign-in in time', { who: 'network' })), limits.signInMs).unref();
    if (socket.alpnProtocol !== ALPN) this.connection.abort(new Failure('VERSION', `this port speaks ${ALPN}`, { who: 'network' }));
  }

  #word(message: Message): void {
    if (message.kind !== 'auth') return;
    this.connection.hold(); // what came behind it waits for the decision
    void this.#signIn(message);
  }

  async #signIn({ method, key, signature, device, label }: Message<'auth'>): Promise<void> {
    try {
      const exporter = new Uint8Array(this.#socket.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, NO_CONTEXT));
      const credentials: Credentials = { kind: method, key, signature, exporter, ...(device !== undefined && { device }), ...(label !== undefined && { label }) };
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
