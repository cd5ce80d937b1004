/**
 * Steps: what is to be said of a file, one after the other: bytes to send, or ranges that the receiver holds already.
 *
 * Whoever makes them reads the source and hashes all of it as it passes, so that the digest is that of what was read here.
 * Here they are made by comparing blocks of 1 MiB, each with the receiver's block at the same place: right for a
 * file that was cut off. One that changed is compared by its content (`compare.ts`). Nothing is kept on the word of a
 * size or a time.
 */
import { BLOCK_BYTES, createHasher, digestOf, sameDigest, type Hasher } from '../digest.ts';
import { Failure } from '../errors.ts';
import { DATA_HEAD_BYTES } from '../wire/frame.ts';
import type { Exchange } from '../session/exchange.ts';
import { ReadAhead, type Allowance, type ByteSource } from './readahead.ts';

export type Step =
  /** `size` bytes of the file, from `offset` on, in `slab` behind DATA_HEAD_BYTES of headroom; to be given back. */
  | { readonly kind: 'data'; readonly slab: Buffer; readonly offset: number; readonly size: number }
  /** `length` bytes at `offset` are what the receiver holds at `from`. */
  | { readonly kind: 'keep'; readonly offset: number; readonly length: number; readonly from: number };

export interface Steps {
  /** The next step; undefined when the source is at its end. One caller at a time. */
  next(): Promise<Step | undefined>;
  /** The digest of all that was read. Once, at the end. */
  digest(): Uint8Array;
  /** Resolves when the source is not read any more, and every slab that was not handed out is given back. */
  close(): Promise<void>;
}

/** Steps by blocks at fixed places. */
export class BlockSteps implements Steps {
  readonly #allowance: Allowance;
  readonly #hasher: Hasher;
  readonly #basis: BasisDigests;
  readonly #blocks: ReadAhead;
  #position: number;

  /** The receiver's digests of its `basis` bytes come on `exchange`. What is before `position`, `hasher` has seen. */
  constructor(exchange: Exchange, allowance: Allowance, source: ByteSource, basis: number, position = 0, hasher = createHasher()) {
    this.#allowance = allowance;
    this.#basis = new BasisDigests(exchange, basis);
    this.#blocks = new ReadAhead(allowance, source, position, basis);
    this.#position = position;
    this.#hasher = hasher;
  }

  async next(): Promise<Step | undefined> {
    const block = await this.#blocks.next();
    if (block === undefined) return undefined;
    const { slab, size } = block;
    const offset = this.#position;
    try {
      const bytes = slab.subarray(DATA_HEAD_BYTES, DATA_HEAD_BYTES + size);
      this.#hasher.update(bytes);
      const held = await this.#basis.at(offset, size);
      this.#position += size;
      if (held === undefined || !sameDigest(held, digestOf(bytes))) return { kind: 'data', slab, offset, size };
    } catch (error) {
      this.#allowance.slabs.give(slab);
      throw error;
    }
    this.#allowance.slabs.give(slab);
    return { kind: 'keep', offset, length: size, from: offset };
  }

  digest(): Uint8Array {
    return this.#hasher.digest();
  }

  close(): Promise<void> {
    return this.#blocks.close();
  }
}

/** The receiver's digests, block by block, as they arrive. */
class BasisDigests {
  readonly #exchange: Exchange;
  readonly #size: number;
  #page: readonly Uint8Array[] = [];
  #first = 0; // block number of the first digest of the page

  constructor(exchange: Exchange, size: number) {
    this.#exchange = exchange;
    this.#size = size;
  }

  /** The receiver's digest of its bytes at `position`, if it holds exactly `size` there. Called with growing positions. */
  async at(position: number, size: number): Promise<Uint8Array | undefined> {
    if (Math.min(this.#size - position, BLOCK_BYTES) !== size) return undefined;
    const block = position / BLOCK_BYTES;
    while (block >= this.#first + this.#page.length) {
      const received = await this.#exchange.next();
      if (received.kind !== 'message' || received.message.kind !== 'hashes') throw new Failure('INTERNAL', 'digests expected');
      const { first, digests } = received.message;
      this.#exchange.consumed(received.bulk);
      if (first !== this.#first + this.#page.length || digests.length === 0) throw new Failure('PROTOCOL', 'digests out of order', { who: 'network' });
      this.#first = first;
      this.#page = digests;
    }
    return this.#page[block - this.#first];
  }
}
