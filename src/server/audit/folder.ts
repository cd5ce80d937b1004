/**
 * Folder: the files of an audit. Each is named by its first record, so that their order, and one that is missing, are in the names.
 *
 *     audit/000000000001.jsonl  audit/000000052417.jsonl  …
 */
import { open, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fromErrno } from '../../errors.ts';
import { type Head, digestOf, misfit, parseRecord, START } from './record.ts';

/** Below the state folder. */
export const AUDIT = 'audit';
/** With 16 of 64 MiB an audit takes 1 GiB at most, years of a small server. */
export const KEPT_FILES = 16;
const NAME = /^\d{12,16}\.jsonl$/;
/** What is read at once at the end of a file: some thousand records. */
const STEP_BYTES = 1 << 20;

export function nameOf(first: number): string {
  return `${String(first).padStart(12, '0')}.jsonl`;
}

/** The number of the record that a file begins with, by its name; undefined for a copy that is called otherwise. */
export function firstIn(path: string): number | undefined {
  const name = basename(path);
  return NAME.test(name) ? Number.parseInt(name, 10) : undefined;
}

/** The files of the audit in `folder`, the oldest first. Throws NOTFOUND. */
export async function filesOf(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => NAME.test(name)).toSorted().map((name) => join(folder, name));
  } catch (error) {
    throw fromErrno(error, folder, 'here');
  }
}

/** How far an audit has come. */
export interface Found {
  /** The last file; undefined: there is none. */
  readonly last: string | undefined;
  readonly size: number;
  /** What is behind the last whole record of that file. */
  readonly remains: Buffer;
  /** After the last whole record of all files. */
  readonly head: Head;
  /** The same with what is behind it, where that lacks nothing but its line break. */
  readonly reached: Head;
}

export async function foundIn(folder: string): Promise<Found> {
  const files = await filesOf(folder);
  let last: Tail | undefined;
  for (const path of files.toReversed()) {
    const tail = await tailOf(path);
    last ??= tail;
    if (tail.head !== undefined) return { last: files.at(-1), size: last.size, remains: last.remains, head: tail.head, reached: headWith(tail.head, last.remains) };
  }
  const { size, remains } = last ?? { size: 0, remains: Buffer.alloc(0) };
  return { last: files.at(-1), size, remains, head: START, reached: headWith(START, remains) };
}

function headWith(head: Head, remains: Buffer): Head {
  const record = parseRecord(remains.toString('utf8'));
  return record !== undefined && misfit(head, record) === undefined ? { seq: record.seq, digest: digestOf(remains) } : head;
}

/** How a file ends. */
interface Tail {
  /** After its last whole record; undefined: it has none. */
  readonly head: Head | undefined;
  readonly size: number;
  /** What is behind the last whole record; all of it, when there is none. */
  readonly remains: Buffer;
}

/** Reads the end of a file, and more of it for as long as there is no whole record. Memory is bounded by the size of the file. */
async function tailOf(path: string): Promise<Tail> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    for (let length = Math.min(STEP_BYTES, size); ; length = Math.min(2 * length, size)) {
      const bytes = Buffer.alloc(length);
      await file.read(bytes, 0, length, size - length);
      const found = lastRecord(bytes, length === size);
      if (found !== undefined) return { ...found, size };
      if (length === size) return { head: undefined, size, remains: bytes };
    }
  } finally {
    await file.close();
  }
}

/** The last line that is whole and a record, and what is behind it. The first line may be cut off, unless `whole`. */
function lastRecord(bytes: Buffer, whole: boolean): { head: Head; remains: Buffer } | undefined {
  for (let end = bytes.lastIndexOf(0x0a); end >= 0; end = end === 0 ? -1 : bytes.lastIndexOf(0x0a, end - 1)) {
    const before = end === 0 ? -1 : bytes.lastIndexOf(0x0a, end - 1);
    if (before < 0 && !whole) return undefined;
    const line = bytes.subarray(before + 1, end);
    const record = parseRecord(line.toString('utf8'));
    if (record !== undefined) return { head: { seq: record.seq, digest: digestOf(line) }, remains: bytes.subarray(end + 1) };
  }
  return undefined;
}
