/**
 * A proxy in front of a server: forwards bytes both ways, and breaks or holds every connection when as many as were
 * chosen have passed in one direction. What a network does, at a place the test decides. It can be a long line as well:
 * every byte comes later, and only so many are on the way over one connection.
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
  /** Change one bit there instead; over a long line only. */
  readonly garble?: boolean;
}

/** A long line: how long a byte takes one way (ms), and how many may be on the way over one connection in one direction. */
export interface Distance { readonly ms: number; readonly window: number }

export class Proxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #real: string;
  readonly #sockets = new Set<Socket>();
  #cut: Cut = {};
  /** How far away the server is for every new connection; undefined: here. */
  distance: Distance | undefined;
  #known: number | undefined;
  /** Connections that were made. */
  made = 0;
  /** Connections that were broken. */
  broken = 0;
  /** Bytes that were forwarded to the server, and from it. */
  up = 0;
  down = 0;
  /** Of a long line: the most bytes that were on the way at once, over one connection in one direction. */
  most = 0;
  /** The address that connections to the server are made from. */
  from: string | undefined;
  #hold = newHold();

  private constructor(server: Server, real: string) {
    this.#server = server;
    this.#real = real;
  }

  /** A proxy in front of the rig's server, at a `distance` or none, and in the book of the rig's device in its place. */
  static async before(rig: Rig, distance?: Distance): Promise<Proxy> {
    const [, host, port] = /^(.*):(\d+)$/.exec(rig.listening.address)!;
    const server = createServer();
    const proxy = new Proxy(server, port!);
    proxy.distance = distance;
    server.on('connection', (client) => proxy.#forward(client, connect({ port: Number(port), host: host!, ...(proxy.from !== undefined && { localAddress: proxy.from }) })));
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

  /** Breaks every connection. One that is held does not read, so it learns of a server that was killed only by writing to it. */
  sever(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  get #port(): string {
    return String(this.#known ??= (this.#server.address() as AddressInfo).port);
  }

  /** Resolves when a connection is held. */
  async held(): Promise<void> {
    await this.#hold.promise;
  }

  /** Lets the connections that are held go on, and all others too. */
  async release(): Promise<void> {
    this.#cut = {};
    await this.#hold.promise;
    this.#hold.release();
  }

  #forward(client: Socket, server: Socket): void {
    this.made += 1;
    const cut = this.#cut;
    const { up = Infinity, down = Infinity, hold = false, garble = false } = cut;
    const end = (): void => { client.destroy(); server.destroy(); };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', end);
      socket.on('close', () => { this.#sockets.delete(socket); end(); });
    }
    const { distance } = this;
    const pass = (from: Socket, to: Socket, limit: number, count: (bytes: number) => void): void => {
      if (distance !== undefined) return later(from, to, distance, limit, (bytes, under) => { count(bytes); this.most = Math.max(this.most, under); }, (chunk) => { this.broken += 1; if (garble) chunk[0]! ^= 1; else end(); return garble; });
      let left = limit;
      let holding = false;
      from.on('data', (chunk: Buffer) => {
        // A further connection of the same transfer may come here only after the release.
        if (hold && this.#cut !== cut) left = Infinity;
        const part = chunk.subarray(0, Math.min(left, chunk.length));
        left -= part.length;
        count(part.length);
        if (left <= 0 && hold) {
          left = Infinity;
          to.write(part);
          from.pause();
          holding = true;
          this.#hold.add(() => {
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
    pass(server, client, down, (bytes) => { this.down += bytes; });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.sever();
    await closed;
  }
}

/** Forwards as a long line does; `breaks` is called with what comes after `limit` bytes, and says whether that goes on. */
function later(from: Socket, to: Socket, { ms, window }: Distance, limit: number, count: (bytes: number, under: number) => void, breaks: (chunk: Buffer) => boolean): void {
  let under = 0;
  let left = limit;
  from.on('data', (chunk: Buffer) => {
    under += chunk.length;
    left -= chunk.length;
    count(chunk.length, under);
    if (under >= window) from.pause();
    setTimeout(() => {
      if (left <= 0) {
        left = Infinity;
        if (!breaks(chunk)) return;
      }
      to.write(chunk);
      under -= chunk.length;
      if (under < window) from.resume();
    }, ms);
  });
}

/** Changes the port of the server in the book of the rig's device. */
async function readdress(rig: Rig, port: string, before: string): Promise<void> {
  const book = join(rig.home, 'servers.json');
  await writeFile(book, (await readFile(book, 'utf8')).replace(`"port": ${before}`, `"port": ${port}`));
}

/** Connections that are held, and a promise of the first. */
function newHold(): { readonly promise: Promise<void>; add(goOn: () => void): void; release(): void } {
  let first!: () => void;
  const promise = new Promise<void>((done) => { first = done; });
  const held: (() => void)[] = [];
  return {
    promise,
    add(goOn) {
      held.push(goOn);
      first();
    },
    release() { for (const goOn of held.splice(0)) goOn(); },
  };
}
