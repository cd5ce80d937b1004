/**
 * Exclude: which names of a tree are left out, by globs. The only file that knows the glob library.
 *
 * `*.o` is a name at any depth, `build/**` (any pattern with a slash inside) a path below the top, a slash in front
 * ties a name to the top, a slash at the end means folders only. `*` and `?` match a leading dot too.
 * Patterns can come from a peer, and a regular expression made of many stars can take hours on one name: hence the bounds.
 */
import { createRequire } from 'node:module';
import { Failure } from '../errors.ts';
import { printable } from '../printable.ts';

/** Patterns of one tree, and the letters of one: far more than people write, little enough to try on every name. */
const MAX_PATTERNS = 100;
const MAX_PATTERN = 256;
/** Runs of stars in one pattern. Trying a name takes time up to its length to this power. */
const MAX_STARS = 4;

/** Whether to leave out what is at `path` below the top, called `name`; a folder goes with all in it. */
export type Excluded = (path: string, name: string, folder: boolean) => boolean;

/** Throws LIMIT for patterns beyond the bounds. */
export function compileExclude(patterns: readonly string[] = []): Excluded {
  if (patterns.length > MAX_PATTERNS) throw new Failure('LIMIT', `more than ${MAX_PATTERNS} patterns to leave out`);
  const rules = patterns.filter((pattern) => pattern !== '').map(compile);
  return (path, name, folder) => rules.some((rule) => rule(path, name, folder));
}

/** Loaded with the first pattern: most trees have none, and every command would wait for it. */
function library(): typeof import('picomatch') {
  return createRequire(import.meta.url)('picomatch') as typeof import('picomatch');
}

function compile(pattern: string): Excluded {
  if (pattern.length > MAX_PATTERN || (pattern.match(/\*+/g)?.length ?? 0) > MAX_STARS) {
    throw new Failure('LIMIT', `the pattern "${printable(pattern.slice(0, 40))}" is longer than ${MAX_PATTERN} letters or has more than ${MAX_STARS} stars`);
  }
  const foldersOnly = pattern.endsWith('/');
  const body = foldersOnly ? pattern.slice(0, -1) : pattern;
  const anchored = body.includes('/');
  // `noextglob`: repeated groups are where a short pattern can take exponential time.
  const matches = library()(anchored ? body.replace(/^\//, '') : body, { dot: true, noextglob: true, nonegate: true });
  return (path, name, folder) => (folder || !foldersOnly) && matches(anchored ? path : name);
}
