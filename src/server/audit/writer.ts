/**
 * Writer: the end of the audit at which it grows. Takes records at any moment, and writes them one after the other.
 *
 * A file is only ever added to, and flushed once a second while there is something new. What a crash has torn stays where it is: a
 * record behind it says so. Once a second it is looked whether the file is still in its place, too: where it was moved or removed, as where records
 * are missing at the start, a new one goes on in the same chain with a record of what is missing. When the disk takes nothing, records wait, up to a bound; beyond it they are counted, and the count is
 * a record of its own as soon as one can be written. Whoever is served does not wait for any of this, and does not
 * fail by it: the warning is told once, and again when it works. Holding the state folder makes the writer the only one.
 */
import { rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Failure, fromErrno } from '../../errors.ts';
import { printable } from '../../printable.ts';
import { privateFolder } from '../../private.ts';
import { type Body, chained, digestOf, type Head, misfit, MISSING, parseRecord, START, TORN } from './record.ts';
import { AuditFile } from './file.ts';
import { filesOf, foundIn, KEPT_FILES, nameOf } from './folder.ts';
import { Noted } from './noted.ts';

export interface WriterOptions {
  readonly folder: string;
  /** Size at which a file is followed by another. */
  readonly maxBytes?: number;
  /** Files that are kept. */
  readonly maxFiles?: number;
  /** Records that may wait, in bytes. */
  readonly maxWaiting?: number;
  /** How long after a record it is flushed, and after a failure it is tried again (ms). */
  readonly pauseMs?: number;
  /** It cannot be written any more, or can again. */
  onTrouble(message: string): void;
}

/** 64 MiB hold some 200,000 records and are read by any tool. */
const MAX_BYTES = 64 << 20;
/** What a busy server tells in some seconds: a disk that stands still for longer loses records, not the server its memory. */
const MAX_WAITING = 4 << 20;
/** Nobody waits for a flush, and what a power cut may take is a second. */
const PAUSE_MS = 1000;
/** Written at once; a record is at most some kilobytes. */
const BATCH = 500;

export class Writer implements AsyncDisposable {
  readonly #options: Required<WriterOptions>;
  readonly #noted: Noted;
  #head: Head | undefined;
  /** Up to here everything is on the disk. */
  #durable = START;
  #opened: AuditFile | undefined;
  /** Bodies that are not written yet, and their length. */
  #waiting: string[] = [];
  #bytes = 0;
  /** Since the last record that said so, and in all. */
  #missing = 0;
  #lost = 0;
  #gone = 0;
  /** How many the batch says are missing that is being written. */
  #telling = 0;
  #written = 0;
  #trouble: string | undefined;
  #busy: Promise<void> | undefined;
  #unflushed = false;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor({ folder, maxBytes = MAX_BYTES, maxFiles = KEPT_FILES, maxWaiting = MAX_WAITING, pauseMs = PAUSE_MS, onTrouble }: WriterOptions) {
    this.#options = { folder, maxBytes, maxFiles, maxWaiting, pauseMs, onTrouble };
    this.#noted = new Noted(folder, onTrouble);
  }

  /** Whether the last attempt to write succeeded. */
  get works(): boolean { return this.#trouble === undefined; }
  /** Records that were never written. */
  get lost(): number { return this.#lost; }
  get written(): number { return this.#written; }
  /** Records that were written, and are in the folder no more. */
  get gone(): number { return this.#gone; }

  /** Opens the files. Throws when others could exchange them; a disk that is full at the moment is only told. */
  async open(): Promise<void> {
    try {
      await this.#prepare();
    } catch (error) {
      const failure = Failure.from(error);
      if (failure.code !== 'NOSPACE' && failure.code !== 'QUOTA') throw failure;
      this.#troubled(failure);
    }
    this.#later();
  }

  /** Takes one record. Never waits and never throws. */
  add(body: Body): void {
    const text = JSON.stringify(body);
    if (this.#closed || this.#bytes + text.length > this.#options.maxWaiting) return this.miss(1);
    this.#waiting.push(text);
    this.#bytes += text.length;
    if (this.works) this.#write();
    else this.#later();
  }

  /** Counts records that nobody could keep. */
  miss(records: number): void {
    this.#missing += records;
    this.#lost += records;
  }

  /** Writes what waits and flushes it. What cannot be written now is lost, and told. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#busy;
    await this.#attempt();
    if (this.#waiting.length > 0) this.#options.onTrouble(`${this.#waiting.length} records of the audit are lost: ${this.#trouble ?? 'it was closed'}`);
    this.miss(this.#waiting.length);
    await this.#close();
  }

  #write(): void {
    this.#busy ??= this.#drain().finally(() => { this.#busy = undefined; });
  }

  async #drain(): Promise<void> {
    // Let those that come in the same moment go together.
    await new Promise<void>((resolve) => { setImmediate(resolve); });
    while (this.#waiting.length > 0 && !this.#closed) if (!(await this.#tried(() => this.#batch()))) break;
    if (!this.#closed) this.#later();
  }

  /** Everything, to the end or to the first failure. */
  async #attempt(): Promise<void> {
    while (this.#waiting.length > 0 || this.#missing > 0) if (!(await this.#tried(() => this.#batch()))) return;
    await this.#tried(() => this.#flush());
  }

  /** In a moment flushes, or tries again; and looks whether the file is there. */
  #later(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#busy ??= this.#attempt().finally(() => {
        this.#busy = undefined;
        if (!this.#closed) this.#later();
      });
    }, this.#options.pauseMs).unref();
  }

  async #tried(action: () => Promise<void>): Promise<boolean> {
    try {
      await action();
    } catch (error) {
      this.#troubled(fromErrno(error, this.#options.folder, 'here'));
      return false;
    }
    if (this.#trouble !== undefined) this.#options.onTrouble(`the audit is written again; ${this.#lost} of its records were lost since the start`);
    this.#trouble = undefined;
    return true;
  }

  #troubled({ message }: Failure): void {
    if (this.#trouble === undefined) this.#options.onTrouble(`the audit cannot be written: ${message}; the server goes on, and what is missing will be counted in it`);
    this.#trouble = message;
  }

  /** Writes some of what waits, as one piece. After a failure all of it waits still. */
  async #batch(): Promise<void> {
    await this.#prepare();
    const missing = this.#missing;
    this.#telling = missing;
    const bodies = this.#waiting.slice(0, BATCH);
    const own = missing > 0 ? [bodyOf({ event: 'audit-lost', records: missing })] : [];
    let head = this.#head ?? START;
    const lines = [...own, ...bodies].map((body) => {
      const next = chained(head, body);
      head = next.head;
      return `${next.line}\n`;
    });
    await this.#append(this.#opened!, Buffer.from(lines.join('')));
    this.#head = head;
    this.#written += lines.length;
    this.#missing -= missing;
    this.#waiting.splice(0, bodies.length);
    this.#bytes -= bodies.reduce((sum, body) => sum + body.length, 0);
  }

  async #append(file: AuditFile, bytes: Buffer): Promise<void> {
    await file.append(bytes);
    this.#unflushed = true;
  }

  /** Flushes what is new, also where the file is in its place no more, and notes how far that is. */
  async #flush(): Promise<void> {
    await this.#sync();
    if (this.#opened?.isOpen !== true || !(await this.#opened.isInPlace())) {
      await this.#close();
      await this.#continue();
      await this.#sync();
    }
    await this.#noted.write(this.#durable);
  }

  async #sync(): Promise<void> {
    if (!this.#unflushed || this.#opened?.isOpen !== true) return;
    this.#unflushed = false; // a flush that failed is told; asking again would be answered without a disk
    await this.#opened.sync();
    this.#durable = this.#head ?? START;
  }

  async #close(): Promise<void> {
    await this.#opened?.close();
    this.#opened = undefined;
  }

  /** Makes sure that there is a file with room. */
  async #prepare(): Promise<void> {
    if (this.#opened?.isOpen !== true) await this.#continue();
    if (this.#opened!.size < this.#options.maxBytes) return;
    this.#unflushed = true; // what is in a file that is followed by another must be whole
    await this.#flush();
    if (this.#opened!.size < this.#options.maxBytes) return; // it was in its place no more
    const next = await AuditFile.open(join(this.#options.folder, nameOf((this.#head ?? START).seq + 1)), 0);
    await this.#close();
    this.#opened = next;
    await this.#forget();
  }

  /** Goes on where the last server stopped, however it did. */
  async #continue(): Promise<void> {
    const { folder } = this.#options;
    if (this.#head !== undefined) await stat(dirname(folder)); // a state folder that somebody has removed is not made again
    await privateFolder(folder);
    const found = await foundIn(folder);
    const known = this.#head ?? await this.#noted.read() ?? START;
    const { reached } = found;
    if (reached.seq < known.seq || (reached.seq === known.seq && reached.digest !== known.digest)) return this.#goOnBehind(known, Math.min(reached.seq + 1, known.seq));
    // What is on the disk counts: after a failure it may be more than is known here.
    this.#settle(found.head);
    const file = await AuditFile.open(found.last ?? join(folder, nameOf(found.head.seq + 1)), found.size);
    await this.#begin(file, () => (found.remains.byteLength > 0 ? this.#mend(file, found.remains) : Promise.resolve()));
    await this.#forget();
  }

  /** Nothing goes into a file before what has to be there first. */
  async #begin(file: AuditFile, first: () => Promise<void>): Promise<void> {
    try {
      await first();
    } catch (error) {
      await file.close();
      throw error;
    }
    this.#opened = file;
  }

  /** Records from `first` to `known` were written, and are not there: the chain goes on with what says so, in a file of its own. */
  async #goOnBehind(known: Head, first: number): Promise<void> {
    const { folder, onTrouble } = this.#options;
    const isStart = this.#head === undefined;
    const { line, head } = chained(known, bodyOf({ event: MISSING, first, last: known.seq }));
    const file = await AuditFile.open(join(folder, nameOf(head.seq)), 0);
    await this.#begin(file, () => this.#append(file, Buffer.from(`${line}\n`)));
    this.#head = head;
    this.#written += 1;
    this.#gone += head.seq - first;
    const how = isStart ? 'and were there before' : 'since its file was moved, removed or cut while the server wrote to it';
    onTrouble(`records ${first} to ${known.seq} of the audit are not in ${printable(folder)}, ${how}; it goes on in the file ${nameOf(head.seq)}, and "wherry audit verify" finds the gap until they are put back`);
  }

  /** Forgets what waits but was written, in a batch of which nobody knew how far it had come. */
  #settle(head: Head): void {
    const done = this.#head === undefined ? 0 : head.seq - this.#head.seq;
    this.#head = head;
    if (done <= 0) return;
    this.#missing -= this.#telling;
    for (const body of this.#waiting.splice(0, done - (this.#telling > 0 ? 1 : 0))) this.#bytes -= body.length;
    this.#written += done;
  }

  /** Ends a line that lacks nothing but its break; says behind the remains of any other what they are. */
  async #mend(file: AuditFile, remains: Buffer): Promise<void> {
    const record = parseRecord(remains.toString('utf8'));
    if (record !== undefined && misfit(this.#head ?? START, record) === undefined) {
      await this.#append(file, Buffer.from('\n'));
      this.#head = { seq: record.seq, digest: digestOf(remains) };
      return;
    }
    const { line, head } = chained(this.#head ?? START, bodyOf({ event: TORN, bytes: remains.byteLength, sha256: digestOf(remains) }));
    await this.#append(file, Buffer.from(`\n${line}\n`));
    this.#head = head;
    this.#written += 1;
  }

  /** Removes the oldest files beyond those that are kept. */
  async #forget(): Promise<void> {
    const files = await filesOf(this.#options.folder);
    for (const path of files.slice(0, Math.max(0, files.length - this.#options.maxFiles))) await rm(path, { force: true });
  }
}

function bodyOf(what: { event: string; [key: string]: unknown }): string {
  const { event, ...rest } = what;
  return JSON.stringify({ time: new Date().toISOString(), event, ...rest } satisfies Body);
}
