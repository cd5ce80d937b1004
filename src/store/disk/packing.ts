/**
 * Packing: a tree on its way out, as packs of its small files and words about the rest.
 *
 * Depth first; in each folder the files come before the folders, so that a folder is named once in a pack. It holds one
 * open folder a level, one open file, and one pack. A small file is read straight into the pack and looked at before and
 * after, so that what goes out is one state of the file. Whatever cannot be read is a problem in the answer, and the walk
 * goes on. Synchronous, in steps: leaving the generator closes all it holds.
 */
import { constants, fstatSync, readSync, type Dirent, type Stats } from 'node:fs';
import { digestOf } from '../../digest.ts';
import { MODE_MASK, type Entry } from '../../entry.ts';
import { Failure, fromErrno } from '../../errors.ts';
import { MAX_PACKED_FILE, PackWriter } from '../../pack.ts';
import { child, components, MAX_DEPTH, RESERVED, ROOT, type RemotePath } from '../../path.ts';
import { compileExclude, type Excluded } from '../exclude.ts';
import type { FolderAttributes, PackOptions, PackStep, Problem } from '../vault.ts';
import { closeQuietly, entryOf, kindOf, mtimeOf, sameContent } from './attributes.ts';
import { checkedName, escapedName } from './names.ts';
import type { Folder, Root } from './walk.ts';

/** Names looked at in one step, so that a tree with nothing to send still lets others run. */
const STEP_NAMES = 4096;
/** What is said beside the pack, in bytes: half of what a control frame holds. */
const STEP_WORDS = 256 << 10;
/** Fixed part of one entry, folder or problem when it is encoded, with its message. */
const WORDS_OVERHEAD = 160;

/** The tree at `top` in steps; `top` must be a folder. */
export function* packTree(root: Root, top: RemotePath, options: PackOptions = {}): Generator<PackStep, void> {
  const excluded = compileExclude(options.exclude);
  using folder = root.enter(top);
  const step = new Step(excluded);
  yield* packFolder(step, folder, ROOT, MAX_DEPTH - components(top).length);
  yield step.take();
}

/** One folder of the walk. */
interface Place { readonly folder: Folder; readonly path: RemotePath; readonly mode: number }

function* packFolder(step: Step, folder: Folder, path: RemotePath, levels: number): Generator<PackStep, void> {
  const stats = folder.stats();
  const place: Place = { folder, path, mode: stats.mode & MODE_MASK };
  if (step.full || !step.open(place)) {
    yield step.take();
    step.open(place);
  }
  const folders: string[] = [];
  try {
    for (const entry of folder.names()) {
      // Twice at most: what does not fit into this step fits into an empty one.
      while (!step.add(place, entry, folders)) yield step.take();
    }
  } catch (error) {
    step.problem(path, fromErrno(error));
  }
  for (const name of folders) {
    if (step.full) yield step.take();
    const below = child(path, name);
    using next = enter(step, folder, name, below, levels);
    if (next !== undefined) yield* packFolder(step, next, below, levels - 1);
  }
  step.folders.push({ path, mode: place.mode, mtime: mtimeOf(stats) });
  step.words(path);
}

function enter(step: Step, folder: Folder, name: string, path: RemotePath, levels: number): Folder | undefined {
  try {
    if (levels <= 1) throw new Failure('BADNAME', `deeper than ${MAX_DEPTH} folders`);
    return folder.enter(name);
  } catch (error) {
    step.problem(path, fromErrno(error));
    return undefined;
  }
}

/** What one step has so far. */
class Step {
  folders: FolderAttributes[] = [];
  readonly #excluded: Excluded;
  #writer = new PackWriter();
  #named: Place | undefined;
  #files = 0;
  #bytes = 0;
  #large: (Entry & { path: RemotePath })[] = [];
  #problems: Problem[] = [];
  #skipped = 0;
  #names = 0;
  #words = 0;

  constructor(excluded: Excluded) {
    this.#excluded = excluded;
  }

  /** Whether enough was looked at, or has to be said, for one step. */
  get full(): boolean {
    return this.#names >= STEP_NAMES || this.#words >= STEP_WORDS;
  }

  /** Names the folder in the pack, for the files that follow; false when there is no room. */
  open(place: Place): boolean {
    if (!this.#writer.room(place.path, 0)) return false;
    this.#writer.folder(place.path, place.mode);
    this.#named = place;
    return true;
  }

  /** Takes one name in: file, folder (into `folders`), or neither; false when the step is full and must be taken first. */
  add(place: Place, entry: Dirent<Buffer>, folders: string[]): boolean {
    if (this.full) return false;
    this.#names += 1;
    const name = checkedName(entry.name);
    if (typeof name !== 'string') {
      if (entry.name.toString() !== RESERVED) this.problem(below(place, escapedName(entry.name)), name);
      return true;
    }
    const folder = entry.isDirectory();
    if (this.#excluded(below(place, name), name, folder)) return true;
    if (folder) folders.push(name);
    else if (entry.isFile()) return this.#file(place, name);
    else this.#skipped += 1;
    return true;
  }

  problem(path: RemotePath, { code, message }: Failure): void {
    this.#problems.push({ path, code, message });
    this.words(path);
  }

  /** Counts what has to be said about `path` beside the pack. */
  words(path: RemotePath): void {
    this.#words += path.length * 3 + WORDS_OVERHEAD;
  }

  /** The step as it is; the next one starts empty. */
  take(): PackStep {
    const pack = this.#files > 0 || this.#writer.records > 0 ? this.#writer.finish() : new Uint8Array(0);
    const { folders } = this;
    const step = { pack, files: this.#files, bytes: this.#bytes, large: this.#large, folders, problems: this.#problems, skipped: this.#skipped };
    this.#writer = new PackWriter();
    this.#named = undefined;
    this.#files = this.#bytes = this.#skipped = this.#names = this.#words = 0;
    this.folders = [];
    this.#large = [];
    this.#problems = [];
    return step;
  }

  #file(place: Place, name: string): boolean {
    let fd: number | undefined;
    try {
      fd = place.folder.open(name, constants.O_RDONLY);
      const stats = fstatSync(fd);
      if (kindOf(stats) !== 'file') this.#skipped += 1;
      else if (stats.size > MAX_PACKED_FILE) this.#tooLarge(place, name, stats);
      else return this.#small(place, name, fd, stats);
    } catch (error) {
      this.problem(below(place, name), fromErrno(error));
    } finally {
      if (fd !== undefined) closeQuietly(fd);
    }
    return true;
  }

  #small(place: Place, name: string, fd: number, first: Stats): boolean {
    if (this.#named !== place && (!this.#writer.room(place.path, 0) || !this.open(place))) return false;
    if (!this.#writer.room(name, first.size)) return false;
    let before = first;
    for (let tries = 0; tries < 2; tries += 1) {
      const space = this.#writer.space(name, before.size);
      const complete = fill(fd, space);
      const after = fstatSync(fd);
      if (complete && sameContent(before, after)) {
        this.#writer.file(name, before.mode & MODE_MASK, mtimeOf(before), digestOf(space), before.size);
        this.#files += 1;
        this.#bytes += before.size;
        return true;
      }
      if (after.size > before.size && (after.size > MAX_PACKED_FILE || !this.#writer.room(name, after.size))) break;
      before = after;
    }
    throw new Failure('CHANGED', 'the file changed while it was read');
  }

  #tooLarge(place: Place, name: string, stats: Stats): void {
    // Its folder has to be named before it in some pack: it was, when the walk entered the folder.
    const path = below(place, name);
    this.#large.push({ ...entryOf(name, stats), path });
    this.words(path);
  }
}

function below(place: Place, name: string): RemotePath {
  return child(place.path, name);
}

/** Reads `space.length` bytes; false when the file ends before. */
function fill(fd: number, space: Uint8Array): boolean {
  let done = 0;
  while (done < space.length) {
    const got = readSync(fd, space, done, space.length - done, done);
    if (got === 0) return false;
    done += got;
  }
  return true;
}
