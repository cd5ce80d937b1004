/**
 * Client: what a person or a program can ask of a server. The contract between the library, the command line
 * and the engine below; no code here.
 *
 * Remote paths are text as a person types it, seen from the served folder: `docs/a.txt`, `/docs/a.txt`, `docs/`.
 * Every method rejects with a `Failure`. `put` and `get` of several sources do not stop at the first failure:
 * they resolve, and each item of the summary says what became of it.
 */
import type { Entry } from '../entry.ts';
import type { Failure } from '../errors.ts';
import type { Right } from '../rights.ts';
import type { Attributes, Level, ListPage, Space, Usage } from '../store/vault.ts';
import type { Active, Item, Limit, Problem, Progress, Summary } from './outcome.ts';
import type { Met, Plan } from './planned.ts';
import type { Acting, Undone, UndoOptions, UndoStep } from './undo.ts';

export type { Active, Item, Limit, Met, Plan, Problem, Progress, Summary };
export type { Acting, Attributes, Undone, UndoOptions, UndoStep, Entry, Right, Level, ListPage, Space, Usage };

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

export interface Matching {
  /** Only if the file that is there has this BLAKE3 digest (hexadecimal), else PRECONDITION. Takes the right to read. */
  readonly ifMatch?: string | undefined;
}

/** What one try of a transfer leaves for the next, over another connection: the same object, empty at first, for all of them. */
export interface Remembered {
  /** What a server has confirmed of folders that are sent: packs of small files, by target and digest, and large files, by target, size and time. It is not sent again. At most 100,000 are noted. */
  readonly sent: Set<string>;
  /** Folders that were not there before: they get the mode and time of their source also when the next try finds them. */
  readonly tops: Set<string>;
  /** Files of folders that were fetched and are in place, by target and path, with their sizes: they are not fetched again. At most 32,768 are noted. */
  readonly fetched: Map<string, Map<string, number>>;
  /** With `update`: what the first try found to be left out, by target, so that what it brought itself is not taken for that. */
  readonly left: Map<string, readonly string[]>;
  /** Small files that were at the target of a folder before the first try, by target: their bytes need not come if they are still the same. */
  readonly held: Map<string, readonly HeldFile[]>;
}

/** A file that is here, by its path below the top of what is fetched. */
export interface HeldFile { readonly path: string; readonly digest: Uint8Array }

export interface TransferOptions extends RequestOptions, Acting {
  /** Called at most 10 times a second, once a second while nothing moves, and once at the end. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Counts files and bytes of folders, and of several sources, beside the transfer, for the totals in the progress, once it has taken so long (ms); left out: never. */
  readonly countAfter?: number | undefined;
  /** Called when an item (one source, file or folder) is over. */
  readonly onItem?: ((item: Item) => void) | undefined;
  /** Called for each folder when it is settled where it goes, and waited for before anything of it does; `there`: whether the target was there before, or may have been. */
  readonly onTarget?: ((source: string, target: string, there: boolean) => Promise<void>) | undefined;
  /** Called for each single file of a folder that is done, or for which it is known that it failed. */
  readonly onFile?: ((path: string, problem?: Problem) => void) | undefined;
  /** Called for what was passed over in a folder, when the rest of it is done; with `follow` not for links. Costs a second look at the folder. */
  readonly onSkipped?: ((path: string, kind: 'link' | 'other') => void) | undefined;
  /** Glob patterns (`*.o`, `node_modules`, `build/**`) of names or paths below a folder to leave out. */
  readonly exclude?: readonly string[] | undefined;
  /** Send what symbolic links inside a folder lead to, where that is inside the folder too; otherwise links are passed over and counted. */
  readonly follow?: boolean | undefined;
  /** `durable` by default: what is said to be done survives a power cut. */
  readonly level?: Level | undefined;
  readonly remembered?: Remembered | undefined;
  /** Fail with EXISTS instead of replacing a file. */
  readonly ifAbsent?: boolean | undefined;
  /** With `ifAbsent`: files of a folder that are known to be there and are to stay, by source and path below it; they count as no failure. */
  readonly leave?: ((source: string, path: string) => boolean) | undefined;
  /** Leave out files of which the one at the other end is newer, or has the same size and time; they are counted in `left`. */
  readonly update?: boolean | undefined;
  /** With `ifAbsent`: files that may be replaced all the same, by source and path below it, empty for a single file; at most 32,768 of a source, else LIMIT. */
  readonly replaceable?: ReadonlyMap<string, ReadonlySet<string>> | undefined;
  /** Of one file: replace only a file with this BLAKE3 digest (hexadecimal), on either side, else fail with PRECONDITION. On the server it takes the right to read. */
  readonly ifMatch?: string | undefined;
}

export interface PlanOptions extends RequestOptions, Pick<TransferOptions, 'exclude' | 'follow' | 'update' | 'ifMatch'> {
  /** Look into folders too of which the other end has none. */
  readonly count?: boolean | undefined;
}

export interface MeasureOptions {
  /** Default 64 MiB, and 2,000. */
  readonly bytes?: number | undefined;
  readonly milliseconds?: number | undefined;
}

export interface Measured {
  readonly bytes: number;
  readonly milliseconds: number;
  /** Of a disk: how long it took to flush what was written, and to read it back, which is mostly from memory. */
  readonly flushMilliseconds?: number | undefined;
  readonly readMilliseconds?: number | undefined;
  /** Of a way: for how much of the time the server held it up, by the rate that it allows; as the server says. */
  readonly heldMilliseconds?: number | undefined;
}

export interface AskedTime {
  readonly milliseconds: number;
  /** How far the server's clock is before that of this machine (ms), by half of the round trip. */
  readonly aheadMilliseconds: number;
}

export interface Client extends AsyncDisposable {
  readonly server: ServerInfo;
  /** Settles when the connection is over: undefined after `close`, else why it broke. */
  readonly closed: Promise<Failure | undefined>;
  /** Sends files and folders. One source: `remote` is the new name, or the existing folder to put it in (as `cp` does);
   *  several, or a `remote` that ends in `/`: the folder to put them in, which must exist. Default: the served folder.
   *  Of a source that ends in `/.`, or is `.`, what is in the folder goes to `remote` itself, made if it is missing. */
  put(local: string | readonly string[], remote?: string, options?: TransferOptions): Promise<Summary>;
  /** Fetches files and folders; the same rules for `local`, whose default is the current folder, and for `/.`. */
  get(remote: string | readonly string[], local?: string, options?: TransferOptions): Promise<Summary>;
  /** What `put` or `get` would do with the same words; nothing is changed. */
  plan(way: 'put' | 'get', sources: string | readonly string[], target: string, options?: PlanOptions): Promise<readonly Plan[]>;
  /** Whether a file here and one on the server hold the same bytes, by their digests. */
  isSame(local: string, remote: string, options?: RequestOptions): Promise<boolean>;
  /** Stores what the stream yields as one file, visible only when the stream has ended well. */
  putStream(stream: AsyncIterable<Uint8Array>, remote: string, options?: TransferOptions): Promise<Item>;
  /** The bytes of one file; throws at the end, with VERIFY, when they are not those the server has. */
  getStream(remote: string, options?: RequestOptions): AsyncIterable<Uint8Array>;
  /** undefined when nothing is there. */
  stat(remote: string, options?: RequestOptions): Promise<Entry | undefined>;
  list(remote: string, options?: RequestOptions & { deep?: boolean | undefined }): AsyncIterable<ListPage>;
  makeFolder(remote: string, options?: RequestOptions & Acting & { parents?: boolean | undefined }): Promise<void>;
  /** Removes a file or an empty folder; `deep`: a folder with all in it; `kind` refuses the other kind. */
  remove(remote: string, options?: RequestOptions & Acting & Matching & { deep?: boolean | undefined; kind?: 'file' | 'folder' | undefined }): Promise<void>;
  /** Renames; never replaces an existing name unless `replace`. */
  change(from: string, to: string, options?: RequestOptions & Acting & Matching & { replace?: boolean | undefined }): Promise<void>;
  /** Undoes the last put, remove, change or makeFolder of this device or token that is not undone; rejects with NOTFOUND when there is none, with PRECONDITION when something was changed since. */
  undo(options?: UndoOptions): Promise<Undone>;
  /** Sets mode (0777 at most) and time (microseconds since 1970) of a file or folder; what is left out stays. Links are refused. */
  setAttributes(remote: string, options: RequestOptions & Attributes): Promise<void>;
  usage(remote: string, options?: RequestOptions): Promise<Usage>;
  space(options?: RequestOptions): Promise<Space>;
  /** How fast bytes go up, go down, or onto the disk of the server: for at most so many bytes (1 GiB, of a disk 256 MiB) and milliseconds (5,000). One at a time. */
  measure(what: 'up' | 'down' | 'disk', options?: RequestOptions & MeasureOptions): Promise<Measured>;
  /** One question and its answer: how long that took, and what the server's clock said. */
  askTime(options?: RequestOptions): Promise<AskedTime>;
  /** The digest of a file as the server reads it from its disk now, in hexadecimal. */
  hash(remote: string, options?: RequestOptions & { algorithm?: 'blake3' | 'sha256' | undefined }): Promise<string>;
  /** Says goodbye and ends the connection; running requests end with CANCELLED. */
  close(): Promise<void>;
}

export interface ConnectOptions {
  /** The name of a server this device has joined, or `HOST[:PORT]#sha256:…`; default: $WHERRY_SERVER, or the first one joined. */
  readonly server?: string | undefined;
  /** Sign in with this token in place of the device's key; default: $WHERRY_TOKEN. */
  readonly token?: string | undefined;
  /** The folder that holds this device's key and the servers it knows; default: $WHERRY_HOME, else the XDG folders. */
  readonly home?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface JoinOptions {
  /** The line `wherry serve` printed; or a spoken code, which finds its server on the local network: `7-crater-lantern`, `7-crater-lantern@HOST:PORT`. */
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
  /** The name this device knew the server by before, which it keeps unless `as` was given; undefined: it did not know it. */
  readonly before: string | undefined;
}
