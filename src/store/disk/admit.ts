/**
 * Admit: the synchronous half of a single upload, before its bytes come (`begin`) and when they are all there (`publish`).
 * What is refused is refused before a byte is sent, and looked at again at the end, when it counts.
 */
import { closeSync, constants, fstatSync, type Stats } from 'node:fs';
import type { Entry } from '../../entry.ts';
import { Failure, fromErrno } from '../../errors.ts';
import { baseName, type RemotePath } from '../../path.ts';
import { rootRefused } from '../refusals.ts';
import type { Keep } from '../undo.ts';
import type { Condition, Level, Want } from '../vault.ts';
import { closeQuietly, entryOf, kindOf } from './attributes.ts';
import { refuseOther, type Identity } from './identity.ts';
import { type Doing, type Kept, seenOf } from './kept.ts';
import { placeAbsent, placeOver } from './place.ts';
import type { SimilarNames } from './similar.ts';
import type { Stage, Staged } from './stage.ts';
import type { Folder, Root } from './walk.ts';

/** Below one block there is nothing worth comparing. */
const MIN_BASIS = 1 << 20;

export interface Ground {
  readonly root: Root;
  readonly stage: Stage;
  /** What is kept for undo. */
  readonly kept: Kept;
  readonly similar: SimilarNames;
  /** Bits never set on what is made here. */
  readonly umask: number;
}

export interface Begun {
  readonly fd: number;
  readonly live: string;
  readonly size: number;
  /** The file that is about to be replaced, as basis: open at `fd`, last changed at `changed`; its blocks may be shared from one path to the other. */
  readonly old: { readonly fd: number; readonly entry: Entry; readonly changed: number; readonly from: string; readonly to: string } | undefined;
}

/** Checks that `path` could be made as wanted, and stages a file for it. The caller owns both descriptors. */
export function begin(ground: Ground, path: RemotePath, want: Want): Begun {
  refuseRoot(path);
  using parent = ground.root.enterParent(path);
  const name = baseName(path);
  try {
    admit(ground, parent, name, path, want.condition);
    const staged = ground.stage.claim(want.owner, path);
    try {
      return { fd: staged.fd, live: staged.live, size: staged.size, old: openOld(ground, parent, name, want, staged) };
    } catch (error) {
      closeSync(staged.fd);
      ground.stage.release(staged.live);
      throw error;
    }
  } catch (error) {
    throw fromErrno(error, path);
  }
}

function admit({ similar, stage }: Ground, parent: Folder, name: string, path: RemotePath, condition: Condition): void {
  const there = parent.look(name);
  if (there !== undefined && condition === 'absent') throw new Failure('EXISTS', 'already exists', { path });
  if (there?.isDirectory() === true) throw isFolder(path);
  using names = similar.open(parent);
  names.check(name, path);
  if (parent.stats().dev !== stage.device()) throw new Failure('UNSUPPORTED', 'another disk is mounted there, and nothing can be moved onto it in one step', { path, hint: 'serve the folder on that disk by itself' });
}

function openOld(ground: Ground, parent: Folder, name: string, want: Want, staged: Staged): Begun['old'] {
  if (staged.size > 0 || !want.reuseOld || (want.size ?? MIN_BASIS) < MIN_BASIS) return undefined;
  const stats = parent.look(name);
  if (stats === undefined || kindOf(stats) !== 'file' || stats.size < MIN_BASIS) return undefined;
  let fd: number;
  try {
    fd = parent.open(name, constants.O_RDONLY);
  } catch {
    return undefined; // not readable for us: it can be replaced all the same
  }
  const opened = fstatSync(fd);
  if (kindOf(opened) === 'file') return { fd, entry: entryOf(name, opened), changed: opened.ctimeMs, from: parent.reopenable(fd, name), to: ground.stage.reopenable(staged.fd, staged.live) };
  closeQuietly(fd);
  return undefined;
}

/** A staged file that is to get its name: what it is, and what it may do. With `expected` it replaces that file only. */
export interface Publishing { readonly size: number; readonly mtime: number; readonly condition: Condition; readonly level: Level; readonly expected: Identity | undefined; readonly keep: Keep | undefined }

/**
 * Gives the staged file its name. For `durable` returns a descriptor of its folder, to be flushed and closed by the caller.
 * The staged file stays when it throws.
 */
export function publish(ground: Ground, path: RemotePath, live: string, { size, mtime, condition, level, expected, keep }: Publishing): number | undefined {
  const { root, stage, similar, kept } = ground;
  using parent = root.enterParent(path);
  using doing = kept.open(keep);
  const name = baseName(path);
  try {
    const there = parent.look(name);
    if (there?.isDirectory() === true && condition === 'any') throw isFolder(path);
    // Opened before the name changes, so that running out of descriptors cannot leave a name that was never flushed.
    const folder = level === 'durable' ? parent.openSelf() : undefined;
    try {
      if (expected !== undefined) refuseOther(parent, name, expected, path);
      using names = similar.open(parent);
      names.check(name, path);
      if (there !== undefined && condition === 'any') placeKeeping(doing, parent, name, path, there, { at: stage.at(live), stats: () => stage.look(live) });
      else {
        (condition === 'any' ? placeOver : placeAbsent)(stage.at(live), parent.at(name));
        names.add(name);
        doing?.note({ does: 'new', path, kind: 'file', size, mtime });
      }
    } catch (error) {
      if (folder !== undefined) closeQuietly(folder);
      throw error;
    }
    return folder;
  } catch (error) {
    const failure = fromErrno(error, path);
    if (failure.code !== 'NOTFOUND') throw failure;
    throw stage.has(live) ? new Failure('NOTFOUND', 'the folder was removed meanwhile', { path, cause: error }) : lostPart(path, error);
  }
}

/** Replaces what is there by a staged file; with `doing`, what was there is kept. */
export function placeKeeping(doing: Doing | undefined, parent: Folder, name: string, path: RemotePath, there: Stats, staged: { readonly at: string | Buffer; stats(): Stats | undefined }): void {
  const left = doing && staged.stats();
  const kept = doing?.link(parent, name, there);
  placeOver(staged.at, parent.at(name));
  if (left === undefined || kept === undefined) doing?.note({ does: 'lost', path });
  else doing?.note({ does: 'over', path, left: seenOf(left), was: seenOf(there), kept });
}

export function refuseRoot(path: RemotePath): void {
  if (path === '') throw rootRefused();
}

function isFolder(path: RemotePath): Failure {
  return new Failure('ISDIR', 'a folder has this name', { path });
}

function lostPart(path: RemotePath, cause: unknown): Failure {
  return new Failure('IO', 'the staged file was removed by somebody else', { path, cause, retry: true, hint: 'run the same command again' });
}
