/**
 * Assembly: one file coming together in a sink, in whatever order its bytes come.
 *
 * What comes next in the file is hashed as it comes. What comes early, over a faster lane, is written where it belongs. A little of it
 * stays in memory until its turn comes; the rest holds no memory and no credit, and is read back then, as kept ranges
 * are. So the digest is that of all bytes as they end up. No byte that was hashed is ever written again.
 */
import { BLOCK_BYTES, createHasher } from '../digest.ts';
import { Failure } from '../errors.ts';
import { Extents } from './extents.ts';

/**
 * Early bytes that stay in memory: near by, lanes are a block or two apart, and reading one back costs more than hashing it. It is
 * well below what any one lane may hold, so that whatever is waited for can come over each of them. In so many parts at most, where memory
 * is short and blocks come in pieces of 64 KiB, or a peer sends less than that at a time.
 */
const MAX_HELD = 4 << 20;
const MAX_PARTS = 64;

/** What an assembly reads back from. */
export interface Readable { read(into: Uint8Array, position: number): Promise<number> }

export class Assembly {
  readonly #sink: Readable;
  readonly #hasher = createHasher();
  /** Whether bytes may come early: only where there are lanes. */
  readonly #anyOrder: boolean;
  /** Bytes that have come, or were kept. */
  readonly #claimed = new Extents();
  /** Bytes that are in the sink and not hashed yet. */
  readonly #landed = new Extents();
  /** What of that is in memory, by its offset, and who wants the memory back. */
  readonly #held = new Map<number, { readonly bytes: Uint8Array; free(): void }>();
  #heldBytes = 0;
  #hashed = 0;
  #end = 0;
  #reading: Promise<void> | undefined;
  #failure: Failure | undefined;

  constructor(sink: Readable, anyOrder: boolean) {
    this.#sink = sink;
    this.#anyOrder = anyOrder;
  }

  /** The largest position that has come. */
  get end(): number { return this.#end; }

  /**
   * Takes note of bytes that have come: `early`, when they must be told by `landed` once they are in the sink; `known` when they
   * have come before. Throws PROTOCOL when they come in an order that is not allowed.
   */
  came(offset: number, bytes: Uint8Array): 'hashed' | 'early' | 'known' {
    if (!this.#claim(offset, bytes.byteLength)) return 'known';
    if (offset !== this.#hashed || this.#reading !== undefined) return 'early';
    this.#hasher.update(bytes);
    this.#hashed += bytes.byteLength;
    this.#catchUp();
    return 'hashed';
  }

  /** The first bytes of what comes of which the same is known: of a frame that another lane had begun, only the rest is new. */
  alike(offset: number, size: number): number {
    return this.#anyOrder ? this.#claimed.alike(offset, size) : size;
  }

  #claim(offset: number, size: number): boolean {
    if (!this.#anyOrder && offset !== this.#end) throw new Failure('PROTOCOL', 'bytes out of order', { who: 'network' });
    const fresh = this.#claimed.add(offset, size);
    this.#end = Math.max(this.#end, offset + size);
    return fresh;
  }

  /** Bytes that were early are in the sink; `free` is called when they need not be in memory any more. */
  landed(offset: number, bytes: Uint8Array, free: () => void): void {
    this.#landed.add(offset, bytes.byteLength);
    if (this.#failure !== undefined || this.#held.size >= MAX_PARTS || this.#heldBytes + bytes.byteLength > MAX_HELD) free();
    else {
      this.#held.set(offset, { bytes, free });
      this.#heldBytes += bytes.byteLength;
    }
    this.#catchUp();
  }

  /** Bytes that are in the sink already. Resolves when they are hashed or, where others come before them, at once. */
  async keep(offset: number, size: number): Promise<void> {
    if (!this.#claim(offset, size)) throw new Failure('PROTOCOL', 'bytes kept twice', { who: 'network' });
    this.#landed.add(offset, size);
    this.#catchUp();
    await this.#reading;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** The digest of bytes 0 to `size`, when they have all come and landed. */
  async digest(size: number): Promise<Uint8Array> {
    while (this.#reading !== undefined) await this.#reading;
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#end !== size || this.#hashed !== size) throw new Failure('PROTOCOL', `${this.#hashed} bytes came of ${size}`, { who: 'network' });
    return this.#hasher.digest();
  }

  /** Ends reading back, and gives up what is in memory. */
  stop(failure: Failure): Promise<void> {
    this.#failure ??= failure;
    for (const offset of this.#held.keys()) this.#free(offset);
    return this.#reading ?? Promise.resolve();
  }

  /** Hashes what has landed and is next, if somebody does not do so already. */
  #catchUp(): void {
    if (this.#reading !== undefined) return;
    this.#hashHeld();
    if (this.#landed.reach(this.#hashed) === this.#hashed) return;
    this.#reading = this.#readBack()
      .catch((error: unknown) => { this.#failure ??= Failure.from(error); })
      .finally(() => {
        this.#reading = undefined;
        if (this.#failure === undefined) this.#catchUp(); // something may have landed since the last look
      });
  }

  /** What is next, as long as it is in memory. */
  #hashHeld(): void {
    for (let next = this.#held.get(this.#hashed); next !== undefined; next = this.#held.get(this.#hashed)) {
      this.#hasher.update(next.bytes);
      this.#free(this.#hashed);
      this.#hashed += next.bytes.byteLength;
      this.#landed.forget(this.#hashed);
    }
  }

  #free(offset: number): void {
    const { bytes, free } = this.#held.get(offset)!;
    this.#held.delete(offset);
    this.#heldBytes -= bytes.byteLength;
    free();
  }

  /** Up to where bytes have to be read back that are next. */
  #missing(): number {
    return Math.min(this.#landed.reach(this.#hashed), ...this.#held.keys());
  }

  async #readBack(): Promise<void> {
    const buffer = Buffer.allocUnsafeSlow(Math.min(BLOCK_BYTES, this.#missing() - this.#hashed));
    for (let end = this.#missing(); end > this.#hashed; end = this.#missing()) {
      if (this.#failure !== undefined) return;
      const size = await this.#sink.read(buffer.subarray(0, Math.min(buffer.byteLength, end - this.#hashed)), this.#hashed);
      if (size === 0) throw new Failure('IO', 'the staged file became shorter', { who: 'server' });
      this.#hasher.update(buffer.subarray(0, size));
      this.#hashed += size;
      this.#landed.forget(this.#hashed);
    }
  }
}
