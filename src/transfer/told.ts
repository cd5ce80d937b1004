/**
 * Told: what a sender knows of the blocks that its receiver holds, as the receiver tells them one after the other.
 *
 * A block is found by 10 bytes of its digest. That two different ones have the same, by chance, happens in one of 2^48
 * transfers; the digest of the whole file finds it out. The memory is that of 65,536 blocks at most, whatever is told. Where
 * there is no room for it nothing is taken in, and nothing found.
 */
import { randomBytes } from 'node:crypto';
import { Failure } from '../errors.ts';
import type { Exchange } from '../session/exchange.ts';
import { SKETCH_BYTES, type Message } from '../wire/messages.ts';
import { Starts } from './rolling.ts';
import type { Room } from './room.ts';

/** Words of a digest that are compared; of the last one only half is told. */
const WORDS = 3;
/** Places for each block in both indexes, at least: never more than half full. And bits of a sieve. */
const PLACES = 2;
const BITS = 16;

export class ToldBlocks {
  readonly #exchange: Exchange;
  readonly #size: number;
  readonly #block: number;
  #words: Int32Array;
  /** Numbers of blocks, from 1 on, by a hash of their words; 0 is free. */
  #index: Int32Array;
  /** The hashes of the starts of blocks, by themselves; 0 is free, and counts as one that is there. */
  #hashes: Int32Array;
  readonly #starts: Starts;
  /** Odd, and random: a peer that chooses the words cannot choose ones that meet in an index. */
  readonly #factors = Int32Array.from({ length: WORDS }, () => randomBytes(4).readInt32LE() | 1);
  /** The words of the digest that is looked for or put in. */
  readonly #probe = new Int32Array(WORDS);
  #count = 0;
  #all: boolean;
  /** There is no room for what is told. */
  readonly full: boolean;

  /** The receiver tells the blocks of its `size` bytes, of `block` bytes each, on `exchange`; `room` is for the tables of them. */
  constructor(exchange: Exchange, size: number, block: number, room: Room) {
    this.#exchange = exchange;
    this.#size = size;
    this.#block = block;
    this.#all = size === 0;
    const blocks = Math.ceil(size / block);
    const places = 2 ** Math.ceil(Math.log2(Math.max(blocks, 2) * PLACES));
    const bits = Math.log2(places / PLACES * BITS);
    this.full = !room.take(blocks * WORDS * 4 + places * 8 + 2 ** bits / 4);
    this.#words = new Int32Array(this.full ? 0 : blocks * WORDS);
    this.#index = new Int32Array(this.full ? 0 : places);
    this.#hashes = new Int32Array(this.full ? 0 : places);
    this.#starts = new Starts(this.full ? 5 : bits);
  }

  /** Lets go of the tables: nothing is looked for any more. */
  forget(): void {
    this.#count = 0;
    this.#words = this.#index = this.#hashes = new Int32Array(0);
  }

  /** Whether nothing is told any more about bytes before `position`. */
  reaches(position: number): boolean {
    return this.#all || this.full || this.#count * this.#block >= position;
  }

  /** Resolves when that is so. */
  async reach(position: number): Promise<void> {
    while (!this.reaches(position)) {
      const received = await this.#exchange.next();
      if (received.kind !== 'message' || received.message.kind !== 'hashes') throw new Failure('INTERNAL', 'digests expected');
      this.#take(received.message);
      this.#exchange.consumed(received.bulk);
    }
  }

  /** How long the block is that begins at `from`; 0 when none does that was told. */
  lengthAt(from: number): number {
    return from % this.#block === 0 && from >= 0 && from < this.#count * this.#block ? Math.min(this.#block, this.#size - from) : 0;
  }

  /** How long the last block is. */
  get lastLength(): number { return this.#size - this.#block * (Math.ceil(this.#size / this.#block) - 1); }

  /** Whether the block that begins at `from` has this digest. */
  isAt(from: number, digest: Uint8Array): boolean {
    this.#look(digest, 0);
    return this.#is(from / this.#block);
  }

  /** Where the receiver holds a block with this digest; undefined when it has not told of one. */
  find(digest: Uint8Array): number | undefined {
    this.#look(digest, 0);
    const number = this.#index[this.#placeOf()]!;
    return number === 0 ? undefined : (number - 1) * this.#block;
  }

  /** The first place from `from` on and before `to` at which a block may begin; `to` when there is none. */
  scan(bytes: Uint8Array, from: number, to: number): number {
    return this.#starts.scan(bytes, from, to, (hash) => hash === 0 || this.#hashes[this.#placeOfHash(hash)] === hash);
  }

  #take({ first, digests, sketches }: Message<'hashes'>): void {
    const blocks = Math.ceil(this.#size / this.#block);
    if (sketches === undefined || digests.length > 0 || first !== this.#count || sketches.byteLength % SKETCH_BYTES !== 0 || first + sketches.byteLength / SKETCH_BYTES > blocks) {
      throw new Failure('PROTOCOL', 'digests out of order', { who: 'network' });
    }
    const view = new DataView(sketches.buffer, sketches.byteOffset, sketches.byteLength);
    for (let at = 0; at < sketches.byteLength; at += SKETCH_BYTES) {
      this.#addHash(view.getInt32(at));
      this.#look(sketches, at + 4);
      this.#add();
    }
    // Without blocks: the receiver tells no more.
    this.#all = sketches.byteLength === 0 || this.#count === blocks;
  }

  #add(): void {
    this.#words.set(this.#probe, this.#count * WORDS);
    const place = this.#placeOf();
    this.#count += 1;
    if (this.#index[place] === 0) this.#index[place] = this.#count; // of several alike the first is found
  }

  #addHash(hash: number): void {
    this.#starts.add(hash);
    this.#hashes[this.#placeOfHash(hash)] = hash;
  }

  #look(digest: Uint8Array, at: number): void {
    this.#probe[0] = wordAt(digest, at);
    this.#probe[1] = wordAt(digest, at + 4);
    this.#probe[2] = digest[at + 8]! | (digest[at + 9]! << 8);
  }

  #is(block: number): boolean {
    for (let word = 0; word < WORDS; word += 1) if (this.#words[block * WORDS + word] !== this.#probe[word]) return false;
    return true;
  }

  /** The place in the index of the block that is looked for, or where it would be. */
  #placeOf(): number {
    const last = this.#index.length - 1;
    let hash = 0;
    for (let word = 0; word < WORDS; word += 1) hash = (hash + Math.imul(this.#probe[word]!, this.#factors[word]!)) | 0;
    // The higher bits depend on all bits of the words.
    let place = (hash >>> 8) & last;
    while (this.#index[place] !== 0 && !this.#is(this.#index[place]! - 1)) place = (place + 1) & last;
    return place;
  }

  #placeOfHash(hash: number): number {
    const last = this.#hashes.length - 1;
    let place = (Math.imul(hash, this.#factors[0]!) >>> 8) & last;
    while (this.#hashes[place] !== 0 && this.#hashes[place] !== hash) place = (place + 1) & last;
    return place;
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}
