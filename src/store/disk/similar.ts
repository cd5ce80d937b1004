/**
 * Similar names: two names in one folder that differ only in letter case or Unicode form are one name on another
 * disk, where the second file would silently replace the first. Creating the second one is refused; and so is, where that
 * was asked for, a name that Windows could not store.
 *
 * The names of a folder are read once and remembered while its times show that nobody else changed it. This is a
 * check, not a lock: two processes that create at the same moment may both pass. Folders of more than `MAX_NAMES`
 * names are not checked, because reading them would cost far more than the upload.
 */
import type { Stats } from 'node:fs';
import { foldKey } from '../../path.ts';
import { unportable } from '../../portable.ts';
import { similarName, unportableName } from '../refusals.ts';
import { textOf } from './names.ts';
import type { Folder } from './walk.ts';

/** Folders remembered at once: as many as a tree is deep, so that a walk back up finds its folders known. */
const MAX_FOLDERS = 64;
/** Names remembered in all, about 100 bytes each: 20 MB. */
const MAX_NAMES = 200_000;

/** The names of one folder by what they fold to. */
class FolderNames {
  readonly byKey = new Map<string, string>();
  stamp = '';
  /** Too many names to know them. */
  huge = false;
  /** How many create in the folder now, and share what they know of it. */
  users = 0;
  /** Names counted against the bound. */
  counted = 0;
}

/** `foldKey`, quicker for the names that most names are: of ASCII it is the lower case. */
function keyOf(name: string): string {
  return ASCII.test(name) ? name.toLowerCase() : foldKey(name);
}

const ASCII = /^[\x20-\x7e]*$/;

function stampOf(stats: Stats): string {
  return `${stats.mtimeMs} ${stats.ctimeMs}`;
}

/** What one thread knows of the names in the folders it creates in. */
export class SimilarNames {
  /** By device and inode, the longest unused first. */
  readonly #folders = new Map<string, FolderNames>();
  #names = 0;
  readonly #folds: false | (() => boolean);
  readonly #portable: boolean;

  /** With `folds` names may be similar, and none are read, unless it says that the disk takes them for the same; with `portable` Windows has to be able to store them. */
  constructor(folds: false | (() => boolean), portable: boolean) {
    this.#folds = folds;
    this.#portable = portable;
  }

  /** The names of `folder`, for one creation or many: it is looked at once now, and once more on disposal. */
  open(folder: Folder): OpenNames {
    const folds = this.#folds !== false && this.#folds();
    if (this.#folds !== false && !folds) return new OpenNames(folder, new FolderNames(), { unknown: true, folds, portable: this.#portable }, () => undefined);
    const stats = folder.stats();
    const id = `${stats.dev}:${stats.ino}`;
    const known = this.#folders.get(id);
    const names = known !== undefined && (known.users > 0 || known.stamp === stampOf(stats)) ? known : read(folder, stats);
    this.#remember(id, names);
    names.users += 1;
    return new OpenNames(folder, names, { unknown: names.huge, folds, portable: this.#portable }, () => {
      names.users -= 1;
      names.stamp = stampOf(folder.stats());
      this.#remember(id, names);
    });
  }

  /** Moves the folder to the end of those that are forgotten, and forgets from the front what is too much. */
  #remember(id: string, names: FolderNames): void {
    this.#forget(id);
    names.counted = names.byKey.size;
    this.#names += names.counted;
    this.#folders.set(id, names);
    for (const oldest of this.#folders.keys()) {
      if (this.#folders.size <= MAX_FOLDERS && this.#names <= MAX_NAMES) break;
      this.#forget(oldest);
    }
  }

  #forget(id: string): void {
    this.#names -= this.#folders.get(id)?.counted ?? 0;
    this.#folders.delete(id);
  }
}

/** The names of one folder while something is created in it. */
export class OpenNames implements Disposable {
  readonly #folder: Folder;
  readonly #names: FolderNames;
  readonly #unknown: boolean;
  readonly #folds: boolean;
  readonly #portable: boolean;
  readonly #remember: () => void;

  constructor(folder: Folder, names: FolderNames, { unknown, folds, portable }: { readonly unknown: boolean; readonly folds: boolean; readonly portable: boolean }, remember: () => void) {
    this.#folds = folds;
    this.#folder = folder;
    this.#names = names;
    this.#unknown = unknown;
    this.#portable = portable;
    this.#remember = remember;
  }

  /**
   * Refuses to create `name` beside a name that is too like it (EXISTS), or one that is not portable where that was asked for (BADNAME).
   * `instead` is a name that is about to go, as in a rename that changes the case only. Replacing `name` itself is never refused.
   */
  check(name: string, path: string, instead?: string): void {
    const why = this.#portable ? unportable(name) : undefined;
    if (why !== undefined && this.#folder.look(name) === undefined) throw unportableName(path, name, why);
    if (this.#unknown) return;
    const other = this.#names.byKey.get(keyOf(name));
    if (other === undefined || other === name || other === instead) return;
    // It may have been removed since; the refusal must be true.
    const beside = this.#folder.look(other);
    if (beside === undefined || this.#isItsOwn(name, other, beside)) return;
    throw similarName(path, name, other, this.#folds);
  }

  /**
   * Whether something is there under `name` that is not found under it only because the disk takes similar names for the same. Such
   * a disk lists a file once, under the name it was made with or in lower case, and one that does not lists two links of a file as two.
   */
  #isItsOwn(name: string, other: string, beside: Stats): boolean {
    const there = this.#folder.look(name);
    if (there === undefined) return false;
    const listed = new Set<string | undefined>();
    for (const entry of this.#folder.names()) {
      const text = textOf(entry.name);
      if (text === name || text === other) listed.add(text);
    }
    return listed.has(name) && (listed.has(other) || there.ino !== beside.ino || there.dev !== beside.dev);
  }

  /** Whether the name may be there already, as far as is known without a look. */
  mayHave(name: string): boolean {
    return this.#unknown || this.#names.byKey.get(keyOf(name)) === name;
  }

  /** `name` was created. */
  add(name: string): void {
    if (!this.#unknown) this.#names.byKey.set(keyOf(name), name);
  }

  /** Nothing more is created: what is known now stays known until the folder changes. */
  [Symbol.dispose](): void {
    this.#remember();
  }
}

function read(folder: Folder, stats: Stats): FolderNames {
  const names = new FolderNames();
  for (const entry of folder.names()) {
    const text = textOf(entry.name);
    if (text !== undefined) names.byKey.set(keyOf(text), text);
    if (names.byKey.size <= MAX_NAMES) continue;
    names.byKey.clear();
    names.huge = true;
    break;
  }
  names.stamp = stampOf(stats);
  return names;
}
