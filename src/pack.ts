/**
 * Packs: many small files in one buffer, the unit in which trees travel and rest.
 *
 *     record   kind u8 | flags u8 = 0 | nameLength u16 | mode u16 | 0 u16 | mtime i64 | size u32 | name | digest | data
 *     folder   kind 1; the name is a path below the top of the tree, '' the top itself; no digest, no data
 *     file     kind 2; the name is one component in the folder named last; digest 32 bytes, then `size` bytes of data
 *
 * Integers are big-endian, mtime is microseconds since 1970. A pack starts with a folder record, so that each
 * one can be read alone: whoever writes or reads a tree needs no memory of what came before.
 * Pure: no files, no sockets. Used by the stores (which fill and empty packs) and carried by the wire unread.
 * Reading checks every length before it looks at what it measures and every name before it returns it.
 */
import { DIGEST_BYTES } from './digest.ts';
import { MODE_MASK } from './entry.ts';
import { Failure } from './errors.ts';
import { checkName, parsePath, type RemotePath } from './path.ts';

/** Bytes of one pack: large enough that a frame, a message to a worker and an answer per pack cost nothing per file. */
export const MAX_PACK_BYTES = 1 << 20;
/** The smallest that is made for, where memory is short: with room for the longest path and a file. */
export const LEAST_PACK_BYTES = 64 << 10;
/** Bytes before every pack that are free for whoever carries it to put a header in, so that it need not be copied for that: as many as before a block, which makes the same buffers fit. */
export const PACK_HEADROOM = 20;
/** Records in one pack: bounds the answer, and the work between two looks at the clock. */
export const MAX_PACK_RECORDS = 4096;
/** Files up to this many bytes travel in packs; larger ones alone, by blocks, resumable. */
export const MAX_PACKED_FILE = 256 << 10;

/** A buffer of such a size was made for a pack or a block: the pool that Node cuts small ones from is smaller. */
const PACK_BUFFERS: ReadonlySet<number> = new Set([PACK_HEADROOM + MAX_PACK_BYTES, PACK_HEADROOM + LEAST_PACK_BYTES]);

const HEAD_BYTES = 20;
const FOLDER = 1;
const FILE = 2;

export interface PackedFolder { readonly kind: 'folder'; readonly path: RemotePath; readonly mode: number }
export interface PackedFile {
  readonly kind: 'file';
  readonly name: string;
  readonly mode: number;
  /** Microseconds since 1970. */
  readonly mtime: number;
  readonly digest: Uint8Array;
  /** A view into the pack. */
  readonly data: Uint8Array;
}
export type PackRecord = PackedFolder | PackedFile;

/** Fills one buffer with records; `room` says whether a record still fits, and the caller starts a new pack when not. */
export class PackWriter {
  readonly #bytes: Buffer;
  #length = 0;
  #records = 0;

  /** Into `memory`, which has PACK_HEADROOM and room for a pack; left out: for a whole one. Nothing shows what was in it before: only what was written is ever looked at. */
  constructor(memory?: ArrayBufferLike) {
    // Of its own, because it may be handed to another thread.
    this.#bytes = (memory === undefined ? Buffer.allocUnsafeSlow(PACK_HEADROOM + MAX_PACK_BYTES) : Buffer.from(memory)).subarray(PACK_HEADROOM);
  }

  /** Files up to this many bytes fit an empty pack, whatever they and their folder are called. */
  get mostFile(): number { return Math.min(MAX_PACKED_FILE, this.#bytes.byteLength / 2); }
  /** Whether it is nearly full. */
  get filled(): boolean { return this.#length > this.#bytes.byteLength * 0.7; }

  get length(): number { return this.#length; }
  get records(): number { return this.#records; }

  /** Whether a file record with this name and size fits. */
  room(name: string, size: number): boolean {
    return this.#records < MAX_PACK_RECORDS && this.#length + HEAD_BYTES + name.length * 3 + DIGEST_BYTES + size <= this.#bytes.byteLength;
  }

  folder(path: RemotePath, mode: number): void {
    this.#head(FOLDER, path, mode, 0, 0);
  }

  /** Space for the data of a file whose record `file` will complete: read the file straight into it. */
  space(name: string, size: number): Uint8Array {
    const start = this.#length + HEAD_BYTES + Buffer.byteLength(name) + DIGEST_BYTES;
    return this.#bytes.subarray(start, start + size);
  }

  /** Completes a file whose data is in `space(name, size)` already. */
  file(name: string, mode: number, mtime: number, digest: Uint8Array, size: number): void {
    this.#head(FILE, name, mode, mtime, size);
    this.#bytes.set(digest, this.#length);
    this.#length += DIGEST_BYTES + size;
  }

  /** The filled part, at PACK_HEADROOM in a buffer of its own; the writer is done with it. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #head(kind: number, name: string, mode: number, mtime: number, size: number): void {
    const bytes = this.#bytes;
    const at = this.#length;
    const nameLength = bytes.write(name, at + HEAD_BYTES);
    bytes[at] = kind;
    bytes[at + 1] = 0;
    bytes.writeUInt16BE(nameLength, at + 2);
    bytes.writeUInt16BE(mode & MODE_MASK, at + 4);
    bytes.writeUInt16BE(0, at + 6);
    bytes.writeInt32BE(Math.floor(mtime / 0x1_0000_0000), at + 8);
    bytes.writeUInt32BE(((mtime % 0x1_0000_0000) + 0x1_0000_0000) % 0x1_0000_0000, at + 12);
    bytes.writeUInt32BE(size, at + 16);
    this.#length = at + HEAD_BYTES + nameLength;
    this.#records += 1;
  }
}

/** Whether `pack` is one that `PackWriter` made, as it made it: with PACK_HEADROOM free bytes before it. */
export function hasHeadroom({ buffer, byteOffset }: Uint8Array): boolean {
  return byteOffset === PACK_HEADROOM && PACK_BUFFERS.has(buffer.byteLength);
}

function malformed(what: string): never {
  throw new Failure('PROTOCOL', `malformed pack: ${what}`, { who: 'network' });
}

/** The records of a pack, one by one. Throws `PROTOCOL` for a malformed pack, `BADNAME` for a refused name. */
export function* readPack(pack: Uint8Array): Generator<PackRecord> {
  const bytes = Buffer.from(pack.buffer, pack.byteOffset, pack.byteLength);
  let at = 0;
  for (let count = 0; at < bytes.byteLength; count += 1) {
    if (count === MAX_PACK_RECORDS) malformed(`more than ${MAX_PACK_RECORDS} records`);
    if (bytes.byteLength - at < HEAD_BYTES) malformed('cut in a head');
    const kind = bytes[at]!;
    const nameStart = at + HEAD_BYTES;
    const dataStart = nameStart + bytes.readUInt16BE(at + 2) + (kind === FILE ? DIGEST_BYTES : 0);
    const size = bytes.readUInt32BE(at + 16);
    if (bytes[at + 1] !== 0 || bytes.readUInt16BE(at + 6) !== 0) malformed('a reserved field is set');
    if (size > MAX_PACKED_FILE || dataStart + size > bytes.byteLength) malformed('a length beyond its end');
    const mode = bytes.readUInt16BE(at + 4);
    if (mode > MODE_MASK) malformed('a mode with more than permission bits');
    if (count === 0 && kind !== FOLDER) malformed('no folder first');
    if (kind === FOLDER) {
      if (size !== 0) malformed('a folder with data');
      yield { kind: 'folder', path: parsePath(textAt(bytes, nameStart, dataStart)), mode };
    } else if (kind === FILE) {
      const digestStart = dataStart - DIGEST_BYTES;
      yield {
        kind: 'file', name: checkName(textAt(bytes, nameStart, digestStart)), mode, mtime: mtimeAt(bytes, at + 8),
        digest: bytes.subarray(digestStart, dataStart), data: bytes.subarray(dataStart, dataStart + size),
      };
    } else malformed(`unknown kind ${kind}`);
    at = dataStart + size;
  }
}

function mtimeAt(bytes: Buffer, at: number): number {
  const mtime = bytes.readInt32BE(at) * 0x1_0000_0000 + bytes.readUInt32BE(at + 4);
  if (!Number.isSafeInteger(mtime)) malformed('a time beyond the year 2255');
  return mtime;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textAt(bytes: Buffer, start: number, end: number): string {
  let ascii = true;
  for (let i = start; i < end; i += 1) if (bytes[i]! > 0x7f) { ascii = false; break; }
  if (ascii) return bytes.toString('latin1', start, end);
  try {
    return utf8.decode(bytes.subarray(start, end));
  } catch (cause) {
    throw new Failure('BADNAME', 'a name that is not valid UTF-8', { cause });
  }
}
