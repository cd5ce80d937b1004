/**
 * Sent: what a server has confirmed of a folder that is sent, so that another try of the same transfer does not send it again. A pack is
 * known by what is in it, since a tree that has not changed is packed as it was before; a large file by its size and time, as it was
 * opened. Without a memory to note it in, nothing is known and no key is made.
 */
import { digestOf, hex } from '../digest.ts';
import type { Entry } from '../entry.ts';
import type { RemotePath } from '../path.ts';

/** Some 10 MB here, and of small files some 100 GB; what comes after them is sent again. */
const MAX_NOTED = 100_000;

export class Sent {
  readonly #keys: Set<string> | undefined;

  /** `keys`: those of the tries before this one, which those of this one are added to. */
  constructor(keys?: Set<string>) {
    this.#keys = keys;
  }

  keyOfPack(pack: Uint8Array, to: RemotePath): string | undefined {
    return this.#keys === undefined ? undefined : `${hex(digestOf(pack))} ${to}`;
  }

  keyOfFile({ size, mtime }: Entry, to: RemotePath): string | undefined {
    return this.#keys === undefined ? undefined : `${size}, ${mtime} ${to}`;
  }

  has(key: string | undefined): boolean { return key !== undefined && this.#keys?.has(key) === true; }

  note(key: string | undefined): void {
    if (key !== undefined && this.#keys !== undefined && this.#keys.size < MAX_NOTED) this.#keys.add(key);
  }
}
