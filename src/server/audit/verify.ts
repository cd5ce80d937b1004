/**
 * Verify: reads files of an audit, oldest first, and checks that no line of them was changed, removed or added.
 *
 * Needs no running server and nothing but the files. The oldest file need not begin with the first record, since older ones are
 * removed: its name says which one it begins with, and what is before that is taken from its own first line. What cannot be seen in
 * the files alone is that lines are missing at the end, or whole files at the beginning: for that numbers and the last digest are
 * answered, to be compared with some that were noted elsewhere. A gap that the audit itself tells of is answered too, and what is behind it verified.
 */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { fromErrno } from '../../errors.ts';
import { firstIn, KEPT_FILES } from './folder.ts';
import { type AuditRecord, digestOf, type Head, misfit, MISSING, parseRecord, START, TORN } from './record.ts';

/** Longer than any record: what does not end before is none, and must not fill the memory. */
const MAX_LINE = 1 << 20;

/** What is in the files, as far as it was verified. */
export interface Verified {
  readonly records: number;
  /** Number and time of the first and the last record. */
  readonly first: Seen | undefined;
  readonly last: Seen | undefined;
  /** The digest of the last line. */
  readonly digest: string;
  /** Lines that a crash has torn, which the audit says itself. */
  readonly torn: number;
  /** Records that the audit says were lost. */
  readonly lost: number;
  /** Records that are in none of the files, and that the audit itself has missed. */
  readonly missing: readonly Gap[];
  /** Bytes at the very end that are no whole record: a server was killed while it wrote, or writes now. */
  readonly unfinished: number;
  readonly broken: Break | undefined;
}
export interface Gap { readonly first: number; readonly last: number }
export interface Seen { readonly seq: number; readonly time: string }
/** Where the chain breaks, and how. */
export interface Break { readonly file: string; readonly line: number; readonly why: string }

/** A line of a file, or a piece of one; only with `ends` a line break follows. */
interface Line { readonly file: string; readonly number: number; readonly bytes: Buffer; readonly ends: boolean }

/** Reads to the end, or to the first break. Throws NOTFOUND, or what else keeps a file from being read. */
export async function verifyAudit(files: readonly string[]): Promise<Verified> {
  const chain = new Chain(files.length < KEPT_FILES);
  for (const file of files) {
    if (!chain.begin(file)) return chain.verified;
    for await (const line of linesOf(file)) if (!chain.take(line)) return chain.verified;
  }
  chain.end();
  return chain.verified;
}

/** The records of the files, oldest first; lines that are none are left out. */
export async function* recordsOf(files: readonly string[]): AsyncGenerator<{ readonly record: AuditRecord; readonly line: string }> {
  for (const file of files) {
    for await (const { bytes } of linesOf(file)) {
      const line = bytes.toString('utf8');
      const record = parseRecord(line);
      if (record !== undefined) yield { record, line };
    }
  }
}

class Chain {
  /** No file can have been removed in time. */
  readonly #isAll: boolean;
  #head: Head | undefined;
  /** The record that is to come, by the name of the file it was to stand in; as long as there is no head. */
  #due: number | undefined;
  #records = 0;
  #torn = 0;
  #lost = 0;
  readonly #missing: Gap[] = [];
  /** A file begins later than the one before has ended; its first record has to say so. */
  #skipped: Break | undefined;
  #first: Seen | undefined;
  #last: Seen | undefined;
  #broken: Break | undefined;
  /** Lines that do not fit, which a later record may say are torn. */
  #remains: { readonly why: Break; readonly hash: Hash; bytes: number; ends: boolean } | undefined;

  constructor(isAll: boolean) {
    this.#isAll = isAll;
  }

  get verified(): Verified {
    const unfinished = this.#broken === undefined ? (this.#remains?.bytes ?? 0) : 0;
    return { records: this.#records, first: this.#first, last: this.#last, digest: (this.#head ?? START).digest, torn: this.#torn, lost: this.#lost, missing: this.#missing, unfinished, broken: this.#broken };
  }

  /** The record that is to come. */
  get #next(): number | undefined {
    return this.#head === undefined ? this.#due : this.#head.seq + 1;
  }

  /** A file, before its first line. False when its name says that it begins before the one before has ended. */
  begin(file: string): boolean {
    if (this.#skipped !== undefined) return this.#break(this.#skipped);
    const named = firstIn(file);
    if (named === undefined) return true;
    const due = this.#next ?? named;
    this.#due = due;
    if (named === due) return true;
    const why = this.#remains?.why ?? { file, line: 1, why: `by its name the file begins with record ${named}, and ${due} was to come` };
    if (named < due || this.#remains !== undefined) return this.#break(why);
    this.#skipped = why;
    return true;
  }

  /** False when the chain is broken. */
  take(line: Line): boolean {
    const record = line.ends ? parseRecord(line.bytes.toString('utf8')) : undefined;
    const skipped = this.#skipped;
    this.#skipped = undefined;
    if (record !== undefined && this.#tellsOfGap(record, skipped !== undefined)) this.#head = { seq: record.seq - 1, digest: record.prev };
    else if (skipped !== undefined) return this.#break(skipped);
    // The oldest line that is kept says itself what was before it.
    if (record !== undefined && this.#head === undefined) this.#head = { seq: (this.#due ?? record.seq) - 1, digest: record.prev };
    const fault = record === undefined ? 'it is not a record' : misfit(this.#head!, record);
    if (record !== undefined && fault === undefined && this.#isBehindRemains(record)) {
      this.#accept(record, line);
      return true;
    }
    // A record that does not follow is none that a crash leaves behind: that ends in the middle of a line.
    if (record !== undefined) return this.#break(this.#remains?.why ?? { file: line.file, line: line.number, why: fault! });
    this.#leave(line, fault!);
    return true;
  }

  /** At the end of all files: whole lines that are no records were not left by a crash. */
  end(): void {
    if (this.#skipped !== undefined) this.#break(this.#skipped);
    else if (this.#remains?.ends === true) this.#break(this.#remains.why);
  }

  /** Whether the record says itself that those before it, as far as they are not here, are missing. */
  #tellsOfGap({ event, seq, first, last }: AuditRecord, isSkip: boolean): boolean {
    if (event !== MISSING || last !== seq - 1 || typeof first !== 'number') return false;
    if (isSkip ? first !== this.#next : this.#head !== undefined || !this.#isAll) return false;
    this.#missing.push({ first, last: seq - 1 });
    return true;
  }

  #accept(record: AuditRecord, { bytes }: Line): void {
    this.#head = { seq: record.seq, digest: digestOf(bytes) };
    this.#records += 1;
    this.#last = { seq: record.seq, time: record.time };
    this.#first ??= this.#last;
    if (record.event === 'audit-lost' && typeof record['records'] === 'number') this.#lost += record['records'];
  }

  /** Whether there is nothing unaccounted for before the record, or it says itself what that is. */
  #isBehindRemains(record: AuditRecord): boolean {
    if (this.#remains === undefined) return record.event !== TORN;
    const { hash, bytes } = this.#remains;
    if (record.event !== TORN || record['bytes'] !== bytes || record['sha256'] !== hash.copy().digest('hex')) return false;
    this.#remains = undefined;
    this.#torn += 1;
    return true;
  }

  #leave({ file, number, bytes, ends }: Line, why: string): void {
    const remains = (this.#remains ??= { why: { file, line: number, why }, hash: createHash('sha256'), bytes: 0, ends: false });
    if (remains.ends) remains.hash.update('\n');
    remains.bytes += bytes.byteLength + (remains.ends ? 1 : 0);
    remains.hash.update(bytes);
    remains.ends = ends;
  }

  #break(broken: Break): false {
    this.#broken = broken;
    return false;
  }
}

async function* linesOf(file: string): AsyncGenerator<Line> {
  let number = 1;
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: 1 << 18 }) as AsyncIterable<Buffer>) {
      rest = rest.byteLength === 0 ? chunk : Buffer.concat([rest, chunk]);
      for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a)) {
        yield { file, number: number++, bytes: rest.subarray(0, end), ends: true };
        rest = rest.subarray(end + 1);
      }
      if (rest.byteLength <= MAX_LINE) continue;
      yield { file, number, bytes: rest, ends: false };
      rest = Buffer.alloc(0);
    }
  } catch (error) {
    throw fromErrno(error, file, 'here');
  }
  if (rest.byteLength > 0) yield { file, number, bytes: rest, ends: false };
}
