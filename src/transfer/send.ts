/**
 * Send: one file from a source into an exchange; the half that has the bytes.
 *
 * Neither knows which end it is on, nor what a vault is. Of a file that the receiver holds in part (`basis`
 * bytes), it compares digest by digest and sends only the blocks that differ; nothing is kept on the word of a size
 * or a time. The whole file is hashed as it passes, kept blocks too, so that the digest in `commit` is that of what
 * was read here. Reading, hashing and sending overlap.
 */
import { BLOCK_BYTES, createHasher, digestOf, sameDigest } from '../digest.ts';
import { Failure } from '../errors.ts';
import { DATA_HEAD_BYTES } from '../wire/frame.ts';
import type { Exchange } from '../session/exchange.ts';
import { ReadAhead, type ByteSource } from './readahead.ts';

export interface SendOptions {
  /** Bytes of this file that the receiver holds and will send digests of. */
  readonly basis: number;
  /** Called as bytes are dealt with; `kept` of them were not sent. */
  onBytes?(bytes: number, kept: number): void;
}

export interface Sent { readonly size: number; readonly digest: Uint8Array; readonly kept: number }

/** A run of kept blocks is told at the latest after so many bytes, so that the receiver checks them meanwhile. */
const MAX_KEEP = 64 << 20;

/** Sends all bytes of `source`, but not the `commit`: whoever calls decides first whether the source stayed the same. */
export async function send(exchange: Exchange, source: ByteSource, options: SendOptions): Promise<Sent> {
  const basis = new BasisDigests(exchange, options.basis);
  const hasher = createHasher();
  const keep = new KeepRun(exchange);
  const blocks = new ReadAhead(exchange, source);
  let position = 0;
  try {
    for (let block = await blocks.next(); block !== undefined; block = await blocks.next()) {
      const { slab, size } = block;
      const bytes = slab.subarray(DATA_HEAD_BYTES, DATA_HEAD_BYTES + size);
      let kept = false;
      try {
        hasher.update(bytes);
        const held = await basis.at(position, size);
        kept = held !== undefined && sameDigest(held, digestOf(bytes));
        if (kept) await keep.add(position, size);
        else {
          await keep.flush();
          await exchange.room(size + 8);
        }
      } catch (error) {
        exchange.slabs.give(slab);
        throw error;
      }
      if (kept) exchange.slabs.give(slab);
      else exchange.data(slab, position, size, () => exchange.slabs.give(slab));
      position += size;
      options.onBytes?.(size, kept ? size : 0);
    }
  } finally {
    await blocks.close(); // the source must not be closed under a read
  }
  await keep.flush();
  return { size: position, digest: hasher.digest(), kept: keep.total };
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

/** Neighbouring blocks that the receiver keeps, told as one. */
class KeepRun {
  readonly #exchange: Exchange;
  #offset = 0;
  #length = 0;
  total = 0;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  async add(position: number, size: number): Promise<void> {
    if (this.#length === 0) this.#offset = position;
    this.#length += size;
    this.total += size;
    if (this.#length >= MAX_KEEP) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#length === 0) return;
    const length = this.#length;
    this.#length = 0;
    await this.#exchange.sayBulk({ kind: 'keep', offset: this.#offset, length }, 18);
  }
}
