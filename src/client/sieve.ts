/**
 * Sieve: which files of a folder that is fetched are not wanted: those that stay as they are, and those that are in place since an
 * earlier try of the same transfer. The server is asked to leave them out; whatever comes of them nevertheless, from one that does
 * not know how or because there are more of them than one request can name, is taken out here. Pure.
 */
import { markLeft, MAX_LEFT } from '../left.ts';
import { PackWriter, readPack, type PackRecord } from '../pack.ts';
import { checkName, child, ROOT, type RemotePath } from '../path.ts';
import { heard } from './heard.ts';
import type { ItemTally } from './tally.ts';

/** Files that are noted of one folder, some 5 MB: as many as one request can name. */
const MAX_FETCHED = MAX_LEFT;

export class Sieve {
  readonly #left: ReadonlySet<string>;
  readonly #fetched: Map<string, number> | undefined;
  /** What was in place when this try began. */
  readonly #before: ReadonlySet<string>;

  constructor(left: ReadonlySet<string>, fetched: Map<string, number> | undefined) {
    this.#left = left;
    this.#fetched = fetched;
    this.#before = new Set(fetched?.keys());
  }

  /** What the server is asked to leave out. */
  marks(): Uint8Array | undefined {
    return markLeft(new Set([...this.#before, ...this.#left]));
  }

  /** How many of them one request names. */
  get marked(): number { return Math.min(MAX_LEFT, new Set([...this.#before, ...this.#left]).size); }

  /** Whether it is of use to note what arrives. */
  get notes(): boolean { return this.#fetched !== undefined; }

  holds(path: string): boolean {
    return this.#left.has(path) || this.#before.has(path);
  }

  /** Counts with `item` what is in place from before. */
  count(item: ItemTally): void {
    if (this.#fetched === undefined || this.#fetched.size === 0) return;
    const bytes = [...this.#fetched.values()].reduce((sum, size) => sum + size, 0);
    item.stored(this.#fetched.size, bytes, bytes);
  }

  /** A file is in place. */
  note(path: string, size: number): void {
    if (this.#fetched !== undefined && this.#fetched.size < MAX_FETCHED) this.#fetched.set(path, size);
  }

  /** The pack without what is not wanted. */
  sift(pack: Uint8Array): Uint8Array {
    if (this.#left.size + this.#before.size === 0 || !filesIn(pack).some(({ path }) => this.holds(path))) return pack;
    const writer = new PackWriter();
    for (const { path, record } of located(pack)) {
      if (record.kind === 'folder') writer.folder(record.path, record.mode);
      else if (!this.holds(path)) {
        writer.space(record.name, record.data.byteLength).set(record.data);
        writer.file(record.name, record.mode, record.mtime, record.digest, record.data.byteLength);
      }
    }
    return writer.finish();
  }
}

/** The files in a pack, by their paths below the top of the tree. */
export function filesIn(pack: Uint8Array): { path: RemotePath; size: number }[] {
  return [...located(pack)].flatMap(({ path, record }) => (record.kind === 'file' ? [{ path, size: record.data.byteLength }] : []));
}

function* located(pack: Uint8Array): Generator<{ path: RemotePath; record: PackRecord }> {
  let folder = ROOT;
  try {
    for (const record of readPack(pack)) {
      if (record.kind === 'folder') folder = record.path;
      yield { path: record.kind === 'folder' ? folder : child(folder, checkName(record.name)), record };
    }
  } catch (error) {
    throw heard(error);
  }
}
