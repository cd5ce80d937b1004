/**
 * Frames: what is on the wire.
 *
 *     | length u32 | type u8 | flags u8 | 0 u16 | exchange u32 | body: `length` bytes |
 *
 * Integers are big-endian. `flags` bit 0 (critical): whoever does not know the type must end the connection;
 * without it an unknown type is skipped by its length. The other bits are sent as 0 and ignored. Types whose low
 * four bits are 10 are never given a meaning and are sent now and then, so that skipping stays tested.
 * A DATA body begins with the offset of its bytes (u64), so that header and offset are one head of 20 bytes.
 *
 * The decoder is pure and never waits: the same bytes, cut anywhere, give the same frames. Bodies of DATA and BATCH
 * are handed on in pieces as they arrive, views of what was pushed; all others are gathered, so that the decoder
 * holds at most one head and one control body. A length above the limit fails before anything is allocated.
 */
import { Failure } from '../errors.ts';
import { hasHeadroom, MAX_PACK_BYTES, PACK_HEADROOM } from '../pack.ts';

export const HEADER_BYTES = 12;
/** Header and offset of a DATA frame: the headroom to leave before bytes that are read from a file. */
export const DATA_HEAD_BYTES = HEADER_BYTES + 8;

/** The largest body: one full pack, or 1 MiB of data behind its offset, and room to spare. */
export const MAX_BODY = MAX_PACK_BYTES + 64;
/** The largest body of a frame that is not DATA or BATCH: a page of a listing with the longest names. */
export const MAX_CONTROL_BODY = 512 << 10;
/** The largest body before authentication: the longest AUTH is far below. */
export const MAX_GREETING_BODY = 16 << 10;

export const CRITICAL = 1;
export const DATA = 0x20;
export const BATCH = 0x21;
export const CREDIT = 0x07;
/** The sender waits for credit; the receiver lets more be on the way. Not critical: whoever does not know them stays with what there is. */
export const STALLED = 0x0b;
export const WIDER = 0x0c;
/** The type each side sends once after HELLO, to keep the other's tolerance tested. */
export const GREASE = 0x1a;

export interface Header { readonly type: number; readonly critical: boolean; readonly exchange: number; readonly length: number }

export type FrameEvent =
  | { readonly kind: 'frame'; readonly header: Header; readonly body: Uint8Array }
  /** A DATA or BATCH frame begins; `size` bytes will follow in pieces. `offset` is 0 for BATCH. */
  | { readonly kind: 'begin'; readonly header: Header; readonly offset: number; readonly size: number }
  | { readonly kind: 'piece'; readonly bytes: Uint8Array; readonly last: boolean };

/** Writes a header to the start of `into`. */
export function writeHeader(into: Buffer, type: number, exchange: number, length: number): void {
  into.writeUInt32BE(length, 0);
  into[4] = type;
  into[5] = CRITICAL;
  into.writeUInt16BE(0, 6);
  into.writeUInt32BE(exchange, 8);
}

/** Writes the head of a DATA frame to the start of `into`; `size` bytes of the file, from `offset` on, follow it there. */
export function writeDataHead(into: Buffer, exchange: number, offset: number, size: number): void {
  writeHeader(into, DATA, exchange, size + 8);
  into.writeUInt32BE(Math.floor(offset / 0x1_0000_0000), HEADER_BYTES);
  into.writeUInt32BE(offset % 0x1_0000_0000, HEADER_BYTES + 4);
}

/** A pack with room for a header before it: where it is, if that has the room of a `PackWriter`, else a copy. */
export function frameAround(pack: Uint8Array): Buffer {
  if (hasHeadroom(pack)) {
    return Buffer.from(pack.buffer, PACK_HEADROOM - HEADER_BYTES, HEADER_BYTES + pack.byteLength);
  }
  return Buffer.concat([Buffer.alloc(HEADER_BYTES), pack]);
}

/** A whole CREDIT frame: the receiver will take `amount` more bytes of bulk bodies on this exchange, for as many that it has put away. */
export function creditFrame(exchange: number, amount: number): Buffer {
  return amountFrame(CREDIT, CRITICAL, exchange, amount);
}

/** A whole WIDER frame: the receiver will take `amount` more bytes, besides. */
export function widerFrame(exchange: number, amount: number): Buffer {
  return amountFrame(WIDER, 0, exchange, amount);
}

function amountFrame(type: number, flags: number, exchange: number, amount: number): Buffer {
  const frame = Buffer.alloc(HEADER_BYTES + 4);
  writeHeader(frame, type, exchange, 4);
  frame[5] = flags;
  frame.writeUInt32BE(amount, HEADER_BYTES);
  return frame;
}

/** A whole STALLED frame. */
export function stalledFrame(exchange: number): Buffer {
  const frame = Buffer.alloc(HEADER_BYTES);
  writeHeader(frame, STALLED, exchange, 0);
  frame[5] = 0;
  return frame;
}

/** A whole frame of a type without a meaning, which every receiver skips. */
export function greaseFrame(): Buffer {
  const frame = Buffer.alloc(HEADER_BYTES + 5, 0x5a);
  writeHeader(frame, GREASE, 0, 5);
  frame[5] = 0; // not critical
  return frame;
}

function refuse(what: string): never {
  throw new Failure('PROTOCOL', what, { who: 'network' });
}

export class FrameDecoder {
  /** The largest body accepted now; whoever uses the decoder raises it after authentication. */
  limit = MAX_GREETING_BODY;
  readonly #head = Buffer.alloc(DATA_HEAD_BYTES);
  #headLength = 0;
  #header: Header | undefined;
  /** Of a gathered body: what has come. Allocated only when the body is not whole in one chunk. */
  #gathered: Buffer | undefined;
  #left = 0; // bytes of the present body still to come

  /** The frames, and pieces of frames, that `chunk` completes. Throws `PROTOCOL`; the decoder is then of no further use. */
  push(chunk: Uint8Array): FrameEvent[] {
    const events: FrameEvent[] = [];
    let at = 0;
    for (;;) {
      if (this.#header === undefined) {
        at += this.#takeHead(chunk, at);
        if (!this.#headComplete()) return events;
        this.#begin(events);
      } else if (at === chunk.byteLength) return events;
      else at += this.#takeBody(chunk, at, events);
    }
  }

  /**
   * The short way for what arrives 60 times a frame: `chunk` lies wholly inside the body of a DATA or BATCH frame. Says
   * whether it is the end of that body; undefined, with nothing taken, when it is not so and `push` must be asked.
   */
  inside(chunk: Uint8Array): boolean | undefined {
    const header = this.#header;
    if (header === undefined || chunk.byteLength > this.#left || (header.type !== DATA && header.type !== BATCH)) return undefined;
    this.#left -= chunk.byteLength;
    if (this.#left > 0) return false;
    this.#header = undefined;
    return true;
  }

  /** The head of the frame that is gathered at present, if there is one: of which some is here, and its end is not. */
  get gathering(): Header | undefined { return this.#header !== undefined && this.#header.type !== DATA && this.#header.type !== BATCH ? this.#header : undefined; }

  /** A frame has begun and is not whole. */
  get inFrame(): boolean { return this.#header !== undefined || this.#headLength > 0; }

  #headComplete(): boolean {
    return this.#headLength >= HEADER_BYTES && (this.#head[4] !== DATA || this.#headLength === DATA_HEAD_BYTES);
  }

  #takeHead(chunk: Uint8Array, at: number): number {
    let taken = 0;
    while (!this.#headComplete() && at + taken < chunk.byteLength) {
      this.#head[this.#headLength++] = chunk[at + taken]!;
      taken += 1;
    }
    return taken;
  }

  /** A head is whole: checks it, and emits the frame at once where it has no body. */
  #begin(events: FrameEvent[]): void {
    const head = this.#head;
    const header: Header = { length: head.readUInt32BE(0), type: head[4]!, critical: (head[5]! & CRITICAL) !== 0, exchange: head.readUInt32BE(8) };
    if (head.readUInt16BE(6) !== 0) refuse('a frame whose reserved bytes are set');
    const bulk = header.type === DATA || header.type === BATCH;
    if (header.length > (bulk ? this.limit : Math.min(this.limit, MAX_CONTROL_BODY))) refuse(`a frame of ${header.length} bytes, more than is allowed`);
    this.#headLength = 0;
    if (!bulk) {
      if (header.length === 0) events.push({ kind: 'frame', header, body: new Uint8Array() });
      else { this.#header = header; this.#left = header.length; }
      return;
    }
    const size = header.type === DATA ? header.length - 8 : header.length;
    if (size < 1) refuse('a data frame without data');
    events.push({ kind: 'begin', header, offset: header.type === DATA ? offsetIn(head) : 0, size });
    this.#header = header;
    this.#left = size;
  }

  #takeBody(chunk: Uint8Array, at: number, events: FrameEvent[]): number {
    const header = this.#header!;
    const bytes = chunk.subarray(at, at + this.#left);
    this.#left -= bytes.byteLength;
    const last = this.#left === 0;
    if (header.type === DATA || header.type === BATCH) events.push({ kind: 'piece', bytes, last });
    else if (last && this.#gathered === undefined) events.push({ kind: 'frame', header, body: bytes });
    else {
      this.#gathered ??= Buffer.allocUnsafe(header.length);
      this.#gathered.set(bytes, header.length - this.#left - bytes.byteLength);
      if (last) events.push({ kind: 'frame', header, body: this.#gathered });
    }
    if (last) { this.#header = undefined; this.#gathered = undefined; }
    return bytes.byteLength;
  }
}

function offsetIn(head: Buffer): number {
  const offset = head.readUInt32BE(HEADER_BYTES) * 0x1_0000_0000 + head.readUInt32BE(HEADER_BYTES + 4);
  if (!Number.isSafeInteger(offset)) refuse('an offset beyond 2^53');
  return offset;
}
