/**
 * The port: owns a listening socket; and the entrance, where the first byte decides which door a connection goes to.
 *
 * 0x16 is a TLS handshake and goes to the native door. Whoever speaks HTTP is told in HTTP what this is; everything
 * else is closed. The byte is put back, so that a door sees the connection whole. Connections that the turnstile turns away,
 * and those that say nothing in time, are closed and cost no more than their socket. The two may be in two processes:
 * a port that hands over reads nothing, because what it had read would not go along.
 */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Failure } from '../errors.ts';
import { NATIVE_LIMITS } from './limits.ts';
import type { DoorEvent, Newcomer } from './door.ts';
import type { NativeDoor } from './native.ts';
import { addressOf } from './peer.ts';
import type { Turnstile } from './turnstile.ts';

export interface PortOptions {
  /** An address or host name; undefined: every address of this machine. */
  readonly host: string | undefined;
  /** 0: any free one. */
  readonly port: number;
  /** A socket that listens there already, which another process had open. */
  readonly adopted?: Adopted | undefined;
  /** Takes over a connection; `gone` is to be called when it has ended. */
  take(socket: Socket, gone: () => void): void;
  /** Whether they are taken by other processes: not a byte is read of them here. */
  readonly handsOver?: boolean;
  onEvent(event: DoorEvent): void;
  /** Says who may come in; one for all ports of a server. */
  readonly turnstile: Turnstile;
}

export interface EntranceOptions {
  readonly native: NativeDoor;
  onEvent(event: DoorEvent): void;
  /** How long a connection may say nothing at first (ms). */
  firstByteMs?(): number;
}

export interface Port extends AsyncDisposable {
  /** `host:port` as bound. */
  readonly address: string;
  readonly port: number;
  /** The socket, for another process to listen at as well. */
  readonly listening: Server;
  /** Listens no more, at once; what it took goes on. Resolves when the last of it has ended. */
  retire(): Promise<void>;
}

const TLS_HANDSHAKE = 0x16;
const HTTP_METHOD = /^(GET|HEAD|POST|PUT|DELETE|OPTIONS|PROPFIND) /;
/** How long somebody who was answered may take to read it and go (ms). */
const FAREWELL_MS = 2_000;
const NOT_HTTP = 'this port speaks the Wherry protocol: use `wherry join`\n';

/** Paused, and set up when it has come in: a flood that is refused is to cost little. */
const PAUSED = { pauseOnConnect: true };

/** A listening socket from another process, with what comes by it until a port is opened on it. */
export class Adopted {
  readonly server = createServer(PAUSED);
  readonly #waiting: Socket[] = []; // for the moment until the port is open
  readonly #wait = (socket: Socket): void => { this.#waiting.push(socket); };

  /** Takes over from the object as which it has arrived: at once, so that nothing comes in by that. */
  constructor(arrived: Server) {
    this.server.on('connection', this.#wait);
    this.server.on('error', () => {});
    this.server.listen(arrived);
  }

  stopWaiting(): Socket[] {
    this.server.off('connection', this.#wait);
    return this.#waiting.splice(0);
  }
}

/** Listens. Rejects with CONNECT when the address cannot be had. */
export async function openPort(options: PortOptions): Promise<Port> {
  const taken = new Taken(options);
  const server = options.adopted?.server ?? createServer(PAUSED);
  server.on('connection', (socket) => taken.take(socket));
  if (options.adopted === undefined) await listen(server, options);
  for (const socket of options.adopted?.stopWaiting() ?? []) taken.take(socket);
  const { address, port, family } = server.address() as AddressInfo;
  return {
    address: family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`,
    port,
    listening: server,
    retire() {
      server.close();
      return taken.over();
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => { server.close(() => resolve()); });
      taken.destroy();
      // Of connections that were handed over Node would wait for word from processes that may be gone.
      if (options.handsOver !== true) await closed;
    },
  };
}

/** The connections of one listening socket. */
class Taken {
  readonly #options: PortOptions;
  readonly #sockets = new Set<Socket>();
  #onEmpty = (): void => {};

  constructor(options: PortOptions) {
    this.#options = options;
  }

  take(socket: Socket): void {
    const { turnstile, onEvent, take } = this.#options;
    socket.on('error', () => {});
    if (socket.remoteAddress === undefined) return void socket.destroy(); // gone already
    const address = addressOf(socket);
    const entered = turnstile.enter(address);
    if (typeof entered !== 'function') {
      onEvent({ event: 'refused', address, ...entered });
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    take(socket, () => {
      this.#sockets.delete(socket);
      entered();
      if (this.#sockets.size === 0) this.#onEmpty();
    });
  }

  /** Resolves when the last of them has ended. */
  over(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#sockets.size === 0) resolve();
      else this.#onEmpty = resolve;
    });
  }

  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** Where a connection comes in of which nothing was read. */
export function createEntrance(options: EntranceOptions): (socket: Socket, newcomer?: Newcomer) => void {
  return (socket, newcomer = { known: false, settled: () => {} }) => {
    socket.on('error', () => {}); // told by its end
    if (!socket.destroyed) route(socket, addressOf(socket), newcomer, options);
  };
}

function route(socket: Socket, address: string, newcomer: Newcomer, { native, onEvent, firstByteMs = () => NATIVE_LIMITS.handshakeMs }: EntranceOptions): void {
  const timer = setTimeout(() => {
    onEvent({ event: 'refused', address, code: 'TIMEOUT', reason: 'said nothing', offence: 'slow' });
    socket.destroy();
  }, firstByteMs()).unref();
  socket.once('close', () => clearTimeout(timer));
  socket.once('data', (chunk: Buffer) => {
    clearTimeout(timer);
    if (chunk[0] === TLS_HANDSHAKE) {
      socket.pause();
      socket.unshift(chunk);
      native.accept(socket, newcomer);
      return;
    }
    const isHttp = HTTP_METHOD.test(chunk.toString('latin1', 0, 16));
    // Somebody who types the address into a browser is told what this is; a browser asks a few times.
    onEvent({ event: 'refused', address, code: 'PROTOCOL', reason: 'does not speak TLS', offence: isHttp ? 'slow' : 'garbage' });
    if (!isHttp) return void socket.destroy();
    socket.end(`HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: ${NOT_HTTP.length}\r\nConnection: close\r\n\r\n${NOT_HTTP}`);
    setTimeout(() => socket.destroy(), FAREWELL_MS).unref();
  });
  socket.resume(); // it was paused when it was accepted
}

function listen(server: Server, { host, port }: PortOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const where = `${host ?? 'every address'}, port ${port}`;
      const why: Readonly<Record<string, string>> = {
        EADDRINUSE: 'another program listens there', EACCES: 'ports below 1024 need more rights', EADDRNOTAVAIL: 'this machine does not have that address', ENOTFOUND: 'no such host name',
      };
      reject(new Failure('CONNECT', `cannot listen on ${where}: ${why[error.code ?? ''] ?? error.message}`, { who: 'here', hint: 'choose another with --listen HOST:PORT', cause: error }));
    });
    server.listen({ host, port }, () => {
      server.removeAllListeners('error');
      server.on('error', () => {}); // a failed accept (out of descriptors) concerns that connection alone
      resolve();
    });
  });
}
