/** Two connections over a real socket pair on this machine, signed in; and bare sockets to a connection for peers that misbehave. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { Failure } from '../../src/errors.ts';
import { Budget } from '../../src/session/budget.ts';
import { Connection } from '../../src/session/connection.ts';
import type { ConnectionOptions } from '../../src/session/options.ts';
import type { Exchange } from '../../src/session/exchange.ts';
import type { ConnectionLimits } from '../../src/session/limits.ts';
import { INITIAL_CREDIT } from '../../src/session/machine.ts';
import type { Request, Side } from '../../src/session/rules.ts';
import { DATA_HEAD_BYTES } from '../../src/wire/frame.ts';
import { encodeMessage, type Message } from '../../src/wire/messages.ts';
import { AUTH, HELLO, READY } from './speakers.ts';

export interface LinkOptions {
  readonly budget?: Budget;
  readonly limits?: Partial<ConnectionLimits>;
  readonly clientLimits?: Partial<ConnectionLimits>;
  isPaced?(): boolean;
  /** What the server does with a request; by default `stat` is answered and everything else waits in `asked`. */
  onRequest?(exchange: Exchange, message: Message<Request>): void;
  /** What the server does with a word on the connection; by default every proof is accepted. */
  onWord?(connection: Connection, message: Message): void;
}

/** A socket pair. */
export async function pair(): Promise<{ near: Socket; far: Socket }> {
  const server = createServer({ noDelay: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const near = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', noDelay: true });
  const [far] = (await once(server, 'connection')) as [Socket];
  server.close();
  return { near, far };
}

/** A connection of the server's side over `socket`, and when it ended. */
export class Served {
  readonly connection: Connection;
  readonly end: Promise<Failure | undefined>;
  /** Requests that nobody has dealt with, in order. */
  readonly asked: { readonly exchange: Exchange; readonly message: Message<Request> }[] = [];
  readonly #waiting: (() => void)[] = [];

  constructor(socket: Socket, { budget = new Budget(), limits = {}, isPaced, onRequest, onWord }: LinkOptions) {
    let ended: (failure: Failure | undefined) => void;
    this.end = new Promise((resolve) => { ended = resolve; });
    this.connection = new Connection(socket, {
      side: 'server', agent: 'test server', budget, limits, ...(isPaced !== undefined && { isPaced }), onEnd: (failure) => ended(failure),
      onWord: (message) => {
        if (onWord !== undefined) onWord(this.connection, message);
        else if (message.kind === 'auth') this.welcome();
      },
      onRequest: (exchange, message) => {
        if (onRequest !== undefined) onRequest(exchange, message);
        else if (message.kind === 'stat') exchange.say({ kind: 'entry' });
        else this.asked.push({ exchange, message });
        for (const wake of this.#waiting.splice(0)) wake();
      },
    });
  }

  welcome(): void {
    this.connection.machine.trust();
    this.connection.say(READY);
  }

  /** The exchange of the next request that waits. */
  async next(): Promise<Exchange> {
    while (this.asked.length === 0) await new Promise<void>((resolve) => { this.#waiting.push(resolve); });
    return this.asked.shift()!.exchange;
  }
}

export class Link implements AsyncDisposable {
  readonly client: Connection;
  readonly server: Served;
  readonly sockets: Readonly<Record<Side, Socket>>;
  readonly budget: Budget;
  readonly end: Promise<Failure | undefined>;
  readonly ready: Promise<void>;

  constructor(near: Socket, far: Socket, options: LinkOptions) {
    this.sockets = { client: near, server: far };
    this.budget = options.budget ?? new Budget();
    this.server = new Served(far, { ...options, budget: this.budget });
    let ended: (failure: Failure | undefined) => void;
    let isReady: () => void;
    this.end = new Promise((resolve) => { ended = resolve; });
    this.ready = new Promise((resolve) => { isReady = resolve; });
    const own: ConnectionOptions = {
      side: 'client', agent: 'test client', budget: this.budget, limits: options.clientLimits ?? {},
      onWord: (message) => { if (message.kind === 'ready') isReady(); },
      onEnd: (failure) => ended(failure),
    };
    this.client = new Connection(near, own);
    this.client.machine.trust();
    this.client.say(AUTH);
  }

  static async open(options: LinkOptions = {}): Promise<Link> {
    const { near, far } = await pair();
    const link = new Link(near, far, options);
    await link.ready;
    return link;
  }

  /** Resolves when everything that was said before has been heard by the server, and its answers here. */
  async settled(): Promise<void> {
    using exchange = this.client.request({ kind: 'stat', path: '' });
    await exchange.expect('entry');
  }

  /** A `put` on both sides, accepted. */
  async putting(): Promise<{ from: Exchange; to: Exchange }> {
    const from = this.client.request({ kind: 'put', path: 'file', mtime: 0, mode: 0o644, level: 'visible', ifAbsent: false });
    const to = await this.server.next();
    to.say({ kind: 'accept', holds: 'none', basis: 0 });
    await from.expect('accept');
    return { from, to };
  }

  /** A `get` on both sides, offered. */
  async getting(basis = 0): Promise<{ from: Exchange; to: Exchange }> {
    const to = this.client.request({ kind: 'get', path: 'file', basis });
    const from = await this.server.next();
    from.say({ kind: 'offer', size: 0, mtime: 0, mode: 0o644 });
    await to.expect('offer');
    return { from, to };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.end(undefined);
    this.server.connection.end(undefined);
    await Promise.all([this.end, this.server.end]);
    for (const socket of Object.values(this.sockets)) socket.destroy();
  }
}

/** Sends so many bytes, which cannot be compressed, as one frame, without asking whether there is room. */
export function push(exchange: Exchange, offset: number, size: number): void {
  exchange.data(randomBytes(DATA_HEAD_BYTES + size), offset, size, () => {});
}

/** A bare socket to a server's connection; with `opening`, the words of a client's opening have been said. `far` is the server's end. */
export async function stranger(options: LinkOptions, opening: boolean, credit = INITIAL_CREDIT): Promise<{ socket: Socket; far: Socket; served: Served }> {
  const { near, far } = await pair();
  near.on('error', () => {}); // being cut off is what is tested
  const served = new Served(far, options);
  if (opening) near.write(Buffer.concat([encodeMessage(0, { ...HELLO, credit }), encodeMessage(0, AUTH)]));
  return { socket: near, far, served };
}
