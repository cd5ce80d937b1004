/** StreamSource: a stream of chunks, of any sizes, as a source of bytes that is read once, from the start. */
import { Failure } from '../errors.ts';
import type { ByteSource } from '../transfer/send.ts';

export class StreamSource implements ByteSource, AsyncDisposable {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();
  #position = 0;
  #ended = false;

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** Fills `into` but at the end. `position` must be where the last read ended. */
  async read(into: Uint8Array, position: number): Promise<number> {
    if (position !== this.#position) throw new Failure('INTERNAL', 'a stream can only be read on');
    let filled = 0;
    while (filled < into.byteLength && !this.#ended) {
      if (this.#rest.byteLength === 0) {
        const next: IteratorResult<Uint8Array, unknown> = await this.#chunks.next();
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

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) await this.#chunks.return?.();
  }
}
