/**
 * Plan: what a `put` or `get` would do, found out without doing it. Nothing is changed on either side.
 *
 * Folders are compared name by name, level by level, where both ends have them, and not below: a folder that is new costs no
 * question, and a large one of which a few names are sent is not read as a whole. No file costs a round trip of its own.
 * A file of the same size and time is taken for the same; of one of the same size alone `isSame` tells by its digest.
 */
import { ready as digestReady, sameDigest } from '../digest.ts';
import type { Entry } from '../entry.ts';
import { Failure } from '../errors.ts';
import { below, checkName, child, displayPath, meansContents, parentOf, resolvePath, ROOT, type RemotePath } from '../path.ts';
import { basename, join } from 'node:path';
import { MAX_LEFT } from '../left.ts';
import { MAX_PACKED_FILE } from '../pack.ts';
import type { ListPage } from '../store/vault.ts';
import type { Met, Plan, PlanOptions } from './api.ts';
import { digestFrom, digestIn, mustMatch } from './digests.ts';
import { checkTaking, leftOut, openSource, openTarget, type LocalPlace } from './local.ts';
import { listPages } from './pages.ts';
import { checkPlace, localFolder, onlyContents, remoteFolder, remoteSource, statAllowed } from './places.ts';
import type { Requester } from './requester.ts';

/** Files that are in the way, some 300 bytes each: nobody answers for more of them one by one. */
const MAX_MET = 100_000;
/** Files that are the same, some 100 bytes each. */
const MAX_SAME = 1_000_000;
/** Hidden files that are named and not only counted: a `.git` has thousands. */
const MAX_DOTS = 20;
/** Names that will be refused, of which so many are told: more would hide what matters. */
const MAX_REFUSED = 20;
/** Times are told in microseconds, and kept by disks that count in larger steps. */
const SAME_TIME = 1_000;
/** Letters in the paths of folders that wait to be compared: 300,000 of them in an ordinary tree. */
const MAX_WAITING = 16 << 20;

/** Folders that are asked for at once, so that far away each does not wait for the one before it. */
const FOLDERS_AT_ONCE = 8;

/** The names in a folder of one end, by its path from the top of what is compared. */
type Side = (folder: RemotePath) => AsyncIterable<ListPage>;

/** One source, as it was found, and what has its name at the other end; undefined: nothing, or it may not be seen. */
interface Pair { readonly kind: 'file' | 'folder'; readonly target: string; readonly entry: Entry; readonly there: Entry | undefined; readonly from: Side; readonly to: Side; readonly isFromHere: boolean }

export async function planPut(requester: Requester, locals: readonly string[], remote: string, options: PlanOptions): Promise<Plan[]> {
  const into = onlyContents(locals) ? false : await remoteFolder(requester, remote, locals.length > 1, options);
  return Promise.all(locals.map(async (local) => planOne(local, options, async (use) => {
    await using source = await openSource(local);
    const to = into && !meansContents(local) ? child(resolvePath(ROOT, remote), checkName(source.name)) : resolvePath(ROOT, remote);
    const entry = source.path === ROOT ? folderEntry(source.name) : (await source.vault.stat(source.path))!;
    if (source.kind === 'folder') await checkPlace(requester, to, options);
    const pair = await pairOfPut(requester, source, entry, to, options);
    // Under its own name it goes into a folder that was looked at.
    if (source.kind === 'file' && pair.there === undefined && !into) await remoteFolder(requester, `${parentOf(to)}/`, true, options);
    const wanted = digestFrom(options.ifMatch);
    if (wanted !== undefined) await mustMatch(wanted, requester.ask({ kind: 'hash', path: to, algorithm: 'blake3' }, 'digest', options.signal).then(({ digest }) => digest), 'server');
    return await use(pair);
  })));
}

async function pairOfPut(requester: Requester, source: LocalPlace, entry: Entry, to: RemotePath, { signal }: PlanOptions): Promise<Pair> {
  const found = to === ROOT ? folderEntry('') : await statAllowed(requester, to, signal);
  if (source.kind === 'file' && found !== 'unknown' && found?.kind === 'folder') throw new Failure('ISDIR', 'a folder has this name', { path: displayPath(to), who: 'server' });
  const there = found === 'unknown' ? undefined : found;
  return { kind: source.kind, target: displayPath(to), entry, there, from: (at) => source.vault.list(below(source.path, at)), to: (at) => listPages(requester, below(to, at), false, signal), isFromHere: true };
}

export async function planGet(requester: Requester, remotes: readonly string[], local: string, options: PlanOptions): Promise<Plan[]> {
  const into = await localFolder(remotes, local);
  return Promise.all(remotes.map(async (remote) => planOne(remote, options, async (use) => {
    const { from, entry, kind, contents, name } = await remoteSource(requester, remote, options);
    const target = into && !contents ? join(local, name) : local;
    await using place = await openTarget(target, kind, into && !contents);
    const wanted = digestFrom(options.ifMatch);
    if (wanted !== undefined) await mustMatch(wanted, digestIn(place.vault, place.path), 'here');
    const plan = await use(await pairOfGet(requester, from, entry, place, target, options));
    // Who asks about what is in the way goes on with the transfer, which says so itself.
    if (options.count === true && plan.files > plan.same.length) await checkTaking(target, kind);
    return plan;
  })));
}

async function pairOfGet(requester: Requester, from: RemotePath, entry: Entry, place: LocalPlace, target: string, { signal }: PlanOptions): Promise<Pair> {
  const there = !place.exists ? undefined : place.path === ROOT ? folderEntry(place.name) : await place.vault.stat(place.path);
  return { kind: place.kind, target, entry, there, from: (at) => listPages(requester, below(from, at), false, signal), to: (at) => place.vault.list(below(place.path, at)), isFromHere: false };
}

/** What `update` leaves out of a source that is about to be sent to `to`: paths below it, empty for the file itself. */
export async function leftOfPut(requester: Requester, source: LocalPlace, to: RemotePath, options: PlanOptions, entry = folderEntry(source.name)): Promise<readonly string[]> {
  return leftOf(source.shown, await pairOfPut(requester, source, entry, to, options), options);
}

/** The same of what is about to be fetched. */
export async function leftOfGet(requester: Requester, from: RemotePath, entry: Entry, place: LocalPlace, options: PlanOptions): Promise<readonly string[]> {
  return leftOf(place.shown, await pairOfGet(requester, from, entry, place, '', options), options);
}

/** Which small files of a folder that is about to be fetched have the size, time and mode here that they would get; at most as many as one request names. */
export async function alikeOfGet(requester: Requester, from: RemotePath, entry: Entry, place: LocalPlace, { exclude, signal }: PlanOptions): Promise<readonly RemotePath[]> {
  const umask = process.umask();
  const isHere = (one: Entry, there: Entry | undefined): boolean => one.kind === 'file' && there?.kind === 'file' && one.size <= MAX_PACKED_FILE && isAlike(one, there) && there.mode === (one.mode & ~umask);
  const plan = await new Comparison(place.shown, await pairOfGet(requester, from, entry, place, '', { signal }), { exclude, signal }, isHere).run();
  return plan.same as readonly RemotePath[];
}

async function leftOf(source: string, pair: Pair, { exclude, follow, signal }: PlanOptions): Promise<readonly string[]> {
  return (await new Comparison(source, pair, { exclude, follow, signal, update: true }, 'left').run()).left;
}

/** The plan of one source; what keeps it from being done is a part of it. */
async function planOne(source: string, options: PlanOptions, open: (use: (pair: Pair) => Promise<Plan>) => Promise<Plan>): Promise<Plan> {
  try {
    return await open((pair) => new Comparison(source, pair, options).run());
  } catch (error) {
    const failure = Failure.from(error);
    if (options.signal?.aborted === true || failure.code === 'LIMIT') throw failure;
    return { source, target: '', kind: undefined, files: 0, bytes: 0, same: [], replaced: [], left: [], dots: { files: 0, first: [] }, refused: { names: 0, first: [] }, failure };
  }
}

/** A folder of the source, and whether the other end has it too. */
interface Below { readonly folder: RemotePath; readonly known: boolean }

function folderEntry(name: string): Entry {
  return { name, kind: 'folder', size: 0, mtime: 0, mode: 0o755 };
}

class Comparison {
  readonly #source: string;
  readonly #pair: Pair;
  readonly #options: PlanOptions;
  readonly #isLeftOut: ReturnType<typeof leftOut>;
  readonly #replaced: Met[] = [];
  #files = 0;
  #bytes = 0;
  readonly #same: string[] = [];
  #waiting = 0;
  readonly #left: string[] = [];
  #dots = 0;
  readonly #firstDots: string[] = [];
  #refused = 0;
  readonly #firstRefused: string[] = [];

  /** What is of interest: all, only what `update` leaves out, or only the files for which this is true. */
  readonly #what: 'all' | 'left' | ((entry: Entry, there: Entry | undefined) => boolean);

  constructor(source: string, pair: Pair, options: PlanOptions, what: 'all' | 'left' | ((entry: Entry, there: Entry | undefined) => boolean) = 'all') {
    this.#source = source;
    this.#pair = pair;
    this.#options = options;
    this.#what = what;
    this.#isLeftOut = leftOut(options.exclude);
  }

  async run(): Promise<Plan> {
    const { kind, target, entry, there } = this.#pair;
    if (kind === 'file') await this.#file(ROOT, entry, there);
    else if (there?.kind === 'folder' || this.#options.count === true) await this.#tree(there?.kind === 'folder');
    return { source: this.#source, target, kind, files: this.#files, bytes: this.#bytes, same: this.#same, replaced: this.#replaced, left: this.#left, dots: { files: this.#dots, first: this.#firstDots }, refused: { names: this.#refused, first: this.#firstRefused }, failure: undefined };
  }

  /** Level by level; of folders that are not known at the other end only the contents are counted, if that. */
  async #tree(known: boolean): Promise<void> {
    let level: readonly Below[] = [{ folder: ROOT, known }];
    while (level.length > 0) {
      const next: Below[] = [];
      for (let at = 0; at < level.length; at += FOLDERS_AT_ONCE) {
        const found = await Promise.all(level.slice(at, at + FOLDERS_AT_ONCE).map((one) => this.#folder(one)));
        next.push(...found.flat());
      }
      for (const { folder } of level) this.#waiting -= folder.length;
      level = next;
    }
  }

  /** One folder; resolves with those in it. */
  async #folder({ folder, known }: Below): Promise<Below[]> {
    const { from, to, isFromHere } = this.#pair;
    // Of a folder of the server no more is held than is met here: how many names are in it is for the server to say.
    const source = this.#noting(from(folder), folder);
    const here = known && isFromHere ? await names(source) : undefined;
    const there = known ? await names(to(folder), here) : new Map<string, Entry>();
    const found: Below[] = [];
    for await (const { entries } of here === undefined ? source : [{ entries: here.values() }]) {
      for (const entry of entries) {
        const path = child(folder, checkName(entry.name));
        if (this.#isLeftOut(path, entry.name, entry.kind === 'folder')) continue;
        const meets = there.get(entry.name);
        if (entry.kind === 'folder') {
          if (meets?.kind === 'folder' || this.#options.count === true) found.push(this.#wait(path, meets?.kind === 'folder'));
        } else if (entry.kind === 'file' || (entry.kind === 'link' && this.#options.follow === true)) await this.#file(path, entry, meets);
      }
    }
    return found;
  }

  /** The pages as they are; what is in them and can be no name at the other end is noted. */
  async *#noting(pages: AsyncIterable<ListPage>, folder: RemotePath): AsyncGenerator<ListPage> {
    for await (const page of pages) {
      this.#refused += page.unlisted;
      for (const name of page.hidden ?? []) if (this.#firstRefused.length < MAX_REFUSED) this.#firstRefused.push(folder === ROOT ? name : `${folder}/${name}`);
      yield page;
    }
  }

  #wait(folder: RemotePath, known: boolean): Below {
    if ((this.#waiting += folder.length) > MAX_WAITING) throw new Failure('LIMIT', 'more folders than can be compared', { hint: 'give --yes to send them all without comparing, or name the folders in it one by one' });
    return { folder, known };
  }

  async #file(path: RemotePath, entry: Entry, there: Entry | undefined): Promise<void> {
    if (this.#options.update === true && isNotOlder(there, entry)) {
      if (this.#left.length >= MAX_SAME) throw new Failure('LIMIT', `more than ${MAX_SAME} files are to be left out`, { hint: 'name the folders in it one by one, or leave --update out' });
      this.#left.push(path);
      return;
    }
    this.#files += 1;
    this.#bytes += entry.size;
    if (typeof this.#what === 'function') {
      if (this.#same.length < MAX_LEFT && this.#what(entry, there)) this.#same.push(path);
      return;
    }
    if (there === undefined && this.#what === 'all') this.#noteNew(path);
    // What a link is followed to has a size and time of its own, which are not known here.
    if (there === undefined || there.kind === 'folder' || this.#what === 'left') return;
    if (entry.kind === 'file' && there.kind === 'file' && isAlike(entry, there)) {
      if (this.#same.length >= MAX_SAME) throw new Failure('LIMIT', `more than ${MAX_SAME} files are there already`, { hint: 'give --yes to send them all again, or name the folders in it one by one' });
      this.#same.push(path);
      return;
    }
    if (this.#replaced.length >= MAX_MET) throw new Failure('LIMIT', `more than ${MAX_MET} files are there already with other contents`, { hint: 'give --yes to replace them all, or --if-absent to replace none' });
    this.#replaced.push({ path, size: entry.size, mtime: entry.mtime, there });
  }

  /** A file that the other end does not have. Of the target the last name counts alone: what is above it was chosen by who typed it. */
  #noteNew(path: RemotePath): void {
    if (!isDotted(path) && !isDotted(basename(this.#pair.target))) return;
    this.#dots += 1;
    if (this.#firstDots.length < MAX_DOTS) this.#firstDots.push(path);
  }
}

/** Whether a part of the path is hidden, as programs' settings are: `.profile`, `.ssh/authorized_keys`. */
function isDotted(path: string): boolean {
  return path.split('/').some((name) => name.startsWith('.') && name !== '.' && name !== '..');
}

/** Of the same size and time. */
function isAlike(one: Entry, other: Entry): boolean {
  return one.size === other.size && Math.abs(one.mtime - other.mtime) < SAME_TIME;
}

/** Whether `update` leaves out `entry`, of which `there` is at the other end: one of the same time and another size is sent, as by rsync -u. */
function isNotOlder(there: Entry | undefined, entry: Entry): boolean {
  return entry.kind === 'file' && there?.kind === 'file' && (there.mtime >= entry.mtime + SAME_TIME || isAlike(entry, there));
}

/** The entries by name; with `among`, only those whose name is there too. */
async function names(pages: AsyncIterable<ListPage>, among?: ReadonlyMap<string, Entry>): Promise<Map<string, Entry>> {
  const found = new Map<string, Entry>();
  for await (const { entries } of pages) for (const entry of entries) if (among?.has(entry.name) !== false) found.set(entry.name, entry);
  return found;
}

/** Whether both ends hold the same bytes of a file: `local` and `remote` are whole paths. */
export async function isSame(requester: Requester, local: string, remote: string, signal: AbortSignal | undefined): Promise<boolean> {
  await digestReady();
  await using source = await openSource(local);
  if (source.kind !== 'file') return false;
  const asked = requester.ask({ kind: 'hash', path: resolvePath(ROOT, remote), algorithm: 'blake3' }, 'digest', signal);
  const [mine, theirs] = await Promise.all([digestIn(source.vault, source.path), asked]);
  return sameDigest(mine, theirs.digest);
}
