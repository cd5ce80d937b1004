/**
 * Transfers: `put` and `get` of several sources, and streams. Decides where each source goes, and keeps the score.
 *
 * The rules are those of `cp`: one source takes the name it is given, or goes into an existing folder under its own;
 * several go into a folder, which must exist. Each source is an item of its own: one that fails does not stop
 * the others, but a lost connection or a cancel does.
 */
import { Failure } from '../errors.ts';
import { baseName, child, checkName, displayPath, parentOf, resolvePath, ROOT, type RemotePath } from '../path.ts';
import { createHasher, hex, ready as digestReady, sameDigest } from '../digest.ts';
import type { Entry } from '../entry.ts';
import { printable } from '../printable.ts';
import { askForTicket } from '../rights.ts';
import type { Item, Summary, TransferOptions } from './api.ts';
import { getFile, here, putBytes, putFile, type FileOptions } from './file.ts';
import { isFolder, openSource, openTarget, type LocalPlace } from './local.ts';
import type { Requester } from './requester.ts';
import { StreamSource } from './stream.ts';
import { ItemTally, Tally } from './tally.ts';
import { getTree, putTree, type TreeOptions } from './tree.ts';
import { join } from 'node:path';

/** After these nothing more can be done on this connection, or nothing more is wanted. */
const FATAL: ReadonlySet<string> = new Set(['LOST', 'PROTOCOL', 'CANCELLED', 'TERMINATED', 'DEADLINE', 'SHUTDOWN', 'TIMEOUT']);

function fileOptions(item: ItemTally, options: TransferOptions): FileOptions {
  return { level: item.level, ifAbsent: options.ifAbsent ?? false, signal: options.signal, onBytes: (bytes, kept) => item.moved(bytes, kept) };
}

function treeOptions(item: ItemTally, options: TransferOptions): TreeOptions {
  const { level, ifAbsent, signal } = fileOptions(item, options);
  return { level, ifAbsent, signal, exclude: options.exclude ?? [], follow: options.follow ?? false, names: options.onFile !== undefined };
}

/** Does `job` for every source, in order, and says what became of each. */
async function each(sources: readonly string[], options: TransferOptions, job: (source: string, item: ItemTally) => Promise<void>): Promise<Summary> {
  await digestReady(); // here and not on connecting: most commands hash nothing, and loading it takes 9 ms
  const tally = new Tally(options);
  let fatal: Failure | undefined;
  for (const source of sources) {
    const item = new ItemTally(source, tally, options);
    try {
      if (fatal !== undefined) throw fatal;
      await job(source, item);
      item.done();
    } catch (error) {
      const failure = Failure.from(error);
      if (FATAL.has(failure.code)) fatal = failure;
      item.done(failure.at(item.source));
    }
  }
  return tally.summary();
}

/** Two sources with one name: the second would replace the first, which nobody means (`cp` refuses it too). */
function once(taken: Set<string>, target: string): void {
  if (taken.has(target)) throw new Failure('EXISTS', 'another source of this command has the same name', { path: printable(target), who: 'rule', hint: 'send them by two commands, under two names' });
  taken.add(target);
}

export async function putAll(requester: Requester, locals: readonly string[], remote: string, options: TransferOptions): Promise<Summary> {
  const into = await remoteFolder(requester, remote, locals.length > 1, options);
  const taken = new Set<string>();
  return each(locals, options, async (local, item) => {
    await using source = await openSource(local);
    item.kind = source.kind;
    const to = into ? child(resolvePath(ROOT, remote), checkName(source.name)) : resolvePath(ROOT, remote);
    item.target = displayPath(to);
    once(taken, item.target);
    if (source.kind === 'folder') {
      using _count = after(options.countAfter, () => countLocal(local, item.tally, options));
      item.tally.begin(source.name, undefined);
      await checkPlace(requester, to, options);
      return await putTree(requester, source.vault, source.path, to, item, treeOptions(item, options));
    }
    await using file = await here(source.vault.read(source.path));
    item.tally.expect(1, file.entry.size);
    item.tally.begin(source.name, file.entry.size);
    item.file((await putFile(requester, file, to, fileOptions(item, options))).digest);
  });
}

/** Has `count` run after so many ms if the caller is not done with it before; undefined: never. */
function after(ms: number | undefined, count: () => Promise<void>): Disposable {
  const timer = ms === undefined ? undefined : setTimeout(() => void count(), ms);
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}

/**
 * Totals for the progress, counted beside the transfer by a walk of its own; with patterns to leave out they would be
 * wrong, so there are none. What goes wrong here goes wrong in the transfer too, and is told there.
 */
async function countLocal(local: string, tally: Tally, { exclude }: TransferOptions): Promise<void> {
  if (exclude !== undefined && exclude.length > 0) return;
  try {
    await using place = await openSource(local);
    const { files, bytes } = await place.vault.usage(place.path);
    tally.expect(files, bytes);
  } catch {
    // no totals
  }
}

/** The same for what is on the server. */
async function countRemote(requester: Requester, path: RemotePath, tally: Tally, { exclude, signal }: TransferOptions): Promise<void> {
  if (exclude !== undefined && exclude.length > 0) return;
  try {
    const { files, bytes } = await requester.ask({ kind: 'usage', path }, 'used', signal);
    tally.expect(files, bytes);
  } catch {
    // no totals
  }
}

/** Whether sources go into `remote` under their own names. Throws when they must, and it is no folder. */
async function remoteFolder(requester: Requester, remote: string, must: boolean, { signal }: TransferOptions): Promise<boolean> {
  const path = resolvePath(ROOT, remote);
  if (path === ROOT) return true;
  const asked = must || remote.endsWith('/');
  const found = await statAllowed(requester, path, signal);
  if (found === 'unknown') return asked;
  if (found?.kind === 'folder') return true;
  if (asked) {
    throw found === undefined
      ? new Failure('NOTFOUND', 'no such folder on the server', { path: displayPath(path), who: 'server', hint: 'make it first: mkdir' })
      : new Failure('NOTDIR', 'not a folder', { path: displayPath(path), who: 'server' });
  }
  return false;
}

/** Whether a folder can arrive at `to`: no file has the name, and its parent exists. Said once, before every file in it would say so. */
async function checkPlace(requester: Requester, to: RemotePath, { signal }: TransferOptions): Promise<void> {
  const found = to === ROOT ? 'unknown' : await statAllowed(requester, to, signal);
  if (found === 'unknown' || found?.kind === 'folder') return;
  if (found !== undefined) throw new Failure('NOTDIR', 'is a file, and a folder is to arrive there', { path: displayPath(to), who: 'server', hint: 'name another target, or rename it first: wherry change' });
  await remoteFolder(requester, `${parentOf(to)}/`, true, { signal });
}

/** What is at `path`; accounts that may not look (drop boxes) do not know. */
async function statAllowed(requester: Requester, path: RemotePath, signal: AbortSignal | undefined): Promise<Entry | undefined | 'unknown'> {
  try {
    return (await requester.ask({ kind: 'stat', path }, 'entry', signal)).entry;
  } catch (error) {
    if (error instanceof Failure && error.code === 'DENIED') return 'unknown';
    throw error;
  }
}

export async function getAll(requester: Requester, remotes: readonly string[], local: string, options: TransferOptions): Promise<Summary> {
  const asked = remotes.length > 1 || local.endsWith('/');
  const into = await isFolder(local);
  const taken = new Set<string>();
  if (asked && !into) throw new Failure('NOTFOUND', 'no such folder here', { path: local, who: 'here', hint: 'make it first: mkdir' });
  return each(remotes, options, async (remote, item) => {
    const from = resolvePath(ROOT, remote);
    const found = await statAllowed(requester, from, options.signal);
    if (found === 'unknown') throw new Failure('DENIED', 'this account may not read here', { path: displayPath(from), who: 'rule', hint: askForTicket(['list', 'read']) });
    if (found === undefined) throw new Failure('NOTFOUND', 'no such file or folder on the server', { path: displayPath(from), who: 'server', hint: 'ls shows what is there' });
    if (found.kind !== 'file' && found.kind !== 'folder') throw new Failure('UNSUPPORTED', 'neither a file nor a folder', { path: displayPath(from), who: 'server' });
    item.kind = found.kind;
    const name = from === ROOT ? 'files' : checkName(baseName(from)); // the served folder has no name of its own
    const target = into ? join(local, name) : local;
    once(taken, target);
    await using place = await openTarget(target, found.kind, into);
    await getOne(requester, from, found, place, target, item, options);
  });
}

async function getOne(requester: Requester, from: RemotePath, entry: Entry, place: LocalPlace, target: string, item: ItemTally, options: TransferOptions): Promise<void> {
  item.target = target;
  if (entry.kind === 'file') item.tally.expect(1, entry.size);
  item.tally.begin(place.name, entry.kind === 'file' ? entry.size : undefined);
  using _count = after(entry.kind === 'folder' ? options.countAfter : undefined, () => countRemote(requester, from, item.tally, options));
  if (entry.kind === 'folder') return await getTree(requester, from, place.vault, place.path, item, treeOptions(item, options));
  item.file((await getFile(requester, from, entry, place.vault, place.path, fileOptions(item, options))).digest);
}

/** Stores what a stream yields. Rejects when it fails: there is only one item. */
export async function streamInto(requester: Requester, stream: AsyncIterable<Uint8Array>, to: RemotePath, options: TransferOptions): Promise<Item> {
  const tally = new Tally(options);
  const item = new ItemTally('-', tally, options);
  item.kind = 'file';
  item.target = displayPath(to);
  tally.begin('-', undefined);
  await digestReady();
  await using source = new StreamSource(stream);
  const sent = await putBytes(requester, source, { kind: 'put', path: to, mtime: Date.now() * 1000, mode: 0o644, level: item.level, ifAbsent: options.ifAbsent ?? false }, fileOptions(item, options));
  item.file(sent.digest);
  tally.summary();
  return item.done();
}

/** The bytes of one file, with their check at the end. */
export async function* streamFrom(requester: Requester, from: RemotePath, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  await digestReady();
  using exchange = await requester.open({ kind: 'get', path: from, basis: 0 }, signal);
  await exchange.expect('offer');
  const hasher = createHasher();
  let position = 0;
  for (;;) {
    const received = await exchange.next();
    if (received.kind === 'data') {
      if (received.offset !== position) throw new Failure('PROTOCOL', 'bytes out of order', { who: 'network' });
      position += received.bytes.byteLength;
      hasher.update(received.bytes);
      yield received.bytes;
      exchange.consumed(received.bulk);
    } else if (received.kind === 'message' && received.message.kind === 'commit') {
      const digest = hasher.digest();
      if (received.message.size === position && sameDigest(digest, received.message.digest)) return;
      throw new Failure('VERIFY', `what arrived has the digest ${hex(digest).slice(0, 16)}…, another than what was sent`, { path: displayPath(from), hint: 'throw it away and fetch it again' });
    } else throw new Failure('INTERNAL', 'unexpected word in a file');
  }
}
