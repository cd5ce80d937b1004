/**
 * The port: owns a listening socket, and lets the first byte decide which door a connection goes to.
 *
 * 0x16 is a TLS handshake and goes to the native door. Whoever speaks HTTP is told in HTTP what this is; everything
 * else is closed. The byte is put back, so that a door sees the connection whole. Connections above the limit, and
 * those that say nothing in time, are closed and cost no more than their socket.
 */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Failure } from '../errors.ts';
import type { DoorEvent, NativeDoor } from './native.ts';

export interface PortOptions {
  /** An address or host name; undefined: every address of this machine. */
  readonly host: string | undefined;
  /** 0: any free one. */
  readonly port: number;
  readonly native: NativeDoor;
  onEvent(event: DoorEvent): void;
  /** Connections at once, signed in or not. */
  readonly maxConnections: number;
  /** How long a connection may say nothing at first (ms). */
  readonly firstByteMs?: number;
}

export interface Port extends AsyncDisposable {
  /** `host:port` as bound. */
  readonly address: string;
  readonly port: number;
}

const TLS_HANDSHAKE = 0x16;
const HTTP_METHOD = /^(GET|HEAD|POST|PUT|DELETE|OPTIONS|PROPFIND) /;
const NOT_HTTP = 'this port speaks the Wherry protocol: use `wherry join`\n';

/** Listens. Rejects with CONNECT when the address cannot be had. */
export async function openPort(options: PortOptions): Promise<Port> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 }, (socket) => {
    const address = socket.remoteAddress ?? 'unknown';
    socket.on('error', () => {});
    if (sockets.size >= options.maxConnections) {
      options.onEvent({ event: 'refused', address, code: 'LIMIT', reason: `more than ${options.maxConnections} connections` });
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    route(socket, address, options);
  });
  await listen(server, options);
  const { address, port, family } = server.address() as AddressInfo;
  return {
    address: family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`,
    port,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => { server.close(() => resolve()); });
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function route(socket: Socket, address: string, { native, onEvent, firstByteMs = 10_000 }: PortOptions): void {
  const timer = setTimeout(() => {
    onEvent({ event: 'refused', address, code: 'TIMEOUT', reason: 'said nothing' });
    socket.destroy();
  }, firstByteMs).unref();
  socket.once('close', () => clearTimeout(timer));
  socket.once('data', (chunk: Buffer) => {
    clearTimeout(timer);
    if (chunk[0] === TLS_HANDSHAKE) {
      socket.pause();
      socket.unshift(chunk);
      native.accept(socket);
      return;
    }
    onEvent({ event: 'refused', address, code: 'PROTOCOL', reason: 'does not speak TLS' });
    if (!HTTP_METHOD.test(chunk.toString('latin1', 0, 16))) socket.destroy();
    else socket.end(`HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: ${NOT_HTTP.length}\r\nConnection: close\r\n\r\n${NOT_HTTP}`);
  });
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
