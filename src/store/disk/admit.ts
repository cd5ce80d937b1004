/**
 * Admit: the synchronous half of a single upload, before its bytes come (`begin`) and when they are all there (`publish`).
 * What is refused is refused before a byte is sent, and looked at again at the end, when it counts.
 */
import { closeSync, constants, fstatSync } from 'node:fs';
import { Failure, fromErrno } from '../../errors.ts';
import { baseName, type RemotePath } from '../../path.ts';
import type { Condition, Level, Want } from '../vault.ts';
import { closeQuietly, kindOf } from './attributes.ts';
import { placeAbsent, placeOver } from './place.ts';
import type { SimilarNames } from './similar.ts';
import type { Stage, Staged } from './stage.ts';
import type { Folder, Root } from './walk.ts';

/** Below one block there is nothing worth comparing. */
const MIN_BASIS = 1 << 20;

export interface Ground {
  readonly root: Root;
  readonly stage: Stage;
  readonly similar: SimilarNames;
  /** Bits never set on what is made here. */
  readonly umask: number;
}

export interface Begun {
  readonly fd: number;
  readonly live: string;
  readonly size: number;
  /** The file that is about to be replaced, as basis: open at `fd`, to be copied from one path to the other. */
  readonly old: { readonly fd: number; readonly size: number; readonly from: string; readonly to: string } | undefined;
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
  if (there === undefined) {
    using names = similar.open(parent);
    names.check(name, path);
  }
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
  if (kindOf(opened) === 'file') return { fd, size: opened.size, from: parent.reopenable(fd, name), to: ground.stage.reopenable(staged.fd, staged.live) };
  closeQuietly(fd);
  return undefined;
}

/**
 * Gives the staged file its name. For `durable` returns a descriptor of its folder, to be flushed and closed by the caller.
 * The staged file stays when it throws.
 */
export function publish({ root, stage, similar }: Ground, path: RemotePath, live: string, condition: Condition, level: Level): number | undefined {
  using parent = root.enterParent(path);
  const name = baseName(path);
  try {
    const there = parent.look(name);
    if (there?.isDirectory() === true && condition === 'any') throw isFolder(path);
    // Opened before the name changes, so that running out of descriptors cannot leave a name that was never flushed.
    const folder = level === 'durable' ? parent.openSelf() : undefined;
    try {
      if (there !== undefined && condition === 'any') placeOver(stage.at(live), parent.at(name));
      else placeNew(stage, similar, parent, name, path, live, condition);
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

function placeNew(stage: Stage, similar: SimilarNames, parent: Folder, name: string, path: RemotePath, live: string, condition: Condition): void {
  using names = similar.open(parent);
  names.check(name, path);
  if (condition === 'any') placeOver(stage.at(live), parent.at(name));
  else placeAbsent(stage.at(live), parent.at(name));
  names.add(name);
}

export function refuseRoot(path: RemotePath): void {
  if (path === '') throw new Failure('ISDIR', 'this is the served folder itself', { path });
}

function isFolder(path: RemotePath): Failure {
  return new Failure('ISDIR', 'a folder has this name', { path });
}

function lostPart(path: RemotePath, cause: unknown): Failure {
  return new Failure('IO', 'the staged file was removed by somebody else', { path, cause, retry: true });
}
