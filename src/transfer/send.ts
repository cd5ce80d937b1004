/**
 * Send: one file from a source into an exchange; the half that has the bytes.
 *
 * Neither knows which end it is on, nor what a vault is. Of a file that the receiver holds in part (`basis`
 * bytes), it compares digest by digest and sends only the blocks that differ; nothing is kept on the word of a size
 * or a time. The whole file is hashed as it passes, kept blocks too, so that the digest in `commit` is that of what
 * was read here. Reading, hashing and sending overlap; at most SLABS buffers are held.
 */
import { BLOCK_BYTES, createHasher, digestOf, sameDigest } from '../digest.ts';
import { Failure } from '../errors.ts';
import { DATA_HEAD_BYTES } from '../wire/frame.ts';
import type { Exchange } from '../session/exchange.ts';
import { SlabTurns } from './slabs.ts';

/** Where the bytes come from. `read` fills the buffer but at the end, where it returns fewer bytes, then 0. */
export interface ByteSource {
  read(into: Uint8Array, position: number): Promise<number>;
}

export interface SendOptions {
  /** Bytes of this file that the receiver holds and will send digests of. */
  readonly basis: number;
  /** Called as bytes are dealt with; `kept` of them were not sent. */
  onBytes?(bytes: number, kept: number): void;
}

export interface Sent { readonly size: number; readonly digest: Uint8Array; readonly kept: number }

/** One being read, one being hashed, one being written, one waiting behind it. */
const SLABS = 4;
/** A run of kept blocks is told at the latest after so many bytes, so that the receiver checks them meanwhile. */
const MAX_KEEP = 64 << 20;

/** Sends all bytes of `source`, but not the `commit`: whoever calls decides first whether the source stayed the same. */
export async function send(exchange: Exchange, source: ByteSource, options: SendOptions): Promise<Sent> {
  const slabs = new SlabTurns(SLABS);
  const basis = new BasisDigests(exchange, options.basis);
  const hasher = createHasher();
  const keep = new KeepRun(exchange);
  const readAt = async (position: number): Promise<{ slab: Buffer; size: number }> => {
    const slab = await slabs.take();
    return { slab, size: await source.read(slab.subarray(DATA_HEAD_BYTES), position) };
  };
  let position = 0;
  let reading = readAt(0);
  try {
    for (;;) {
      const { slab, size } = await reading;
      if (size === 0) { slabs.give(slab); break; }
      reading = readAt(position + size);
      reading.catch(() => {}); // seen by the await above, or given up below
      const bytes = slab.subarray(DATA_HEAD_BYTES, DATA_HEAD_BYTES + size);
      hasher.update(bytes);
      const held = await basis.at(position, size);
      const same = held !== undefined && sameDigest(held, digestOf(bytes));
      if (same) { await keep.add(position, size); slabs.give(slab); }
      else {
        await keep.flush();
        await exchange.room(size + 8);
        exchange.data(slab, position, size, () => slabs.give(slab));
      }
      position += size;
      options.onBytes?.(size, same ? size : 0);
    }
  } catch (error) {
    await Promise.allSettled([reading]); // the source must not be closed under it
    throw error;
  }
  await keep.flush();
  slabs.done();
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
