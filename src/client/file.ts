/**
 * One file, either way: the client's side of the `put` and `get` exchanges.
 * What the receiver holds already is found by digests, so that an interrupted transfer goes on where it was.
 */
import { hex, sameDigest } from '../digest.ts';
import type { Entry } from '../entry.ts';
import { Failure } from '../errors.ts';
import type { RemotePath } from '../path.ts';
import type { Exchange } from '../session/exchange.ts';
import type { Waits } from '../session/waits.ts';
import type { Level, Source, Vault } from '../store/vault.ts';
import { Arriving } from '../transfer/arriving.ts';
import type { ByteSource } from '../transfer/readahead.ts';
import { blockSizeOf, receive, type Stored } from '../transfer/receive.ts';
import { send, type Sent } from '../transfer/send.ts';
import type { Kind, Message } from '../wire/messages.ts';
import { digestOfSource } from './digests.ts';
import { lanesFor } from './lanes.ts';
import type { Requester } from './requester.ts';

export interface FileOptions {
  readonly level: Level;
  readonly ifAbsent: boolean;
  /** The digest of the only file that may be replaced. */
  readonly ifMatch?: Uint8Array | undefined;
  /** Of a `put`: the action it is part of. */
  readonly action?: Uint8Array | undefined;
  readonly signal: AbortSignal | undefined;
  /** Where waiting is counted. */
  readonly waits: Waits | undefined;
  /** So many more bytes have arrived, or are there anyway (`kept`). */
  onBytes(bytes: number, kept: number): void;
  /** Of a `put`: so many more bytes were dealt with, and may be on their way. */
  onSent?(bytes: number): void;
  /** So many connections besides the first carry it now. */
  onLanes(lanes: number): void;
}

/** Sends an open local file. */
export async function putFile(requester: Requester, source: Source, to: RemotePath, options: FileOptions): Promise<Sent> {
  const { size, mtime, mode } = source.entry;
  const request: Message<'put'> = { kind: 'put', path: to, size, mtime, mode, level: options.level, ifAbsent: options.ifAbsent, ifMatch: options.ifMatch, action: options.action };
  const check = async (sent: Sent): Promise<void> => {
    if (sent.size !== size || (await here(source.changed()))) {
      throw new Failure('CHANGED', 'the file changed while it was read', { who: 'here', hint: 'send it again when nobody writes to it' });
    }
  };
  try {
    return await putBytes(requester, local(source), request, options, check);
  } catch (error) {
    if (!isNotOurs(error) || options.ifAbsent) throw error;
    const sent = { size, digest: await here(digestOfSource(source)), kept: size };
    await check(sent);
    if (!(await isThere(requester, { ...request, again: sent.digest }, options))) throw error;
    options.onBytes(size, size);
    return sent;
  }
}

/** Whether a name is taken for an account that may replace nothing: it may still be that it put the same file there itself. */
function isNotOurs(error: unknown): boolean {
  return error instanceof Failure && error.code === 'EXISTS' && error.who === 'rule';
}

/** Whether the server says that it holds this file of ours already. A server that does not know the question says EXISTS again. */
async function isThere(requester: Requester, request: Message<'put'>, { signal }: FileOptions): Promise<boolean> {
  using exchange = await requester.open(request, signal);
  const received = await exchange.next();
  if (received.kind === 'message' && received.message.kind === 'stored' && request.again !== undefined) {
    refuseOther(request.again, received.message);
    return true;
  }
  return false; // it is gone meanwhile; the caller's next try sends it
}

/** A local file: when it cannot be read, that is the disk of this machine. */
function local(source: Source): ByteSource {
  return {
    get atOnce() { return source.atOnce ?? false; },
    read: (into, position) => here(source.read(into, position)),
    readv: (into, position) => here(source.readv(into, position)),
  };
}

/** A source whose reads may wait for something other than a disk, and can be told not to. */
interface StoppableSource extends ByteSource { stop?(failure: Failure): void }

/** Sends bytes of any source; `check` looks at the source when all was read, before the file may appear. */
export async function putBytes(requester: Requester, source: StoppableSource, request: Message<'put'>, options: FileOptions, check?: (sent: Sent) => Promise<void>): Promise<Sent> {
  await using wide = lanesFor('put', request.size ?? 0, requester.redial, options.onLanes);
  using exchange = await requester.open({ ...request, lanes: wide?.key }, options.signal);
  wide?.begin();
  exchange.watch(options.waits);
  exchange.signal.addEventListener('abort', () => source.stop?.(exchange.failure!), { once: true });
  using arriving = new Arriving((bytes) => options.onBytes(bytes, 0));
  const onBytes = (bytes: number, kept: number): void => {
    wide?.moved(bytes, kept);
    options.onSent?.(bytes);
    if (kept > 0) options.onBytes(kept, kept); // the rest is told when it has arrived
  };
  try {
    const { basis, blockSize } = await exchange.expect('accept');
    const sent = await send(exchange, source, { basis, blockSize, lanes: wide?.lanes, arriving, onBytes });
    await check?.(sent);
    exchange.say({ kind: 'commit', size: sent.size, digest: sent.digest });
    refuseOther(sent.digest, await lastWord(exchange, 'stored'));
    arriving.all();
    return sent;
  } catch (error) {
    exchange.cancel(Failure.from(error)); // the server hears why
    throw error;
  }
}

/** What is stored has to be what was sent. */
function refuseOther(digest: Uint8Array, stored: Message<'stored'>): void {
  if (sameDigest(digest, stored.digest)) return;
  throw new Failure('VERIFY', `what was sent has the digest ${hex(digest).slice(0, 16)}…, what was stored ${hex(stored.digest).slice(0, 16)}…`, { who: 'server', hint: 'run the same command again; if it happens again, do not trust that server' });
}

/** The final answer; digests that were no longer wanted come before it. */
async function lastWord<K extends Kind>(exchange: Exchange, kind: K): Promise<Message<K>> {
  for (;;) {
    const received = await exchange.next();
    if (received.kind === 'message' && received.message.kind === kind) return received.message as Message<K>;
    exchange.consumed(received.bulk);
  }
}

/** Fetches a file into a vault. `entry` is what the server said of it before. */
export async function getFile(requester: Requester, from: RemotePath, entry: Entry, vault: Vault, to: RemotePath, options: FileOptions): Promise<Stored> {
  await using upload = await here(vault.receive(to, {
    size: entry.size, mtime: entry.mtime, mode: entry.mode, level: options.level, condition: options.ifAbsent ? 'absent' : 'any', match: options.ifMatch, owner: '', reuseOld: true,
  }));
  await using wide = lanesFor('get', entry.size, requester.redial, options.onLanes);
  const blockSize = blockSizeOf(upload.basis);
  using exchange = await requester.open({ kind: 'get', path: from, basis: upload.basis.size, blockSize, lanes: wide?.key }, options.signal);
  wide?.begin();
  exchange.watch(options.waits);
  const offer = await exchange.expect('offer');
  const onBytes = (bytes: number, kept: number): void => {
    wide?.moved(bytes, kept);
    options.onBytes(bytes, kept);
  };
  const sink = {
    basis: upload.basis,
    inPlace: upload.inPlace,
    readBasis: (into: readonly Uint8Array[], position: number) => here(upload.readBasis(into, position)),
    basisChanged: () => here(upload.basisChanged()),
    read: (into: Uint8Array, position: number) => here(upload.read(into, position)),
    write: (chunks: readonly Uint8Array[], position: number) => here(upload.write(chunks, position)),
    commit: (size: number) => here(upload.commit(size, offer.mtime)),
    discard: () => upload.discard(),
  };
  return await receive(exchange, sink, { size: offer.size, blockSize, lanes: wide?.lanes, onBytes });
}

/** What the local disk does: whatever goes wrong with it is told as ours. */
export async function here<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const failure = Failure.from(error);
    throw failure.at(failure.path, 'here');
  }
}
