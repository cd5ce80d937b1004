/**
 * Descriptor: one open file, read and written by position without blocking the thread.
 *
 * The callback calls of `node:fs` on a bare descriptor, which a worker may have opened: measured quicker than streams
 * and FileHandles. It is closed once, after the last call on it has come back: the number of a closed descriptor belongs
 * to the next file that is opened, and a late write would go there.
 */
import { close, fchmod, fdatasync, fstat, fsync, ftruncate, futimes, read, readSync, readv, writev, type Stats } from 'node:fs';
import { Failure } from '../../errors.ts';

/** IOV_MAX of Linux and macOS: buffers in one readv(2) or writev(2). */
const MAX_VECTORS = 1024;

type Done<T> = (error: NodeJS.ErrnoException | null, value?: T) => void;

export class Descriptor implements AsyncDisposable {
  readonly #fd: number;
  #busy = 0;
  #closing: Promise<void> | undefined;
  #idle: (() => void) | undefined;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Fills `into` from `position`; returns how many bytes, fewer only at the end of the file. */
  async read(into: Uint8Array, position: number): Promise<number> {
    let done = 0;
    while (done < into.byteLength) {
      const got = await this.#call<number>((back) => { read(this.#fd, into, done, into.byteLength - done, position + done, back); });
      if (got === 0) break;
      done += got;
    }
    return done;
  }

  /** The same, at once: the thread does nothing else until it is done. */
  readNow(into: Uint8Array, position: number): number {
    if (this.#closing !== undefined) throw new Failure('INTERNAL', 'the file was closed');
    let done = 0;
    for (let got = -1; got !== 0 && done < into.byteLength; done += got) got = readSync(this.#fd, into, done, into.byteLength - done, position + done);
    return done;
  }

  /** Fills the buffers `into`, one after the other, from `position`, however many system calls that takes; fewer bytes only at the end. */
  async readv(into: readonly Uint8Array[], position: number): Promise<number> {
    const rest = [...into];
    let done = 0;
    while (rest.length > 0) {
      const got = await this.#call<number>((back) => { readv(this.#fd, rest.slice(0, MAX_VECTORS), position + done, back); });
      if (got === 0) break;
      done += got;
      dropFront(rest, got);
    }
    return done;
  }

  /** Writes all of `chunks`, one after the other, from `position`, however many system calls that takes. */
  async write(chunks: readonly Uint8Array[], position: number): Promise<void> {
    const rest = chunks.filter((chunk) => chunk.byteLength > 0);
    let at = position;
    while (rest.length > 0) {
      const done = await this.#call<number>((back) => { writev(this.#fd, rest.slice(0, MAX_VECTORS), at, back); });
      at += done;
      dropFront(rest, done);
    }
  }

  stats(): Promise<Stats> {
    return this.#call<Stats>((back) => { fstat(this.#fd, back); });
  }

  truncate(size: number): Promise<void> {
    return this.#call((back) => { ftruncate(this.#fd, size, back); });
  }

  chmod(mode: number): Promise<void> {
    return this.#call((back) => { fchmod(this.#fd, mode, back); });
  }

  /** Times in seconds since 1970, as `secondsOf` gives them. */
  utimes(seconds: number | string): Promise<void> {
    return this.#call((back) => { futimes(this.#fd, seconds, seconds, back); });
  }

  /** Flushes to the disk: the bytes and what is needed to read them again, or `whole`, every attribute. */
  flush(whole: boolean): Promise<void> {
    // Only fsync asks the drive itself on macOS (libuv uses F_FULLFSYNC for it).
    const flush = whole || process.platform === 'darwin' ? fsync : fdatasync;
    return this.#call((back) => { flush(this.#fd, back); });
  }

  /** Closes it when nothing is under way any more. The error of close(2) is one of a write that came late. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close().catch(() => undefined);
  }

  async #close(): Promise<void> {
    if (this.#busy > 0) await new Promise<void>((resolve) => { this.#idle = resolve; });
    await new Promise<void>((resolve, reject) => { close(this.#fd, (error) => { if (error === null || error === undefined) resolve(); else reject(error); }); });
  }

  #call<T = void>(action: (back: Done<T>) => void): Promise<T> {
    if (this.#closing !== undefined) return Promise.reject(new Failure('INTERNAL', 'the file was closed'));
    this.#busy += 1;
    return new Promise<T>((resolve, reject) => {
      action((error, value) => {
        this.#busy -= 1;
        if (this.#busy === 0) this.#idle?.();
        if (error === null || error === undefined) resolve(value as T);
        else reject(error);
      });
    });
  }
}

function dropFront(chunks: Uint8Array[], bytes: number): void {
  let whole = 0;
  let rest = bytes;
  while (whole < chunks.length && rest >= chunks[whole]!.byteLength) {
    rest -= chunks[whole]!.byteLength;
    whole += 1;
  }
  chunks.splice(0, whole);
  if (rest > 0) chunks[0] = chunks[0]!.subarray(rest);
}
