/** Planned: what a `put` or `get` would do, as `plan.ts` finds it out and programs are told. Types alone; paths are as in `api.ts`. */
import type { Entry } from '../entry.ts';
import type { Failure } from '../errors.ts';

/** A file that has the name of one that is to be sent or fetched, and other contents, as far as size and time tell. */
export interface Met {
  /** Below its source; empty when it is the source itself. */
  readonly path: string;
  /** Of the file that would come. */
  readonly size: number;
  readonly mtime: number;
  /** The file that would be replaced. */
  readonly there: Entry;
}

/** What would become of one source. */
export interface Plan {
  readonly source: string;
  /** Where it would be: a remote path, or a local one. */
  readonly target: string;
  readonly kind: 'file' | 'folder' | undefined; // undefined: see `failure`
  /** Files of the source, and their bytes. Of a folder that is not there yet, only with `count`. */
  readonly files: number;
  readonly bytes: number;
  /** Files that are there with the same size and time: their paths below the source. */
  readonly same: readonly string[];
  readonly replaced: readonly Met[];
  /** With `update`: files that would be left out, by their paths below the source; they are in none of the other counts. */
  readonly left: readonly string[];
  /** New files with a name that begins with a dot, or in a folder with one, as what programs read as their settings has: how many, and the paths of the first 20 below the source. Of a folder that is not there yet, only with `count`. */
  readonly dots: { readonly files: number; readonly first: readonly string[] };
  /** Names in a folder that cannot stand at the other end, so that what bears them would fail: how many, and the first 20 as paths below the source, escaped. Of a folder that is not there yet, only with `count`. */
  readonly refused: { readonly names: number; readonly first: readonly string[] };
  /** Why nothing would come of it. */
  readonly failure: Failure | undefined;
}
