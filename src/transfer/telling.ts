/**
 * Telling: what a receiver says of the bytes that it holds already, block after block, so that it need not be sent them.
 *
 * Blocks of 1 MiB, by their digests; or, where the bytes are those of an older version and may be anywhere in the new one, small ones, each
 * so that its start can be searched for. It goes on while other things arrive, never works on more than 1 MiB without letting
 * others have the thread, and ends early when nobody wants to know more.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { BLOCK_BYTES, digestOf } from '../digest.ts';
import { Failure } from '../errors.ts';
import type { Exchange } from '../session/exchange.ts';
import { SKETCH_BYTES } from '../wire/messages.ts';
import { startHash } from './rolling.ts';
import { Room } from './room.ts';

/** What is told of. */
export interface Basis {
  readonly basis: { readonly size: number };
  /** Fills `into` with bytes of the basis; fewer when it has become shorter. */
  readBasis(into: readonly Uint8Array[], position: number): Promise<number>;
}

/** Digests in one message: small at first, so that the sender can start, then enough to cost nothing. */
const FIRST_PAGE = 4;
const PAGE = 64;
/** Bytes of the file that are read at once and told in one message, by small blocks: as many as there is room for, one of these. */
const PIECES = [4 << 20, 1 << 20] as const;

export class Telling {
  readonly #exchange: Exchange;
  readonly #holder: Basis;
  readonly #blockSize: number | undefined;
  #told = 0;
  #stopped = false;

  /** `blockSize`: that of small blocks. */
  constructor(exchange: Exchange, holder: Basis, blockSize: number | undefined) {
    this.#exchange = exchange;
    this.#holder = holder;
    this.#blockSize = blockSize;
  }

  /** Bytes that were told of: only these can be kept. */
  get told(): number { return this.#told; }

  /** Nobody wants to know more. */
  stop(): void { this.#stopped = true; }

  /** Resolves when all is told or nobody wants to know more; a failure of the disk is one of the exchange. */
  async run(): Promise<void> {
    try {
      await (this.#blockSize === undefined ? this.#digests() : this.#small(this.#blockSize));
    } catch (error) {
      if (this.#wanted) this.#exchange.cancel(Failure.from(error));
    }
  }

  get #wanted(): boolean { return !this.#stopped && this.#exchange.open; }

  async #digests(): Promise<void> {
    const { size } = this.#holder.basis;
    const buffer = size > 0 ? Buffer.allocUnsafeSlow(Math.min(BLOCK_BYTES, size)) : undefined;
    const blocks = Math.ceil(size / BLOCK_BYTES);
    for (let first = 0, page = FIRST_PAGE; first < blocks && this.#wanted; first += page, page = PAGE) {
      const digests: Uint8Array[] = [];
      for (let block = first; block < Math.min(first + page, blocks) && this.#exchange.open; block += 1) {
        const length = await this.#holder.readBasis([buffer!.subarray(0, Math.min(BLOCK_BYTES, size - block * BLOCK_BYTES))], block * BLOCK_BYTES);
        digests.push(digestOf(buffer!.subarray(0, length)));
      }
      this.#told = Math.min(size, (first + digests.length) * BLOCK_BYTES);
      if (this.#exchange.open) await this.#exchange.sayBulk({ kind: 'hashes', first, digests }, digests.length * 33 + 16);
    }
  }

  async #small(block: number): Promise<void> {
    using room = new Room();
    const piece = PIECES.find((bytes) => room.take(2 * bytes));
    if (piece === undefined) return await this.#page(0, Buffer.alloc(0));
    const { size } = this.#holder.basis;
    let [now, spare] = [Buffer.allocUnsafeSlow(piece), Buffer.allocUnsafeSlow(piece)];
    // The first one is small, so that the sender can start.
    let reading = this.#read(now.subarray(0, BLOCK_BYTES), 0);
    try {
      for (let first = 0; this.#told < size && this.#wanted;) {
        const bytes = await reading;
        const next = this.#told + bytes.byteLength;
        [now, spare] = [spare, now];
        reading = this.#read(now, next);
        reading.catch(() => {}); // seen by whoever waits for it next
        // Shorter than it was: whatever is told is wrong, and the digest of the whole will say so.
        if (next < size && bytes.byteLength % block !== 0 || bytes.byteLength === 0) break;
        const sketches = await this.#sketch(bytes, block);
        this.#told = next;
        await this.#page(first, sketches);
        first += sketches.byteLength / SKETCH_BYTES;
      }
    } finally {
      await reading.catch(() => {}); // the basis must not be closed under a read
    }
    if (this.#told < size) await this.#page(this.#told / block, Buffer.alloc(0));
  }

  /** What is told of the blocks in `bytes`. */
  async #sketch(bytes: Buffer, block: number): Promise<Buffer> {
    const sketches = Buffer.allocUnsafe(Math.ceil(bytes.byteLength / block) * SKETCH_BYTES);
    for (let start = 0, at = 0; start < bytes.byteLength; start += block, at += SKETCH_BYTES) {
      if (start > 0 && start % BLOCK_BYTES === 0) await turn();
      const one = bytes.subarray(start, start + block);
      sketches.writeInt32BE(startHash(one, 0), at);
      sketches.set(digestOf(one).subarray(0, SKETCH_BYTES - 4), at + 4);
    }
    return sketches;
  }

  async #read(into: Buffer, position: number): Promise<Buffer> {
    const wanted = into.subarray(0, Math.max(0, Math.min(into.byteLength, this.#holder.basis.size - position)));
    return wanted.subarray(0, await this.#holder.readBasis([wanted], position));
  }

  /** Without blocks: no more will be told. */
  async #page(first: number, sketches: Uint8Array): Promise<void> {
    if (this.#wanted) await this.#exchange.sayBulk({ kind: 'hashes', first, digests: [], sketches }, sketches.byteLength + 24);
  }
}
