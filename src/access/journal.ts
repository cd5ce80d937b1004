/**
 * Journal: what tokens have spent since the book was last written, as lines of a file beside it that is only appended to.
 *
 * To write the whole book for each file that a token moves would be dear; a line is a hundred bytes. It has all that one token has spent, so that
 * the last line of each token counts. Whoever writes the book writes that into it and empties the journal. What a crash tore off at the end
 * was told to nobody and is dropped; anything else that is not understood is an error, as in the book: a count must not vanish silently. It holds
 * public keys and counts, and is nobody else's to read all the same.
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Failure } from '../errors.ts';
import { printable } from '../printable.ts';
import { readPrivate, syncFolder } from '../private.ts';
import type { Spent } from './entries.ts';

/** Some 2,500 lines: the book, of at most some MiB, is then written once for as many small files or packs. */
export const MAX_JOURNAL_BYTES = 256 << 10;
const LINE = /^([\w-]{43}) (\d{1,16}) (\d{1,16}) (\d{1,16})$/;

export class Journal implements AsyncDisposable {
  readonly #path: string;
  #file: FileHandle | undefined;
  /** Bytes of the file that are whole lines. */
  #length: number;
  /** What a write that failed has left there is not known. */
  #isTorn = false;

  private constructor(path: string, length: number) {
    this.#path = path;
    this.#length = length;
  }

  /** Reads what the one before left; makes no file. Throws IO when it cannot be understood or others may read it. */
  static async open(path: string): Promise<{ readonly journal: Journal; readonly spent: ReadonlyMap<string, Spent> }> {
    const { spent, length } = parse((await readPrivate(path)) ?? '', path);
    return { journal: new Journal(path, length), spent };
  }

  get isEmpty(): boolean { return this.#length === 0 && !this.#isTorn; }
  /** Whether the book has to be written before anything more can be appended. */
  get isFull(): boolean { return this.#isTorn || this.#length >= MAX_JOURNAL_BYTES; }

  /** Resolves when it is on the disk. After a rejection it is full until it is emptied. */
  async append(counts: Iterable<readonly [key: string, spent: Spent]>): Promise<void> {
    const lines = Buffer.from([...counts].map(([key, { bytes, files, uses }]) => `${key} ${bytes} ${files} ${uses}\n`).join(''));
    this.#isTorn = true;
    this.#file ??= await this.#begin();
    for (let at = 0; at < lines.byteLength;) at += (await this.#file.write(lines, at, lines.byteLength - at, this.#length + at)).bytesWritten;
    await this.#file.datasync();
    this.#length += lines.byteLength;
    this.#isTorn = false;
  }

  /** The book has all of it. That it is empty need not be on the disk: what is in the book is never less. */
  async empty(): Promise<void> {
    if (this.isEmpty) return;
    this.#isTorn = true;
    this.#file ??= await this.#begin();
    await this.#file.truncate(0);
    this.#length = 0;
    this.#isTorn = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  async #begin(): Promise<FileHandle> {
    const file = await open(this.#path, constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0), 0o600);
    try {
      await file.truncate(this.#length); // without what a crash tore off
      await syncFolder(dirname(this.#path));
    } catch (error) {
      await file.close();
      throw error;
    }
    return file;
  }
}

function parse(text: string, path: string): { readonly spent: Map<string, Spent>; readonly length: number } {
  const spent = new Map<string, Spent>();
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n').slice(0, -1);
  const whole = Buffer.byteLength(text);
  let [at, length] = [0, 0];
  for (const line of lines) {
    at += Buffer.byteLength(line) + 1;
    const [, key, ...counts] = LINE.exec(line) ?? [];
    const [bytes = NaN, files = NaN, uses = NaN] = counts.map(Number);
    if (key !== undefined && [bytes, files, uses].every(Number.isSafeInteger)) {
      spent.set(key, { bytes, files, uses });
      length = at;
    } else if (!line.includes('\0') && at < whole) { // a power cut leaves zeros where the last write was to be
      throw new Failure('IO', `${printable(path)} cannot be understood`, { path, who: 'here', hint: 'repair it, or move it away: what tokens have spent last is forgotten then' });
    }
  }
  return { spent, length };
}
