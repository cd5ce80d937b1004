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
import { heldAs, readLeft } from '../../left.ts';
import { PackWriter } from '../../pack.ts';
import { baseName, below as joined, child, components, isWithin, MAX_DEPTH, parentOf, RESERVED, ROOT, type RemotePath } from '../../path.ts';
import { compileExclude, type Excluded } from '../exclude.ts';
import type { FolderAttributes, PackOptions, PackStep, Problem } from '../vault.ts';
import { closeQuietly, entryOf, kindOf, mtimeOf, sameContent } from './attributes.ts';
import { follow, type Led } from './links.ts';
import { checkedName, escapedName, textOf } from './names.ts';
import type { Folder, Root } from './walk.ts';

/** Names looked at in one step, so that a tree with nothing to send still lets others run. */
const STEP_NAMES = 4096;
/** What is said beside the pack, in bytes: half of what a control frame holds. */
const STEP_WORDS = 256 << 10;
/** Fixed part of one entry, folder or problem when it is encoded, with its message. */
const WORDS_OVERHEAD = 160;

/** For a pack; undefined: a whole one has some of its own. */
type Memory = ArrayBuffer | undefined;
type Steps = Generator<PackStep, void, Memory>;

/** The tree at `top` in steps; `top` must be a folder. With each step it is given the memory for the pack of the next; for the first `memory`. */
export function* packTree(root: Root, top: RemotePath, options: PackOptions = {}, memory?: Memory): Steps {
  using folder = root.enter(top);
  const step = new Step(new Tree(root, top, options), memory);
  yield* packFolder(step, folder, ROOT, [ROOT], MAX_DEPTH - components(top).length);
  yield step.take();
}

/** Hands out the step as it is, and begins the next. */
function* hand(step: Step): Steps {
  step.begin(yield step.take());
}

/** What the whole walk is about. */
class Tree {
  readonly excluded: Excluded;
  /** Whether the receiver has a file with this mark; undefined: it has none. */
  readonly holds: ((mark: string) => boolean) | undefined;
  readonly #root: Root;
  readonly #top: RemotePath;
  readonly #follows: boolean;

  constructor(root: Root, top: RemotePath, { exclude, leave, without, held, follow: follows = false }: PackOptions) {
    this.excluded = compileExclude(exclude, leave, without);
    this.holds = held === undefined ? undefined : readLeft(held);
    this.#root = root;
    this.#top = top;
    this.#follows = follows;
  }

  /** What a link leads to, when links are followed and it stays in the tree. */
  led(place: Place, name: string): Led | undefined {
    if (!this.#follows) return undefined;
    try {
      return follow(this.#root, this.#top, place.trail.at(-1)!, name);
    } catch {
      return undefined; // it leads through something that may not be entered, or not be named
    }
  }

  /** The folder really at `path`, below the top. */
  enter(path: RemotePath): Folder {
    return this.#root.enter(joined(this.#top, path));
  }
}

/** One folder of the walk. `trail`: where it and the folders above it really are, outermost first. */
interface Place { readonly folder: Folder; readonly path: RemotePath; readonly trail: readonly RemotePath[]; readonly mode: number }

/** A folder to go into: under this name, and really elsewhere when a link led there. */
interface Next { readonly name: string; readonly real: RemotePath | undefined }

function* packFolder(step: Step, folder: Folder, path: RemotePath, trail: readonly RemotePath[], levels: number): Steps {
  const stats = folder.stats();
  const place: Place = { folder, path, trail, mode: stats.mode & MODE_MASK };
  if (step.full || step.filled || !step.open(place)) {
    yield* hand(step);
    step.open(place);
  }
  const folders: Next[] = [];
  try {
    for (const entry of folder.names()) {
      // Twice at most: what does not fit into this step fits into an empty one.
      while (!step.add(place, entry, folders)) yield* hand(step);
    }
  } catch (error) {
    step.problem(path, fromErrno(error));
  }
  for (const next of folders) {
    if (step.full) yield* hand(step);
    const inside = child(path, next.name);
    using opened = enter(step, folder, next, inside, levels);
    const real = next.real ?? child(trail.at(-1)!, next.name);
    if (opened !== undefined) yield* packFolder(step, opened, inside, [...trail, real], levels - 1);
  }
  step.folders.push({ path, mode: place.mode, mtime: mtimeOf(stats) });
  step.words(path);
}

function enter(step: Step, folder: Folder, next: Next, path: RemotePath, levels: number): Folder | undefined {
  try {
    if (levels <= 1) throw new Failure('BADNAME', `deeper than ${MAX_DEPTH} folders`);
    return next.real === undefined ? folder.enter(next.name) : step.tree.enter(next.real);
  } catch (error) {
    step.problem(path, fromErrno(error));
    return undefined;
  }
}

/** What one step has so far. */
class Step {
  folders: FolderAttributes[] = [];
  readonly tree: Tree;
  #writer: PackWriter;
  #named: Place | undefined;
  #files = 0;
  #bytes = 0;
  #same = { files: 0, bytes: 0 };
  #large: (Entry & { path: RemotePath })[] = [];
  #problems: Problem[] = [];
  #skipped = 0;
  #names = 0;
  #words = 0;

  constructor(tree: Tree, memory: Memory) {
    this.tree = tree;
    this.#writer = new PackWriter(memory);
  }

  /** Whether enough was looked at, or has to be said, for one step. */
  get full(): boolean {
    return this.#names >= STEP_NAMES || this.#words >= STEP_WORDS;
  }

  /** Whether the pack is nearly full: the next folder had better begin in a new one, since a folder that comes whole is stored at less cost. */
  get filled(): boolean { return this.#writer.filled; }

  /** Names the folder in the pack, for the files that follow; false when there is no room. */
  open(place: Place): boolean {
    if (!this.#writer.room(place.path, 0)) return false;
    this.#writer.folder(place.path, place.mode);
    this.#named = place;
    return true;
  }

  /** Takes one name in: file, folder (into `folders`), or neither; false when the step is full and must be taken first. */
  add(place: Place, entry: Dirent<Buffer>, folders: Next[]): boolean {
    if (this.full) return false;
    this.#names += 1;
    const name = checkedName(entry.name);
    if (typeof name !== 'string') {
      if (entry.name.toString() !== RESERVED) this.problem(below(place, escapedName(entry.name)), name, realPath(place, entry.name));
      // At the top it is ours; further down somebody may miss it.
      else if (place.path !== ROOT) this.#skipped += 1;
      return true;
    }
    const led = entry.isSymbolicLink() ? this.tree.led(place, name) : undefined;
    const folder = entry.isDirectory() || led?.kind === 'folder';
    if (this.tree.excluded(below(place, name), name, folder)) return true;
    if (led?.kind === 'file') return this.#ledTo(place, name, led.path);
    if (entry.isFile()) return this.#file(place, name, place.folder, name);
    // A link to a folder that is being walked would never end.
    if (folder && (led === undefined || !place.trail.some((above) => isWithin(above, led.path)))) folders.push({ name, real: led?.path });
    else this.#skipped += 1;
    return true;
  }

  /** Takes in, under `name`, the file that a link led to. */
  #ledTo(place: Place, name: string, real: RemotePath): boolean {
    try {
      using folder = this.tree.enter(parentOf(real));
      return this.#file(place, name, folder, baseName(real));
    } catch (error) {
      this.problem(below(place, name), fromErrno(error));
      return true;
    }
  }

  problem(path: RemotePath, { code, message }: Failure, real?: string): void {
    this.#problems.push({ path, code, message, ...(real !== undefined && { real }) });
    this.words(path);
  }

  /** Counts what has to be said about `path` beside the pack. */
  words(path: RemotePath): void {
    this.#words += path.length * 3 + WORDS_OVERHEAD;
  }

  /** Room for another pack, after `take`. */
  begin(memory: Memory): void { this.#writer = new PackWriter(memory); }

  /** The step as it is; the next one starts empty. */
  take(): PackStep {
    const pack = this.#files > 0 || this.#writer.records > 0 ? this.#writer.finish() : new Uint8Array(0);
    const { folders } = this;
    const step = { pack, files: this.#files, bytes: this.#bytes, large: this.#large, folders, problems: this.#problems, skipped: this.#skipped, same: this.#same.files === 0 ? undefined : this.#same };
    this.#named = undefined;
    this.#files = this.#bytes = this.#skipped = this.#names = this.#words = 0;
    this.folders = [];
    this.#large = [];
    this.#problems = [];
    this.#same = { files: 0, bytes: 0 };
    return step;
  }

  /** Takes in the file `real` of the folder `from`, under `name`. */
  #file(place: Place, name: string, from: Folder, real: string): boolean {
    let fd: number | undefined;
    try {
      fd = from.open(real, constants.O_RDONLY);
      const stats = fstatSync(fd);
      if (kindOf(stats) !== 'file') this.#skipped += 1;
      else if (stats.size > this.#writer.mostFile) this.#tooLarge(place, name, stats);
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
        this.#take(place, name, before, digestOf(space));
        return true;
      }
      if (after.size > before.size && (after.size > this.#writer.mostFile || !this.#writer.room(name, after.size))) break;
      before = after;
    }
    throw new Failure('CHANGED', 'the file changed while it was read');
  }

  /** Takes in a file whose bytes are in the space for it, or counts it where the receiver has them. */
  #take(place: Place, name: string, stats: Stats, digest: Uint8Array): void {
    if (this.tree.holds?.(heldAs(below(place, name), digest)) === true) {
      this.#same.files += 1;
      this.#same.bytes += stats.size;
      return;
    }
    this.#writer.file(name, stats.mode & MODE_MASK, mtimeOf(stats), digest, stats.size);
    this.#files += 1;
    this.#bytes += stats.size;
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

/** The path of a name that is refused, if it is text at all. */
function realPath(place: Place, raw: Buffer): string | undefined {
  const name = textOf(raw);
  return name === undefined || place.path === ROOT ? name : `${place.path}/${name}`;
}
