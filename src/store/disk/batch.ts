/**
 * Batch: a pack of small files on its way in.
 *
 * Every record of a pack is read, and every digest compared, before a name changes; each file is written whole under a
 * staged name and then given its own in one step, so that one that fails leaves the others and what was there before.
 * A folder that is not there yet is filled in the stage and gets its name with all its files (`fresh.ts`).
 * For `durable` the generator hands out descriptors to be flushed, many at once, and is told what became of each;
 * it gives no name to a file whose flush failed. Synchronous otherwise; leaving it early removes what it has staged.
 */
import { mkdirSync, type Stats } from 'node:fs';
import { digestOf, sameDigest } from '../../digest.ts';
import { Failure, fromErrno } from '../../errors.ts';
import { readLeft } from '../../left.ts';
import { readPack, type PackedFile } from '../../pack.ts';
import { below, child, components, ROOT, type RemotePath } from '../../path.ts';
import type { BatchOptions, BatchResult, Problem } from '../vault.ts';
import { placeKeeping, type Ground } from './admit.ts';
import { closeQuietly } from './attributes.ts';
import { refuseUnflushed, type Flush, type Flushed } from './flush.ts';
import { Fresh } from './fresh.ts';
import type { Doing } from './kept.ts';
import { placeAbsent, placeOver } from './place.ts';
import type { OpenNames } from './similar.ts';
import { writeStaged } from './staged.ts';
import { Touched } from './touched.ts';
import { folderFailure, type Folder } from './walk.ts';

/** Files written before they are flushed together: each holds a descriptor, of which a process may have as few as 1,024. */
const FLUSH_GROUP = 256;

/** A folder of the pack that files go into. */
interface Open { readonly folder: Folder; /** Below the top of the pack, and where that is in all. */ readonly path: RemotePath; readonly at: RemotePath; readonly names: OpenNames; readonly fresh: Fresh | undefined }

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
    batch.leaveFolder();
    return { files: batch.files, bytes: batch.bytes, problems: batch.problems, replaced: batch.replaced, made: options.tally === true ? batch.made : undefined };
  } finally {
    batch.abandon();
  }
}

class Batch {
  files = 0;
  bytes = 0;
  made = 0;
  readonly problems: Problem[] = [];
  /** What was under the names before, where that was asked for. A fresh folder replaces nothing. */
  readonly replaced: { files: number; bytes: number } | undefined;
  readonly #ground: Ground;
  readonly #top: RemotePath;
  readonly #durable: boolean;
  readonly #absent: boolean;
  readonly #isReplaceable: (path: string) => boolean;
  /** Where files go now; a failure when that folder could not be made or entered. */
  #into: Open | Failure | undefined;
  #path = ROOT;
  /** Folders that are done with but for the files that wait to be flushed. */
  #left: Open[] = [];
  #written: WrittenFile[] = [];
  readonly #touched = new Touched();
  readonly #doing: Doing | undefined;

  constructor(ground: Ground, top: RemotePath, options: BatchOptions) {
    this.#ground = ground;
    this.#top = top;
    this.#durable = options.level === 'durable';
    this.#absent = options.condition === 'absent';
    if (options.tally === true) this.replaced = { files: 0, bytes: 0 };
    this.#isReplaceable = readLeft(options.replaceable);
    this.#doing = ground.kept.open(options.keep);
  }

  get full(): boolean {
    return this.#written.length >= FLUSH_GROUP || this.#touched.size >= FLUSH_GROUP;
  }

  enterFolder(path: RemotePath, mode: number): void {
    this.leaveFolder();
    this.#path = path;
    try {
      this.#into = this.#open(path, mode);
    } catch (error) {
      this.#into = folderFailure(error, path);
      this.#problem(path, this.#into);
    }
  }

  /** Verifies a file, and stages it; without a flush to wait for, gives it its name, or leaves that to its folder. */
  write(record: PackedFile): void {
    try {
      try {
        this.#write(record);
      } catch (error) {
        // What is kept for undo goes before a file fails for want of room.
        if (fromErrno(error).code !== 'NOSPACE' || !this.#ground.kept.makeRoom(record.data.length)) throw error;
        this.#write(record);
      }
    } catch (error) {
      this.#problem(child(this.#path, record.name), error);
    }
  }

  #write(record: PackedFile): void {
    const into = this.#into!;
    if (into instanceof Failure) throw into;
    if (!sameDigest(digestOf(record.data), record.digest)) throw new Failure('VERIFY', 'what arrived is not what was sent');
    into.names.check(record.name, record.name);
    if (into.fresh?.write(record) === true) return;
    const written = { record, into, ...writeStaged(this.#ground.stage, record, this.#durable) };
    if (this.#durable) this.#written.push(written);
    else this.#place(written);
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
        this.#problem(child(written.into.path, written.record.name), error);
      }
    }
    for (const open of this.#left.splice(0)) close(open);
    yield* this.#touched.flush();
  }

  /** Is done with the folder of the files before; a fresh one gets its name. */
  leaveFolder(): void {
    const into = this.#into;
    this.#into = undefined;
    if (into === undefined || into instanceof Failure) return;
    if (this.#written.at(-1)?.into === into) this.#left.push(into);
    else {
      if (into.fresh !== undefined) this.#publish(into, into.fresh);
      close(into);
    }
  }

  /** Closes what is open, and removes what is staged and has no name yet. */
  abandon(): void {
    for (const { fd, staged } of this.#written.splice(0)) {
      closeQuietly(fd);
      this.#ground.stage.discard(staged);
    }
    if (this.#into !== undefined && !(this.#into instanceof Failure)) close(this.#into);
    for (const open of this.#left.splice(0)) close(open);
    this.#touched.close();
    this.#doing?.[Symbol.dispose]();
  }

  #place({ record, into, staged }: WrittenFile): void {
    const { stage } = this.#ground;
    const [path, name, doing] = [child(into.path, record.name), into.folder.at(record.name), this.#doing];
    let before: Stats | undefined;
    try {
      // Again, because the name before it may have come with the same pack.
      if (this.#durable) into.names.check(record.name, record.name);
      this.#touch(into.folder);
      const absent = this.#absent && !this.#isReplaceable(path);
      if (this.replaced !== undefined || (doing !== undefined && !absent && into.names.mayHave(record.name))) before = into.folder.look(record.name);
      if (absent) placeAbsent(stage.at(staged), name);
      else if (before === undefined) placeOver(stage.at(staged), name);
      else placeKeeping(doing, into.folder, record.name, child(into.at, record.name), before, { at: stage.at(staged), stats: () => stage.look(staged) });
    } catch (error) {
      stage.discard(staged);
      throw error;
    }
    if (before === undefined) this.#noteNew(into.at, record);
    else if (before.isFile() && this.replaced !== undefined) {
      this.replaced.files += 1;
      this.replaced.bytes += before.size;
    }
    into.names.add(record.name);
    this.#count(record);
  }

  #publish({ path, at }: Open, fresh: Fresh): void {
    const placed: PackedFile[] = [];
    const told = (record: PackedFile, error?: unknown): void => {
      if (error !== undefined) return this.#problem(child(path, record.name), error);
      placed.push(record);
      this.#count(record);
    };
    try {
      if (fresh.publish(this.#absent, told)) this.#noteMade(at);
      for (const record of placed) this.#noteNew(at, record);
    } catch (error) {
      const failure = folderFailure(error, path);
      this.#problem(path, failure);
      for (const record of fresh.files) told(record, failure);
    }
  }

  #noteNew(folder: RemotePath, { name, data, mtime }: PackedFile): void {
    this.#doing?.note({ does: 'new', path: child(folder, name), kind: 'file', size: data.length, mtime });
  }

  #noteMade(path: RemotePath): void {
    this.made += 1;
    this.#doing?.note({ does: 'made', path });
  }

  #count({ data }: PackedFile): void {
    this.files += 1;
    this.bytes += data.length;
  }

  #touch(folder: Folder): void {
    if (this.#durable) this.#touched.add(folder);
  }

  /** The folder `path` below the top, made where it is missing, top and all; the last one stays fresh where nothing is flushed. */
  #open(path: RemotePath, mode: number): Open {
    const at = below(this.#top, path);
    const names = components(at);
    const last = names.pop();
    const parent = this.#makeAndEnter(names, path);
    if (last === undefined) return this.#existing(parent, path);
    let kept = false;
    try {
      if (!this.#durable && parent.look(last) === undefined) {
        const fresh = new Fresh(this.#ground, parent, last, 0o700 | mode, path);
        kept = true;
        return { folder: fresh.folder, path, at, names: fresh.names, fresh };
      }
      return this.#existing(this.#enterOrMake(parent, last, at, path, mode), path);
    } finally {
      if (!kept) parent[Symbol.dispose]();
    }
  }

  #existing(folder: Folder, path: RemotePath): Open {
    return { folder, path, at: below(this.#top, path), names: this.#ground.similar.open(folder), fresh: undefined };
  }

  #makeAndEnter(names: readonly string[], path: RemotePath): Folder {
    let folder = this.#ground.root.enter(ROOT);
    let reached = ROOT;
    for (const name of names) {
      using left = folder;
      reached = child(reached, name);
      folder = this.#enterOrMake(left, name, reached, path, 0o777);
    }
    return folder;
  }

  /** Enters `name`, which is at `at`, making it first if it is missing; a new folder is open to its owner until `finishFolders` sets its mode. */
  #enterOrMake(folder: Folder, name: string, at: RemotePath, path: RemotePath, mode: number): Folder {
    // Where it is there already as well: who made it may have been cut off before this flush, or not have come to it yet.
    this.#touch(folder);
    try {
      return folder.enter(name);
    } catch (error) {
      if (fromErrno(error).code !== 'NOTFOUND') throw error;
    }
    using names = this.#ground.similar.open(folder);
    names.check(name, path);
    try {
      mkdirSync(folder.at(name), 0o700 | mode);
      this.#noteMade(at);
    } catch (error) {
      // Made by somebody else in this moment, which serves as well.
      if (fromErrno(error).code !== 'EXISTS') throw error;
    }
    names.add(name);
    return folder.enter(name);
  }

  #problem(path: RemotePath, error: unknown): void {
    const { code, message } = fromErrno(error);
    this.problems.push({ path, code, message });
  }
}

function close({ folder, names, fresh }: Open): void {
  if (fresh !== undefined) return fresh[Symbol.dispose]();
  names[Symbol.dispose]();
  folder[Symbol.dispose]();
}
