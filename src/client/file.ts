/**
 * One file, either way: the client's side of the `put` and `get` exchanges.
 * What the receiver holds already is found by digests, so that an interrupted transfer goes on where it was.
 */
import type { Entry } from '../entry.ts';
import { Failure } from '../errors.ts';
import type { RemotePath } from '../path.ts';
import type { Exchange } from '../session/exchange.ts';
import type { Level, Source, Vault } from '../store/vault.ts';
import type { ByteSource } from '../transfer/readahead.ts';
import { receive, type Stored } from '../transfer/receive.ts';
import { send, type Sent } from '../transfer/send.ts';
import type { Kind, Message } from '../wire/messages.ts';
import type { Requester } from './requester.ts';

export interface FileOptions {
  readonly level: Level;
  readonly ifAbsent: boolean;
  readonly signal: AbortSignal | undefined;
  onBytes(bytes: number, kept: number): void;
}

/** Sends an open local file. */
export async function putFile(requester: Requester, source: Source, to: RemotePath, options: FileOptions): Promise<Sent> {
  const { size, mtime, mode } = source.entry;
  return putBytes(requester, source, { kind: 'put', path: to, size, mtime, mode, level: options.level, ifAbsent: options.ifAbsent }, options, async (sent) => {
    if (sent.size !== size || (await source.changed())) {
      throw new Failure('CHANGED', 'the file changed while it was read', { who: 'here', hint: 'send it again when nobody writes to it' });
    }
  });
}

/** A source whose reads may wait for something other than a disk, and can be told not to. */
interface StoppableSource extends ByteSource { stop?(failure: Failure): void }

/** Sends bytes of any source; `check` looks at the source when all was read, before the file may appear. */
export async function putBytes(requester: Requester, source: StoppableSource, request: Message<'put'>, options: FileOptions, check?: (sent: Sent) => Promise<void>): Promise<Sent> {
  using exchange = await requester.open(request, options.signal);
  exchange.signal.addEventListener('abort', () => source.stop?.(exchange.failure!), { once: true });
  try {
    const { basis } = await exchange.expect('accept');
    const sent = await send(exchange, source, { basis, onBytes: (bytes, kept) => options.onBytes(bytes, kept) });
    await check?.(sent);
    exchange.say({ kind: 'commit', size: sent.size, digest: sent.digest });
    await lastWord(exchange, 'stored');
    return sent;
  } catch (error) {
    exchange.cancel(Failure.from(error)); // the server hears why
    throw error;
  }
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
    size: entry.size, mtime: entry.mtime, mode: entry.mode, level: options.level, condition: options.ifAbsent ? 'absent' : 'any', owner: '', reuseOld: true,
  }));
  using exchange = await requester.open({ kind: 'get', path: from, basis: upload.basis.size }, options.signal);
  const offer = await exchange.expect('offer');
  const sink = {
    basis: upload.basis,
    read: (into: Uint8Array, position: number) => here(upload.read(into, position)),
    write: (chunks: readonly Uint8Array[], position: number) => here(upload.write(chunks, position)),
    commit: (size: number) => here(upload.commit(size, offer.mtime)),
    discard: () => upload.discard(),
  };
  return await receive(exchange, sink, { size: offer.size, onBytes: (bytes, kept) => options.onBytes(bytes, kept) });
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
