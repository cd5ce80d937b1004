/** Zstd, where this runtime has it (Node from 22.15 on); as synchronous calls, for pieces of at most a megabyte. */
import * as zlib from 'node:zlib';
import { Failure } from '../errors.ts';

interface Zstd {
  zstdCompressSync?(bytes: Uint8Array, options: { params: Readonly<Record<number, number>> }): Buffer;
  zstdDecompressSync?(bytes: Uint8Array, options: { maxOutputLength: number }): Buffer;
}

const { zstdCompressSync, zstdDecompressSync } = zlib as Zstd;
/** ZSTD_c_compressionLevel. */
const LEVEL = 100;
/** The quickest of the ordinary levels: higher ones pay on links that are slower than what people wait for. */
const QUICK = 1;

export const hasZstd = zstdCompressSync !== undefined && zstdDecompressSync !== undefined;

export function compress(bytes: Uint8Array): Buffer {
  return zstdCompressSync!(bytes, { params: { [LEVEL]: QUICK } });
}

/** What `bytes` were before they were compressed, which is `size` bytes. Throws PROTOCOL when it is not. */
export function expand(bytes: Uint8Array, size: number): Buffer {
  let whole: Buffer | undefined;
  try {
    whole = zstdDecompressSync?.(bytes, { maxOutputLength: size });
  } catch {
    // Not zstd, or more than it said.
  }
  if (whole?.byteLength !== size) throw new Failure('PROTOCOL', 'compressed bytes that do not expand to what they should', { who: 'network' });
  return whole;
}
