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
import { bodyOf, type SlabShare } from '../session/slabs.ts';
import { Wait, type Waits } from '../session/waits.ts';

/** Where the bytes come from. */
export interface ByteSource {
  /** Fills `into` but at the end, where it returns fewer bytes, then 0. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Whether the next `read` is done when it returns, so that reading ahead gains nothing. Left out: never. */
  readonly atOnce?: boolean;
  /** The same with several buffers, one after the other; left out where bytes come as they like, and are better sent as they come. */
  readv?(into: readonly Uint8Array[], position: number): Promise<number>;
}

/** What lets blocks be read: credit for them, and slabs. An exchange is one. */
export interface Allowance {
  readonly slabs: Pick<SlabShare, 'take' | 'takeNow' | 'give'>;
  /** Aborted when nobody listens any more. */
  readonly signal: AbortSignal;
  /** Told when the source is waited for, where somebody wants to know. */
  readonly waits: Waits | undefined;
  /** Resolves when there is credit for `frames` bodies of `size` bytes each. Rejects when nobody listens any more. */
  credit(size: number, frames: number): Promise<void>;
  /** Whether there is now. Throws when nobody listens any more. */
  affords(size: number, frames: number): boolean;
}

/** One block, or less where memory is short: `size` bytes of the file behind DATA_HEAD_BYTES of headroom. */
export interface Block { readonly slab: Buffer; readonly size: number }

/** Blocks read at once. With 4, asking costs little; more would be more memory for each file that is sent. */
const GROUP = 4;

export class ReadAhead {
  readonly #allowance: Allowance;
  readonly #source: ByteSource;
  readonly #blocks: Block[] = [];
  readonly #compared: number;
  #position: number;
  /** Blocks handed out since the last look at the credit: theirs may not be paid yet. */
  #unpaid = 0;
  #group = 1;
  #reading: Promise<void> | undefined;
  #ended = false;
  readonly #wait: Wait | undefined;
  /** Somebody waits for a block; the source is being read. Both: the source is waited for. */
  #wanted = false;
  #asking = false;

  /** Of the source from `position` on; those that begin before `compared` are whole blocks but for the last of the source. */
  constructor(allowance: Allowance, source: ByteSource, position = 0, compared = 0) {
    this.#allowance = allowance;
    this.#source = source;
    this.#wait = allowance.waits === undefined ? undefined : new Wait(allowance.waits);
    this.#position = position;
    this.#compared = compared;
  }

  /** The next block; undefined at the end of the source. Rejects when reading fails, or the exchange does. */
  async next(): Promise<Block | undefined> {
    if (this.#blocks.length === 0) await this.#missed();
    const block = this.#blocks.shift();
    this.#unpaid = 1;
    // Half a group stays ahead while the next is read. What is read at once is best read when it is needed, while it is in the cache.
    if (this.#blocks.length <= GROUP / 2 && !this.#ended && this.#source.atOnce !== true) this.#read().catch(() => {}); // seen by the `next` that needs it
    return block;
  }

  async #missed(): Promise<void> {
    this.#wanted = true;
    this.#tell();
    try {
      await this.#read();
    } finally {
      this.#wanted = false;
      this.#tell();
    }
  }

  #tell(): void { this.#wait?.for(this.#wanted && this.#asking ? 'disk' : undefined); }

  /** Gives back all that was read and not handed out. */
  async close(): Promise<void> {
    this.#ended = true;
    await this.#reading?.catch(() => {});
    for (const { slab } of this.#blocks.splice(0)) this.#allowance.slabs.give(slab);
  }

  #read(): Promise<void> {
    if (this.#ended) return this.#reading ?? Promise.resolve();
    return (this.#reading ??= this.#fill().then(() => { this.#reading = undefined; }));
  }

  async #fill(): Promise<void> {
    const slabs = await this.#slabs();
    const bodies = slabs.map((slab) => slab.subarray(DATA_HEAD_BYTES));
    let size = 0;
    this.#asking = true;
    this.#tell();
    try {
      size = bodies.length === 1 ? await this.#source.read(bodies[0]!, this.#position) : await this.#source.readv!(bodies, this.#position);
    } finally {
      this.#asking = false;
      this.#tell();
      this.#keep(slabs, size);
    }
  }

  /** Puts the slabs that were filled behind the others, and gives back those that were not. */
  #keep(slabs: readonly Buffer[], size: number): void {
    this.#position += size;
    let left = size;
    for (const slab of slabs) {
      const filled = Math.min(left, bodyOf(slab));
      left -= filled;
      if (filled < bodyOf(slab)) this.#ended = true;
      if (filled > 0) this.#blocks.push({ slab, size: filled });
      else this.#allowance.slabs.give(slab);
    }
  }

  /** One slab, when there is credit and room for it; and as many more as there are at once, up to a group. */
  async #slabs(): Promise<Buffer[]> {
    const { slabs } = this.#allowance;
    await this.#allowance.credit(BLOCK_BYTES + 8, this.#unpaid + this.#blocks.length + 1);
    const taken = [await slabs.take(this.#allowance.signal, this.#least(this.#position))];
    let position = this.#position + bodyOf(taken[0]!);
    const most = this.#source.readv === undefined || this.#source.atOnce === true ? 1 : this.#group;
    while (taken.length < most && this.#allowance.affords(BLOCK_BYTES + 8, this.#unpaid + this.#blocks.length + taken.length + 1)) {
      const more = slabs.takeNow(this.#least(position));
      if (more === undefined) break;
      position += bodyOf(more);
      taken.push(more);
    }
    this.#group = GROUP;
    return taken;
  }

  /** Bytes that a slab for `position` must have room for. */
  #least(position: number): number { return position < this.#compared ? BLOCK_BYTES : 1; }
}
