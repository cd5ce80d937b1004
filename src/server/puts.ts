/**
 * Puts: what accounts that may not replace files have put lately (`drive/recent.ts`), kept in the state folder, so that a folder whose upload was cut by a
 * restart can be sent once more, and known for all workers: they ask by `Accounting`.
 *
 * Two files of records of one length, appended to and never changed: when the newer one is full it becomes the older one, in whose place it is put. So
 * no more than twice what is remembered is on the disk, 19 MB. A record has digests alone: of whose it is, of path and content. Nothing is flushed to the disk for
 * it: what a power cut takes costs a refusal, and what is believed is read again from the file itself.
 */
import { createHash } from 'node:crypto';
import { appendFile, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Level } from '../store/vault.ts';
import { MOST, type Most, Recent } from '../drive/recent.ts';
import { Failure } from '../errors.ts';

/** Time in seconds since 1970 (4 bytes), level (1), owner (16), key (16). */
const OWNER_AT = 5;
const KEY_AT = 21;
const RECORD_BYTES = 37;
/** Records that may wait to be written: a disk that hangs must not fill the memory. */
const MAX_WAITING = 65_536;
const LEVELS: readonly Level[] = ['visible', 'durable'];

export class Puts implements AsyncDisposable {
  readonly #recent: Recent;
  readonly #newer: string;
  readonly #older: string;
  readonly #warn: (message: string) => void;
  /** Of the newer file, after which it is the older one: what is remembered. */
  readonly #most: number;
  #records = 0;
  #waiting: Buffer[] = [];
  #writing: Promise<void> | undefined;

  private constructor(state: string, warn: (message: string) => void, now: () => number, most: Most) {
    this.#recent = new Recent(now, most);
    this.#most = most.files;
    [this.#newer, this.#older] = [join(state, 'puts'), join(state, 'puts.old')];
    this.#warn = warn;
  }

  static async open(state: string, warn: (message: string) => void, now: () => number = Date.now, most: Most = MOST): Promise<Puts> {
    const puts = new Puts(state, warn, now, most);
    await puts.#read(puts.#older);
    puts.#records = await puts.#read(puts.#newer);
    return puts;
  }

  remember(owner: string, keys: readonly string[], level: Level): void {
    const whose = digest(owner);
    for (const key of keys) {
      const record = Buffer.alloc(RECORD_BYTES);
      record.writeUInt32BE(Math.floor(this.#recent.now() / 1000));
      record[OWNER_AT - 1] = LEVELS.indexOf(level);
      record.write(whose, OWNER_AT, 'latin1');
      record.write(key, KEY_AT, 'latin1');
      if (this.#recent.noteKey(whose, key, level) && this.#waiting.length < MAX_WAITING) this.#waiting.push(record);
    }
    this.#writing ??= this.#write();
  }

  recall(owner: string, key: string, level: Level): boolean { return this.#recent.hasKey(digest(owner), key, level); }

  async [Symbol.asyncDispose](): Promise<void> { await this.#writing; }

  async #write(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        if (this.#records + this.#waiting.length > this.#most && this.#records > 0) {
          await rename(this.#newer, this.#older);
          this.#records = 0;
        }
        const records = this.#waiting.splice(0);
        await appendFile(this.#newer, Buffer.concat(records), { mode: 0o600 });
        this.#records += records.length;
      }
    } catch (error) {
      this.#waiting = [];
      this.#warn(`what drop boxes put is not kept over a restart: ${Failure.from(error).message}`);
    }
    this.#writing = undefined;
  }

  /** How many records there are. What is not one, or of another time, is left out. */
  async #read(file: string): Promise<number> {
    try {
      if ((await stat(file)).size > 2 * this.#most * RECORD_BYTES) throw new Failure('LIMIT', `${file} is longer than this server makes it`);
      const bytes = await readFile(file);
      const records = Math.floor(bytes.byteLength / RECORD_BYTES);
      for (let at = 0; at < records * RECORD_BYTES; at += RECORD_BYTES) {
        const level = LEVELS[bytes[at + OWNER_AT - 1]!];
        if (level !== undefined) this.#recent.noteKey(bytes.toString('latin1', at + OWNER_AT, at + KEY_AT), bytes.toString('latin1', at + KEY_AT, at + RECORD_BYTES), level, bytes.readUInt32BE(at) * 1000);
      }
      if (records * RECORD_BYTES === bytes.byteLength) return records;
      await rename(file, this.#older); // cut in the middle of a record: what is appended would be out of step
      return 0;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#warn(`what drop boxes put before is forgotten: ${Failure.from(error).message}`);
      return 0;
    }
  }
}

function digest(owner: string): string { return createHash('sha256').update(owner).digest().toString('latin1', 0, KEY_AT - OWNER_AT); }
