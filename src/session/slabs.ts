/**
 * Slabs: buffers for the bytes of files, used again and again, because fresh megabytes cost page faults.
 *
 * One slab holds one block and the head of a DATA frame before it. A sender reads the file behind the head and the
 * whole goes to the socket without a copy; a receiver gathers a frame in one, so that hashing and writing see one
 * contiguous block (measured: hashing the 16 KiB records of TLS one by one costs five times as much as one copy and
 * one hash). A pack is made in one as well. A slab that is never given back is simply collected.
 */
import { BLOCK_BYTES } from '../digest.ts';
import type { Failure } from '../errors.ts';
import { DATA_HEAD_BYTES } from '../wire/frame.ts';
import type { Budget } from './budget.ts';

/** A whole slab has room for a block; where there are many connections, each makes do with small ones. */
const WHOLE_BYTES = DATA_HEAD_BYTES + BLOCK_BYTES;
/** Bytes of a file in a small slab: 16 records of TLS. A thousand connections with one each hold half of the budget. */
export const PIECE_BYTES = 64 << 10;
const SMALL_BYTES = DATA_HEAD_BYTES + PIECE_BYTES;
/** Slabs of one connection: two with the socket, and for one sender half a group read and a whole one being read; or for several, fewer each. */
const MAX_SLABS = 12;
/** Bytes of free slabs of either size that are kept in the process: what transfers at once turn over. What is given up waits for the garbage collector. */
const MAX_FREE_BYTES = 16 << 20;
/** How long free slabs are kept when none is used (ms): longer than between two files of a copy. */
const IDLE_MS = 10_000;

/** Memory for bytes of files: of this thread alone, unless another one is to see it. */
let allocate = (size: number): Buffer => Buffer.allocUnsafeSlow(size);

/** From now on what this thread receives lands in memory that other threads can be shown without a copy. */
export function shareSlabs(): void {
  allocate = (size) => Buffer.from(new SharedArrayBuffer(size));
}

/** Who wants memory of another thread back. */
const lent = new WeakMap<ArrayBufferLike, () => void>();

/** `bytes` are in a slab of another thread: when they are given back, `back` is called, and nobody here may look at them any more. */
export function lendSlab({ buffer }: Uint8Array, back: () => void): void {
  lent.set(buffer, back);
}

/** Free slabs of one size. */
class Pool {
  readonly size: number;
  readonly #larger: Pool | undefined;
  #free: Buffer[] = [];

  /** `larger`: slabs that are not kept when these are asked for, since nobody is offered such now. */
  constructor(size: number, larger?: Pool) {
    this.size = size;
    this.#larger = larger;
  }

  take(): Buffer {
    used = true;
    this.#larger?.clear();
    return this.#free.pop() ?? allocate(this.size);
  }

  /** Whether it is one of these. */
  give({ buffer }: Uint8Array): boolean {
    if (buffer.byteLength !== this.size) return false;
    if (this.#free.length * this.size < MAX_FREE_BYTES) this.#free.push(Buffer.from(buffer));
    return true;
  }

  clear(): void { this.#free = []; }
}

const whole = new Pool(WHOLE_BYTES);
const small = new Pool(SMALL_BYTES, whole);
/** Whether a slab was taken since the last look. */
let used = false;
let looking: NodeJS.Timeout | undefined;

/** Gives the memory of free slabs back when nothing is copied any more. */
function look(): void {
  if (used) looking!.refresh();
  else {
    looking = undefined;
    whole.clear();
    small.clear();
  }
  used = false;
}

/** A slab: DATA_HEAD_BYTES of headroom, then room for BLOCK_BYTES. Its contents are arbitrary. */
export function takeSlab(): Buffer {
  return whole.take();
}

/** Gives back a slab, or a view of one, that nobody uses any more. Other buffers are ignored. */
export function giveSlab(bytes: Uint8Array): void {
  const back = lent.get(bytes.buffer);
  if (back !== undefined) {
    lent.delete(bytes.buffer);
    back();
  } else if (whole.give(bytes) || small.give(bytes)) looking ??= setTimeout(look, IDLE_MS).unref();
}

/** Room for `size` bytes: in a slab where that wastes little, since what is counted against the budget is `size`. */
export function roomFor(size: number): Buffer {
  for (const [pool, most] of [[whole, BLOCK_BYTES], [small, PIECE_BYTES]] as const) {
    if (size <= most && size >= most * 7 / 8) return pool.take().subarray(DATA_HEAD_BYTES, DATA_HEAD_BYTES + size);
  }
  return allocate(size);
}

/** Bytes of a file for which a slab has room. */
export function bodyOf(slab: Buffer): number { return slab.byteLength - DATA_HEAD_BYTES; }

interface Waiting { readonly least: number; resolve(slab: Buffer): void; reject(failure: Failure): void }

/**
 * The slabs of one connection's senders: at most MAX_SLABS, and beyond the first only as the process's budget allows; whole ones,
 * as long as it offers so much. Whoever takes one has credit for its bytes or needs none, so that only the socket can hold it
 * up, and with the socket all senders of the connection wait alike. Every slab that was taken must be given back.
 */
export class SlabShare {
  readonly #budget: Budget;
  readonly #waiting: Waiting[] = [];
  #most = MAX_SLABS;
  #out = 0;
  /** Bytes of those that are out. */
  #held = 0;
  #closed: Failure | undefined;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  /** One with room for at least `least` bytes. Rejects when the connection has ended, or `signal` aborts: with the socket stuck, none might ever be given back. */
  take(signal?: AbortSignal, least = 1): Promise<Buffer> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(signal?.reason as Error);
      };
      const heard = (): void => signal?.removeEventListener('abort', leave);
      const waiting = { least, resolve: (slab: Buffer) => { heard(); resolve(slab); }, reject: (failure: Failure) => { heard(); reject(failure); } };
      this.#waiting.push(waiting);
      signal?.addEventListener('abort', leave, { once: true });
      this.#serve();
    });
  }

  /** A slab with room for at least `least` bytes, if there is one for the asking and nobody waits; undefined otherwise. */
  takeNow(least = 1): Buffer | undefined {
    if (this.#closed !== undefined || this.#waiting.length > 0 || this.#out >= this.#most) return undefined;
    const pool = this.#pool(least);
    if (!this.#budget.offers(pool.size, this.#held)) return undefined;
    this.#budget.reserve(pool.size, this.#held, this.#serve);
    this.#out += 1;
    this.#held += pool.size;
    return pool.take();
  }

  /** So many more may be out, or fewer again: for senders that use other connections besides this one. */
  widen(by: number): void {
    this.#most += by;
    this.#serve();
  }

  give(slab: Buffer): void {
    giveSlab(slab);
    this.lost(slab.byteLength);
  }

  /** A slab of so many bytes, which was taken, is none any more. */
  lost(bytes: number): void {
    this.#out -= 1;
    this.#held -= bytes;
    this.#budget.release(bytes);
    this.#serve();
  }

  /** The connection is over: whoever waits hears why. */
  close(why: Failure): void {
    this.#closed = why;
    this.#budget.forget(this.#serve);
    for (const { reject } of this.#waiting.splice(0)) reject(why);
  }

  /** Whole ones where they are needed or offered. */
  #pool(least: number): Pool {
    return least > PIECE_BYTES || this.#budget.offers(whole.size, this.#held) ? whole : small;
  }

  readonly #serve = (): void => {
    while (this.#waiting.length > 0 && this.#out < this.#most) {
      const pool = this.#pool(this.#waiting[0]!.least);
      if (!this.#budget.reserve(pool.size, this.#held, this.#serve)) return;
      this.#out += 1;
      this.#held += pool.size;
      this.#waiting.shift()!.resolve(pool.take());
    }
  };
}
