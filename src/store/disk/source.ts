/**
 * DiskSource: one file that is open for reading, as it was when it was opened.
 *
 * Bytes are asked of Node's disk threads, or, where the caller allows it and the disk answers quickly, read in the calling
 * thread: waking another thread and fetching the bytes from its processor costs more than copying what the system
 * has in memory (measured: 0.26 instead of 0.10 CPU seconds a GiB). A read that was slow sends the next ones to the threads.
 */
import { fromErrno } from '../../errors.ts';
import type { Entry } from '../../entry.ts';
import type { RemotePath } from '../../path.ts';
import type { Source } from '../vault.ts';
import { mtimeOf } from './attributes.ts';
import type { Descriptor } from './descriptor.ts';

/** A megabyte from memory takes 0.1 ms, from a fast disk 0.5: what takes longer (ms) is worth doing something else meanwhile. */
const SLOW_MS = 2;
/** Reads, of up to a megabyte, that the threads do after a slow one, before it is tried here again. */
const ELSEWHERE = 64;

export class DiskSource implements Source {
  readonly entry: Entry;
  readonly #file: Descriptor;
  /** Time of the last change of attributes when it was opened, in ms: a writer can set back the other one, not this one. */
  readonly #changed: number;
  readonly #path: RemotePath;
  /** Reads to be done by the threads before the next one here. */
  #elsewhere: number;

  constructor(file: Descriptor, entry: Entry, changed: number, path: RemotePath, here: boolean) {
    this.#file = file;
    this.entry = entry;
    this.#changed = changed;
    this.#path = path;
    this.#elsewhere = here ? 0 : Infinity;
  }

  get atOnce(): boolean { return this.#elsewhere === 0; }

  async read(into: Uint8Array, position: number): Promise<number> {
    try {
      if (!this.atOnce) return await this.readv([into], position);
      const started = performance.now();
      const size = this.#file.readNow(into, position);
      if (performance.now() - started > SLOW_MS) this.#elsewhere = ELSEWHERE;
      return size;
    } catch (error) {
      throw fromErrno(error, this.#path);
    }
  }

  readv(into: readonly Uint8Array[], position: number): Promise<number> {
    this.#elsewhere = Math.max(0, this.#elsewhere - into.length);
    return this.#file.readv(into, position).catch((error: unknown) => { throw fromErrno(error, this.#path); });
  }

  async changed(): Promise<boolean> {
    const now = await this.#file.stats();
    return now.size !== this.entry.size || mtimeOf(now) !== this.entry.mtime || now.ctimeMs !== this.#changed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#file[Symbol.asyncDispose]();
  }
}
