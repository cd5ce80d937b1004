/**
 * Tally: how far a transfer is, and what became of each item. Pure bookkeeping, no transfers.
 * Progress is told at most 10 times a second, however many files there are, and once a second while nothing moves.
 */
import { hex } from '../digest.ts';
import { Failure, type Code } from '../errors.ts';
import { MAX_LEFT } from '../left.ts';
import { printable } from '../printable.ts';
import { Waits } from '../session/waits.ts';
import type { Active, Item, Level, Limit, Problem, Progress, Summary, TransferOptions } from './api.ts';

/** Problems kept for an item; what is beyond is only counted, since nobody reads on. */
const MAX_PROBLEMS = 1000;
/** What says that there is no room for what comes next either; and how often, before it is believed: a smaller file may still fit. */
const FULL: ReadonlySet<Code> = new Set<Code>(['NOSPACE', 'QUOTA']);
const MAX_FULL = 5;
const TELL_EVERY_MS = 100;
/** Files of one folder go four at a time; a reading that grew with anything would be a mistake of ours. */
const MAX_ACTIVE = 16;
/** What holds a transfer up should be seen also when it stands still. */
const TELL_AGAIN_MS = 1_000;

export class Tally implements Disposable {
  readonly #options: TransferOptions;
  readonly #started = performance.now();
  readonly items: Item[] = [];
  #bytes = 0;
  #kept = 0;
  #files = 0;
  readonly #active = new Set<Moving>();
  /** What was begun when nothing else was on its way, as the folder that others are in; it still names the transfer when it is over. */
  #whole: Moving | undefined;
  #totalBytes: number | undefined;
  #totalFiles: number | undefined;
  #told = 0;
  /** Where waiting is counted; undefined when nobody wants to know. */
  readonly waits: Waits | undefined;
  readonly #local: Limit;
  readonly #timer: NodeJS.Timeout | undefined;

  /** Of how many sources it is. */
  readonly sources: number;

  /** `local`: what a wait for this side's own bytes is called. */
  constructor(options: TransferOptions, { local = 'disk', sources = 1 }: { readonly local?: 'disk' | 'input'; readonly sources?: number } = {}) {
    this.#options = options;
    this.sources = sources;
    this.#local = local;
    if (options.onProgress === undefined) return;
    this.waits = new Waits();
    this.#timer = setInterval(() => { this.#tell(false); }, TELL_AGAIN_MS).unref();
  }

  /** Nothing is told any more. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  expect(files: number, bytes: number): void {
    this.#totalFiles = (this.#totalFiles ?? 0) + files;
    this.#totalBytes = (this.#totalBytes ?? 0) + bytes;
  }

  /** A file, or the small files of a folder, are in flight from now on, until it is disposed. */
  begin(name: string, size: number | undefined): Moving {
    const moving = new Moving(printable(name), size, () => this.#active.delete(moving));
    if (this.#active.size === 0) this.#whole = moving;
    this.#active.add(moving);
    return moving;
  }

  /** `kept` of the bytes were there already. */
  bytes(count: number, of: Moving | undefined, kept: number): void {
    this.#bytes += count;
    this.#kept += kept;
    if (of !== undefined) of.bytes += count;
    this.#tell(false);
  }

  files(count: number): void {
    this.#files += count;
    this.#tell(false);
  }

  #tell(now: boolean): void {
    const { onProgress } = this.#options;
    // Before anything was begun, and where nothing was, there is nothing to show.
    if (onProgress === undefined || this.#whole === undefined) return;
    const time = performance.now();
    if (!now && time - this.#told < TELL_EVERY_MS) return;
    this.#told = time;
    const limit = this.waits?.limit();
    const moving = [...this.#active];
    const named = moving.at(-1) ?? this.#whole;
    const progress: Progress = {
      name: named.name, nameBytes: named.bytes, nameSize: named.size, bytes: this.#bytes, kept: this.#kept, files: this.#files,
      totalBytes: this.#totalBytes, totalFiles: this.#totalFiles, limit: limit === 'disk' ? this.#local : limit,
      active: moving.slice(0, MAX_ACTIVE).map(({ name, bytes, size }) => ({ name, bytes, size })),
      streams: 1 + moving.reduce((sum, { lanes }) => sum + lanes, 0), sources: this.items.length, totalSources: this.sources,
    };
    onProgress(progress);
  }

  finish(item: Item): Item {
    this.items.push(item);
    this.#options.onItem?.(item);
    return item;
  }

  summary(): Summary {
    this.#tell(true);
    const sum = (pick: (item: Item) => number): number => this.items.reduce((total, item) => total + pick(item), 0);
    return {
      items: this.items, files: sum((item) => item.files), bytes: sum((item) => item.bytes), kept: sum((item) => item.kept),
      failed: sum((item) => item.failed + (item.failure === undefined ? 0 : 1)), skipped: sum((item) => item.skipped), left: sum((item) => item.left),
      milliseconds: performance.now() - this.#started,
    };
  }
}

/** One file, or one folder, on its way. */
class Moving implements Active, Disposable {
  readonly name: string;
  readonly size: number | undefined;
  bytes = 0;
  /** Connections besides the first. */
  lanes = 0;
  readonly #over: () => void;

  constructor(name: string, size: number | undefined, over: () => void) {
    this.name = name;
    this.size = size;
    this.#over = over;
  }

  [Symbol.dispose](): void {
    this.#over();
  }
}

/** A file on its way; dispose it when it is over. */
export interface SingleFile extends Disposable {
  /** Bytes went by; `kept` of them were there already. */
  onBytes(bytes: number, kept: number): void;
  /** More bytes may be on their way: what is there of them when it fails is kept. */
  onSent(bytes: number): void;
  /** So many connections besides the first carry it now. */
  onLanes(lanes: number): void;
  stored(digest: Uint8Array): void;
}

/** What is known of one item while it is on its way. */
export class ItemTally {
  readonly source: string;
  /** The same as it was given. */
  readonly #named: string;
  readonly level: Level;
  readonly tally: Tally;
  readonly #options: TransferOptions;
  readonly #started = performance.now();
  readonly #problems: Problem[] = [];
  /** The paths of the problems that are kept. */
  readonly #failedPaths = new Set<string>();
  target = '';
  kind: 'file' | 'folder' | undefined;
  #files = 0;
  #bytes = 0;
  #kept = 0;
  #failed = 0;
  #failedWith: Code | undefined;
  #refused = 0;
  #full: Failure | undefined;
  #skipped = 0;
  #left = 0;
  #digest: Uint8Array | undefined;
  #unfinished = 0;
  #moved = 0;
  /** The folder whose small files are on their way. */
  #packed: Moving | undefined;

  constructor(source: string, tally: Tally, options: TransferOptions) {
    this.source = printable(source);
    this.#named = source;
    this.level = options.level ?? 'durable';
    this.tally = tally;
    this.#options = options;
  }

  /** The small files of a folder are on their way from now on, until it is disposed. */
  folder(name: string): Disposable {
    this.#packed = this.tally.begin(name, undefined);
    return this.#packed;
  }

  /** `files` files of a pack, with `bytes` bytes, are in place; `kept` of these were before. */
  stored(files: number, bytes: number, kept = 0): void {
    this.#files += files;
    this.#bytes += bytes;
    this.#kept += kept;
    this.#moved += bytes - kept;
    this.tally.bytes(bytes, this.#packed, kept);
    this.tally.files(files);
  }

  /** So many bytes of packs were sent, and it is not known what became of them. */
  lost(bytes: number): void {
    this.#moved += bytes;
  }

  /** A file that is not one of many in a pack is on its way. Progress counts its bytes as they arrive, the item when it is in place. */
  single(name: string, size: number | undefined): SingleFile {
    const sum = { bytes: 0, kept: 0, sent: 0 };
    const begun = (): number => Math.max(sum.bytes, sum.sent);
    const more = (counted: 'bytes' | 'sent', bytes: number): void => {
      const before = begun();
      sum[counted] += bytes;
      this.#unfinished += begun() - before;
      this.#moved += begun() - before;
    };
    const moving = this.tally.begin(name, size);
    return {
      onBytes: (bytes, kept) => {
        more('bytes', bytes);
        sum.kept += kept;
        this.#moved -= kept;
        this.tally.bytes(bytes, moving, kept);
      },
      onSent: (bytes) => more('sent', bytes),
      onLanes: (lanes) => { moving.lanes = lanes; },
      stored: (digest) => {
        this.#files += 1;
        this.#bytes += sum.bytes;
        this.#kept += sum.kept;
        this.#unfinished -= begun();
        this.#digest = digest;
        this.tally.files(1);
      },
      [Symbol.dispose]: () => moving[Symbol.dispose](),
    };
  }

  fileDone(path: string): void {
    this.#options.onFile?.(printable(path));
  }

  /** A folder that could not be made fails again when its mode is to be set: told once, and counted once as long as problems are kept. */
  problem(problem: Problem): void {
    if (problem.code === 'EXISTS' && this.#options.leave?.(this.#named, problem.path) === true) return;
    if (this.#failedPaths.has(problem.path)) return;
    this.#failedWith = this.#failed === 0 || this.#failedWith === problem.code ? problem.code : undefined;
    this.#failed += 1;
    if (FULL.has(problem.code) && (this.#refused += 1) === MAX_FULL) {
      this.#full = new Failure(this.#failedWith ?? 'IO', `the rest was not tried: ${problem.message}`, { who: problem.who, hint: problem.hint });
    }
    if (this.#problems.length < MAX_PROBLEMS) {
      this.#problems.push(problem);
      this.#failedPaths.add(problem.path);
    }
    this.#options.onFile?.(printable(problem.path), problem);
  }

  /** Set when file after file found no room: then nothing more is tried. */
  get full(): Failure | undefined {
    return this.#full;
  }

  /** What of it may be replaced where nothing else may. */
  get replaceable(): ReadonlySet<string> | undefined {
    const paths = this.#options.replaceable?.get(this.#named);
    if (paths !== undefined && paths.size > MAX_LEFT) throw new Failure('LIMIT', `more than ${MAX_LEFT} files that may be replaced`, { who: 'here', hint: 'leave ifAbsent out' });
    return paths;
  }

  get skipped(): number { return this.#skipped; }

  skip(count: number): void {
    this.#skipped += count;
  }

  /** So many files were left out, and stay as they are. */
  leave(count: number): void {
    this.#left += count;
  }

  done(failure?: Failure): Item {
    return this.tally.finish({
      source: this.source, target: this.target, kind: this.kind, files: this.#files, bytes: this.#bytes, kept: this.#kept,
      milliseconds: performance.now() - this.#started, level: this.level,
      digest: failure === undefined && this.kind === 'file' && this.#digest !== undefined ? hex(this.#digest) : undefined,
      skipped: this.#skipped, left: this.#left, problems: this.#problems, failed: this.#failed, failedWith: this.#failedWith, failure, unfinished: this.#unfinished, moved: this.#moved,
    });
  }
}
