/**
 * Identity: that a file is still the one whose digest was asked for, so that only that one is replaced, moved or removed.
 *
 * Reading takes time, and nobody can be kept from writing meanwhile: so the file is read without holding anybody up, and
 * what is remembered (its number on the disk, size and times) is compared once more in the step that acts. Between that
 * look and the act lies one system call; no disk offers to do both in one. A disk whose clock is coarse (4 ms on older
 * Linux) cannot show a second write of the same size within one tick.
 */
import { createHasher, hex, sameDigest } from '../../digest.ts';
import { Failure } from '../../errors.ts';
import type { RemotePath } from '../../path.ts';
import { changedMeanwhile, differs } from '../refusals.ts';
import { Descriptor } from './descriptor.ts';
import type { Folder } from './walk.ts';

/** One file in one state. */
export interface Identity { readonly dev: number; readonly ino: number; readonly size: number; readonly mtimeMs: number; readonly ctimeMs: number }

/** Bytes read at a time. */
const PIECE = 1 << 20;

/** The file that was `opened` at `path`, if its digest is `match`. Throws PRECONDITION otherwise, also when there is none, and what `alive` throws, which is asked with each piece. */
export async function identify(opened: Promise<{ readonly fd: number }>, path: RemotePath, match: Uint8Array, alive?: () => void): Promise<Identity> {
  const { fd } = await opened.catch((error: unknown) => {
    throw Failure.from(error).code === 'NOTFOUND' ? differs(path, undefined) : error;
  });
  await using file = new Descriptor(fd);
  const { dev, ino, size, mtimeMs, ctimeMs } = await file.stats();
  const hasher = createHasher();
  const piece = Buffer.allocUnsafe(Math.min(PIECE, Math.max(1, size)));
  for (let at = 0, count = 0; (count = await file.read(piece, at)) > 0; at += count) {
    alive?.();
    hasher.update(piece.subarray(0, count));
  }
  const digest = hasher.digest();
  if (!sameDigest(digest, match)) throw differs(path, hex(digest));
  return { dev, ino, size, mtimeMs, ctimeMs };
}

/** Throws PRECONDITION unless `name` is that file, in that state. */
export function refuseOther(parent: Folder, name: string, expected: Identity, path: RemotePath): void {
  const there = parent.look(name);
  const same = there !== undefined && there.ino === expected.ino && there.dev === expected.dev && there.size === expected.size
    && there.mtimeMs === expected.mtimeMs && there.ctimeMs === expected.ctimeMs;
  if (!same) throw there === undefined ? differs(path, undefined) : changedMeanwhile(path);
}
