/**
 * Outcome: what a transfer tells of itself, while it goes and when it is over. No code here, and nothing of what can be asked (`api.ts`).
 */
import type { Code, Failure, Party } from '../errors.ts';
import type { Level, Problem as Trouble } from '../store/vault.ts';

/** A file or folder of a tree that failed, and on whose side. */
export interface Problem extends Trouble {
  readonly who: Party;
  /** The next thing to type or do, where more is known than the code says. */
  readonly hint?: string | undefined;
}

/**
 * What limits a transfer, as seen from here: what it waited for in most of the last second.
 * `disk` the disk here; `input` the stream that is sent; `cpu` the processor here; `network` the connection takes no more,
 * or what the server has begun to send is still on its way; `server` nothing is on its way, and the server has
 * not answered or takes no more, mostly because of its disk; `peer` the network or the server, and which cannot be told.
 */
export type Limit = 'disk' | 'input' | 'cpu' | 'network' | 'server' | 'peer';

/** A file on its way, or a folder whose small files are. */
export interface Active {
  readonly name: string;
  readonly bytes: number;
  /** undefined: not known, as of a folder or a stream. */
  readonly size: number | undefined;
}

/** How far a transfer is. Totals are undefined while they are still being counted, or when nobody asked for them. */
export interface Progress {
  /** The large file in flight that was started last, or the folder the small files are in. */
  readonly name: string;
  readonly nameBytes: number;
  readonly nameSize: number | undefined;
  /** File bytes that are done, over all files; includes those that resume kept. */
  readonly bytes: number;
  /** Those of them that were there already: they say nothing about how fast it goes. */
  readonly kept: number;
  readonly files: number;
  readonly totalBytes: number | undefined;
  readonly totalFiles: number | undefined;
  /** What limits it at present; undefined in the first second, and when nothing clearly does. */
  readonly limit: Limit | undefined;
  /** What is on its way now, in the order of its beginning: at most 16, more are never in flight. */
  readonly active: readonly Active[];
  /** Connections that carry it now: more than one for a large file far away. */
  readonly streams: number;
  /** Sources that are over, whatever became of them, of `totalSources`. */
  readonly sources: number;
  readonly totalSources: number;
}

/** What became of one source of a `put` or `get`. */
export interface Item {
  readonly source: string;
  /** Where it is now: a remote path, or a local one. */
  readonly target: string;
  readonly kind: 'file' | 'folder' | undefined; // undefined: it failed before that was known
  readonly files: number;
  readonly bytes: number;
  /** Bytes that were not sent because the receiver held them already. */
  readonly kept: number;
  readonly milliseconds: number;
  readonly level: Level;
  /** Of a single file: its BLAKE3 digest, in hexadecimal, computed by both ends. */
  readonly digest: string | undefined;
  /** Links, devices, FIFOs and sockets that were passed over. */
  readonly skipped: number;
  /** Files that were left out by `update`. */
  readonly left: number;
  /** Files inside a folder that failed. At most 1,000 are kept; `failed` counts all. */
  readonly problems: readonly Problem[];
  readonly failed: number;
  /** The code that all of them failed with; undefined: none failed, or for several reasons. */
  readonly failedWith: Code | undefined;
  /** Bytes of single or large files that were sent, or fetched, of files that then failed. Unless a disk failed, the receiver keeps what it has of them for the next try. */
  readonly unfinished: number;
  /** Bytes that went over the connection, or were given to it, also of files that then failed. */
  readonly moved: number;
  /** Why the item as a whole failed. */
  readonly failure: Failure | undefined;
}

export interface Summary {
  readonly items: readonly Item[];
  readonly files: number;
  readonly bytes: number;
  readonly kept: number;
  readonly failed: number;
  readonly skipped: number;
  readonly left: number;
  readonly milliseconds: number;
}
