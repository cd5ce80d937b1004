/**
 * Window: a file as it passes by, of which the next block can always be seen in one piece, wherever it begins.
 *
 * Two buffers take turns: while one is looked at, the next piece of the file is read into the other, and what is left of the
 * first goes in front of it. After each megabyte other work of the thread gets its turn.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { BLOCK_BYTES } from '../digest.ts';

/** What passes by. */
export interface Passing {
  /** Fills `into` but at the end. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Whether the next `read` is done when it returns. Left out: never. */
  readonly atOnce?: boolean;
}

export class Window {
  readonly #source: Passing;
  readonly #block: number;
  readonly #piece: number;
  readonly #onPiece: ((bytes: Uint8Array) => void) | undefined;
  #now: Buffer;
  #spare: Buffer;
  #start: number;
  #end: number;
  #reading: Promise<number> | undefined;
  /** Where reading goes on. */
  #position = 0;
  #ended = false;
  /** Bytes passed since others had their turn. */
  #passed = 0;
  #closed = false;

  /** Reads `piece` bytes at once. `onPiece` is called with all bytes of the file, once, in order. */
  constructor(source: Passing, block: number, piece: number, onPiece?: (bytes: Uint8Array) => void) {
    this.#source = source;
    this.#block = block;
    this.#piece = piece;
    this.#onPiece = onPiece;
    this.#now = Buffer.allocUnsafeSlow(block + piece);
    this.#spare = Buffer.allocUnsafeSlow(block + piece);
    this.#start = this.#end = block;
  }

  /** Memory of such a window. */
  static memory(block: number, piece: number): number { return 2 * (block + piece); }

  /** Whether the next block is here as a whole, and others had their turn: otherwise `more`. */
  get ready(): boolean { return this.#passed < BLOCK_BYTES && this.#whole; }
  get #whole(): boolean { return this.held >= this.#block || (this.#ended && this.held > 0); }
  /** Bytes that are here and not passed yet. */
  get held(): number { return this.#end - this.#start; }

  /** Resolves when the next block is here; false at the end of the file. */
  async more(): Promise<boolean> {
    if (this.#passed >= BLOCK_BYTES) {
      this.#passed = 0;
      await turn();
    }
    while (!this.#whole && !this.#ended) await this.#shift();
    return this.#whole;
  }

  /** The next `size` bytes, if they are here; good until the next `more`. */
  bytes(size: number): Buffer {
    return this.#now.subarray(this.#start, Math.min(this.#start + size, this.#end));
  }

  /** Goes on behind the next `size` bytes. */
  pass(size: number): void {
    this.#passed += size;
    this.#start += size;
  }

  /** Ends reading, and resolves when nothing is read any more. What was read is here still: the rest of it after `more`. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#reading?.catch(() => {});
  }

  async #shift(): Promise<void> {
    if (this.#reading === undefined && this.#closed) { this.#ended = true; return; }
    const size = await (this.#reading ?? this.#read());
    this.#reading = undefined;
    const block = this.#block;
    const left = this.#now.subarray(this.#start, this.#end);
    this.#spare.set(left, block - left.byteLength);
    [this.#now, this.#spare] = [this.#spare, this.#now];
    this.#start = block - left.byteLength;
    this.#end = block + size;
    this.#position += size;
    this.#ended = size < this.#piece;
    this.#onPiece?.(this.#now.subarray(block, this.#end));
    // What is read at once is best read when it is needed, while it is in the cache.
    if (!this.#ended && !this.#closed && this.#source.atOnce !== true) {
      this.#reading = this.#read();
      this.#reading.catch(() => {}); // seen by the `more` that needs it
    }
  }

  #read(): Promise<number> {
    return this.#source.read(this.#spare.subarray(this.#block), this.#position);
  }
}
