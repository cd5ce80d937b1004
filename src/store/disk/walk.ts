/**
 * Walk: the only way from a checked path to a place on the disk, and the reason why no place outside the root is reachable.
 *
 * Linux: the root is opened once, and every further folder is opened by its one name inside the folder that is already
 * open, refusing links (`/proc/self/fd/N/name` with O_PATH, O_DIRECTORY and O_NOFOLLOW; what `openat` does in C). What
 * is done with a file then names it inside that open folder. Whoever renames folders or plants links meanwhile
 * changes where a name leads, never where an open folder is, so there is no moment between a check and its use.
 *
 * Elsewhere there is no such way from Node, and a weaker form stands in: every component is looked at with `lstat`, links
 * are refused, and the real path is compared once more after a file was opened. That holds against links that are there; it
 * does not hold against a local user who swaps folders for links in the very moment.
 *
 * All of it is synchronous: a step costs about 3 us, and a batch makes thousands. Every `Folder` is to be disposed.
 */
import { constants, existsSync, fstatSync, fsyncSync, lstatSync, openSync, opendirSync, realpathSync, statfsSync, statSync, unlinkSync, type Dir, type Dirent, type Stats } from 'node:fs';
import { Failure, fromErrno } from '../../errors.ts';
import { components, parentOf, type RemotePath } from '../../path.ts';
import { closeQuietly } from './attributes.ts';
import { refuseOtherFolder } from './number.ts';

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
/** Opens a name without opening what it names; Node has no constant for it. The value is that of every Linux architecture it runs on. */
export const O_PATH = 0o10000000;
/** statfs(2): PROC_SUPER_MAGIC. */
const PROC_MAGIC = 0x9fa0;
/** Entries fetched by one system call while a folder is read. */
const READ_AHEAD = 64;

const linux = process.platform === 'linux';

/** A name as it is on the disk: text where it is valid UTF-8, bytes otherwise. */
export type Name = string | Buffer;

/** An open folder. Its names are reached through `at`, its files through `open`, the folders in it through `enter`. */
export class Folder implements Disposable {
  /** What stands before `/name`: the open descriptor where there is one. */
  readonly base: string;
  readonly #fd: number | undefined;

  constructor(base: string, fd: number | undefined) {
    this.base = base;
    this.#fd = fd;
  }

  /** A path for one system call on `name`, which is one component. The call itself must not follow links. */
  at(name: Name): string | Buffer {
    return typeof name === 'string' ? `${this.base}/${name}` : Buffer.concat([Buffer.from(`${this.base}/`), name]);
  }

  stats(): Stats {
    return this.#fd === undefined ? statSync(this.base) : fstatSync(this.#fd);
  }

  /** What is at `name`, itself and not what a link points to; undefined when nothing is there. */
  look(name: Name): Stats | undefined {
    return lstatSync(this.at(name), { throwIfNoEntry: false });
  }

  /** The folder `name`. A link is refused as such, anything else as ENOTDIR. */
  enter(name: Name): Folder {
    if (!linux) return this.#enterByName(name);
    let fd: number;
    try {
      fd = openSync(this.at(name), O_PATH | O_DIRECTORY | O_NOFOLLOW);
    } catch (error) {
      if (this.look(name)?.isSymbolicLink() === true) throw linkRefused(error);
      throw error;
    }
    return new Folder(`/proc/self/fd/${fd}`, fd);
  }

  #enterByName(name: Name): Folder {
    const path = this.at(name);
    const stats = lstatSync(path);
    if (stats.isSymbolicLink()) throw linkRefused();
    if (!stats.isDirectory()) throw Object.assign(new Error('not a directory'), { code: 'ENOTDIR' });
    return new Folder(path.toString(), undefined);
  }

  /** Opens a file in this folder, never through a link and never waiting for the far end of a FIFO. */
  open(name: Name, flags: number, mode?: number): number {
    const path = this.at(name);
    // Node knows no O_NOFOLLOW on Windows; there, and on every other system without /proc, the look before is the refusal.
    if (!linux && this.look(name)?.isSymbolicLink() === true) throw linkRefused();
    const fd = openSync(path, flags | (O_NOFOLLOW ?? 0) | (O_NONBLOCK ?? 0), mode);
    if (linux || realpathSync(this.base) === this.base) return fd;
    closeQuietly(fd);
    throw linkRefused();
  }

  /** A path under which an open file of this folder can be opened once more, for calls that take only paths. */
  reopenable(fd: number, name: Name): string {
    return linux ? `/proc/self/fd/${fd}` : this.at(name).toString();
  }

  /** The folder opened for `fsync`, `fchmod` and `futimes`, which an O_PATH descriptor does not allow. The caller closes it. */
  openSelf(): number {
    return openSync(`${this.base}/.`, O_RDONLY | (O_DIRECTORY ?? 0));
  }

  /** Waits until its names are on the disk. */
  flush(): void {
    const fd = this.openSelf();
    try {
      fsyncSync(fd);
    } finally {
      closeQuietly(fd);
    }
  }

  /** The names in the folder, in constant memory, without `.` and `..`. */
  *names(): Generator<Dirent<Buffer>> {
    // Names as bytes, because text would show different invalid names as the same one. The declared types know only text here.
    const dir = opendirSync(`${this.base}/.`, { encoding: 'buffer' as BufferEncoding, bufferSize: READ_AHEAD }) as Dir & { readSync(): unknown };
    try {
      for (;;) {
        const entry = dir.readSync() as Dirent<Buffer> | null;
        if (entry === null) return;
        yield entry;
      }
    } finally {
      dir.closeSync();
    }
  }

  /** Removes a file; one that is gone, or that the disk does not let go, is left to whoever cleans up later. */
  removeQuietly(name: Name): boolean {
    try {
      unlinkSync(this.at(name));
      return true;
    } catch {
      return false;
    }
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeQuietly(this.#fd);
  }
}

function linkRefused(cause?: unknown): Failure {
  return fromErrno(Object.assign(new Error('symbolic link', { cause }), { code: 'ELOOP' }));
}

/** The top of the tree. The operator's own path to it may contain links; nothing below it may. */
export class Root implements Disposable {
  /** Never disposed by anyone but the root. */
  readonly folder: Folder;

  private constructor(folder: Folder) {
    this.folder = folder;
  }

  /** With `number`, throws IO when it is another folder. */
  static open(path: string, number?: string): Root {
    try {
      const real = realpathSync(path);
      if (!linux) return new Root(directory(real)).#checked(number);
      refuseFalseProc();
      const fd = openSync(real, O_PATH | O_DIRECTORY);
      return new Root(new Folder(`/proc/self/fd/${fd}`, fd)).#checked(number);
    } catch (error) {
      throw fromErrno(error, number === undefined ? path : undefined);
    }
  }

  /** What was opened, and not what is at its path by now. */
  #checked(number: string | undefined): Root {
    try {
      if (number !== undefined) refuseOtherFolder(this.folder.base, number);
      return this;
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** The folder at `path`; NOTFOUND, NOTDIR, or DENIED for a link, naming the component it failed at. */
  enter(path: RemotePath): Folder {
    let folder = this.folder;
    let reached = '';
    for (const name of components(path)) {
      reached = reached === '' ? name : `${reached}/${name}`;
      try {
        const next = folder.enter(name);
        if (folder !== this.folder) folder[Symbol.dispose]();
        folder = next;
      } catch (error) {
        if (folder !== this.folder) folder[Symbol.dispose]();
        throw folderFailure(error, reached);
      }
    }
    // The root itself is opened once more, so that every caller may dispose what it was given.
    if (folder !== this.folder) return folder;
    return linux ? folder.enter('.') : new Folder(folder.base, undefined);
  }

  /** The folder that holds `path`. */
  enterParent(path: RemotePath): Folder {
    return this.enter(parentOf(path));
  }

  [Symbol.dispose](): void {
    this.folder[Symbol.dispose]();
  }
}

/** A failure to enter the folder `path`, in words about folders. */
export function folderFailure(error: unknown, path: string): Failure {
  const failure = fromErrno(error, path);
  return failure.code === 'NOTFOUND' ? new Failure('NOTFOUND', 'no such folder', { path, cause: error }) : failure;
}

function directory(real: string): Folder {
  if (!statSync(real).isDirectory()) throw new Failure('NOTDIR', 'not a folder', { path: real });
  return new Folder(real, undefined);
}

/** The walk stands on procfs; something else mounted at /proc would lead it anywhere. */
function refuseFalseProc(): void {
  if (existsSync('/proc/self/fd') && statfsSync('/proc').type === PROC_MAGIC) return;
  throw new Failure('UNSUPPORTED', '/proc is not mounted, and without it folders cannot be kept apart safely', { hint: 'mount -t proc proc /proc' });
}

