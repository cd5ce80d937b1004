/**
 * Stage: the folder `.wherry` at the top of the root, where files are until they are whole.
 *
 *     KEY.part              rests; KEY is a digest of owner and path, so that the same upload finds it again
 *     KEY.MARK.SERIAL.live  in use by the process MARK
 *     MARK.SERIAL.tmp       a file of a batch, on its way
 *
 * A part is taken into use, and put back, by renaming it: of two that want it, in one process or in many, one gets it
 * and the other starts afresh (within one vault the earlier upload is ended first). What a crash leaves as `live` is
 * put back when the stage is opened next.
 * The folder is made on first need with mode 0700 and must belong to us; it is removed when empty on `close`.
 * Synchronous. It knows nothing of the tree beside it: giving a staged file its name is the caller's.
 */
import { constants, fchmodSync, fstatSync, mkdirSync, renameSync, rmdirSync, unlinkSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { digestOf, hex } from '../../digest.ts';
import { Failure } from '../../errors.ts';
import { RESERVED, type RemotePath } from '../../path.ts';
import { closeQuietly, kindOf } from './attributes.ts';
import { isLiving, ownMark } from './living.ts';
import { textOf } from './names.ts';
import type { Folder, Root } from './walk.ts';

const { O_CREAT, O_EXCL, O_RDWR, O_WRONLY } = constants;

/** A part in use on another machine or in another container is taken over when it was not written for so long, in ms. */
const FOREIGN_SILENCE = 120_000;

/** A staged file, open for reading and writing. */
export interface Staged {
  readonly fd: number;
  readonly live: string;
  /** Bytes it has from before; 0 when it is new. */
  readonly size: number;
}

export class Stage {
  readonly #root: Root;
  /** Makes names unique among the threads and vaults of one process. */
  readonly #instance = randomBytes(6).toString('hex');
  #serial = 0;
  #folder: Folder | undefined;

  constructor(root: Root) {
    this.#root = root;
  }

  /** The owner's part of `path`, or a new one. */
  claim(owner: string, path: RemotePath): Staged {
    const key = keyOf(owner, path);
    const live = `${key}.${ownMark()}.${this.#next()}.live`;
    return this.#inside((folder) => take(folder, `${key}.part`, live) ?? { fd: folder.open(live, O_RDWR | O_CREAT | O_EXCL, 0o600), live, size: 0 });
  }

  /** Puts a part back to rest for its owner's next try; an empty one, or one smaller than what rests there, is removed. */
  release(live: string): void {
    const folder = this.#open();
    const stats = folder.look(live);
    if (stats !== undefined) putBack(folder, live, stats.size);
  }

  discard(name: string): void {
    removeQuietly(this.#open(), name);
  }

  /** A new file of a batch, to be written only. The system takes the umask off `mode`. */
  temporary(mode: number): { fd: number; name: string } {
    const name = `${ownMark()}.${this.#next()}.tmp`;
    return { fd: this.#inside((folder) => folder.open(name, O_WRONLY | O_CREAT | O_EXCL, mode)), name };
  }

  /** The path of a staged file, for one system call. */
  at(name: string): string | Buffer {
    return this.#open().at(name);
  }

  /** A path under which a staged file that is open can be opened once more. */
  reopenable(fd: number, name: string): string {
    return this.#open().reopenable(fd, name);
  }

  has(name: string): boolean {
    return this.#open().look(name) !== undefined;
  }

  /** The device the stage is on: only files of the same one can be given a name in one step. */
  device(): number {
    return this.#open().stats().dev;
  }

  /** Removes parts last written before `before` (ms since 1970) that nobody uses; returns how many. */
  sweep(before: number): number {
    if (this.#root.folder.look(RESERVED) === undefined) return 0;
    const folder = this.#open();
    recover(folder);
    let removed = 0;
    for (const { name: raw } of folder.names()) {
      const name = textOf(raw) ?? '';
      const stats = name.endsWith('.part') ? folder.look(name) : undefined;
      if (stats !== undefined && stats.mtimeMs < before && removeQuietly(folder, name)) removed += 1;
    }
    return removed;
  }

  /** Removes the stage when it is empty. It opens again on the next need. */
  close(): void {
    if (this.#folder === undefined) return;
    try {
      rmdirSync(this.#root.folder.at(RESERVED));
    } catch {
      // Not empty: parts rest in it, or somebody else is at work.
    }
    this.#folder[Symbol.dispose]();
    this.#folder = undefined;
  }

  #next(): string {
    this.#serial += 1;
    return `${this.#instance}${this.#serial}`;
  }

  /** Runs `action`, once more when the folder had been removed by another process that saw it empty. */
  #inside<T>(action: (folder: Folder) => T): T {
    try {
      return action(this.#open());
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      this.#folder?.[Symbol.dispose]();
      this.#folder = undefined;
      return action(this.#open());
    }
  }

  #open(): Folder {
    if (this.#folder !== undefined) return this.#folder;
    try {
      mkdirSync(this.#root.folder.at(RESERVED), 0o700);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const folder = this.#root.folder.enter(RESERVED);
    try {
      makePrivate(folder);
      recover(folder);
    } catch (error) {
      folder[Symbol.dispose]();
      throw error;
    }
    return (this.#folder = folder);
  }
}

function keyOf(owner: string, path: RemotePath): string {
  // A length in front, so that no two pairs of owner and path read the same.
  return hex(digestOf(Buffer.from(`${owner.length}:${owner}${path}`))).slice(0, 32);
}

/** Whoever can write in the stage can change what is about to be committed. */
function makePrivate(folder: Folder): void {
  const stats = folder.stats();
  const me = process.geteuid?.();
  if (me !== undefined && stats.uid !== me) {
    throw new Failure('DENIED', `the folder ${RESERVED} for unfinished uploads belongs to another user`, { path: RESERVED, hint: 'remove it, or run as the user it belongs to' });
  }
  if (me === undefined || (stats.mode & 0o077) === 0) return;
  const fd = folder.openSelf();
  try {
    fchmodSync(fd, 0o700);
  } finally {
    closeQuietly(fd);
  }
}

/** Takes the part at rest into use; undefined when there is none, or it is not one that may be written. */
function take(folder: Folder, part: string, live: string): Staged | undefined {
  try {
    renameSync(folder.at(part), folder.at(live));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const fd = folder.open(live, O_RDWR);
  const stats = fstatSync(fd);
  // Two names: a crash came between giving the file its name and taking this one away. Writing would change the visible file.
  if (kindOf(stats) === 'file' && stats.nlink === 1) return { fd, live, size: stats.size };
  closeQuietly(fd);
  removeQuietly(folder, live);
  return undefined;
}

function putBack(folder: Folder, live: string, size: number): void {
  const part = `${live.slice(0, live.indexOf('.'))}.part`;
  const resting = folder.look(part);
  if (size === 0 || (resting !== undefined && resting.size > size)) removeQuietly(folder, live);
  else renameSync(folder.at(live), folder.at(part));
}

/** Puts back the parts, and removes the batch files, of processes that are gone. */
function recover(folder: Folder): void {
  for (const { name: raw } of folder.names()) {
    const name = textOf(raw) ?? '';
    const live = name.endsWith('.live');
    if (!live && !name.endsWith('.tmp')) continue;
    const stats = folder.look(name);
    const living = isLiving(name.split('.')[live ? 1 : 0] ?? '');
    if (stats === undefined || (living ?? Date.now() - stats.mtimeMs < FOREIGN_SILENCE)) continue;
    try {
      if (live && stats.nlink === 1) putBack(folder, name, stats.size);
      else removeQuietly(folder, name);
    } catch {
      // Another process recovers the same stage, and was quicker.
    }
  }
}

function removeQuietly(folder: Folder, name: string): boolean {
  try {
    unlinkSync(folder.at(name));
    return true;
  } catch {
    return false; // gone already, or a disk that fails: a leftover that `sweep` tries again
  }
}
