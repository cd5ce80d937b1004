/**
 * Outlet: where answers go, standard output or what stands in its place, and whether somebody still takes them.
 *
 * A reader that went away is no error: what is written to it is dropped, and whoever writes only for it looks at
 * `isHeard`. Anything else that ends a stream is a fault, and kept.
 */
import type { Writable } from 'node:stream';
import { fromErrno, type Failure } from '../errors.ts';

export class Outlet {
  readonly #stream: Writable;
  readonly #name: string;
  #heard = true;
  #fault: Failure | undefined;

  /** `name` is what a fault calls the stream. */
  constructor(stream: Writable, name: string) {
    this.#stream = stream;
    this.#name = name;
    // Without a listener an error of the stream would end the process, and with it a transfer that nobody needs to read of.
    stream.on('error', (error: NodeJS.ErrnoException) => this.#lost(error));
  }

  get isHeard(): boolean {
    return this.#heard;
  }

  get fault(): Failure | undefined {
    return this.#fault;
  }

  /** Resolves when the system has taken it, so that a slow reader slows us, or when nobody will. */
  write(text: string | Uint8Array): Promise<void> {
    if (!this.#heard) return Promise.resolve();
    return new Promise((resolve) => this.#stream.write(text, (error) => {
      if (error) this.#lost(error);
      resolve();
    }));
  }

  /** The first error is the one that tells; the stream accepts nothing after it. */
  #lost(error: NodeJS.ErrnoException): void {
    if (!this.#heard) return;
    this.#heard = false;
    if (error.code !== 'EPIPE') this.#fault = fromErrno(error, this.#name, 'here');
  }
}
