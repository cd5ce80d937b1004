/**
 * Tree: looking at, listing, counting, making, renaming and removing what is visible, synchronously.
 *
 * What can take long (a listing, a count, a deep removal) is a generator, so that whoever runs it can do something else
 * between two steps; leaving it early closes what it holds. No walk follows a link. Memory is bounded by the depth, and by
 * the number of folders directly in one folder. The staging folder is never seen here.
 */
import { mkdirSync, rmdirSync, statfsSync, type Stats, unlinkSync } from 'node:fs';
import type { Entry } from '../../entry.ts';
import { Failure, fromErrno } from '../../errors.ts';
import { baseName, child, components, foldKey, isWithin, MAX_DEPTH, parentOf, RESERVED, ROOT, type RemotePath } from '../../path.ts';
import type { Held, Keep, Step } from '../undo.ts';
import type { ListPage, Space, Usage } from '../vault.ts';
import { entryOf, kindOf } from './attributes.ts';
import { refuseRoot, type Ground } from './admit.ts';
import { amountOf } from './amount.ts';
import { type Doing, seenOf } from './kept.ts';
import { refuseOther, type Identity } from './identity.ts';
import { checkedName, escapedName } from './names.ts';
import { placeAbsent, placeFolderAbsent, placeOver } from './place.ts';
import type { Folder, Root } from './walk.ts';

/** Entries of one page: the contract's limit. And characters of their names, since below the top of a deep listing each may have 4,096. */
const PAGE = 1000;
const PAGE_TEXT = 64 << 10;
/** Names of one page that are told escaped: more than a person renames one by one. */
const MAX_HIDDEN = 20;
/** Entries looked at in one step of a count or a removal: some 10 ms. */
const STEP = 2000;
/** Each level of a deep removal or count holds a descriptor; a tree this deep was not made here. */
const MAX_HELD = 256;

/** What is at `path`; undefined when nothing is, or something above it is no folder. */
export function look(root: Root, path: RemotePath): Entry | undefined {
  if (path === '') return entryOf('', root.folder.stats());
  try {
    using parent = root.enterParent(path);
    const stats = parent.look(baseName(path));
    return stats === undefined ? undefined : entryOf(baseName(path), stats);
  } catch (error) {
    const failure = fromErrno(error, path);
    if (failure.code === 'NOTFOUND' || failure.code === 'NOTDIR') return undefined;
    throw failure;
  }
}

/** Pages of entries; `deep` names them by their path below `path`. Folders below `MAX_DEPTH` are not entered. */
export function* list(root: Root, path: RemotePath, deep: boolean): Generator<ListPage, void> {
  using top = root.enter(path);
  const page: Filling = { entries: [], text: 0, unlisted: 0, hidden: [] };
  try {
    yield* listInto(page, top, ROOT, deep ? MAX_DEPTH - components(path).length : 1);
  } catch (error) {
    throw fromErrno(error, path);
  }
  if (page.entries.length > 0 || page.unlisted > 0) yield taken(page);
}

/** A page on its way to being full. */
interface Filling { entries: Entry[]; text: number; unlisted: number; hidden: string[] }

function taken({ entries, unlisted, hidden }: Filling): ListPage {
  return { entries, unlisted, ...(hidden.length > 0 && { hidden }) };
}

function* listInto(page: Filling, folder: Folder, below: RemotePath, levels: number): Generator<ListPage, void> {
  const folders: string[] = [];
  for (const { name: raw } of folder.names()) {
    const name = checkedName(raw);
    if (typeof name !== 'string') {
      if (raw.toString() === RESERVED) continue;
      page.unlisted += 1;
      if (page.hidden.length < MAX_HIDDEN) page.hidden.push(below === '' ? escapedName(raw) : `${below}/${escapedName(raw)}`);
      continue;
    }
    const stats = folder.look(name);
    if (stats === undefined) continue; // removed since its name was read
    const entry = entryOf(below === '' ? name : `${below}/${name}`, stats);
    page.entries.push(entry);
    if (entry.kind === 'folder' && levels > 1) folders.push(name);
    page.text += entry.name.length;
    if (page.entries.length < PAGE && page.text < PAGE_TEXT) continue;
    yield taken({ ...page });
    Object.assign(page, { entries: [], text: 0, unlisted: 0, hidden: [] });
  }
  for (const name of folders) {
    using next = enterIfThere(folder, name);
    if (next !== undefined) yield* listInto(page, next, child(below, name), levels - 1);
  }
}

/** A folder found a moment ago; undefined when it is gone or may not be entered, which its own entry cannot tell. */
function enterIfThere(folder: Folder, name: string | Buffer): Folder | undefined {
  try {
    return folder.enter(name);
  } catch (error) {
    if (['NOTFOUND', 'NOTDIR', 'DENIED'].includes(fromErrno(error).code)) return undefined;
    throw error;
  }
}

/** Counts what is at and below `path`. */
export function* usage(root: Root, path: RemotePath): Generator<undefined, Usage> {
  const sum = { files: 0, folders: 0, bytes: 0, unlisted: 0, looked: 0 };
  const entry = look(root, path);
  if (entry === undefined) throw new Failure('NOTFOUND', 'no such file or folder', { path });
  if (entry.kind === 'folder') {
    using top = root.enter(path);
    sum.folders += 1;
    yield* count(sum, top, path, MAX_HELD);
  } else if (entry.kind === 'file') {
    sum.files += 1;
    sum.bytes += entry.size;
  }
  return { files: sum.files, folders: sum.folders, bytes: sum.bytes, ...(sum.unlisted > 0 && { unlisted: sum.unlisted }) };
}

function* count(sum: { files: number; folders: number; bytes: number; unlisted: number; looked: number }, folder: Folder, path: RemotePath, levels: number): Generator<undefined, void> {
  if (levels === 0) throw tooDeep(path);
  const folders: Buffer[] = [];
  for (const { name } of folder.names()) {
    if (name.toString() === RESERVED) continue;
    if (typeof checkedName(name) !== 'string') sum.unlisted += 1;
    const stats = folder.look(name);
    const kind = stats === undefined ? 'other' : kindOf(stats);
    if (kind === 'file') {
      sum.files += 1;
      sum.bytes += stats!.size;
    } else if (kind === 'folder') folders.push(name);
    sum.looked += 1;
    if (sum.looked % STEP === 0) yield;
  }
  for (const name of folders) {
    sum.folders += 1;
    using next = enterIfThere(folder, name);
    if (next !== undefined) yield* count(sum, next, path, levels - 1);
  }
}

export function space(root: Root): Space {
  const { bavail, blocks, bsize, ffree, files } = statfsSync(root.folder.base);
  // Disks that make names as they need them count none.
  return { free: bavail * bsize, total: blocks * bsize, ...(files > 0 && { freeNames: ffree, names: files }) };
}

/**
 * Makes one folder; with `parents` also those above, and one that is there is accepted. The system takes the umask off
 * `mode`. Flushed at once: a file that is promised to be on the disk must be found there, and this is its way.
 */
export function makeFolder(ground: Ground, path: RemotePath, parents: boolean, mode: number, keep?: Keep): void {
  const { root, similar, kept } = ground;
  if (path === '') {
    if (parents) return;
    throw new Failure('EXISTS', 'already exists', { path });
  }
  if (parents && look(root, parentOf(path)) === undefined) makeFolder(ground, parentOf(path), true, mode | 0o700, keep);
  using parent = root.enterParent(path);
  const name = baseName(path);
  const there = parent.look(name);
  if (there !== undefined && parents && there.isDirectory()) return;
  if (there !== undefined) throw new Failure('EXISTS', 'already exists', { path });
  using names = similar.open(parent);
  names.check(name, path);
  try {
    using doing = kept.open(keep);
    mkdirSync(parent.at(name), mode);
    doing?.note({ does: 'made', path });
  } catch (error) {
    // Another one made it in this moment, which is what was asked for.
    if (!parents || parent.look(name)?.isDirectory() !== true) throw fromErrno(error, path);
  }
  names.add(name);
  try {
    parent.flush();
  } catch (error) {
    throw fromErrno(error, path);
  }
}

/** Renames. Only a rename that changes nothing but the spelling may meet its own file under the new name. */
export function move({ root, similar, kept }: Ground, from: RemotePath, to: RemotePath, replace: boolean, expected?: Identity, keep?: Keep): void {
  refuseRoot(from);
  refuseRoot(to);
  using source = root.enterParent(from);
  const stats = source.look(baseName(from));
  if (stats === undefined) throw new Failure('NOTFOUND', 'no such file or folder', { path: from });
  using target = root.enterParent(to);
  const there = target.look(baseName(to));
  if (from === to && replace) return;
  if (from !== to && isWithin(to, from)) throw new Failure('USAGE', 'a folder cannot be moved into itself', { path: to, hint: 'choose a place outside of it' });
  const recased = isRecased(from, to) && there?.ino === stats.ino && there.dev === stats.dev;
  if (there !== undefined && !replace && !recased) throw new Failure('EXISTS', 'already exists', { path: to });
  using names = similar.open(target);
  names.check(baseName(to), to, parentOf(from) === parentOf(to) ? baseName(from) : undefined);
  const paths = [source.at(baseName(from)), target.at(baseName(to))] as const;
  if (expected !== undefined) refuseOther(source, baseName(from), expected, from);
  using doing = kept.open(keep);
  const gone = there !== undefined && !recased ? goneAt(doing, target, to, there) : undefined;
  try {
    if (replace || recased) placeOver(...paths);
    else if (stats.isDirectory()) placeFolderAbsent(...paths);
    else placeAbsent(...paths);
  } catch (error) {
    throw fromErrno(error, to);
  }
  names.add(baseName(to));
  if (gone !== undefined) doing?.note(gone);
  doing?.note({ does: 'moved', path: from, to, id: stats.ino, kind: kindOf(stats) });
}

/** Keeps what a rename is about to replace: a file, or an empty folder, of which there is nothing to keep. */
function goneAt(doing: Doing | undefined, parent: Folder, path: RemotePath, there: Stats): Step {
  const kept = there.isDirectory() ? undefined : doing?.link(parent, baseName(path), there);
  if (kept === undefined && !there.isDirectory()) return { does: 'lost', path };
  return { does: 'gone', path, was: seenOf(there), mode: there.mode & 0o777, kept };
}

/** Whether only the spelling changes, which on a disk that folds case finds the file itself under the new name. */
function isRecased(from: RemotePath, to: RemotePath): boolean {
  return from !== to && parentOf(from) === parentOf(to) && foldKey(baseName(from)) === foldKey(baseName(to));
}

/** Removes, or keeps; a step each `STEP` names of a deep removal. */
export function* remove({ root, kept }: Ground, path: RemotePath, deep: boolean, kind: 'file' | 'folder' | undefined, expected?: Identity, keep?: Keep): Generator<undefined, void> {
  if (path === '') throw new Failure('DENIED', 'the served folder itself cannot be removed', { path });
  using parent = root.enterParent(path);
  const name = baseName(path);
  const stats = parent.look(name);
  if (stats === undefined) throw new Failure('NOTFOUND', 'no such file or folder', { path });
  const folder = stats.isDirectory();
  if (folder && kind === 'file') throw new Failure('ISDIR', 'is a folder', { path });
  if (!folder && kind === 'folder') throw new Failure('NOTDIR', 'not a folder', { path });
  if (expected !== undefined) refuseOther(parent, name, expected, path);
  using doing = kept.open(keep);
  try {
    if (doing !== undefined && (yield* keptAway(doing, parent, path, stats, deep))) return;
    if (folder && deep) {
      using top = parent.enter(name);
      yield* empty(top, path, { removed: 0 }, MAX_HELD);
    }
    if (folder) rmdirSync(parent.at(name));
    else unlinkSync(parent.at(name));
    doing?.note(folder && !deep ? { does: 'gone', path, was: seenOf(stats), mode: stats.mode & 0o777 } : { does: 'lost', path });
  } catch (error) {
    throw fromErrno(error, path);
  }
}

/** Takes a file, or a folder with all in it, away from its name; false when it is to be removed instead. */
function* keptAway(doing: Doing, parent: Folder, path: RemotePath, stats: Stats, deep: boolean): Generator<undefined, boolean> {
  // Whether a folder is empty only its removal tells, and then there is nothing to keep.
  if (stats.isDirectory() && !deep) return false;
  const amount: Held | undefined = stats.isDirectory() ? yield* amountOf(parent, baseName(path), stats) : { bytes: stats.size, entries: 1 };
  const kept = amount && doing.take(parent, baseName(path), stats, amount);
  if (kept === undefined) return false;
  doing.note({ does: 'gone', path, was: seenOf(stats), mode: stats.mode & 0o777, kept, amount });
  return true;
}

function* empty(folder: Folder, path: RemotePath, done: { removed: number }, levels: number): Generator<undefined, void> {
  if (levels === 0) throw tooDeep(path);
  // Twice, because some disks pass over names when others are removed while the folder is read.
  for (let pass = 0; pass < 2; pass += 1) {
    for (const entry of folder.names()) {
      const { name } = entry;
      if (entry.isDirectory()) {
        using next = folder.enter(name);
        yield* empty(next, path, done, levels - 1);
        rmdirSync(folder.at(name));
      } else unlinkSync(folder.at(name));
      done.removed += 1;
      if (done.removed % STEP === 0) yield;
    }
  }
}

function tooDeep(path: RemotePath): Failure {
  return new Failure('LIMIT', `folders nested deeper than ${MAX_HELD}`, { path });
}
