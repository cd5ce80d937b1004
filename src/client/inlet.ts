/**
 * Inlet: what a socket receives, read into one buffer again and again (`onread` of node:net), without a stream and
 * without fresh memory for every TLS record. Node offers this only to sockets that it opens itself, so to clients.
 * What comes before somebody listens is kept; a server says a few words by itself at most.
 */
import type { OnReadOpts } from 'node:net';

/** One TLS record is at most 16 KiB; the rest of the buffer is never filled, but it costs one allocation. */
const BUFFER_BYTES = 64 << 10;

export class Inlet {
  readonly onread: OnReadOpts;
  readonly #early: Uint8Array[] = [];
  #listener: ((chunk: Uint8Array) => void) | undefined;

  constructor() {
    const buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
    this.onread = {
      buffer,
      callback: (size) => {
        if (this.#listener === undefined) this.#early.push(Uint8Array.from(buffer.subarray(0, size)));
        else this.#listener(buffer.subarray(0, size));
        return true;
      },
    };
  }

  /** From now on `listener` gets all chunks; their memory is used again when it returns. */
  listen(listener: (chunk: Uint8Array) => void): void {
    this.#listener = listener;
    for (const chunk of this.#early.splice(0)) listener(chunk);
  }
}
