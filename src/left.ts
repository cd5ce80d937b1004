/**
 * Left: which files of a tree need not come, as one value that fits a message: a salt, and a short salted digest of each path.
 *
 * A digest takes 12 bytes where a path takes up to 4,096. Two paths that share one would leave out a file that nobody meant: among
 * all that fit a message and a million files, once in 10^18 times, and the salt is new each time, so that nobody who names files
 * can bring it about. Pure; `ready` of `digest.ts` comes first. It asks for less work and is no promise: who asks leaves those
 * files aside itself when they come.
 */
import { randomBytes } from 'node:crypto';
import { digestOf, hex } from './digest.ts';
import { Failure } from './errors.ts';

const SALT_BYTES = 16;
const MARK_BYTES = 12;
/** Files in one message. */
export const MAX_LEFT = 32_768;
/** Three quarters of a control frame; the rest is for the path and the patterns beside it. */
export const MAX_LEFT_BYTES = SALT_BYTES + MAX_LEFT * MARK_BYTES;

/** The first of the paths, as many as a message has room for, or `most`; undefined: there are none. */
export function markLeft(paths: Iterable<string>, most = MAX_LEFT): Uint8Array | undefined {
  const salt = randomBytes(SALT_BYTES);
  const marks: Buffer[] = [];
  for (const path of paths) {
    if (marks.length === most) break;
    marks.push(mark(salt, path));
  }
  return marks.length === 0 ? undefined : Buffer.concat([salt, ...marks]);
}

/** How a file of which the bytes are held is marked, in place of its path alone: only the same path with the same bytes has the same mark. */
export function heldAs(path: string, digest: Uint8Array): string {
  return `${hex(digest)} ${path}`;
}

/** Whether a path is among those marked. Throws PROTOCOL. */
export function readLeft(marked: Uint8Array | undefined): (path: string) => boolean {
  if (marked === undefined) return () => false;
  const bytes = Buffer.from(marked.buffer, marked.byteOffset, marked.byteLength);
  if (bytes.byteLength < SALT_BYTES || (bytes.byteLength - SALT_BYTES) % MARK_BYTES !== 0) throw new Failure('PROTOCOL', 'malformed list of what to leave out', { who: 'network' });
  const salt = bytes.subarray(0, SALT_BYTES);
  const marks = new Set<string>();
  for (let at = SALT_BYTES; at < bytes.byteLength; at += MARK_BYTES) marks.add(bytes.toString('latin1', at, at + MARK_BYTES));
  return (path) => marks.has(mark(salt, path).toString('latin1'));
}

function mark(salt: Uint8Array, path: string): Buffer {
  return Buffer.from(digestOf(Buffer.concat([salt, Buffer.from(path)])).subarray(0, MARK_BYTES));
}
