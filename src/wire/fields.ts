/**
 * Fields: how one value is written into a control message, and read back from a peer nobody trusts.
 *
 *     message  field*                       in ascending order of their numbers, each at most once
 *     field    key varint, value            key = number * 2 + (0: the value is a varint, 1: a length varint and bytes)
 *
 * A varint is base 128, low groups first, in its shortest form, at most 2^53 - 1. There is one valid encoding of
 * every message; unknown field numbers are skipped, so that later versions can add fields. A list is its elements
 * one after the other, a record is a message within its length.
 * Pure. Every length is checked against what is there, and every count against its limit, before memory is taken.
 * Anything else than a valid encoding is a `Failure('PROTOCOL')`.
 */
import { Failure } from '../errors.ts';

export function malformed(what: string): never {
  throw new Failure('PROTOCOL', `malformed message: ${what}`, { who: 'network' });
}

/** Writes values into a buffer that grows; `finish` gives what was written. */
export class FieldWriter {
  #bytes: Buffer;
  #length: number;

  /** `headroom` bytes stay free at the start, for a header. */
  constructor(headroom = 0, capacity = 256) {
    this.#bytes = Buffer.allocUnsafe(capacity + headroom);
    this.#length = headroom;
  }

  varint(value: number): void {
    this.#reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  bytes(value: Uint8Array): void {
    this.varint(value.byteLength);
    this.#reserve(value.byteLength);
    this.#bytes.set(value, this.#length);
    this.#length += value.byteLength;
  }

  text(value: string): void {
    const size = Buffer.byteLength(value);
    this.varint(size);
    this.#reserve(size);
    this.#length += this.#bytes.write(value, this.#length);
  }

  /** A signed 64-bit integer, big-endian, behind its length. */
  integer(value: number): void {
    this.varint(8);
    this.#reserve(8);
    this.#bytes.writeInt32BE(Math.floor(value / 0x1_0000_0000), this.#length);
    this.#bytes.writeUInt32BE(((value % 0x1_0000_0000) + 0x1_0000_0000) % 0x1_0000_0000, this.#length + 4);
    this.#length += 8;
  }

  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#bytes.byteLength) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.byteLength * 2, this.#length + size));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads values from a body; never reads past its end. */
export class FieldReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean { return this.#at === this.#bytes.byteLength; }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 8; count += 1) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) malformed('cut in a number');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (byte === 0 && count > 0) malformed('a number that is not in its shortest form');
        if (value > Number.MAX_SAFE_INTEGER) malformed('a number beyond 2^53');
        return value;
      }
      scale *= 0x80;
    }
    return malformed('a number beyond 2^53');
  }

  /** A view of the next length-prefixed bytes, at most `max`. */
  bytes(max: number): Buffer {
    const size = this.varint();
    if (size > max) malformed(`${size} bytes where at most ${max} are allowed`);
    if (size > this.#bytes.byteLength - this.#at) malformed('a length beyond its end');
    this.#at += size;
    return this.#bytes.subarray(this.#at - size, this.#at);
  }

  text(max: number): string {
    try {
      return utf8.decode(this.bytes(max));
    } catch (error) {
      if (error instanceof Failure) throw error;
      return malformed('text that is not UTF-8');
    }
  }

  integer(): number {
    const bytes = this.bytes(8);
    if (bytes.byteLength !== 8) malformed('an integer that is not 8 bytes');
    const value = bytes.readInt32BE(0) * 0x1_0000_0000 + bytes.readUInt32BE(4);
    if (!Number.isSafeInteger(value)) malformed('an integer beyond 2^53');
    return value;
  }

  skip(wire: 0 | 1): void {
    if (wire === 0) this.varint();
    else this.bytes(this.#bytes.byteLength);
  }
}

/** One kind of value: how it is written and read, what it may be (for the documentation and the fuzz tests). */
export interface FieldType<T> {
  readonly wire: 0 | 1;
  readonly about: FieldAbout;
  write(writer: FieldWriter, value: T): void;
  read(reader: FieldReader): T;
}

/** The same in words that a generator can follow. */
export type FieldAbout =
  | { readonly is: 'uint' | 'integer' | 'flag' | 'code' }
  | { readonly is: 'choice'; readonly of: readonly string[] }
  | { readonly is: 'text'; readonly max: number }
  | { readonly is: 'bytes'; readonly min: number; readonly max: number }
  | { readonly is: 'list'; readonly of: FieldType<unknown>; readonly max: number }
  | { readonly is: 'record'; readonly fields: Fields };

/** A field of a message: its number (1-15 keep the key to one byte) and its type. */
export interface Field<T> { readonly number: number; readonly type: FieldType<T>; readonly optional: boolean }
export type Fields = Readonly<Record<string, Field<unknown>>>;

export function field<T>(number: number, type: FieldType<T>): Field<T> & { readonly optional: false } {
  return { number, type, optional: false };
}

export function optional<T>(number: number, type: FieldType<T>): Field<T> & { readonly optional: true } {
  return { number, type, optional: true };
}

type TypeOf<F> = F extends Field<infer T> ? T : never;
/** The object that a set of fields describes. */
export type Value<F extends Fields> =
  { readonly [K in keyof F as F[K]['optional'] extends true ? never : K]: TypeOf<F[K]> } &
  { readonly [K in keyof F as F[K]['optional'] extends true ? K : never]?: TypeOf<F[K]> | undefined };

export const uint: FieldType<number> = { wire: 0, about: { is: 'uint' }, write: (w, v) => w.varint(v), read: (r) => r.varint() };
export const integer: FieldType<number> = { wire: 1, about: { is: 'integer' }, write: (w, v) => w.integer(v), read: (r) => r.integer() };
export const flag: FieldType<boolean> = {
  wire: 0, about: { is: 'flag' },
  write: (w, v) => w.varint(v ? 1 : 0),
  read(r) { const v = r.varint(); return v > 1 ? malformed('a flag that is neither 0 nor 1') : v === 1; },
};

/** UTF-8 of at most `max` bytes. Not a checked name: whoever uses it as one parses it. */
export function text(max: number): FieldType<string> {
  return { wire: 1, about: { is: 'text', max }, write: (w, v) => w.text(v), read: (r) => r.text(max) };
}

/** A copy of between `min` and `max` bytes. */
export function bytes(max: number, min = 0): FieldType<Uint8Array> {
  return {
    wire: 1, about: { is: 'bytes', min, max },
    write: (w, v) => w.bytes(v),
    read(r) { const v = r.bytes(max); return v.byteLength < min ? malformed(`fewer than ${min} bytes`) : new Uint8Array(v); },
  };
}

/** One word of a closed list, as its index. */
export function choice<const T extends string>(words: readonly T[]): FieldType<T> {
  return { wire: 0, about: { is: 'choice', of: words }, write: (w, v) => w.varint(words.indexOf(v)), read: (r) => words[r.varint()] ?? malformed('an unknown word') };
}

/** At most `max` values. */
export function list<T>(type: FieldType<T>, max: number): FieldType<readonly T[]> {
  return {
    wire: 1, about: { is: 'list', of: type, max },
    write(w, values) {
      const inner = new FieldWriter();
      for (const value of values) type.write(inner, value);
      w.bytes(inner.finish());
    },
    read(r) {
      const inner = new FieldReader(r.bytes(Number.MAX_SAFE_INTEGER));
      const values: T[] = [];
      while (!inner.done) {
        if (values.length === max) malformed(`more than ${max} values`);
        values.push(type.read(inner));
      }
      return values;
    },
  };
}

export function record<F extends Fields>(fields: F): FieldType<Value<F>> {
  return {
    wire: 1, about: { is: 'record', fields },
    write(w, value) { const inner = new FieldWriter(); writeFields(inner, fields, value); w.bytes(inner.finish()); },
    read: (r) => readFields(new FieldReader(r.bytes(Number.MAX_SAFE_INTEGER)), fields),
  };
}

const orders = new WeakMap<Fields, readonly (readonly [string, Field<unknown>])[]>();

/** The fields as pairs: made once for each table, because a page of a listing asks a thousand times. */
function inOrder(fields: Fields): readonly (readonly [string, Field<unknown>])[] {
  let pairs = orders.get(fields);
  if (pairs === undefined) orders.set(fields, (pairs = Object.entries(fields)));
  return pairs;
}

/** Writes the fields in the order of the table, which is that of their numbers. */
export function writeFields<F extends Fields>(writer: FieldWriter, fields: F, value: Value<F>): void {
  for (const [name, { number, type }] of inOrder(fields)) {
    const part: unknown = value[name as never];
    if (part === undefined) continue;
    writer.varint(number * 2 + type.wire);
    type.write(writer, part);
  }
}

export function readFields<F extends Fields>(reader: FieldReader, fields: F): Value<F> {
  const value: Record<string, unknown> = {};
  const known = inOrder(fields);
  let next = 0; // fields before this one have been read or are missing
  let last = 0;
  while (!reader.done) {
    const key = reader.varint();
    const number = Math.floor(key / 2);
    if (number <= last) malformed('fields out of order');
    last = number;
    while (next < known.length && known[next]![1].number < number) absent(known[next++]!);
    const found = known[next];
    if (found === undefined || found[1].number !== number) { reader.skip((key % 2) as 0 | 1); continue; }
    if (found[1].type.wire !== key % 2) malformed(`field ${found[0]} in the wrong form`);
    value[found[0]] = found[1].type.read(reader);
    next += 1;
  }
  while (next < known.length) absent(known[next++]!);
  return value as Value<F>;
}

function absent([name, { optional: allowed }]: readonly [string, Field<unknown>]): void {
  if (!allowed) malformed(`no ${name}`);
}
