/** Meter: what an account may still move and store, as a vault that counts asks it. Types, but for nothing. */
import type { RemotePath } from '../path.ts';

/** Folders count as files: each takes a name and a place on the disk. */
export interface Amount { readonly bytes: number; readonly files: number }

export const NOTHING: Amount = { bytes: 0, files: 0 };

/** Room that is kept for what comes in. */
export interface Admission {
  /** So many bytes come in all, where that was not known. Rejects with QUOTA. */
  extend(bytes: number): Promise<void>;
  /** The moment before the files get their names: so much counts from now on, also after a crash, until `end` says less. Rejects with QUOTA. */
  commit(moved: Amount): Promise<void>;
  /** No more room is kept; called again it does nothing. Of what came, `moved` has its name now, and `resting` bytes are left for another try. */
  end(moved: Amount, resting: number): void;
}

/** Files that go out. */
export interface Issue {
  /** So much of it has gone, in all; resolves when that counts also after a crash. */
  settle(moved: Amount): Promise<void>;
  /** No more will go; called again it does nothing. */
  end(moved: Amount): void;
}

export interface Meter {
  /** Something else is about to be done than files moved. Rejects with QUOTA. */
  use(): Promise<void>;
  /** Room for so much more; `moving`: files that come, new or not; `part`: whose part of the path is begun or continued, if that is what it is for. Rejects with QUOTA. */
  admit(path: RemotePath, wanted: Amount, moving: number, part?: string): Promise<Admission>;
  /** Files that go out. Rejects with QUOTA. */
  issue(wanted: Amount): Promise<Issue>;
  /** What is at and below `path` has become so much more. */
  change(path: RemotePath, more: Amount): void;
  /** File bytes have moved: resolves when more may. */
  moved(way: 'in' | 'out', bytes: number): Promise<void>;
  /** What the quota leaves; undefined: all that is free. */
  left(): Promise<number | undefined>;
  /** Bytes of the quota; undefined: there is none. */
  quota(): Promise<number | undefined>;
}
