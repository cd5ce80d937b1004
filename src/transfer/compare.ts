/**
 * Compare: steps for a file of which the receiver holds an older version, wherever in it the same bytes are now.
 *
 * First, each block is compared with the one that follows what was found last. Where that is another one, the file is searched byte by
 * byte for the start of any block that the receiver has told of; what is passed over is sent. Telling has to be ahead of
 * looking, the further the longer nothing is found: bytes may have been taken out.
 * When nothing at all is alike, or there is no room for comparing, the rest is sent as if there were no older version.
 */
import { BLOCK_BYTES, createHasher, digestOf } from '../digest.ts';
import { DATA_HEAD_BYTES } from '../wire/frame.ts';
import type { Exchange } from '../session/exchange.ts';
import type { Allowance, ByteSource } from './readahead.ts';
import { checkBlock, START_BYTES } from './rolling.ts';
import { Room } from './room.ts';
import { BlockSteps, type Step, type Steps } from './steps.ts';
import { ToldBlocks } from './told.ts';
import { Window } from './window.ts';

/** So far ahead of what is looked for the receiver has told: room for small things that were taken out, and for the way. */
const AHEAD = 8 << 20;
/** For each byte that was not found, so many more are told: what was taken out costs a quarter of its size at most. */
const AHEAD_FACTOR = 4;
/** When nothing is alike in so many bytes, nothing is looked for in the rest. */
const HOPELESS = 64 << 20;
/** Starts of blocks that turn out not to be, in bytes that were hashed for them: so many for each byte that is sent, and some to begin with. */
const VAIN_FACTOR = 4;
const VAIN_BYTES = 4 << 20;
/** Bytes that are read at once, as there is room: asking the disk costs as much as hashing a megabyte. */
const PIECES = [4 << 20, BLOCK_BYTES] as const;
/** Kept bytes of one step: the receiver copies them meanwhile. */
const KEPT = 4 << 20;
/** Bytes that are searched at a time. */
const SEARCHED = 64 << 10;

/** The next bytes, and where the receiver holds them. */
interface Decision { readonly size: number; readonly from: number | undefined }

export class CompareSteps implements Steps {
  readonly #exchange: Exchange;
  readonly #allowance: Allowance;
  readonly #source: ByteSource;
  readonly #hasher = createHasher();
  readonly #room = new Room();
  readonly #block: number;
  readonly #told: ToldBlocks;
  /** Undefined where there is no room for it, or no need any more. */
  #window: Window | undefined;
  #position = 0;
  /** How much further on the receiver held what was found last, and how much was not found since. */
  #shift = 0;
  #missed = 0;
  /** Bytes that were not found in all, and bytes that were hashed in vain because a block might have begun there. */
  #sent = 0;
  #vain = 0;
  #anyKept = false;
  /** What was decided, but did not go with what is about to be handed out. */
  #decided: Decision | undefined;
  #keep: Step & { kind: 'keep' } | undefined;
  #slab: Buffer | undefined;
  #filled = 0; // bytes in the slab
  /** Nothing is compared any more. */
  #whole = false;
  #rest: BlockSteps | undefined;
  #closed = false;

  /** The receiver tells its `basis` bytes, by blocks of `block`, on `exchange`. Throws PROTOCOL when that is not allowed. */
  constructor(exchange: Exchange, allowance: Allowance, source: ByteSource, basis: number, block: number) {
    checkBlock(block, basis);
    this.#exchange = exchange;
    this.#allowance = allowance;
    this.#source = source;
    this.#block = block;
    this.#told = new ToldBlocks(exchange, basis, block, this.#room);
    // What is read at once is best read piece by piece, while it is in the cache.
    const piece = PIECES.find((bytes) => (source.atOnce !== true || bytes === BLOCK_BYTES) && this.#room.take(Window.memory(block, bytes)));
    if (piece !== undefined) this.#window = new Window(source, block, piece, (bytes) => this.#hasher.update(bytes));
  }

  async next(): Promise<Step | undefined> {
    if (!this.#whole && (this.#window === undefined || this.#hopeless)) await this.#giveUp();
    if (this.#whole) return await this.#nextWhole();
    const window = this.#window!;
    for (;;) {
      if (!window.ready && !(await window.more())) return this.#hand();
      if (this.#hopeless) return this.#hand() ?? (await this.next());
      if (!this.#told.reaches(this.#wanted)) {
        const ready = this.#hand(); // not held back while the receiver is waited for
        if (ready !== undefined) return ready;
        await this.#told.reach(this.#wanted);
      }
      const ready = await this.#step(window);
      if (ready !== undefined) return ready;
    }
  }

  get #wanted(): number { return this.#position + Math.max(0, this.#shift) + AHEAD + AHEAD_FACTOR * this.#missed; }
  get #hopeless(): boolean { return this.#told.full || (!this.#anyKept && this.#position >= HOPELESS); }

  /** Deals with the next bytes; with what was gathered before, when that is another step. */
  async #step(window: Window): Promise<Step | undefined> {
    const { size, from } = (this.#decided ??= this.#decide(window));
    if (from === undefined) {
      if (this.#keep !== undefined || this.#filled + size > BLOCK_BYTES) return this.#hand();
      await this.#append(window.bytes(size));
    } else {
      const keep = this.#keep;
      if (this.#slab !== undefined || (keep !== undefined && (keep.from + keep.length !== from || keep.length >= KEPT))) return this.#hand();
      this.#keep = { kind: 'keep', offset: keep?.offset ?? this.#position, length: (keep?.length ?? 0) + size, from: keep?.from ?? from };
    }
    this.#decided = undefined;
    this.#position += size;
    window.pass(size);
    return undefined;
  }

  #decide(window: Window): Decision {
    const expected = this.#position + this.#shift;
    const length = this.#told.lengthAt(expected);
    return this.#same(window, length, expected) ?? this.#search(window, expected, length < this.#block ? 0 : 1);
  }

  /** The next `length` bytes, when the receiver holds them as a block: at `expected`, or somewhere. */
  #same(window: Window, length: number, expected?: number): Decision | undefined {
    if (length === 0 || length > window.held) return undefined;
    const digest = digestOf(window.bytes(length));
    const from = expected !== undefined && this.#told.isAt(expected, digest) ? expected : this.#told.find(digest);
    if (from === undefined) return undefined;
    this.#anyKept = true;
    this.#missed = 0;
    this.#shift = from - this.#position;
    return { size: length, from };
  }

  /** What has to be sent before the next place where a block may begin, `first` bytes or more; or the block that begins here. */
  #search(window: Window, expected: number, first: 0 | 1): Decision {
    if (window.held < this.#block) return this.#atEnd(window);
    const toNext = this.#block - (((expected % this.#block) + this.#block) % this.#block);
    const most = Math.min(window.held - this.#block + 1, toNext, SEARCHED);
    if (this.#vain > VAIN_BYTES + VAIN_FACTOR * this.#sent) return this.#miss(most);
    const bytes = window.bytes(most + START_BYTES - 1);
    const at = this.#told.scan(bytes, first, most);
    if (at > 0) return this.#miss(at);
    const here = this.#same(window, this.#block);
    if (here !== undefined) return here;
    this.#vain += this.#block;
    return this.#miss(this.#told.scan(bytes, 1, most));
  }

  /** Less than a block is left: only the receiver's last one can be in it. */
  #atEnd(window: Window): Decision {
    const before = window.held - this.#told.lastLength;
    if (before === 0) return this.#same(window, window.held) ?? this.#miss(window.held);
    return this.#miss(before > 0 ? before : window.held);
  }

  #miss(size: number): Decision {
    this.#missed += size;
    this.#sent += size;
    return { size, from: undefined };
  }

  /** Puts bytes behind those that are to be sent. */
  async #append(bytes: Uint8Array): Promise<void> {
    if (this.#slab === undefined) {
      await this.#allowance.credit(BLOCK_BYTES + 8, 1);
      const slab = await this.#allowance.slabs.take(this.#allowance.signal, BLOCK_BYTES);
      if (this.#closed) {
        this.#allowance.slabs.give(slab);
        throw this.#exchange.failure!;
      }
      this.#slab = slab;
    }
    this.#slab.set(bytes, DATA_HEAD_BYTES + this.#filled);
    this.#filled += bytes.byteLength;
  }

  /** What was gathered; undefined when that is nothing. */
  #hand(): Step | undefined {
    const [keep, slab, size] = [this.#keep, this.#slab, this.#filled];
    this.#keep = this.#slab = undefined;
    this.#filled = 0;
    return slab === undefined ? keep : { kind: 'data', slab, offset: this.#position - size, size };
  }

  async #giveUp(): Promise<void> {
    this.#whole = true;
    this.#decided = undefined;
    this.#exchange.say({ kind: 'whole' });
    await this.#window?.close();
  }

  /** First what the window has read, then the source itself. */
  async #nextWhole(): Promise<Step | undefined> {
    const window = this.#window;
    if (window !== undefined && (await window.more())) {
      const bytes = window.bytes(BLOCK_BYTES);
      await this.#append(bytes);
      this.#position += bytes.byteLength;
      window.pass(bytes.byteLength);
      return this.#hand();
    }
    this.#window = undefined;
    this.#told.forget();
    this.#room[Symbol.dispose]();
    this.#rest ??= new BlockSteps(this.#exchange, this.#allowance, this.#source, 0, this.#position, this.#hasher);
    return await this.#rest.next();
  }

  digest(): Uint8Array {
    return this.#hasher.digest();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#window?.close();
    await this.#rest?.close();
    if (this.#slab !== undefined) this.#allowance.slabs.give(this.#slab);
    this.#slab = undefined;
    this.#room[Symbol.dispose]();
  }
}
