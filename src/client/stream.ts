/**
 * StreamSource: a stream of chunks, of any sizes, as a source of bytes that is read once, from the start.
 * A stream may be silent for ever (a pipe nobody writes to), so whoever waits for it can be told to stop.
 */
import { Failure } from '../errors.ts';
import type { ByteSource } from '../transfer/readahead.ts';

export class StreamSource implements ByteSource, AsyncDisposable {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();
  #position = 0;
  #ended = false;
  #stopped: Failure | undefined;
  /** Rejects the read that waits. */
  #interrupt: (failure: Failure) => void = () => {};

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** Makes a read that waits, and every later one, fail with `failure`. */
  stop(failure: Failure): void {
    this.#stopped = failure;
    this.#interrupt(failure);
  }

  /** Fills `into` but at the end. `position` must be where the last read ended. */
  async read(into: Uint8Array, position: number): Promise<number> {
    if (position !== this.#position) throw new Failure('INTERNAL', 'a stream can only be read on');
    let filled = 0;
    while (filled < into.byteLength && !this.#ended) {
      if (this.#rest.byteLength === 0) {
        const next: IteratorResult<Uint8Array, unknown> = await this.#next();
        if (next.done === true) this.#ended = true;
        else this.#rest = next.value;
        continue;
      }
      const part = this.#rest.subarray(0, into.byteLength - filled);
      into.set(part, filled);
      filled += part.byteLength;
      this.#rest = this.#rest.subarray(part.byteLength);
    }
    this.#position += filled;
    return filled;
  }

  #next(): Promise<IteratorResult<Uint8Array, unknown>> {
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped);
    return new Promise((resolve, reject) => {
      this.#interrupt = reject;
      this.#chunks.next().then(resolve, reject);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return;
    const closing = this.#chunks.return?.();
    // A generator that is waiting ends only when its wait does, which may be never.
    if (this.#stopped !== undefined) closing?.catch(() => {});
    else await closing;
  }
}
