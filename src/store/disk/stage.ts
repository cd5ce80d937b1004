/**
 * Stage: the folder `.wherry` at the top of the root, where files are until they are whole.
 *
 *     KEY.part              rests; KEY is a digest of the owner, and one of owner and path, so that the same upload finds it again,
 *                           and what rests of an owner can be counted
 *     KEY.MARK.SERIAL.live  in use by the process MARK
 *     MARK.SERIAL.tmp       a file of a batch, on its way
 *     MARK.SERIAL.new       a folder of a batch, with its files
 *     kept                  what `kept.ts` keeps for undo
 *
 * A part is taken into use, and put back, by renaming it: of two that want it, in one process or in many, one gets it
 * and the other starts afresh (within one vault, `disk.ts` ends the earlier upload first). What a crash leaves as
 * `live` is put back when the stage is opened next.
 * The folder is made on first need with mode 0700 and must belong to us; it is removed when empty on `close`. Neither shows in the
 * time of the root.
 * Synchronous. It knows nothing of the tree beside it: giving a staged file its name is the caller's.
 */
import { constants, fchmodSync, fstatSync, futimesSync, mkdirSync, renameSync, rmdirSync, type Stats } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { digestOf, hex } from '../../digest.ts';
import { Failure } from '../../errors.ts';
import { RESERVED, type RemotePath } from '../../path.ts';
import { closeQuietly, kindOf, mtimeOf, secondsOf } from './attributes.ts';
import { ownMark } from './living.ts';
import { textOf } from './names.ts';
import { putBack, recover, removeFolderQuietly } from './recovery.ts';
import type { Folder, Root } from './walk.ts';

const { O_CREAT, O_EXCL, O_RDWR, O_WRONLY } = constants;

/** What is kept for undo, below the stage. */
export const KEPT = 'kept';

/** How often the folder may be removed under our hands: each time, another process has just ended. More often, the root itself is gone. */
const MAX_TRIES = 50;

/** Parts of one owner that are counted: each is a look at the disk, and is kept in mind. */
const MAX_COUNTED = 10_000;

/** A part that rests, and when it was last written (ms since 1970). */
export interface RestingPart { readonly bytes: number; readonly since: number }

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
  readonly instance = randomBytes(6).toString('hex');
  #serial = 0;
  #folder: Folder | undefined;
  #folds: boolean | undefined;

  constructor(root: Root) {
    this.#root = root;
  }

  /** The owner's part of `path`, or a new one. */
  claim(owner: string, path: RemotePath): Staged {
    const key = partKey(owner, path);
    const live = `${key}.${ownMark()}.${this.#next()}.live`;
    return this.inside((folder) => take(folder, `${key}.part`, live) ?? { fd: folder.open(live, O_RDWR | O_CREAT | O_EXCL, 0o600), live, size: 0 });
  }

  /** Puts a part back to rest for its owner's next try; an empty one, or one smaller than what rests there, is removed. */
  release(live: string): void {
    const folder = this.#open();
    const stats = folder.look(live);
    if (stats !== undefined) putBack(folder, live, stats.size);
  }

  discard(name: string): void {
    this.#open().removeQuietly(name);
  }

  /** A new file of a batch, to be written only. The system takes the umask off `mode`. */
  temporary(mode: number): { fd: number; name: string } {
    const name = `${ownMark()}.${this.#next()}.tmp`;
    return { fd: this.inside((folder) => folder.open(name, O_WRONLY | O_CREAT | O_EXCL, mode)), name };
  }

  /** A file without a name, to write and read: it is gone when it is closed, however the process ends. */
  scratch(): number {
    const name = `${ownMark()}.${this.#next()}.tmp`;
    const fd = this.inside((folder) => folder.open(name, O_RDWR | O_CREAT | O_EXCL, 0o600));
    this.#open().removeQuietly(name);
    return fd;
  }

  /** A new folder of a batch, made with `mode`; to be filled, and then given its name. */
  temporaryFolder(mode: number): { folder: Folder; staged: string } {
    const staged = `${ownMark()}.${this.#next()}.new`;
    return this.inside((stage) => {
      mkdirSync(stage.at(staged), mode);
      return { folder: stage.enter(staged), staged };
    });
  }

  discardFolder(staged: string): void {
    removeFolderQuietly(this.#open(), staged);
  }

  /** The path of a staged file, for one system call. */
  at(name: string): string | Buffer {
    return this.#open().at(name);
  }

  /** A path under which a staged file that is open can be opened once more. */
  reopenable(fd: number, name: string): string {
    return this.#open().reopenable(fd, name);
  }

  /** A staged file. */
  look(name: string): Stats | undefined {
    return this.#open().look(name);
  }

  has(name: string): boolean {
    return this.#open().look(name) !== undefined;
  }

  /** Whether this disk takes names for the same that differ only in letter case: then it finds this folder under another spelling too. */
  get folds(): boolean {
    return (this.#folds ??= this.inside(() => this.#root.folder.look(RESERVED.toUpperCase()) !== undefined));
  }

  /** Whether anything may be kept. */
  get hasKept(): boolean {
    return this.#root.folder.look(RESERVED) !== undefined && this.#open().look(KEPT) !== undefined;
  }

  /** The device the stage is on: only files of the same one can be given a name in one step. */
  device(): number {
    return this.inside((folder) => folder.stats().dev);
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
      if (stats !== undefined && stats.mtimeMs < before && folder.removeQuietly(name)) removed += 1;
    }
    return removed;
  }

  /** What rests of an account's uploads, by the key of each; the first 10,000 of them. */
  resting(owner: string): Map<string, RestingPart> {
    const parts = new Map<string, RestingPart>();
    if (this.#root.folder.look(RESERVED) === undefined) return parts;
    const folder = this.#open();
    for (const { name: raw } of folder.names()) {
      const name = textOf(raw) ?? '';
      const stats = name.startsWith(ownerKey(owner)) && name.endsWith('.part') ? folder.look(name) : undefined;
      if (stats !== undefined) parts.set(name.slice(0, -'.part'.length), { bytes: stats.size, since: stats.mtimeMs });
      if (parts.size >= MAX_COUNTED) break;
    }
    return parts;
  }

  /** Removes the stage when it is empty. It opens again on the next need. */
  close(): void {
    if (this.#folder === undefined) return;
    try {
      if (this.#folder.look(KEPT) !== undefined) rmdirSync(this.#folder.at(KEPT));
      this.#unseen(() => rmdirSync(this.#root.folder.at(RESERVED)));
    } catch {
      // Not empty: parts rest in it, or something is kept, or somebody else is at work.
    }
    this.#folder[Symbol.dispose]();
    this.#folder = undefined;
  }

  #next(): string {
    this.#serial += 1;
    return `${this.instance}${this.#serial}`;
  }

  /** Runs `action`, again when the folder was removed by another process that saw it empty. */
  inside<T>(action: (folder: Folder) => T): T {
    for (let tries = 1; ; tries += 1) {
      try {
        return action(this.#open());
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || tries === MAX_TRIES) throw error;
        this.#folder?.[Symbol.dispose]();
        this.#folder = undefined;
      }
    }
  }

  /** Makes a change to the root that nobody sees, and leaves it its time: its own where nothing arrives in it, or that of the folder that has arrived. */
  #unseen(change: () => void): void {
    const { folder } = this.#root;
    const before = folder.stats();
    change();
    let fd: number | undefined;
    try {
      fd = folder.openSelf();
      futimesSync(fd, before.atimeMs / 1000, secondsOf(mtimeOf(before)));
    } catch {
      // Somebody else's folder, in which we may only make names: its time changes.
    } finally {
      if (fd !== undefined) closeQuietly(fd);
    }
  }

  #open(): Folder {
    if (this.#folder !== undefined) return this.#folder;
    try {
      this.#unseen(() => mkdirSync(this.#root.folder.at(RESERVED), 0o700));
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

/** Under which the part of an owner's upload rests. */
export function partKey(owner: string, path: RemotePath): string {
  // A length in front, so that no two pairs of owner and path read the same.
  return ownerKey(owner) + hex(digestOf(Buffer.from(`${owner.length}:${owner}${path}`))).slice(0, 32);
}

/** The same for all of one account: what is behind a NUL tells its devices apart. */
function ownerKey(owner: string): string {
  return hex(digestOf(Buffer.from(`owner ${owner.split('\0', 1)[0]!}`))).slice(0, 16);
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
  const found = folder.look(live);
  // What somebody has put in its place is not opened. Two names: a crash came between giving the file its name and taking this one away.
  // Writing would change the visible file.
  if (found !== undefined && kindOf(found) === 'file' && found.nlink === 1) {
    const fd = folder.open(live, O_RDWR);
    const stats = fstatSync(fd);
    if (kindOf(stats) === 'file' && stats.nlink === 1) return { fd, live, size: stats.size };
    closeQuietly(fd);
  }
  folder.removeQuietly(live);
  return undefined;
}
