/**
 * Slabs: buffers for the bytes of files, used again and again, because fresh megabytes cost page faults.
 *
 * One slab holds one block and the head of a DATA frame before it. A sender reads the file behind the head and the
 * whole goes to the socket without a copy; a receiver gathers a frame in one, so that hashing and writing see one
 * contiguous block (measured: hashing the 16 KiB records of TLS one by one costs five times as much as one copy and
 * one hash). A slab that is never given back is simply collected.
 */
import { BLOCK_BYTES } from '../digest.ts';
import type { Failure } from '../errors.ts';
import { DATA_HEAD_BYTES } from '../wire/frame.ts';
import type { Budget } from './budget.ts';

const SLAB_BYTES = DATA_HEAD_BYTES + BLOCK_BYTES;
/** Slabs of one connection: two with the socket, and for one sender half a group read and a whole one being read; or for several, fewer each. */
const MAX_SLABS = 12;
/** Free slabs kept in the process: what a few transfers at once turn over. */
const MAX_FREE = 16;

const free: Buffer[] = [];

/** A slab: DATA_HEAD_BYTES of headroom, then room for BLOCK_BYTES. Its contents are arbitrary. */
export function takeSlab(): Buffer {
  return free.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES);
}

/** Gives back a slab, or a view of one, that nobody uses any more. Other buffers are ignored. */
export function giveSlab(bytes: Uint8Array): void {
  if (bytes.buffer.byteLength !== SLAB_BYTES || free.length >= MAX_FREE) return;
  free.push(Buffer.from(bytes.buffer));
}

/** Room for `size` bytes: in a slab where that wastes little, since what is counted against the budget is `size`. */
export function roomFor(size: number): Buffer {
  if (size > BLOCK_BYTES || size < BLOCK_BYTES * 7 / 8) return Buffer.allocUnsafeSlow(size);
  return takeSlab().subarray(DATA_HEAD_BYTES, DATA_HEAD_BYTES + size);
}

/**
 * The slabs of one connection's senders: at most MAX_SLABS, and beyond the first only as the process's budget allows.
 * Whoever takes one has credit for its bytes or needs none, so that only the socket can hold it up, and with the socket
 * all senders of the connection wait alike. Every slab that was taken must be given back.
 */
export class SlabShare {
  readonly #budget: Budget;
  readonly #waiting: { resolve(slab: Buffer): void; reject(failure: Failure): void }[] = [];
  #out = 0;
  #closed: Failure | undefined;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  /** Rejects when the connection has ended. */
  take(): Promise<Buffer> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#serve();
    });
  }

  /** A slab, if there is one for the asking and nobody waits; undefined otherwise. */
  takeNow(): Buffer | undefined {
    if (this.#closed !== undefined || this.#waiting.length > 0 || this.#out >= MAX_SLABS || this.#budget.used + SLAB_BYTES > this.#budget.limit) return undefined;
    this.#budget.reserve(SLAB_BYTES, 0, this.#serve);
    this.#out += 1;
    return takeSlab();
  }

  give(slab: Buffer): void {
    giveSlab(slab);
    this.#out -= 1;
    this.#budget.release(SLAB_BYTES);
    this.#serve();
  }

  /** The connection is over: whoever waits hears why. */
  close(why: Failure): void {
    this.#closed = why;
    this.#budget.forget(this.#serve);
    for (const { reject } of this.#waiting.splice(0)) reject(why);
  }

  readonly #serve = (): void => {
    while (this.#waiting.length > 0 && this.#out < MAX_SLABS) {
      if (!this.#budget.reserve(SLAB_BYTES, this.#out, this.#serve)) return;
      this.#out += 1;
      this.#waiting.shift()!.resolve(takeSlab());
    }
  };
}
