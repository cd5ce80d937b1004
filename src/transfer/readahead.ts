/**
 * ReadAhead: the blocks of a source, in order, in slabs ready to be sent; read while earlier ones are on their way.
 *
 * Blocks are read in groups, because asking the disk costs the asking thread up to a quarter of a millisecond, as much
 * as encrypting a block; the first group is one block, so that sending starts at once. A slab is taken only when
 * there is credit for all that is unsent, it included: a peer that takes nothing costs no memory. Whoever is given
 * a block gives its slab back; `close` gives back the rest, when the source is not read any more.
 */
import { BLOCK_BYTES } from '../digest.ts';
import { DATA_HEAD_BYTES } from '../wire/frame.ts';
import type { Exchange } from '../session/exchange.ts';

/** Where the bytes come from. */
export interface ByteSource {
  /** Fills `into` but at the end, where it returns fewer bytes, then 0. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Whether the next `read` is done when it returns, so that reading ahead gains nothing. Left out: never. */
  readonly atOnce?: boolean;
  /** The same with several buffers, one after the other; left out where bytes come as they like, and are better sent as they come. */
  readv?(into: readonly Uint8Array[], position: number): Promise<number>;
}

/** One block: `size` bytes of the file behind DATA_HEAD_BYTES of headroom. */
export interface Block { readonly slab: Buffer; readonly size: number }

/** Blocks read at once. With 4, asking costs little; more would be more memory for each file that is sent. */
const GROUP = 4;

export class ReadAhead {
  readonly #exchange: Exchange;
  readonly #source: ByteSource;
  readonly #blocks: Block[] = [];
  #position = 0;
  /** Blocks handed out since the last look at the credit: theirs may not be paid yet. */
  #unpaid = 0;
  #group = 1;
  #reading: Promise<void> | undefined;
  #ended = false;

  constructor(exchange: Exchange, source: ByteSource) {
    this.#exchange = exchange;
    this.#source = source;
  }

  /** The next block; undefined at the end of the source. Rejects when reading fails, or the exchange does. */
  async next(): Promise<Block | undefined> {
    if (this.#blocks.length === 0) await this.#read();
    const block = this.#blocks.shift();
    this.#unpaid = 1;
    // Half a group stays ahead while the next is read. What is read at once is best read when it is needed, while it is in the cache.
    if (this.#blocks.length <= GROUP / 2 && !this.#ended && this.#source.atOnce !== true) this.#read().catch(() => {}); // seen by the `next` that needs it
    return block;
  }

  /** Gives back all that was read and not handed out. */
  async close(): Promise<void> {
    this.#ended = true;
    await this.#reading?.catch(() => {});
    for (const { slab } of this.#blocks.splice(0)) this.#exchange.slabs.give(slab);
  }

  #read(): Promise<void> {
    if (this.#ended) return this.#reading ?? Promise.resolve();
    return (this.#reading ??= this.#fill().then(() => { this.#reading = undefined; }));
  }

  async #fill(): Promise<void> {
    const slabs = await this.#slabs();
    const bodies = slabs.map((slab) => slab.subarray(DATA_HEAD_BYTES));
    let size = 0;
    try {
      size = bodies.length === 1 ? await this.#source.read(bodies[0]!, this.#position) : await this.#source.readv!(bodies, this.#position);
    } finally {
      this.#keep(slabs, size);
    }
  }

  /** Puts the slabs that were filled behind the others, and gives back those that were not. */
  #keep(slabs: readonly Buffer[], size: number): void {
    this.#position += size;
    if (size < slabs.length * BLOCK_BYTES) this.#ended = true;
    for (const [at, slab] of slabs.entries()) {
      const filled = Math.min(Math.max(size - at * BLOCK_BYTES, 0), BLOCK_BYTES);
      if (filled > 0) this.#blocks.push({ slab, size: filled });
      else this.#exchange.slabs.give(slab);
    }
  }

  /** One slab, when there is credit and room for it; and as many more as there are at once, up to a group. */
  async #slabs(): Promise<Buffer[]> {
    const { slabs } = this.#exchange;
    await this.#exchange.credit(BLOCK_BYTES + 8, this.#unpaid + this.#blocks.length + 1);
    const taken = [await slabs.take()];
    const most = this.#source.readv === undefined || this.#source.atOnce === true ? 1 : this.#group;
    while (taken.length < most && this.#exchange.affords(BLOCK_BYTES + 8, this.#unpaid + this.#blocks.length + taken.length + 1)) {
      const more = slabs.takeNow();
      if (more === undefined) break;
      taken.push(more);
    }
    this.#group = GROUP;
    return taken;
  }
}
