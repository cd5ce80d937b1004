/**
 * Transfers: `put` and `get` of several sources, and streams. Decides where each source goes, and keeps the score.
 *
 * The rules are those of `cp`: one source takes the name it is given, or goes into an existing folder under its own;
 * several go into a folder, which must exist; of `FOLDER/.` what is in it goes to the target itself. Each source is an item of its own: one that fails does not stop
 * the others, but a lost connection or a cancel does.
 */
import { Failure } from '../errors.ts';
import { child, checkName, displayPath, meansContents, resolvePath, ROOT, type RemotePath } from '../path.ts';
import { createHasher, hex, ready as digestReady, sameDigest } from '../digest.ts';
import type { Entry } from '../entry.ts';
import { printable } from '../printable.ts';
import { tagOf } from './action.ts';
import type { Item, Summary, TransferOptions } from './api.ts';
import { digestFrom } from './digests.ts';
import { getFile, here, putBytes, putFile, type FileOptions } from './file.ts';
import { heldAt } from './held.ts';
import { checkTaking, openSource, openTarget, sweepOld, untaken, type LocalPlace } from './local.ts';
import { listPages } from './pages.ts';
import { tellPassed } from './passed.ts';
import { checkPlace, localFolder, onlyContents, remoteFolder, remoteSource, withFolder } from './places.ts';
import type { Requester } from './requester.ts';
import { checkRoomHere, checkRoomThere } from './room.ts';
import { Sent } from './sent.ts';
import { StreamSource } from './stream.ts';
import { ItemTally, Tally, type SingleFile } from './tally.ts';
import { countAll, countingRemote, countLocal, countRemote, expectLater, type Counting } from './totals.ts';
import { getTree } from './gettree.ts';
import { putTree } from './puttree.ts';
import type { TreeOptions } from './tree.ts';
import { leftOf } from './update.ts';
import { join } from 'node:path';

/** After these nothing more can be done on this connection, or nothing more is wanted. */
const FATAL: ReadonlySet<string> = new Set(['LOST', 'PROTOCOL', 'CANCELLED', 'TERMINATED', 'DEADLINE', 'SHUTDOWN', 'TIMEOUT']);

function fileOptions(item: ItemTally, options: TransferOptions, { onBytes, onSent, onLanes }: SingleFile): FileOptions {
  return { level: item.level, ifAbsent: (options.ifAbsent ?? false) && item.replaceable?.has('') !== true, ifMatch: digestFrom(options.ifMatch), action: tagOf(options.action), signal: options.signal, waits: item.tally.waits, onBytes, onSent, onLanes };
}

function treeOptions(item: ItemTally, options: TransferOptions, keepTop: boolean, left: readonly string[]): TreeOptions {
  return { level: item.level, ifAbsent: options.ifAbsent ?? false, action: tagOf(options.action), signal: options.signal, waits: item.tally.waits, exclude: options.exclude ?? [], follow: options.follow ?? false, names: options.onFile !== undefined, keepTop, sent: new Sent(options.remembered?.sent), replaceable: item.replaceable, left: new Set(left), fetched: fetchedAt(item.target, options) };
}

/** Where it is noted which files of a folder have been fetched to `target`. */
function fetchedAt(target: string, { remembered }: TransferOptions): Map<string, number> | undefined {
  if (remembered === undefined) return undefined;
  const noted = remembered.fetched.get(target) ?? new Map<string, number>();
  remembered.fetched.set(target, noted);
  return noted;
}

/** Whether a folder keeps its own mode and time: it was `there` before, and not because of an earlier try. */
function keepsTop(there: boolean, target: string, { remembered }: TransferOptions): boolean {
  if (!there) remembered?.tops.add(target);
  return there && remembered?.tops.has(target) !== true;
}

/** Does `job` for every source, in order, and says what became of each. */
async function each(sources: readonly string[], options: TransferOptions, count: Counting, job: (source: string, item: ItemTally) => Promise<void>): Promise<Summary> {
  await digestReady(); // here and not on connecting: most commands hash nothing, and loading it takes 9 ms
  using tally = new Tally(options, { sources: sources.length });
  using _counted = sources.length > 1 ? expectLater(tally, options, () => countAll(sources, count)) : undefined;
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

/** Of several sources all are counted at once; the sum of those that were begun would be no total. */
function alone(tally: Tally, options: TransferOptions, count: Parameters<typeof expectLater>[2]): Disposable | undefined {
  return tally.sources > 1 ? undefined : expectLater(tally, options, count);
}

function expectFile(tally: Tally, { countAfter }: TransferOptions, size: number): void {
  if (tally.sources === 1 || countAfter === undefined) tally.expect(1, size);
}

/** Two sources with one name: the second would replace the first, which nobody means (`cp` refuses it too). */
function once(taken: Set<string>, target: string): void {
  if (taken.has(target)) throw new Failure('EXISTS', 'another source of this command has the same name or target', { path: printable(target), who: 'rule', hint: 'use two commands, and two names where both are to stay' });
  taken.add(target);
}

function refuseMatch({ ifMatch }: Pick<TransferOptions, 'ifMatch'>, folder: string): void {
  if (ifMatch !== undefined) throw new Failure('USAGE', 'only one file has a digest to match, and this is a folder', { path: folder, hint: 'name a file' });
}

export async function putAll(requester: Requester, locals: readonly string[], remote: string, options: TransferOptions): Promise<Summary> {
  const into = onlyContents(locals) ? false : await remoteFolder(requester, remote, locals.length > 1, options);
  const taken = new Set<string>();
  return each(locals, options, countLocal, async (local, item) => {
    await using source = await openSource(local);
    item.kind = source.kind;
    const contents = meansContents(local);
    const to = into && !contents ? child(resolvePath(ROOT, remote), checkName(source.name)) : resolvePath(ROOT, remote);
    item.target = displayPath(to);
    once(taken, item.target);
    if (source.kind === 'folder') {
      refuseMatch(options, source.shown);
      using _count = alone(item.tally, options, () => countLocal(local));
      using _folder = item.folder(source.name);
      const there = await checkPlace(requester, to, options);
      await options.onTarget?.(local, item.target, there);
      const left = await leftOf(item, options, (plan) => plan.leftOfPut(requester, source, to, options));
      await checkRoomThere(requester, source, to, there, options);
      await putTree(requester, source.vault, source.path, to, item, treeOptions(item, options, keepsTop(contents && there, item.target, options), left));
      if (item.skipped > 0) await tellPassed(source.vault.list(source.path, { deep: true }), options);
      return;
    }
    await using file = await here(source.vault.read(source.path));
    if ((await leftOf(item, options, (plan) => plan.leftOfPut(requester, source, to, options, file.entry))).length > 0) return;
    expectFile(item.tally, options, file.entry.size);
    using single = item.single(source.name, file.entry.size);
    const { digest } = await putFile(requester, file, to, fileOptions(item, options, single)).catch((error: unknown) => { throw withFolder(error, to); });
    single.stored(digest);
  });
}

export async function getAll(requester: Requester, remotes: readonly string[], local: string, options: TransferOptions): Promise<Summary> {
  const into = await localFolder(remotes, local);
  const taken = new Set<string>();
  return each(remotes, options, countingRemote(requester, options), async (remote, item) => {
    const { from, entry, kind, contents, name } = await remoteSource(requester, remote, options);
    item.kind = kind;
    if (kind === 'folder') refuseMatch(options, remote);
    const below = into && !contents;
    const target = below ? join(local, name) : local;
    once(taken, target);
    await using place = await openTarget(target, kind, below);
    item.target = target;
    // Once, before every file in it would say so.
    if (kind === 'folder' && !place.exists) await checkTaking(target, kind);
    if (kind === 'folder') await options.onTarget?.(remote, target, place.exists);
    await sweepOld(place);
    await getOne(requester, from, entry, place, item, options, keepsTop(contents && place.exists, target, options)).catch(async (error: unknown) => { throw await untaken(error, target, kind); });
  });
}

async function getOne(requester: Requester, from: RemotePath, entry: Entry, place: LocalPlace, item: ItemTally, options: TransferOptions, keepTop: boolean): Promise<void> {
  const left = await leftOf(item, options, (plan) => plan.leftOfGet(requester, from, entry, place, options));
  if (entry.kind === 'file' && left.length > 0) return;
  if (entry.kind === 'file') expectFile(item.tally, options, entry.size);
  using _count = entry.kind === 'folder' ? alone(item.tally, options, () => countRemote(requester, from, options)) : undefined;
  if (entry.kind === 'folder') {
    using _folder = item.folder(place.name);
    await checkRoomHere(requester, from, place, options);
    const held = await heldAt(place, item.target, item.replaceable, options, (plan) => plan.alikeOfGet(requester, from, entry, place, options));
    await getTree(requester, from, place.vault, place.path, item, { ...treeOptions(item, options, keepTop, left), held });
    if (item.skipped > 0) await tellPassed(listPages(requester, from, true, options.signal), options);
    return;
  }
  using single = item.single(place.name, entry.size);
  single.stored((await getFile(requester, from, entry, place.vault, place.path, fileOptions(item, options, single))).digest);
}

/** Stores what a stream yields. Rejects when it fails: there is only one item. */
export async function streamInto(requester: Requester, stream: AsyncIterable<Uint8Array>, to: RemotePath, options: TransferOptions): Promise<Item> {
  using tally = new Tally(options, { local: 'input' });
  const item = new ItemTally('-', tally, options);
  item.kind = 'file';
  item.target = displayPath(to);
  await digestReady();
  await using source = new StreamSource(stream);
  using single = item.single('-', undefined);
  const sent = await putBytes(requester, source, { kind: 'put', path: to, mtime: Date.now() * 1000, mode: 0o644, level: item.level, ifAbsent: options.ifAbsent ?? false, ifMatch: digestFrom(options.ifMatch), action: tagOf(options.action) }, fileOptions(item, options, single)).catch((error: unknown) => { throw withFolder(error, to); });
  single.stored(sent.digest);
  tally.summary();
  return item.done();
}

/** The bytes of one file, with their check at the end. */
export async function* streamFrom(requester: Requester, from: RemotePath, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  await digestReady();
  using exchange = await requester.open({ kind: 'get', path: from, basis: 0 }, signal);
  const { size } = await exchange.expect('offer');
  const hasher = createHasher();
  let position = 0;
  for (;;) {
    const received = await exchange.next();
    if (received.kind === 'data') {
      if (received.offset !== position) throw new Failure('PROTOCOL', 'bytes out of order', { who: 'network' });
      position += received.bytes.byteLength;
      if (position > size) throw new Failure('CHANGED', 'the file grew while it was sent', { path: displayPath(from), hint: 'fetch it again when nobody writes to it' });
      hasher.update(received.bytes);
      yield received.bytes;
      exchange.consumed(received.bulk);
    } else if (received.kind === 'message' && received.message.kind === 'commit') {
      const digest = hasher.digest();
      if (received.message.size === position && sameDigest(digest, received.message.digest)) return;
      throw new Failure('VERIFY', `what arrived has the digest ${hex(digest).slice(0, 16)}…, another than what was sent`, { path: displayPath(from), hint: 'throw it away and fetch it again' });
    } else throw new Failure('PROTOCOL', 'an older version is spoken of, and there is none', { who: 'network' });
  }
}
