/**
 * A proxy in front of a server: forwards bytes both ways, and breaks or holds every connection when as many as were
 * chosen have passed in one direction. What a network does, at a place the test decides.
 */
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Rig } from './rig.ts';

export interface Cut {
  /** Bytes from the client to the server after which the connection breaks. */
  readonly up?: number;
  /** Bytes from the server to the client. */
  readonly down?: number;
  /** Hold the connection there instead, until `release`. */
  readonly hold?: boolean;
}

export class Proxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #real: string;
  readonly #sockets = new Set<Socket>();
  #cut: Cut = {};
  #known: number | undefined;
  /** Connections that were broken. */
  broken = 0;
  /** Bytes that were forwarded to the server. */
  up = 0;
  #hold = newHold();

  private constructor(server: Server, real: string) {
    this.#server = server;
    this.#real = real;
  }

  /** A proxy in front of the rig's server, and in the book of the rig's device in its place. */
  static async before(rig: Rig): Promise<Proxy> {
    const [, host, port] = /^(.*):(\d+)$/.exec(rig.listening.address)!;
    const server = createServer();
    const proxy = new Proxy(server, port!);
    server.on('connection', (client) => proxy.#forward(client, connect(Number(port), host)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    await readdress(rig, proxy.#port, port!);
    return proxy;
  }

  /** The rig's device goes to the server itself again. */
  async bypass(rig: Rig): Promise<void> {
    await readdress(rig, this.#real, this.#port);
  }

  /** From now on every new connection breaks there; no argument: none does. */
  cutAfter(cut: Cut = {}): void {
    this.#cut = cut;
    this.#hold = newHold();
    this.up = 0;
  }

  get #port(): string {
    return String(this.#known ??= (this.#server.address() as AddressInfo).port);
  }

  /** Resolves when a connection is held. */
  async held(): Promise<void> {
    await this.#hold.promise;
  }

  /** Lets the connection that is held go on, and all others too. */
  async release(): Promise<void> {
    this.#cut = {};
    (await this.#hold.promise)();
  }

  #forward(client: Socket, server: Socket): void {
    const { up = Infinity, down = Infinity, hold = false } = this.#cut;
    const end = (): void => { client.destroy(); server.destroy(); };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', end);
      socket.on('close', () => { this.#sockets.delete(socket); end(); });
    }
    const pass = (from: Socket, to: Socket, limit: number, count: (bytes: number) => void): void => {
      let left = limit;
      let holding = false;
      from.on('data', (chunk: Buffer) => {
        const part = chunk.subarray(0, Math.min(left, chunk.length));
        left -= part.length;
        count(part.length);
        if (left <= 0 && hold) {
          left = Infinity;
          to.write(part);
          from.pause();
          holding = true;
          this.#hold.resolve(() => {
            holding = false;
            to.write(chunk.subarray(part.length));
            from.resume();
          });
        } else if (left <= 0) {
          this.broken += 1;
          to.write(part, end);
        } else if (!to.write(part)) from.pause();
      });
      to.on('drain', () => { if (!holding) from.resume(); });
    };
    pass(client, server, up, (bytes) => { this.up += bytes; });
    pass(server, client, down, () => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

/** Changes the port of the server in the book of the rig's device. */
async function readdress(rig: Rig, port: string, before: string): Promise<void> {
  const book = join(rig.home, 'servers.json');
  await writeFile(book, (await readFile(book, 'utf8')).replace(`"port": ${before}`, `"port": ${port}`));
}

/** A promise of a connection that is held, and how to keep it; the value lets the connection go on. */
function newHold(): { promise: Promise<() => void>; resolve: (release: () => void) => void } {
  let resolve!: (release: () => void) => void;
  const promise = new Promise<() => void>((done) => { resolve = done; });
  return { promise, resolve };
}
