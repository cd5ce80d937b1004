/**
 * Attributes: from what `fstat` says to an `Entry`, and from what a sender asks to what is set on a file.
 *
 * Times are microseconds since 1970, and Node passes them as doubles: of seconds on the way in, which libuv cuts to whole
 * microseconds in some versions and to nanoseconds in others, and of milliseconds on the way out. Both are up to a quarter
 * of a microsecond wrong until 2038. A quarter added on each way makes every value read back as the one that was set.
 */
import { closeSync, constants, fchmodSync, futimesSync, writeSync, type Stats } from 'node:fs';
import type { Entry, Kind } from '../../entry.ts';
import { MODE_MASK } from '../../entry.ts';

/** `st_mode` says the kind in these bits (inode(7)); comparing them is several times quicker than `isFile()` and its kin. */
export function kindOf(stats: Stats): Kind {
  switch (stats.mode & constants.S_IFMT) {
    case constants.S_IFREG: return 'file';
    case constants.S_IFDIR: return 'folder';
    case constants.S_IFLNK: return 'link';
    default: return 'other';
  }
}

/** Microseconds of tolerance, on each way. */
const QUARTER = 0.25;

/** Time of the last change of content, in microseconds since 1970, rounded down (the last quarter of one counts as the next). */
export function mtimeOf(stats: Stats): number {
  return Math.floor(stats.mtimeMs * 1000 + QUARTER);
}

export function entryOf(name: string, stats: Stats): Entry {
  const kind = kindOf(stats);
  return { name, kind, size: kind === 'file' ? stats.size : 0, mtime: mtimeOf(stats), mode: stats.mode & MODE_MASK };
}

/**
 * Seconds as `futimes` takes them. Node reads a negative number as "now", but not the same number as text. Before 1970 some
 * versions cut towards 1970 and others away from it; half the tolerance the other way is right for both, back to 1935.
 */
export function secondsOf(mtime: number): number | string {
  return mtime >= 0 ? (mtime + QUARTER) / 1e6 : String((mtime - QUARTER / 2) / 1e6);
}

/** Whether two looks at one open file saw the same content: size, time of content, time of attributes. */
export function sameContent(before: Stats, after: Stats): boolean {
  return before.size === after.size && before.mtimeMs === after.mtimeMs && before.ctimeMs === after.ctimeMs;
}

/** Sets mode and time of an open file or folder, never by name: a name could have become a link meanwhile. */
export function setAttributes(fd: number, mode: number, mtime: number): void {
  fchmodSync(fd, mode & MODE_MASK);
  futimesSync(fd, secondsOf(mtime), secondsOf(mtime));
}

/** Writes all of a new file, and its time. */
export function fill(fd: number, data: Uint8Array, mtime: number): void {
  for (let done = 0; done < data.length;) done += writeSync(fd, data, done);
  futimesSync(fd, secondsOf(mtime), secondsOf(mtime));
}

/** Closes without a word: for descriptors that were only read, or whose content is thrown away. */
export function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // EIO of a discarded file, or a descriptor the system has taken back: nothing that anybody could act on.
  }
}
