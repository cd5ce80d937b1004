/**
 * Fresh: a folder that is not there yet, filled in the stage, where nobody sees it, and given its name with all its files by
 * one rename. A file in it costs no rename of its own, which is a quarter of what storing a small file costs otherwise.
 *
 * When somebody else made a folder of that name meanwhile, its files are moved into that one, one by one. What was not
 * given a name is removed on disposal. Synchronous; nothing is flushed, so it serves only what need not be durable.
 */
import { closeSync, constants } from 'node:fs';
import { Failure } from '../../errors.ts';
import type { PackedFile } from '../../pack.ts';
import type { RemotePath } from '../../path.ts';
import { closeQuietly, fill } from './attributes.ts';
import { placeAbsent, placeOver } from './place.ts';
import type { OpenNames, SimilarNames } from './similar.ts';
import type { Stage } from './stage.ts';
import type { Folder } from './walk.ts';

const { O_CREAT, O_EXCL, O_WRONLY } = constants;

/** What rename(2) says when the name belongs to a folder with something in it. */
const TAKEN: ReadonlySet<string> = new Set(['ENOTEMPTY', 'EEXIST']);

/** What became of a file: an error, or that it has its name. */
type Told = (record: PackedFile, error?: unknown) => void;

export class Fresh implements Disposable {
  /** The folder itself, the same before and after it has its name. */
  readonly folder: Folder;
  /** The names in it. */
  readonly names: OpenNames;
  /** The files that were written, in order. */
  readonly files: PackedFile[] = [];
  readonly #stage: Stage;
  readonly #similar: SimilarNames;
  readonly #staged: string;
  readonly #parent: Folder;
  readonly #siblings: OpenNames;
  readonly #name: string;
  #published = false;

  /** For a folder `name` in `parent`, which is disposed with it. Throws EXISTS for a name that is too like another; `path` is told then. */
  constructor({ stage, similar }: { stage: Stage; similar: SimilarNames }, parent: Folder, name: string, mode: number, path: RemotePath) {
    this.#stage = stage;
    this.#similar = similar;
    this.#parent = parent;
    this.#name = name;
    this.#siblings = similar.open(parent);
    try {
      this.#siblings.check(name, path);
      const { staged, folder } = stage.temporaryFolder(mode);
      this.#staged = staged;
      this.folder = folder;
      this.names = similar.open(folder);
    } catch (error) {
      this.#siblings[Symbol.dispose]();
      throw error;
    }
  }

  /** Writes a file; false when the folder has one of this name already. */
  write(record: PackedFile): boolean {
    let fd: number;
    try {
      fd = this.folder.open(record.name, O_WRONLY | O_CREAT | O_EXCL, record.mode);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    }
    let open = true;
    try {
      fill(fd, record.data, record.mtime);
      open = false;
      closeSync(fd);
    } catch (error) {
      if (open) closeQuietly(fd);
      this.folder.removeQuietly(record.name);
      throw error;
    }
    this.files.push(record);
    this.names.add(record.name);
    return true;
  }

  /** Gives the folder its name, and tells what became of each file; false when there is one of this name meanwhile, into which they go. Throws when nothing has changed. */
  publish(absent: boolean, told: Told): boolean {
    try {
      placeOver(this.#stage.at(this.#staged), this.#parent.at(this.#name));
    } catch (error) {
      if (error instanceof Failure || !TAKEN.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
      this.#merge(absent, told);
      return false;
    }
    this.#published = true;
    this.#siblings.add(this.#name);
    for (const record of this.files) told(record);
    return true;
  }

  #merge(absent: boolean, told: Told): void {
    using other = this.#parent.enter(this.#name);
    using names = this.#similar.open(other);
    const place = absent ? placeAbsent : placeOver;
    for (const record of this.files) {
      try {
        names.check(record.name, record.name);
        place(this.folder.at(record.name), other.at(record.name));
        names.add(record.name);
        told(record);
      } catch (error) {
        told(record, error);
      }
    }
  }

  [Symbol.dispose](): void {
    if (!this.#published) this.#stage.discardFolder(this.#staged);
    this.names[Symbol.dispose]();
    this.folder[Symbol.dispose]();
    this.#siblings[Symbol.dispose]();
    this.#parent[Symbol.dispose]();
  }
}
