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
/** Slabs of one connection: two with the socket, and two for each of three senders, read ahead. */
const MAX_SLABS = 8;
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

/** A frame smaller than this gets memory of its own size: the budget is charged for that, not for a slab. */
const MIN_IN_SLAB = (BLOCK_BYTES * 7) / 8;

/** Room for `size` bytes: in a slab where that is not wasteful. */
export function roomFor(size: number): Buffer {
  if (size > BLOCK_BYTES || size < MIN_IN_SLAB) return Buffer.allocUnsafeSlow(size);
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
