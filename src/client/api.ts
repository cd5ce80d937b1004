/**
 * Client: what a person or a program can ask of a server. The contract between the library, the command line
 * and the engine below; no code here.
 *
 * Remote paths are text as a person types it, seen from the served folder: `docs/a.txt`, `/docs/a.txt`, `docs/`.
 * Every method rejects with a `Failure`. `put` and `get` of several sources do not stop at the first failure:
 * they resolve, and each item of the summary says what became of it.
 */
import type { Entry } from '../entry.ts';
import type { Code, Failure, Party } from '../errors.ts';
import type { Right } from '../rights.ts';
import type { Level, ListPage, Problem as Trouble, Space, Usage } from '../store/vault.ts';

export type { Entry, Right, Level, ListPage, Space, Usage };

/** A file or folder of a tree that failed, and on whose side. */
export interface Problem extends Trouble { readonly who: Party }

export interface ServerInfo {
  /** The name this device knows the server by; undefined when it was reached by address and pin alone. */
  readonly name: string | undefined;
  /** The address that answered, `host:port`. */
  readonly address: string;
  /** `sha256:` and the base64url digest of the server's public key. */
  readonly fingerprint: string;
  /** The name under which the server knows this device. */
  readonly account: string;
  readonly rights: readonly Right[];
  /** The server's software and version. */
  readonly agent: string;
}

export interface RequestOptions {
  /** Cancels the request, at both ends. What was sent stays resumable. */
  readonly signal?: AbortSignal | undefined;
}

/** How far a transfer is. Totals are undefined while they are still being counted, or when nobody asked for them. */
export interface Progress {
  /** The large file in flight that was started last, or the folder the small files are in. */
  readonly name: string;
  readonly nameBytes: number;
  readonly nameSize: number | undefined;
  /** File bytes that are done, over all files; includes those that resume kept. */
  readonly bytes: number;
  readonly files: number;
  readonly totalBytes: number | undefined;
  readonly totalFiles: number | undefined;
}

export interface TransferOptions extends RequestOptions {
  /** Called at most 10 times a second, and once at the end. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Counts files and bytes of folders beside the transfer, for the totals in the progress, once it has taken so long (ms); left out: never. */
  readonly countAfter?: number | undefined;
  /** Called when an item (one source, file or folder) is over. */
  readonly onItem?: ((item: Item) => void) | undefined;
  /** Called for each single file of a folder that is done, or for which it is known that it failed. */
  readonly onFile?: ((path: string, problem?: Problem) => void) | undefined;
  /** Glob patterns (`*.o`, `node_modules`, `build/**`) of names or paths below a folder to leave out. */
  readonly exclude?: readonly string[] | undefined;
  /** Send what symbolic links inside a folder lead to, where that is inside the folder too; otherwise links are passed over and counted. */
  readonly follow?: boolean | undefined;
  /** `durable` by default: what is said to be done survives a power cut. */
  readonly level?: Level | undefined;
  /** Fail with EXISTS instead of replacing a file. */
  readonly ifAbsent?: boolean | undefined;
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
  /** Files inside a folder that failed. At most 1,000 are kept; `failed` counts all. */
  readonly problems: readonly Problem[];
  readonly failed: number;
  /** The code that all of them failed with; undefined: none failed, or for several reasons. */
  readonly failedWith: Code | undefined;
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
  readonly milliseconds: number;
}

export interface Client extends AsyncDisposable {
  readonly server: ServerInfo;
  /** Settles when the connection is over: undefined after `close`, else why it broke. */
  readonly closed: Promise<Failure | undefined>;
  /** Sends files and folders. One source: `remote` is the new name, or the existing folder to put it in (as `cp` does);
   *  several, or a `remote` that ends in `/`: the folder to put them in, which must exist. Default: the served folder. */
  put(local: string | readonly string[], remote?: string, options?: TransferOptions): Promise<Summary>;
  /** Fetches files and folders; the same rules for `local`, whose default is the current folder. */
  get(remote: string | readonly string[], local?: string, options?: TransferOptions): Promise<Summary>;
  /** Stores what the stream yields as one file, visible only when the stream has ended well. */
  putStream(stream: AsyncIterable<Uint8Array>, remote: string, options?: TransferOptions): Promise<Item>;
  /** The bytes of one file; throws at the end, with VERIFY, when they are not those the server has. */
  getStream(remote: string, options?: RequestOptions): AsyncIterable<Uint8Array>;
  /** undefined when nothing is there. */
  stat(remote: string, options?: RequestOptions): Promise<Entry | undefined>;
  list(remote: string, options?: RequestOptions & { deep?: boolean | undefined }): AsyncIterable<ListPage>;
  makeFolder(remote: string, options?: RequestOptions & { parents?: boolean | undefined }): Promise<void>;
  /** Removes a file or an empty folder; `deep`: a folder with all in it; `kind` refuses the other kind. */
  remove(remote: string, options?: RequestOptions & { deep?: boolean | undefined; kind?: 'file' | 'folder' | undefined }): Promise<void>;
  /** Renames; never replaces an existing name unless `replace`. */
  change(from: string, to: string, options?: RequestOptions & { replace?: boolean | undefined }): Promise<void>;
  usage(remote: string, options?: RequestOptions): Promise<Usage>;
  space(options?: RequestOptions): Promise<Space>;
  /** The digest of a file as the server reads it from its disk now, in hexadecimal. */
  hash(remote: string, options?: RequestOptions & { algorithm?: 'blake3' | 'sha256' | undefined }): Promise<string>;
  /** Says goodbye and ends the connection; running requests end with CANCELLED. */
  close(): Promise<void>;
}

export interface ConnectOptions {
  /** The name of a server this device has joined; default: $WHERRY_SERVER, or the first one joined. */
  readonly server?: string | undefined;
  /** The folder that holds this device's key and the servers it knows; default: $WHERRY_HOME, else the XDG folders. */
  readonly home?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface JoinOptions {
  /** The line `wherry serve` printed. */
  readonly ticket: string;
  /** The name to know the server by; default: what the server calls itself. */
  readonly as?: string | undefined;
  readonly home?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Joined {
  readonly name: string;
  readonly address: string;
  readonly fingerprint: string;
  readonly account: string;
  readonly rights: readonly Right[];
  /** Whether it became the default server. */
  readonly isDefault: boolean;
}
