/**
 * The client: `connect`, `join`, and the requests that have one answer. Transfers are in `transfers.ts`.
 *
 * A client owns one connection and closes it; whatever it returns or throws about a remote path uses the path as it
 * was typed. Texts of the server are made printable where they enter.
 */
import type { Entry } from '../entry.ts';
import { Failure } from '../errors.ts';
import { hex } from '../digest.ts';
import { fingerprint, keyFromSecret, publicBytes, signProof } from '../identity.ts';
import { resolvePath, ROOT, type RemotePath } from '../path.ts';
import { printable } from '../printable.ts';
import type { Connection } from '../session/connection.ts';
import { decodeTicket } from '../ticket.ts';
import { hostname } from 'node:os';
import { cut, type Message } from '../wire/messages.ts';
import type { Client, ConnectOptions, Item, Joined, JoinOptions, ListPage, RequestOptions, ServerInfo, Space, Summary, TransferOptions, Usage } from './api.ts';
import { dial, type Dialled } from './dial.ts';
import { heardPath } from './heard.ts';
import { Requester } from './requester.ts';
import { isServerName, openHome } from './trust.ts';
import { getAll, putAll, streamFrom, streamInto } from './transfers.ts';

/** Connects to a server this device has joined. */
export async function connect(options: ConnectOptions = {}): Promise<Client> {
  const home = await openHome(options.home);
  const server = await home.find(options.server ?? (process.env['WHERRY_SERVER'] || undefined));
  const key = await home.deviceKey();
  const dialled = await dial({
    addresses: server.addresses, pin: server.pin, signal: options.signal,
    prove: (exporter, serverPin) => ({
      kind: 'auth', method: 'device', key: publicBytes(key), signature: signProof(key, { kind: 'device', exporter, serverPin }),
    }),
  });
  return new RemoteClient(dialled, server.name);
}

/** Uses a ticket: enrols this device's key with the server, and remembers the server's. */
export async function join(options: JoinOptions): Promise<Joined> {
  const ticket = decodeTicket(options.ticket);
  if (options.as !== undefined && !isServerName(options.as)) {
    throw new Failure('USAGE', `"${printable(options.as)}" cannot name a server`, { hint: 'use letters, digits, dots, hyphens and underscores' });
  }
  const home = await openHome(options.home);
  const deviceKey = await home.deviceKey();
  const device = publicBytes(deviceKey);
  const invite = keyFromSecret(ticket.secret, 'invite');
  const { connection, ready, address, serverPin } = await dial({
    addresses: ticket.addresses, pin: ticket.pin, signal: options.signal,
    prove(exporter, pin) {
      const claim = { kind: 'invite', exporter, serverPin: pin, device } as const;
      return {
        kind: 'auth', method: 'invite', key: publicBytes(invite), signature: signProof(invite, claim),
        device, deviceSignature: signProof(deviceKey, claim), label: cut(hostname(), 64),
      };
    },
  });
  await connection.drain(0);
  const name = options.as ?? (isServerName(ready.name) ? ready.name : 'server');
  const account = printable(ready.account);
  const remembered = await home.remember({ name, addresses: ticket.addresses, pin: serverPin, account, joined: new Date().toISOString() });
  return { ...remembered, address, fingerprint: fingerprint(serverPin), account, rights: ready.rights };
}

/** What was typed, as a path; a remote path always starts at the served folder. */
function parse(remote: string): RemotePath {
  return resolvePath(ROOT, remote);
}

class RemoteClient implements Client {
  readonly server: ServerInfo;
  readonly closed: Promise<Failure | undefined>;
  readonly #connection: Connection;
  readonly #requester: Requester;

  constructor({ connection, ready, address, serverPin, agent, closed }: Dialled, name: string) {
    this.#connection = connection;
    this.#requester = new Requester(connection, closed);
    this.closed = closed;
    this.server = { name, address, fingerprint: fingerprint(serverPin), account: printable(ready.account), rights: ready.rights, agent };
  }

  put(local: string | readonly string[], remote = '', options: TransferOptions = {}): Promise<Summary> {
    return putAll(this.#requester, typeof local === 'string' ? [local] : local, remote, options);
  }

  get(remote: string | readonly string[], local = '.', options: TransferOptions = {}): Promise<Summary> {
    return getAll(this.#requester, typeof remote === 'string' ? [remote] : remote, local, options);
  }

  putStream(stream: AsyncIterable<Uint8Array>, remote: string, options: TransferOptions = {}): Promise<Item> {
    return streamInto(this.#requester, stream, parse(remote), options);
  }

  getStream(remote: string, options: RequestOptions = {}): AsyncIterable<Uint8Array> {
    return streamFrom(this.#requester, parse(remote), options.signal);
  }

  async stat(remote: string, options: RequestOptions = {}): Promise<Entry | undefined> {
    const { entry } = await this.#requester.ask({ kind: 'stat', path: parse(remote) }, 'entry', options.signal);
    return entry === undefined ? undefined : { ...entry, name: heardPath(entry.name) };
  }

  async *list(remote: string, options: RequestOptions & { deep?: boolean | undefined } = {}): AsyncGenerator<ListPage> {
    using exchange = await this.#requester.open({ kind: 'list', path: parse(remote), deep: options.deep ?? false }, options.signal);
    for (;;) {
      const received = await exchange.next();
      if (received.kind !== 'message' || received.message.kind !== 'entries') return;
      const { entries, unlisted } = received.message;
      for (const { name } of entries) heardPath(name);
      yield { entries, unlisted };
      exchange.consumed(received.bulk);
    }
  }

  async makeFolder(remote: string, options: RequestOptions & { parents?: boolean | undefined } = {}): Promise<void> {
    await this.#ask({ kind: 'makeFolder', path: parse(remote), parents: options.parents ?? false }, options);
  }

  async remove(remote: string, options: RequestOptions & { deep?: boolean | undefined; kind?: 'file' | 'folder' | undefined } = {}): Promise<void> {
    await this.#ask({ kind: 'remove', path: parse(remote), deep: options.deep ?? false, only: options.kind }, options);
  }

  async change(from: string, to: string, options: RequestOptions & { replace?: boolean | undefined } = {}): Promise<void> {
    await this.#ask({ kind: 'move', from: parse(from), to: parse(to), replace: options.replace ?? false }, options);
  }

  async #ask(message: Message<'makeFolder' | 'remove' | 'move'>, options: RequestOptions): Promise<void> {
    await this.#requester.ask(message, 'done', options.signal);
  }

  async usage(remote: string, options: RequestOptions = {}): Promise<Usage> {
    const { files, folders, bytes } = await this.#requester.ask({ kind: 'usage', path: parse(remote) }, 'used', options.signal);
    return { files, folders, bytes };
  }

  async space(options: RequestOptions = {}): Promise<Space> {
    const { free, total } = await this.#requester.ask({ kind: 'space' }, 'room', options.signal);
    return { free, total };
  }

  async hash(remote: string, options: RequestOptions & { algorithm?: 'blake3' | 'sha256' | undefined } = {}): Promise<string> {
    const { digest } = await this.#requester.ask({ kind: 'hash', path: parse(remote), algorithm: options.algorithm ?? 'blake3' }, 'digest', options.signal);
    return hex(digest);
  }

  async close(): Promise<void> {
    await this.#connection.drain(0);
    await this.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
