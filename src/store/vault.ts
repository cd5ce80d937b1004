/**
 * Vault: the contract of a place where files rest. A folder on a disk is one, memory is one, a person's own
 * local folder during a transfer is one; object storage will be one. One suite, `test/store/contract.ts`, holds for all.
 *
 * A vault knows names, bytes and whole-or-not-at-all; it knows nothing of people, rights or wires.
 * Paths are checked (`RemotePath`), and a vault never follows a symbolic link and never leaves its root.
 * Staged bytes are invisible: no method here shows a file that was not committed.
 * Every method rejects with a `Failure`; one that names a path gives it in `path`. What is asked of a name that
 * does not exist is NOTFOUND, of a file where a folder is meant NOTDIR, the reverse ISDIR.
 * Non-goals: links, owners, extended attributes, sparse files, partial overwrite of a visible file.
 */
import type { Entry } from '../entry.ts';
import type { Code } from '../errors.ts';
import type { RemotePath } from '../path.ts';
import type { Chosen, Keep, UndoPage } from './undo.ts';

/** `visible`: renamed into place. `durable`: bytes and name are also flushed to the disk. */
export type Level = 'visible' | 'durable';

/** What may already be under the name. `any` replaces a file; `absent` fails with EXISTS when something is there. */
export type Condition = 'any' | 'absent';

/** `alive`: asked between two steps of what takes several; what it throws ends it there, with what was done until then. */
export interface Steps { readonly alive?: (() => void) | undefined }

/** A file about to be received; `alive` is asked once more in the moment before it gets its name. */
export interface Want extends Steps {
  readonly size: number | undefined; // undefined: not known before the end (standard input)
  readonly mtime: number; // microseconds since 1970
  readonly mode: number;
  readonly level: Level;
  readonly condition: Condition;
  /** Replaces only a file with this BLAKE3 digest, else PRECONDITION: looked at before a byte comes, and again when the name is given. */
  readonly match?: Uint8Array | undefined;
  /** Whose upload it is, an account, or behind its name and a NUL one device or token of it: only the same owner's staged part of the same path is ever continued. */
  readonly owner: string;
  /** Whether the file that is being replaced may serve as basis; false when the owner may not read it. */
  readonly reuseOld: boolean;
  readonly keep?: Keep | undefined;
}

/** Received bytes on their way to a name. Disposing without commit keeps the staged part for the same owner to continue. */
export interface Upload extends AsyncDisposable {
  /** Bytes that may be reused: of a staged part from before, or of the file that is being replaced. */
  readonly basis: { readonly kind: 'none' | 'part' | 'old'; readonly size: number };
  /** Whether the bytes of the basis are staged already, each at its place: always with a part, with an old file where its disk can share them. */
  readonly inPlace: boolean;
  /** Fills the buffers `into`, one after the other, with bytes of the basis from `position`, an old file as it was opened; returns how many (0 at the end). */
  readBasis(into: readonly Uint8Array[], position: number): Promise<number>;
  /** Whether somebody has written to the old file since it became the basis: what was read may be a mixture. */
  basisChanged(): Promise<boolean>;
  /** Fills `into` with staged bytes from `position`; returns how many (0 at the end). */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Writes the chunks, one after the other, from `position`. The chunks must not change until it resolves. */
  write(chunks: readonly Uint8Array[], position: number): Promise<void>;
  /**
   * Cuts the file to `size`, sets mode and mtime, flushes for `durable`, and gives it its name in one step.
   * Parent folders must exist. After a rejection nothing is visible that was not before, and the part is kept
   * where going on can help (it is discarded after NOSPACE, QUOTA, disk errors, any flush that failed, and with `absent` when the name was taken meanwhile).
   */
  commit(size: number, mtime?: number): Promise<void>;
  /** Throws the staged bytes away. */
  discard(): Promise<void>;
}

/** A file open for reading, as it was when opened. */
export interface Source extends AsyncDisposable {
  readonly entry: Entry;
  /** Fills `into` from `position`; returns how many bytes (fewer only at the end, 0 past it). */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Whether the next `read` is done when it returns, so that reading ahead gains nothing. Left out: never. */
  readonly atOnce?: boolean;
  /** The same with several buffers, one after the other. */
  readv(into: readonly Uint8Array[], position: number): Promise<number>;
  /** Whether size, mtime or change time differ from when it was opened: what was read may be a mixture. */
  changed(): Promise<boolean>;
}

export interface ListPage {
  readonly entries: readonly Entry[];
  /** Names on the disk that are not valid UTF-8 or break the rules of `path.ts`: counted, never shown under another name. */
  readonly unlisted: number;
  /** The first of those, at most 20 a page, as paths in which what cannot be shown is escaped (`\xNN`): for people, and of no use in a request. */
  readonly hidden?: readonly string[] | undefined;
}

/** Something in a tree that could not, or will not, be sent. */
export interface Problem {
  readonly path: RemotePath;
  readonly code: Code;
  readonly message: string;
  /** The path as the disk has it, where `path` had to be escaped and this is text. Never shown, and no word of it goes over the wire. */
  readonly real?: string;
}

/** A folder whose contents have all been sent: the time to set its own mode and time. */
export interface FolderAttributes { readonly path: RemotePath; readonly mode: number; readonly mtime: number }

/** One step of a tree on its way out, in this order within one step. Paths are below the top of the tree. */
export interface PackStep {
  /** A pack of `pack.ts` with the small files; empty when there are none. */
  readonly pack: Uint8Array;
  readonly files: number;
  /** File bytes in the pack. */
  readonly bytes: number;
  /** Files too large for a pack; their folders have been named in a pack already. */
  readonly large: readonly (Entry & { readonly path: RemotePath })[];
  /** Folders that are complete, children before parents, but for the `large` files in them. */
  readonly folders: readonly FolderAttributes[];
  readonly problems: readonly Problem[];
  /** Symbolic links, devices, FIFOs and sockets that were passed over. */
  readonly skipped: number;
  /** Small files that are not in the pack because of `held`; undefined: none. */
  readonly same?: { readonly files: number; readonly bytes: number } | undefined;
}

export interface PackOptions {
  /** Globs of names (`*.o`, `node_modules`) or of paths below the top (`build/**`) to leave out; a folder goes with all in it. */
  readonly exclude?: readonly string[];
  /** Send what a symbolic link leads to, under the link's name, where that is inside the tree; other links are passed over. */
  readonly follow?: boolean;
  /** Paths below the top that are left out, each with all in it, in every spelling that a disk could take for them. */
  readonly without?: readonly RemotePath[];
  /** Files that need not come, by their paths below the top, as `left.ts` writes them. They are told nowhere. */
  readonly leave?: Uint8Array | undefined;
  /** Small files that need not come if they still have these bytes, as `heldAs` and `markLeft` of `left.ts` write them; they are counted. */
  readonly held?: Uint8Array | undefined;
  /** Asked before each step: resolves when it may be made, with memory for its pack: PACK_HEADROOM and at least LEAST_PACK_BYTES, no longer the caller's, but where the pack of the step is in it. Left out: whole packs, one ahead. */
  readonly room?: (() => Promise<ArrayBuffer>) | undefined;
}

export interface BatchOptions {
  readonly level: Level;
  readonly condition: Condition;
  /** Whether to say what was replaced, and how many folders were made: a look more at each name. */
  readonly tally?: boolean | undefined;
  /** With `absent`: files that may be replaced all the same, by their paths below the top, as `left.ts` writes them. */
  readonly replaceable?: Uint8Array | undefined;
  readonly keep?: Keep | undefined;
}

/** `match`: only a file with this digest. */
export interface MoveOptions extends Steps { readonly replace?: boolean; readonly match?: Uint8Array | undefined; readonly keep?: Keep | undefined }
/** `kind` refuses the other kind. */
export interface RemoveOptions extends Steps { readonly deep?: boolean; readonly kind?: 'file' | 'folder'; readonly match?: Uint8Array | undefined; readonly keep?: Keep | undefined }

/** What became of a pack. Files not among the problems are in place, at the level asked for. */
export interface BatchResult { readonly files: number; readonly bytes: number; readonly problems: readonly Problem[]; readonly replaced?: { readonly files: number; readonly bytes: number } | undefined; /** Folders. */ readonly made?: number | undefined; /** Of `bytes`: those of files that were in place before. */ readonly kept?: number }

/** `unlisted`: names among them, and others, that a listing leaves out; undefined: none. */
export interface Usage { readonly files: number; readonly folders: number; readonly bytes: number; readonly unlisted?: number | undefined }

/** Bytes; names (inodes) too where the disk has a fixed number of them. */
export interface Space { readonly free: number; readonly total: number; readonly freeNames?: number | undefined; readonly names?: number | undefined }

/** What to set; what is left out stays as it is. */
export interface Attributes { readonly mode?: number | undefined; readonly mtime?: number | undefined }

/** How long the disk took (microseconds) to write so many bytes, to flush them, and to read them back, mostly from memory. */
export interface Probed { readonly bytes: number; readonly micros: number; readonly flushMicros: number; readonly readMicros: number }

export interface Vault extends AsyncDisposable {
  /** What is at `path`, itself and not what a link points to; undefined when nothing is there. */
  stat(path: RemotePath): Promise<Entry | undefined>;
  /** The folder's entries in pages of at most 1,000, unordered; `deep`: of all folders below too, parents before children. */
  list(path: RemotePath, options?: { deep?: boolean }): AsyncIterable<ListPage>;
  /** Opens a file for reading. A link, device, FIFO or socket is UNSUPPORTED, and opening never waits for one. */
  read(path: RemotePath): Promise<Source>;
  /**
   * Stages a file, continuing the owner's part or the old file where there is one. Reserves nothing. An upload of the same owner and
   * path that is open in this vault ends first, its later calls with BUSY, and its part is continued: never has a part two writers.
   */
  receive(path: RemotePath, want: Want): Promise<Upload>;
  /** The tree at the folder `top`, depth first, in constant memory. Every step fits one frame. Which files are `large` may depend on how much room there is. */
  pack(top: RemotePath, options?: PackOptions): AsyncIterable<PackStep>;
  /**
   * Empties a pack below `top`, making its folders; verifies every digest before a name changes. One bad file does not stop
   * the others. The pack's memory may be handed to a thread: the caller must not use it again.
   */
  receiveBatch(top: RemotePath, pack: Uint8Array, options: BatchOptions): Promise<BatchResult>;
  /** Sets mode and mtime of folders, in order; a folder that is gone is a problem, not a rejection. */
  finishFolders(top: RemotePath, folders: readonly FolderAttributes[], level: Level): Promise<readonly Problem[]>;
  /** Makes one folder, and flushes its name; `parents` makes those above too and accepts one that is there. */
  makeFolder(path: RemotePath, options?: { parents?: boolean; mode?: number; keep?: Keep | undefined }): Promise<void>;
  /** Sets mode (0777 of it) and mtime of a file or folder; a link, device, FIFO or socket is UNSUPPORTED, the root itself DENIED. */
  setAttributes(path: RemotePath, attributes: Attributes): Promise<void>;
  /** Renames. Without `replace` fails with EXISTS when something is at `to`; with it replaces a file, never a folder that is not empty. */
  move(from: RemotePath, to: RemotePath, options?: MoveOptions): Promise<void>;
  /** Removes a file or link, or an empty folder; `deep` removes a folder with all in it. */
  remove(path: RemotePath, options?: RemoveOptions): Promise<void>;
  /**
   * How the last action of `by` would be undone (with `redo`, its last undo be taken back), step by step, and what stands in the way of each: somebody
   * has changed what the action left. What was replaced or removed with `keep` comes back from where the vault has put it, as long as
   * it may be there; a vault that keeps nothing says NOTFOUND. Nothing is changed.
   */
  rehearseUndo(by: string, redo: boolean): AsyncIterable<UndoPage>;
  /** Undoes `chosen`, if it is still what was rehearsed, else CHANGED: each step that nothing stands in the way of, with `force` of some others too. What it replaces is kept as `keep`. */
  undo(chosen: Chosen, keep: Keep, how: { redo: boolean; force: boolean }): AsyncIterable<UndoPage>;
  /** Files, folders and bytes at and below `path`. */
  usage(path: RemotePath, steps?: Steps): Promise<Usage>;
  space(): Promise<Space>;
  /**
   * Writes at most `bytes` where files are staged (less where the account is not to go that fast), for at most `milliseconds`, flushes and reads them, and gives the room back, also
   * when the process ends meanwhile. Rejects with NOSPACE rather than fill the disk.
   */
  probe(bytes: number, milliseconds: number): Promise<Probed>;
  /** So many bytes that are nobody's are about to go by, `in` or `out` of it: resolves when they may. Left out: they always may. */
  pass?(way: 'in' | 'out', bytes: number): Promise<void>;
  /** Lets go of what was kept too long, and forgets staged parts last written before `before` (ms since 1970), and not in use now; returns how many. */
  sweep(before: number): Promise<number>;
}
