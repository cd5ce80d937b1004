/** Digests as a person or a program writes them, and of files as they are now. */
import { createHasher, DIGEST_BYTES, hex, sameDigest } from '../digest.ts';
import { Failure } from '../errors.ts';
import type { RemotePath } from '../path.ts';
import { printable } from '../printable.ts';
import type { Source, Vault } from '../store/vault.ts';

/** A BLAKE3 digest of 64 hexadecimal letters, as `hash` and `b3sum` show it. Throws USAGE. */
export function digestFrom(text: string | undefined): Uint8Array | undefined {
  if (text === undefined) return undefined;
  const letters = text.replace(/^blake3[: ]/i, '');
  if (letters.length === DIGEST_BYTES * 2 && /^[0-9a-f]*$/i.test(letters)) return Uint8Array.from(Buffer.from(letters, 'hex'));
  throw new Failure('USAGE', `${printable(text)} is not a BLAKE3 digest`, { hint: 'it has 64 letters, as wherry hash :FILE shows them' });
}

/** Throws PRECONDITION unless the file that is there has the digest `wanted`; `there` rejects with NOTFOUND where none is. */
export async function mustMatch(wanted: Uint8Array, there: Promise<Uint8Array>, who: 'here' | 'server'): Promise<void> {
  const digest = await there.catch((error: unknown) => {
    if (Failure.from(error).code !== 'NOTFOUND') throw error;
    throw new Failure('PRECONDITION', 'there is no file of this name', { who, hint: 'leave --if-match out, if it is to be made anew' });
  });
  if (!sameDigest(digest, wanted)) throw new Failure('PRECONDITION', `the file that is there is another one: its digest is blake3 ${hex(digest)}`, { who, hint: 'look at it first; leave --if-match out to do it all the same' });
}

/** Bytes hashed at a time. */
const PIECE = 1 << 20;

/** The BLAKE3 digest of a file in a vault, read now. */
export async function digestIn(vault: Vault, path: RemotePath): Promise<Uint8Array> {
  await using file = await vault.read(path);
  return await digestOfSource(file);
}

/** The BLAKE3 digest of an open file, read now. */
export async function digestOfSource(file: Source): Promise<Uint8Array> {
  const hasher = createHasher();
  const piece = Buffer.allocUnsafe(Math.min(PIECE, Math.max(1, file.entry.size)));
  for (let at = 0, count = 0; (count = await file.read(piece, at)) > 0; at += count) hasher.update(piece.subarray(0, count));
  return hasher.digest();
}
