/**
 * Arrival: one bulk frame that is coming in, gathered in parts, each in one buffer, so that hashing and writing see much at once:
 * the whole frame where the budget offers so much, else pieces of 64 KiB, each handed on as soon as it is there. A pack is
 * always whole. What comes lands in that buffer by itself where the socket can be told where to (`landing`), and is copied otherwise.
 */
import { BLOCK_BYTES } from '../digest.ts';
import { Failure } from '../errors.ts';
import { MAX_PACK_BYTES } from '../pack.ts';
import { MAX_BODY, type Header } from '../wire/frame.ts';
import { kindOf, type Message } from '../wire/messages.ts';
import type { Received } from './line.ts';
import { FRAME_COST, type MachineEvent } from './machine.ts';
import { PIECE_BYTES, roomFor } from './slabs.ts';
import { expand } from './zstd.ts';

/** What a connection may hold. */
export interface Allowed {
  offers(bytes: number): boolean;
  /** Takes `bytes`, which have to be `whole` or could be fewer; false: not now. */
  reserve(bytes: number, whole: boolean): boolean;
}

/** What has to be held for a word that has begun to come, at most; 0: too little to ask for before it is there. */
export function expectedOf({ type, length }: Pick<Header, 'type' | 'length'>): number {
  if (length <= PIECE_BYTES) return 0;
  const kind = kindOf(type);
  return FRAME_COST + (kind === 'compressedData' || kind === 'compressedBatch' ? MAX_BODY : length);
}

export class Arrival {
  readonly exchange: number;
  readonly #word: 'data' | 'batch';
  #offset: number;
  /** Bytes of the frame that are in no part yet, and what they cost of the credit and of the budget. */
  #left: number;
  #cost: number;
  /** The present part. */
  #bytes: Uint8Array | undefined;
  #bulk = 0;
  #filled = 0;
  /** Once in pieces, it stays so: they are used again, which what is left of a frame would not be. */
  #parted = false;

  constructor({ exchange, bulk, word, offset, size }: MachineEvent & { event: 'begin' }) {
    this.exchange = exchange;
    this.#word = word;
    this.#offset = offset;
    this.#left = size;
    this.#cost = bulk;
  }

  /** What the present part costs; 0: there is none. */
  get bulk(): number { return this.#bulk; }

  /** Whether there is a part for what comes next, which is begun if need be and allowed. */
  begin(allowed: Allowed): boolean {
    if (this.#bytes !== undefined) return true;
    this.#parted ||= this.#word === 'data' && !allowed.offers(this.#cost);
    const size = this.#parted ? Math.min(PIECE_BYTES, this.#left) : this.#left;
    const bulk = this.#cost - (this.#left - size);
    if (!allowed.reserve(bulk, this.#word === 'batch')) return false;
    this.#bulk = bulk;
    this.#cost -= bulk;
    this.#left -= size;
    // A pack is handed on to a worker with its memory, so it gets memory of its own.
    this.#bytes = this.#word === 'batch' ? Buffer.allocUnsafeSlow(size) : roomFor(size);
    return true;
  }

  /** Where the next bytes belong, if there is a part for them. */
  landing(): Uint8Array | undefined { return this.#bytes?.subarray(this.#filled); }

  /** Adds as many of `bytes` as belong to the present part; how many. */
  add(bytes: Uint8Array): number {
    const into = this.#bytes!;
    const landed = bytes.buffer === into.buffer && bytes.byteOffset === into.byteOffset + this.#filled;
    const size = Math.min(bytes.byteLength, into.byteLength - this.#filled);
    if (!landed) into.set(bytes.subarray(0, size), this.#filled);
    this.#filled += size;
    return size;
  }

  /** The present part, when all of it was added; the next one may begin. */
  part(): Received | undefined {
    const [bytes, bulk, offset] = [this.#bytes, this.#bulk, this.#offset];
    if (bytes === undefined || this.#filled < bytes.byteLength) return undefined;
    this.#bytes = undefined;
    this.#filled = this.#bulk = 0;
    this.#offset += bytes.byteLength;
    return this.#word === 'batch' ? { kind: 'batch', pack: bytes, bulk } : { kind: 'data', offset, bytes, bulk };
  }
}

/** A message as its exchange is to have it: what is compressed, expanded. Throws PROTOCOL. */
export function received(message: Message, bulk: number): Received {
  if ((message.kind === 'compressedData' && message.size > BLOCK_BYTES) || (message.kind === 'compressedBatch' && message.size > MAX_PACK_BYTES)) {
    throw new Failure('PROTOCOL', 'more compressed bytes than fit a frame', { who: 'network' });
  }
  if (message.kind === 'compressedData') return { kind: 'data', offset: message.offset, bytes: expand(message.bytes, message.size), bulk };
  if (message.kind === 'compressedBatch') return { kind: 'batch', pack: expand(message.bytes, message.size), bulk };
  return { kind: 'message', message, bulk };
}

/** Events that have to wait, with bytes of their own: those they came with are the socket's. */
export function kept(events: readonly MachineEvent[]): MachineEvent[] {
  return events.map((event) => (event.event === 'piece' ? { ...event, bytes: Uint8Array.from(event.bytes) } : event));
}
