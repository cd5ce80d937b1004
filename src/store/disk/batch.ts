/**
 * Batch: a pack of small files on its way in, and the last touches to folders.
 *
 * Every record of a pack is read, and every digest compared, before a name changes; each file is written whole under a
 * staged name and then given its own in one step, so that one that fails leaves the others and what was there before.
 * For `durable` the generator hands out descriptors to be flushed, many at once, and is told what became of each;
 * it gives no name to a file whose flush failed. Synchronous otherwise; leaving it early removes what it has staged.
 */
import { closeSync, futimesSync, mkdirSync, writeSync } from 'node:fs';
import { digestOf, sameDigest } from '../../digest.ts';
import { Failure, fromErrno } from '../../errors.ts';
import { readPack, type PackedFile } from '../../pack.ts';
import { child, components, type RemotePath } from '../../path.ts';
import type { BatchOptions, BatchResult, FolderAttributes, Level, Problem } from '../vault.ts';
import type { Ground } from './admit.ts';
import { closeQuietly, secondsOf, setAttributes } from './attributes.ts';
import { placeAbsent, placeOver } from './place.ts';
import type { OpenNames } from './similar.ts';
import { folderFailure, type Folder, type Root } from './walk.ts';

/** Files written before they are flushed together: each holds a descriptor, of which a process may have as few as 1,024. */
const FLUSH_GROUP = 256;

/** Descriptors to be flushed, files by fdatasync and folders by fsync; they stay the generator's. */
export interface Flush { readonly fds: readonly number[]; readonly whole: boolean }
/** What became of each, in the same order: undefined when it is on the disk, else the system's name of the error. */
export type Flushed = readonly (string | undefined)[];

/** A folder of the pack that files go into. */
interface Open { readonly folder: Folder; readonly path: RemotePath; readonly names: OpenNames }

interface WrittenFile { readonly record: PackedFile; readonly into: Open; readonly staged: string; readonly fd: number }

/** Empties `pack` below `top`. Yields what is to be flushed, nothing for `visible`; returns what became of the files. */
export function* emptyPack(ground: Ground, top: RemotePath, pack: Uint8Array, options: BatchOptions): Generator<Flush, BatchResult, Flushed> {
  // Read to its end first: a malformed pack changes nothing.
  const records = [...readPack(pack)];
  const batch = new Batch(ground, top, options);
  try {
    for (const record of records) {
      if (record.kind === 'folder') batch.enterFolder(record.path, record.mode);
      else batch.write(record);
      if (batch.full) yield* batch.flush();
    }
    yield* batch.flush();
    return { files: batch.files, bytes: batch.bytes, problems: batch.problems };
  } finally {
    batch.abandon();
  }
}

class Batch {
  files = 0;
  bytes = 0;
  readonly problems: Problem[] = [];
  readonly #ground: Ground;
  readonly #top: RemotePath;
  readonly #durable: boolean;
  readonly #absent: boolean;
  /** Where files go now; a failure when that folder could not be made or entered. */
  #into: Open | Failure | undefined;
  #path = '' as RemotePath;
  /** Folders that are done with but for the files that wait to be flushed. */
  #left: Open[] = [];
  #written: WrittenFile[] = [];
  /** Folders with new names in them, and those on the way to them, open for fsync, by their number on the disk. */
  readonly #touched = new Map<string, number>();

  constructor(ground: Ground, top: RemotePath, options: BatchOptions) {
    this.#ground = ground;
    this.#top = top;
    this.#durable = options.level === 'durable';
    this.#absent = options.condition === 'absent';
  }

  get full(): boolean {
    return this.#written.length >= FLUSH_GROUP || this.#touched.size >= FLUSH_GROUP;
  }

  enterFolder(path: RemotePath, mode: number): void {
    this.#leaveFolder();
    this.#path = path;
    try {
      const folder = this.#makeAndEnter(path, mode);
      this.#into = { folder, path, names: this.#ground.similar.open(folder) };
    } catch (error) {
      this.#into = folderFailure(error, path);
      this.#problem(path, this.#into);
    }
  }

  /** Verifies a file, and stages it; without a flush to wait for, gives it its name. */
  write(record: PackedFile): void {
    const into = this.#into!;
    try {
      if (into instanceof Failure) throw into;
      if (!sameDigest(digestOf(record.data), record.digest)) throw new Failure('VERIFY', 'what arrived is not what was sent');
      into.names.check(record.name, record.name);
      const written = { record, into, ...this.#stage(record) };
      if (this.#durable) this.#written.push(written);
      else this.#place(written);
    } catch (error) {
      this.#problem(child(this.#path, record.name), fromErrno(error));
    }
  }

  /** Has the files written so far flushed, names those that are on the disk, and has their folders flushed. */
  *flush(): Generator<Flush, void, Flushed> {
    const fds = this.#written.map(({ fd }) => fd);
    const flushed = fds.length === 0 ? [] : yield { fds, whole: false };
    for (const [at, written] of this.#written.splice(0).entries()) {
      closeQuietly(written.fd);
      try {
        refuseUnflushed(flushed[at]);
        this.#place(written);
      } catch (error) {
        this.#ground.stage.discard(written.staged);
        this.#problem(child(written.into.path, written.record.name), fromErrno(error));
      }
    }
    for (const open of this.#left.splice(0)) close(open);
    yield* this.#flushFolders();
  }

  /** One folder that fails takes the promise back from the whole pack. */
  *#flushFolders(): Generator<Flush, void, Flushed> {
    if (this.#touched.size === 0) return;
    const flushed = yield { fds: [...this.#touched.values()], whole: true };
    this.#closeTouched();
    refuseUnflushed(flushed.find((errno) => errno !== undefined));
  }

  /** Closes what is open, and removes what is staged and has no name yet. */
  abandon(): void {
    for (const { fd, staged } of this.#written.splice(0)) {
      closeQuietly(fd);
      this.#ground.stage.discard(staged);
    }
    this.#leaveFolder();
    for (const open of this.#left.splice(0)) close(open);
    this.#closeTouched();
  }

  #leaveFolder(): void {
    if (this.#into === undefined || this.#into instanceof Failure) return;
    if (this.#written.at(-1)?.into === this.#into) this.#left.push(this.#into);
    else close(this.#into);
    this.#into = undefined;
  }

  #closeTouched(): void {
    for (const fd of this.#touched.values()) closeQuietly(fd);
    this.#touched.clear();
  }

  /** Writes a file under a staged name; its descriptor stays open where it is to be flushed. */
  #stage(record: PackedFile): { staged: string; fd: number } {
    const { stage } = this.#ground;
    const { fd, name } = stage.temporary(record.mode);
    let open = true;
    try {
      for (let done = 0; done < record.data.length;) done += writeSync(fd, record.data, done);
      futimesSync(fd, secondsOf(record.mtime), secondsOf(record.mtime));
      open = this.#durable;
      if (!open) closeSync(fd);
      return { staged: name, fd };
    } catch (error) {
      if (open) closeQuietly(fd);
      stage.discard(name);
      throw error;
    }
  }

  #place({ record, into, staged }: WrittenFile): void {
    const { stage } = this.#ground;
    try {
      // Again, because the name before it may have come with the same pack.
      if (this.#durable) into.names.check(record.name, record.name);
      this.#touch(into.folder);
      if (this.#absent) placeAbsent(stage.at(staged), into.folder.at(record.name));
      else placeOver(stage.at(staged), into.folder.at(record.name));
    } catch (error) {
      stage.discard(staged);
      throw error;
    }
    into.names.add(record.name);
    this.files += 1;
    this.bytes += record.data.length;
  }

  #touch(folder: Folder): void {
    if (!this.#durable) return;
    const { dev, ino } = folder.stats();
    const id = `${dev}:${ino}`;
    if (!this.#touched.has(id)) this.#touched.set(id, folder.openSelf());
  }

  /** The folder `path` below the top, made where it is missing: top and all. */
  #makeAndEnter(path: RemotePath, mode: number): Folder {
    const names = [...components(this.#top), ...components(path)];
    let folder = this.#ground.root.enter('' as RemotePath);
    for (const [at, name] of names.entries()) {
      using left = folder;
      // Where it is there already as well: who made it may have been cut off before this flush, or not have come to it yet.
      this.#touch(left);
      folder = this.#enterOrMake(left, name, path, at === names.length - 1 ? mode : 0o777);
    }
    return folder;
  }

  /** Enters `name`, making it first if it is missing; a new folder is open to its owner until `finishFolders` sets its mode. */
  #enterOrMake(folder: Folder, name: string, path: RemotePath, mode: number): Folder {
    try {
      return folder.enter(name);
    } catch (error) {
      if (fromErrno(error).code !== 'NOTFOUND') throw error;
    }
    using names = this.#ground.similar.open(folder);
    names.check(name, path);
    try {
      mkdirSync(folder.at(name), 0o700 | mode);
    } catch (error) {
      // Made by somebody else in this moment, which serves as well.
      if (fromErrno(error).code !== 'EXISTS') throw error;
    }
    names.add(name);
    return folder.enter(name);
  }

  #problem(path: RemotePath, { code, message }: Failure): void {
    this.problems.push({ path, code, message });
  }
}

function refuseUnflushed(errno: string | undefined): void {
  if (errno !== undefined) throw fromErrno(Object.assign(new Error('flush failed'), { code: errno }));
}

function close({ folder, names }: Open): void {
  names[Symbol.dispose]();
  folder[Symbol.dispose]();
}

/** Sets mode and mtime of folders in the order given, through an open folder. For `durable` flushes each. */
export function* finishFolders(ground: Ground, top: RemotePath, folders: readonly FolderAttributes[], level: Level): Generator<Flush, readonly Problem[], Flushed> {
  const problems: Problem[] = [];
  for (const folder of folders) {
    let fd: number | undefined;
    try {
      fd = openFolder(ground.root, top, folder.path);
      setAttributes(fd, folder.mode & ~ground.umask, folder.mtime);
      if (level === 'durable') refuseUnflushed((yield { fds: [fd], whole: true })[0]);
    } catch (error) {
      const { code, message } = fromErrno(error);
      problems.push({ path: folder.path, code, message });
    } finally {
      if (fd !== undefined) closeQuietly(fd);
    }
  }
  return problems;
}

function openFolder(root: Root, top: RemotePath, path: RemotePath): number {
  let folder: Folder;
  try {
    folder = root.enter([...components(top), ...components(path)].join('/') as RemotePath);
  } catch (error) {
    throw folderFailure(error, path);
  }
  using held = folder;
  return held.openSelf();
}
