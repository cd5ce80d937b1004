/**
 * Rolling: blocks of an older version, found again wherever they are now.
 *
 * A receiver tells of each of its blocks two numbers: a hash of the first 32 bytes, which can be rolled over a file byte by byte, and the
 * first part of the digest of all of it (after Tridgell's rsync, where the rolling hash is one of the whole block, and takes a
 * look at every byte of the old file as well). Both ends must compute alike: what is below is part of the protocol. Pure.
 */
import { BLOCK_BYTES, digestOf } from '../digest.ts';
import { Failure } from '../errors.ts';

/** Smaller blocks would cost more in what is told of them than they save. */
const MIN_BLOCK = 16 << 10;
/** Blocks of a file, at which they are made larger: a megabyte to tell, in vain when nothing has changed. */
export const MAX_BLOCKS = 1 << 16;
/** Bytes of a block that its start is known by. A bit that is shifted 32 times is gone. */
export const START_BYTES = 32;

/** Bytes of a block of a file of `size` bytes; undefined when that is too large: 64 GiB have blocks of 1 MiB. */
export function blockFor(size: number): number | undefined {
  let block = MIN_BLOCK;
  while (size > block * MAX_BLOCKS) block *= 2;
  return block > BLOCK_BYTES ? undefined : block;
}

/** Throws PROTOCOL when a peer must not have blocks of so many bytes of a file of `size`. */
export function checkBlock(block: number, size: number): void {
  const least = blockFor(size);
  if (least === undefined || block < least || block > BLOCK_BYTES || (block & (block - 1)) !== 0) {
    throw new Failure('PROTOCOL', `blocks of ${block} bytes for ${size} bytes`, { who: 'network' });
  }
}

/** For each byte a number without a pattern: the first four bytes, the highest first, of the BLAKE3 digest of that byte. */
let numbers: Int32Array | undefined;

function gear(): Int32Array {
  return (numbers ??= Int32Array.from({ length: 256 }, (_, byte) => new DataView(Uint8Array.from(digestOf(Uint8Array.of(byte))).buffer).getInt32(0)));
}

/** The hash of the 32 bytes from `at` on: each byte b makes h into 2h + gear(b), in 32 bits. With fewer bytes it is 0. */
export function startHash(bytes: Uint8Array, at: number): number {
  if (bytes.byteLength - at < START_BYTES) return 0;
  const number = gear();
  let hash = 0;
  for (let next = at; next < at + START_BYTES; next += 1) hash = ((hash << 1) + number[bytes[next]!]!) | 0;
  return hash;
}

/** Spreads a hash anew, for the second sieve. */
const OTHER = 0x9e37_79b1;

/**
 * Which hashes there are. Nearly none of a file's are among them, and looking each one up would be most of the work: so two
 * sieves of bits, most of them clear, are asked first.
 */
export class Starts {
  readonly #first: Int32Array;
  readonly #second: Int32Array;
  /** So far a hash is shifted to be the number of its bit. */
  readonly #shift: number;

  /** Sieves of 2 to the power of `bits` each, at least 32. */
  constructor(bits: number) {
    this.#first = new Int32Array(2 ** bits / 32);
    this.#second = new Int32Array(2 ** bits / 32);
    this.#shift = 32 - bits;
  }

  add(hash: number): void {
    const [one, two] = [hash >>> this.#shift, Math.imul(hash, OTHER) >>> this.#shift];
    this.#first[one >>> 5]! |= 1 << (one & 31);
    this.#second[two >>> 5]! |= 1 << (two & 31);
  }

  /** The first place from `from` on and before `to` at which 32 bytes have a hash that was added, and `is` one indeed; `to` when there is none. */
  scan(bytes: Uint8Array, from: number, to: number, is: (hash: number) => boolean): number {
    const [first, second, shift, number] = [this.#first, this.#second, this.#shift, gear()];
    const end = Math.min(to + START_BYTES - 1, bytes.byteLength);
    let at = from;
    let hash = 0;
    for (const primed = Math.min(from + START_BYTES - 1, end); at < primed; at += 1) hash = ((hash << 1) + number[bytes[at]!]!) | 0;
    for (; at < end; at += 1) {
      hash = ((hash << 1) + number[bytes[at]!]!) | 0;
      const one = hash >>> shift;
      if (((first[one >>> 5]! >>> (one & 31)) & 1) === 0) continue;
      const two = Math.imul(hash, OTHER) >>> shift;
      if (((second[two >>> 5]! >>> (two & 31)) & 1) === 1 && is(hash)) return at - (START_BYTES - 1);
    }
    return to;
  }
}
