/**
 * Dial: from the addresses and the pin of a server to a connection that is signed in.
 *
 * All addresses are tried, a little after one another; the first that answers with the right key wins. Nothing is
 * said to a server before its key was compared with the pin: no question is asked, a key that differs is a hard stop.
 */
import type { OnReadOpts } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { sameDigest } from '../digest.ts';
import { Failure } from '../errors.ts';
import { EXPORTER_BYTES, EXPORTER_LABEL, fingerprint, pinOf } from '../identity.ts';
import { printable } from '../printable.ts';
import { clientBudget, type Budget } from '../session/budget.ts';
import { Connection } from '../session/connection.ts';
import { Inlet } from '../session/inlet.ts';
import { formatAddress, type Address } from '../ticket.ts';
import { AGENT } from '../version.ts';
import { ALPN, type Message } from '../wire/messages.ts';

export interface DialOptions {
  readonly addresses: readonly Address[];
  /** SHA-256 of the server's public key, or as many of its first bytes as a ticket has. Undefined: the server proves by a code that it is the one. */
  readonly pin: Uint8Array | undefined;
  /** The proof of who this is, for this connection. */
  prove(exporter: Uint8Array, serverPin: Uint8Array): Message<'auth'> | MutualProof;
  readonly signal?: AbortSignal | undefined;
  /** What the connection may hold, where that is not of the whole process. */
  readonly budget?: Budget | undefined;
  /** How long TCP and TLS together, and then the sign-in, may take (ms). */
  readonly limits?: { readonly connectMs: number; readonly signInMs: number };
}

/** Where no pin is known: both ends prove that they have the same code, and the client is the first to. */
export interface MutualProof {
  readonly start: Message<'codeStart'>;
  /** Throws PROTOCOL. */
  next(answer: Message<'codeAnswer'>): Message<'auth'>;
  isProven(ready: Message<'ready'>): boolean;
}

/** The shortest wait for an answer so far (ms): at least one round trip, and little more where nobody is busy. */
export interface Distance { leastMs: number }

export interface Dialled {
  readonly connection: Connection;
  readonly ready: Message<'ready'>;
  readonly address: string;
  /** The same, to be dialled again. */
  readonly answered: Address;
  /** How far away it is; gets better known soon after. */
  readonly distance: Distance;
  readonly serverPin: Uint8Array;
  /** What the server's software calls itself. */
  readonly agent: string;
  /** Settles when the connection is over; undefined: as intended. */
  readonly closed: Promise<Failure | undefined>;
}

/** An address gets a head start before the next one is tried as well (RFC 8305). */
const STAGGER_MS = 250;
/** A server at the other end of the world answers in one second; one that is busy is given longer to check a proof. */
const LIMITS = { connectMs: 10_000, signInMs: 30_000 };
const CIPHERS = 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384';
const NO_CONTEXT = Buffer.alloc(0);

/** Connects and signs in. Rejects with CONNECT, PROTOCOL, IDENTITY, AUTH or what the signal says. */
export async function dial(options: DialOptions): Promise<Dialled> {
  const { socket, inlet, address, answered, serverPin, roundTripMs } = await firstThatAnswers(options);
  const exporter = new Uint8Array(socket.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, NO_CONTEXT));
  const proof = options.prove(exporter, serverPin);
  const mutual = 'start' in proof ? proof : undefined;
  let agent = '';
  /** Set when the server has said goodbye: an end in good order, but not one that we asked for. */
  let leaving: Failure | undefined;
  let end: (failure: Failure | undefined) => void;
  const closed = new Promise<Failure | undefined>((resolve) => { end = resolve; });
  const proved = performance.now();
  return new Promise((resolve, reject) => {
    const stop = (): void => connection.end(reasonOf(options.signal!));
    const connection = new Connection(socket, {
      side: 'client', agent: AGENT, pushed: true, budget: options.budget ?? clientBudget,
      onWord(message) {
        if (message.kind === 'hello') agent = printable(message.agent);
        if (message.kind === 'goaway') leaving = new Failure('SHUTDOWN', 'the server has ended the session', { who: 'server', hint: 'run the same command again' });
        if (mutual !== undefined && isAnswered(connection, message, mutual)) return;
        if (message.kind !== 'ready') return;
        clearTimeout(timer);
        options.signal?.removeEventListener('abort', stop);
        const distance = { leastMs: Math.min(roundTripMs, performance.now() - proved) };
        void sound(connection, distance);
        resolve({ connection, ready: message, address, answered, distance, serverPin, agent, closed });
      },
      onEnd(failure) {
        clearTimeout(timer);
        end(failure ?? leaving);
        reject(failure?.code === 'LOST' ? new Failure('CONNECT', `the server at ${address} closed the connection during sign-in`, { who: 'network', hint: 'try again; the log of the server says why' }) : failure ?? leaving);
      },
    });
    const timer = setTimeout(() => connection.end(new Failure('CONNECT', `the server at ${address} does not answer`, { path: address, who: 'network', hint: 'try again; the log of the server says why' })), (options.limits ?? LIMITS).signInMs);
    options.signal?.addEventListener('abort', stop, { once: true });
    inlet.listen(connection);
    if (mutual === undefined) connection.machine.trust(); // its key was compared with the pin
    connection.say('start' in proof ? proof.start : proof);
  });
}

/** Goes on with what proves to each that the other has the code. False: it is proven, and the word is the last of the opening, or about something else. */
function isAnswered(connection: Connection, message: Message, proof: MutualProof): boolean {
  if (message.kind !== 'codeAnswer' && message.kind !== 'ready') return false;
  try {
    if (message.kind === 'codeAnswer') {
      connection.say(proof.next(message));
      return true;
    }
    if (proof.isProven(message)) {
      connection.machine.trust();
      return false;
    }
    throw new Failure('IDENTITY', 'the server does not know the code, although it says that it does', { who: 'network', hint: 'somebody may be in between: look at the code on the server, or use a ticket' });
  } catch (error) {
    connection.abort(Failure.from(error));
    return true;
  }
}

/** Questions that make sure that a server is far away, and not just busy, as we are ourselves while we start. */
const SOUNDINGS = 4;
/** What is nearer is near, and need not be known better (ms). */
const NEAR_MS = 10;

async function sound({ sounding }: Connection, distance: Distance): Promise<void> {
  for (let asked = 0; asked < SOUNDINGS && distance.leastMs >= NEAR_MS; asked += 1) distance.leastMs = Math.min(distance.leastMs, await sounding.trip());
}

/** What an aborted signal says, as a failure. */
export function reasonOf(signal: AbortSignal): Failure {
  return signal.reason instanceof Failure ? signal.reason : new Failure('CANCELLED', 'cancelled', { who: 'here' });
}

interface Answered { readonly socket: TLSSocket; readonly inlet: Inlet; readonly address: string; readonly answered: Address; readonly serverPin: Uint8Array; readonly roundTripMs: number }

async function firstThatAnswers({ addresses, pin, signal, limits = LIMITS }: DialOptions): Promise<Answered> {
  const others = new AbortController();
  const stop = (): void => others.abort(reasonOf(signal!));
  signal?.addEventListener('abort', stop, { once: true });
  try {
    if (signal?.aborted) throw reasonOf(signal);
    const attempts = addresses.map((address, index) => attempt(address, pin, index * STAGGER_MS, limits.connectMs, others.signal));
    const first = await Promise.any(attempts);
    for (const other of attempts) void other.then((answered) => { if (answered !== first) answered.socket.destroy(); }, () => {});
    return first;
  } catch (error) {
    throw error instanceof AggregateError ? mostTelling(error.errors.map((each) => Failure.from(each))) : error;
  } finally {
    signal?.removeEventListener('abort', stop);
    others.abort(new Failure('CANCELLED', 'another address answered first'));
  }
}

/** A wrong key matters more than a wrong service, and that more than no answer. */
function mostTelling(failures: readonly Failure[]): Failure {
  for (const code of ['IDENTITY', 'CANCELLED', 'TERMINATED', 'DEADLINE', 'PROTOCOL'] as const) {
    const found = failures.find((failure) => failure.code === code);
    if (found !== undefined) return found;
  }
  return failures[0] ?? new Failure('CONNECT', 'no address to connect to');
}

function attempt(address: Address, pin: Uint8Array | undefined, delayMs: number, connectMs: number, signal: AbortSignal): Promise<Answered> {
  const where = formatAddress(address);
  return new Promise((resolve, reject) => {
    let socket: TLSSocket | undefined;
    const timers: NodeJS.Timeout[] = [];
    let over = false;
    const finish = (failure?: Failure): void => {
      if (over) return;
      over = true;
      for (const timer of timers) clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      if (failure === undefined) return;
      socket?.destroy();
      reject(failure);
    };
    const stop = (): void => finish(reasonOf(signal));
    signal.addEventListener('abort', stop, { once: true });
    timers.push(setTimeout(() => {
      timers.push(setTimeout(() => finish(new Failure('CONNECT', `no answer from ${where} within ${connectMs / 1000} s`, { path: where, who: 'network', hint: 'check the address, and firewalls in between' })), connectMs));
      const inlet = new Inlet();
      const wanted: ConnectionOptions & { onread: OnReadOpts } = {
        host: address.host, port: address.port, minVersion: 'TLSv1.3', ciphers: CIPHERS, ALPNProtocols: [ALPN], rejectUnauthorized: false, onread: inlet.onread,
      };
      socket = connectTls(wanted);
      const shortest = waits(socket);
      socket.setNoDelay(true).setKeepAlive(true, 30_000);
      socket.on('error', (error: NodeJS.ErrnoException) => finish(connectFailure(error, where)));
      socket.once('close', () => finish(hungUp(where)));
      socket.once('secureConnect', () => {
        const serverPin = check(socket!, pin, where);
        if (serverPin instanceof Failure) return finish(serverPin);
        finish();
        resolve({ socket: socket!, inlet, address: where, answered: address, serverPin, roundTripMs: shortest() });
      });
    }, delayMs));
  });
}

/** From here on: how long the shorter of the waits for TCP and, when it is called, for TLS has been (ms). */
function waits(socket: TLSSocket): () => number {
  const began = performance.now();
  let connected = began;
  socket.once('connect', () => { connected = performance.now(); });
  return () => Math.min(connected - began, performance.now() - connected);
}

/** The pin of the peer, if it is the server that is meant and speaks our protocol. */
function check(socket: TLSSocket, pin: Uint8Array | undefined, where: string): Uint8Array | Failure {
  const certificate = socket.getPeerX509Certificate();
  if (socket.alpnProtocol !== ALPN || certificate === undefined) return elsewhere(where);
  const found = pinOf(certificate);
  if (pin === undefined || sameDigest(found.subarray(0, pin.byteLength), pin)) return found;
  return new Failure('IDENTITY', `the server at ${where} has another key than the one that was joined: its fingerprint is ${fingerprint(found)}`, {
    path: where, who: 'network',
    hint: 'somebody may be in between, or the server was set up anew; ask its owner, and if so join again with a new ticket',
  });
}

function elsewhere(where: string): Failure {
  return new Failure('PROTOCOL', `something other than a Wherry server answers at ${where}`, { path: where, who: 'network', hint: 'check the port: `wherry serve` prints it' });
}

/** Not a byte of another protocol: a gate that is full or closing does the same as a service that is none of ours. */
function hungUp(where: string, cause?: Error): Failure {
  return new Failure('CONNECT', `the server at ${where} closed the connection before it answered`, { path: where, who: 'network', hint: 'it may be busy, or stopping: try again; if it stays so, check the port: `wherry serve` prints it', cause });
}

/** How an end of the connection before TLS is up is told; what is no TLS has codes of its own. */
const HUNG_UP: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);

function connectFailure(error: NodeJS.ErrnoException, where: string): Failure {
  const why: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'nothing listens there', ENOTFOUND: 'no such host', EAI_AGAIN: 'the name service does not answer',
    EHOSTUNREACH: 'no way to that host', ENETUNREACH: 'no way to that network', ETIMEDOUT: 'no answer',
  };
  if (HUNG_UP.has(error.code ?? '')) return hungUp(where, error);
  const known = why[error.code ?? ''];
  if (known === undefined) return elsewhere(where);
  return new Failure('CONNECT', `cannot connect to ${where}: ${known}`, { path: where, who: 'network', hint: 'check that `wherry serve` is running there', cause: error });
}
