/**
 * The client: `connect`, `join`, and the requests that have one answer. Transfers are in `transfers.ts`.
 *
 * A client owns one connection and closes it; whatever it returns or throws about a remote path uses the path as it
 * was typed. Texts of the server are made printable where they enter.
 */
import type { KeyObject } from 'node:crypto';
import { MODE_MASK, type Entry } from '../entry.ts';
import { Failure } from '../errors.ts';
import { hex } from '../digest.ts';
import { fingerprint, keyFromSecret, publicBytes, signProof } from '../identity.ts';
import { resolvePath, ROOT, type RemotePath } from '../path.ts';
import { printable } from '../printable.ts';
import type { Connection } from '../session/connection.ts';
import { isCode, parseCode } from '../spoken.ts';
import { decodeTicket, type Address, type Ticket } from '../ticket.ts';
import { parseToken, tokenKey } from '../token.ts';
import { hostname } from 'node:os';
import { cut, type Message } from '../wire/messages.ts';
import { newAction, tagOf } from './action.ts';
import type { Acting, AskedTime, Attributes, Client, ConnectOptions, Item, Joined, JoinOptions, ListPage, Matching, Measured, MeasureOptions, Plan, PlanOptions, RequestOptions, ServerInfo, Space, Summary, TransferOptions, Undone, UndoOptions, Usage } from './api.ts';
import { dial, type Dialled, type DialOptions } from './dial.ts';
import { digestFrom } from './digests.ts';
import { heardOf } from './heard.ts';
import type { Redial } from './lanes.ts';
import { askTime, measure } from './measure.ts';
import { isAddressed, lacksFingerprint, parseAddressed } from './named.ts';
import { listPages } from './pages.ts';
import { proofOf } from './proof.ts';
import { Requester } from './requester.ts';
import { isServerName, openHome } from './trust.ts';
import { getAll, putAll, streamFrom, streamInto } from './transfers.ts';

/** Connects to a server this device has joined, or one that is given by its address and fingerprint; with a token, in its name. */
export async function connect(options: ConnectOptions = {}): Promise<Client> {
  const named = options.server ?? (process.env['WHERRY_SERVER'] || undefined);
  if (named !== undefined && lacksFingerprint(named)) throw new Failure('USAGE', `the fingerprint of the server at ${printable(named)} is missing`, { who: 'here', hint: 'write HOST:PORT#sha256:...; the server prints its fingerprint when it starts' });
  const token = options.token ?? (process.env['WHERRY_TOKEN'] || undefined);
  const server = named !== undefined && isAddressed(named) ? parseAddressed(named) : await (await openHome(options.home)).find(named);
  const method = token === undefined ? 'device' : 'token';
  const key = token === undefined ? await (await openHome(options.home)).deviceKey() : tokenKey(parseToken(token));
  const wanted: DialOptions = {
    addresses: server.addresses, pin: server.pin, signal: options.signal,
    prove: (exporter, serverPin) => proofOf({ method, key }, exporter, serverPin),
  };
  const dialled = await dial(wanted);
  const { distance, answered } = dialled;
  return new RemoteClient(dialled, server.joined === '' ? undefined : server.name, { distance, again: (signal) => dial({ ...wanted, addresses: [answered], signal }), pass: { addresses: [answered], pin: dialled.serverPin, method, key }, vain: new Set() });
}

/** Uses a ticket or a spoken code: enrols this device's key with the server, and remembers the server's. */
export async function join(options: JoinOptions): Promise<Joined> {
  if (isCode(options.ticket)) {
    const code = parseCode(options.ticket);
    return enter(options, async (deviceKey, signal) => {
      const dialled = await (await import('./meet.ts')).meet(code, deviceKey, signal);
      return { dialled, addresses: [dialled.answered] };
    });
  }
  const ticket = decodeTicket(options.ticket);
  return enter(options, (deviceKey, signal) => present(ticket, deviceKey, signal));
}

/** Who answered, and where it is to be found from now on. */
interface Met { readonly dialled: Dialled; readonly addresses: readonly Address[] }

async function enter(options: JoinOptions, meet: (deviceKey: KeyObject, signal: AbortSignal | undefined) => Promise<Met>): Promise<Joined> {
  if (options.as !== undefined && !isServerName(options.as)) {
    throw new Failure('USAGE', `"${printable(options.as)}" cannot name a server`, { hint: 'use letters, digits, dots, hyphens and underscores' });
  }
  const home = await openHome(options.home);
  const { dialled: { connection, ready, address, serverPin }, addresses } = await meet(await home.deviceKey(), options.signal);
  await connection.drain(0);
  const name = options.as ?? (isServerName(ready.name) ? ready.name : 'server');
  const account = printable(ready.account);
  const remembered = await home.remember({ name, addresses, pin: serverPin, account, joined: new Date().toISOString() }, { keepName: options.as === undefined });
  return { ...remembered, address, fingerprint: fingerprint(serverPin), account, rights: ready.rights };
}

async function present({ addresses, pin: ticketPin, secret }: Ticket, deviceKey: KeyObject, signal: AbortSignal | undefined): Promise<Met> {
  const device = publicBytes(deviceKey);
  const invite = keyFromSecret(secret, 'invite');
  const dialled = await dial({
    addresses, pin: ticketPin, signal,
    prove(exporter, pin) {
      const claim = { kind: 'invite', exporter, serverPin: pin, device } as const;
      return {
        kind: 'auth', method: 'invite', key: publicBytes(invite), signature: signProof(invite, claim),
        device, deviceSignature: signProof(deviceKey, claim), label: cut(hostname(), 64),
      };
    },
  });
  return { dialled, addresses };
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

  constructor({ connection, ready, address, serverPin, agent, closed }: Dialled, name: string | undefined, redial: Redial) {
    this.#connection = connection;
    this.#requester = new Requester(connection, closed, redial);
    this.closed = closed;
    this.server = { name, address, fingerprint: fingerprint(serverPin), account: printable(ready.account), rights: ready.rights, agent };
  }

  put(local: string | readonly string[], remote = '', options: TransferOptions = {}): Promise<Summary> {
    return putAll(this.#requester, typeof local === 'string' ? [local] : local, remote, { ...options, action: options.action ?? newAction() });
  }

  get(remote: string | readonly string[], local = '.', options: TransferOptions = {}): Promise<Summary> {
    return getAll(this.#requester, typeof remote === 'string' ? [remote] : remote, local, options);
  }

  async plan(way: 'put' | 'get', sources: string | readonly string[], target: string, options: PlanOptions = {}): Promise<readonly Plan[]> {
    const { planGet, planPut } = await import('./plan.ts');
    return (way === 'put' ? planPut : planGet)(this.#requester, typeof sources === 'string' ? [sources] : sources, target, options);
  }

  async isSame(local: string, remote: string, options: RequestOptions = {}): Promise<boolean> {
    const { isSame } = await import('./plan.ts');
    return isSame(this.#requester, local, remote, options.signal);
  }

  putStream(stream: AsyncIterable<Uint8Array>, remote: string, options: TransferOptions = {}): Promise<Item> {
    return streamInto(this.#requester, stream, parse(remote), options);
  }

  getStream(remote: string, options: RequestOptions = {}): AsyncIterable<Uint8Array> {
    return streamFrom(this.#requester, parse(remote), options.signal);
  }

  async stat(remote: string, options: RequestOptions = {}): Promise<Entry | undefined> {
    const path = parse(remote);
    return heardOf(path, (await this.#requester.ask({ kind: 'stat', path }, 'entry', options.signal)).entry);
  }

  async *list(remote: string, options: RequestOptions & { deep?: boolean | undefined } = {}): AsyncGenerator<ListPage> {
    yield* listPages(this.#requester, parse(remote), options.deep ?? false, options.signal);
  }

  async makeFolder(remote: string, options: RequestOptions & Acting & { parents?: boolean | undefined } = {}): Promise<void> {
    await this.#ask({ kind: 'makeFolder', path: parse(remote), parents: options.parents ?? false, action: tagOf(options.action) }, options);
  }

  async remove(remote: string, options: RequestOptions & Acting & Matching & { deep?: boolean | undefined; kind?: 'file' | 'folder' | undefined } = {}): Promise<void> {
    await this.#ask({ kind: 'remove', path: parse(remote), deep: options.deep ?? false, only: options.kind, ifMatch: digestFrom(options.ifMatch), action: tagOf(options.action) }, options);
  }

  async change(from: string, to: string, options: RequestOptions & Acting & Matching & { replace?: boolean | undefined } = {}): Promise<void> {
    await this.#ask({ kind: 'move', from: parse(from), to: parse(to), replace: options.replace ?? false, ifMatch: digestFrom(options.ifMatch), action: tagOf(options.action) }, options);
  }

  async undo(options: UndoOptions = {}): Promise<Undone> {
    const { undo } = await import('./undo.ts');
    return undo(this.#requester, options);
  }

  async setAttributes(remote: string, { mode, mtime, ...options }: RequestOptions & Attributes): Promise<void> {
    if (mode !== undefined && (mode & ~MODE_MASK) !== 0) throw new Failure('USAGE', `the mode ${mode.toString(8)} has bits beyond 777`, { hint: 'set-user-id, set-group-id and the sticky bit are never set on the server' });
    await this.#ask({ kind: 'setAttributes', path: parse(remote), mode, mtime }, options);
  }

  async #ask(message: Message<'makeFolder' | 'remove' | 'move' | 'setAttributes'>, options: RequestOptions): Promise<void> {
    await this.#requester.ask(message, 'done', options.signal);
  }

  async usage(remote: string, options: RequestOptions = {}): Promise<Usage> {
    const { files, folders, bytes, unlisted } = await this.#requester.ask({ kind: 'usage', path: parse(remote) }, 'used', options.signal);
    return { files, folders, bytes, ...(unlisted !== undefined && { unlisted }) };
  }

  async space(options: RequestOptions = {}): Promise<Space> {
    const { free, total, freeNames, names } = await this.#requester.ask({ kind: 'space' }, 'room', options.signal);
    return { free, total, ...(freeNames !== undefined && { freeNames }), ...(names !== undefined && { names }) };
  }

  measure(what: 'up' | 'down' | 'disk', options: RequestOptions & MeasureOptions = {}): Promise<Measured> {
    return measure(this.#requester, what, options);
  }

  askTime(options: RequestOptions = {}): Promise<AskedTime> {
    return askTime(this.#requester, options.signal);
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
