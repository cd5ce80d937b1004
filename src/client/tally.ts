/**
 * Tally: how far a transfer is, and what became of each item. Pure bookkeeping, no transfers.
 * Progress is told at most 10 times a second, however many files there are.
 */
import { hex } from '../digest.ts';
import type { Code, Failure } from '../errors.ts';
import { printable } from '../printable.ts';
import type { Item, Level, Problem, Progress, Summary, TransferOptions } from './api.ts';

/** Problems kept for an item; what is beyond is only counted, since nobody reads on. */
const MAX_PROBLEMS = 1000;
const TELL_EVERY_MS = 100;

export class Tally {
  readonly #options: TransferOptions;
  readonly #started = performance.now();
  readonly items: Item[] = [];
  #bytes = 0;
  #files = 0;
  #name = '';
  #nameBytes = 0;
  #nameSize: number | undefined;
  #totalBytes: number | undefined;
  #totalFiles: number | undefined;
  #told = 0;

  constructor(options: TransferOptions) {
    this.#options = options;
  }

  expect(files: number, bytes: number): void {
    this.#totalFiles = (this.#totalFiles ?? 0) + files;
    this.#totalBytes = (this.#totalBytes ?? 0) + bytes;
  }

  /** A file, or the small files of a folder, are in flight now. */
  begin(name: string, size: number | undefined): void {
    this.#name = printable(name);
    this.#nameBytes = 0;
    this.#nameSize = size;
  }

  bytes(count: number): void {
    this.#bytes += count;
    this.#nameBytes += count;
    this.#tell(false);
  }

  files(count: number): void {
    this.#files += count;
    this.#tell(false);
  }

  #tell(now: boolean): void {
    const { onProgress } = this.#options;
    if (onProgress === undefined) return;
    const time = performance.now();
    if (!now && time - this.#told < TELL_EVERY_MS) return;
    this.#told = time;
    const progress: Progress = {
      name: this.#name, nameBytes: this.#nameBytes, nameSize: this.#nameSize, bytes: this.#bytes, files: this.#files,
      totalBytes: this.#totalBytes, totalFiles: this.#totalFiles,
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
      failed: sum((item) => item.failed + (item.failure === undefined ? 0 : 1)), skipped: sum((item) => item.skipped),
      milliseconds: performance.now() - this.#started,
    };
  }
}

/** What is known of one item while it is on its way. */
export class ItemTally {
  readonly source: string;
  readonly level: Level;
  readonly tally: Tally;
  readonly #options: TransferOptions;
  readonly #started = performance.now();
  readonly #problems: Problem[] = [];
  target = '';
  kind: 'file' | 'folder' | undefined;
  #files = 0;
  #bytes = 0;
  #kept = 0;
  #failed = 0;
  #failedWith: Code | undefined;
  #skipped = 0;
  #digest: Uint8Array | undefined;

  constructor(source: string, tally: Tally, options: TransferOptions) {
    this.source = printable(source);
    this.level = options.level ?? 'durable';
    this.tally = tally;
    this.#options = options;
  }

  /** `files` files with `bytes` bytes are in place; large ones have been counted by `moved` as they went. */
  stored(files: number, bytes: number): void {
    this.#files += files;
    this.#bytes += bytes;
    this.tally.bytes(bytes);
    this.tally.files(files);
  }

  /** Bytes of one large file went by; `kept` of them were there already. */
  moved(bytes: number, kept: number): void {
    this.#bytes += bytes;
    this.#kept += kept;
    this.tally.bytes(bytes);
  }

  /** One large file, whose bytes `moved` has counted, is in place. */
  file(digest: Uint8Array): void {
    this.#files += 1;
    this.#digest = digest;
    this.tally.files(1);
  }

  fileDone(path: string): void {
    this.#options.onFile?.(printable(path));
  }

  problem(problem: Problem): void {
    this.#failedWith = this.#failed === 0 || this.#failedWith === problem.code ? problem.code : undefined;
    this.#failed += 1;
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push(problem);
    this.#options.onFile?.(printable(problem.path), problem);
  }

  skip(count: number): void {
    this.#skipped += count;
  }

  done(failure?: Failure): Item {
    return this.tally.finish({
      source: this.source, target: this.target, kind: this.kind, files: this.#files, bytes: this.#bytes, kept: this.#kept,
      milliseconds: performance.now() - this.#started, level: this.level,
      digest: failure === undefined && this.kind === 'file' && this.#digest !== undefined ? hex(this.#digest) : undefined,
      skipped: this.#skipped, problems: this.#problems, failed: this.#failed, failedWith: this.#failedWith, failure,
    });
  }
}
