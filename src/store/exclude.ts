/**
 * Exclude: which names of a tree are left out, by globs. The only file that knows the glob library.
 *
 * `*.o` is a name at any depth, `build/**` (any pattern with a slash inside) a path below the top, a slash in front
 * ties a name to the top, a slash at the end means folders only. `*` and `?` match a leading dot too.
 * `{a,b}` is one of both. Patterns can come from a peer, and a regular expression can take hours on one name: hence the bounds, braces that
 * are written out before, and no other sign that means something.
 */
import { createRequire } from 'node:module';
import { expandBraces } from '../braces.ts';
import { Failure } from '../errors.ts';
import { foldKey, type RemotePath } from '../path.ts';
import { readLeft } from '../left.ts';
import { printable } from '../printable.ts';

/** Patterns of one tree, and the letters of one: far more than people write, little enough to try on every name. */
const MAX_PATTERNS = 100;
const MAX_PATTERN = 256;
/** Runs of stars in one pattern. Trying a name takes time up to its length to this power. */
const MAX_STARS = 4;

/** Whether to leave out what is at `path` below the top, called `name`; a folder goes with all in it. */
export type Excluded = (path: string, name: string, folder: boolean) => boolean;

/**
 * By the patterns, the files that `leave` names as `left.ts` writes them, and the paths `without` as they are, in any spelling. Throws LIMIT for
 * patterns beyond the bounds.
 */
export function compileExclude(patterns: readonly string[] = [], leave?: Uint8Array, without: readonly RemotePath[] = []): Excluded {
  if (patterns.length > MAX_PATTERNS) throw new Failure('LIMIT', `more than ${MAX_PATTERNS} patterns to leave out`);
  const written: string[] = [];
  for (const pattern of patterns) {
    written.push(...writtenOut(pattern));
    if (written.length > MAX_PATTERNS) throw new Failure('LIMIT', `the braces of what is to be left out stand for more than ${MAX_PATTERNS} patterns`);
  }
  const rules = written.map(compile);
  const isLeft = readLeft(leave);
  const gone = new Set(without.map(foldKey));
  return (path, name, folder) => (gone.size > 0 && gone.has(foldKey(path))) || rules.some((rule) => rule(path, name, folder)) || (!folder && isLeft(path));
}

/** Loaded with the first pattern: most trees have none, and every command would wait for it. */
function library(): typeof import('picomatch') {
  return createRequire(import.meta.url)('picomatch') as typeof import('picomatch');
}

function writtenOut(pattern: string): string[] {
  if (pattern.length > MAX_PATTERN) throw tooMuch(pattern);
  return expandBraces(pattern).filter((one) => one !== '');
}

function tooMuch(pattern: string): Failure {
  return new Failure('LIMIT', `the pattern "${printable(pattern.slice(0, 40))}" is longer than ${MAX_PATTERN} letters or has more than ${MAX_STARS} stars`);
}

/** What the library would take for a part of a regular expression, outside of brackets. Repeated groups take exponential time. */
const REGULAR = /\\[^]|\[[^\]]*\]|[(){}|+^$]/g;

function compile(pattern: string): Excluded {
  if ((pattern.match(/\*+/g)?.length ?? 0) > MAX_STARS) throw tooMuch(pattern);
  const foldersOnly = pattern.endsWith('/');
  const body = foldersOnly ? pattern.slice(0, -1) : pattern;
  const anchored = body.includes('/');
  const plain = (anchored ? body.replace(/^\//, '') : body).replace(REGULAR, (sign) => (sign.length === 1 ? `\\${sign}` : sign));
  const matches = library()(plain, { dot: true, noextglob: true, nonegate: true, nobrace: true });
  return (path, name, folder) => (folder || !foldersOnly) && matches(anchored ? path : name);
}
