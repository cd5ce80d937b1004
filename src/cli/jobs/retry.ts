/**
 * Retry: whether a job that failed is tried again, and when. Pure: time and chance are arguments.
 *
 * What a network or a server that is away causes is tried for days, with pauses that double up to five minutes; half of each
 * is left to chance, so that many jobs do not come back to a server at the same moment. Other failures that say that the
 * same request may succeed get a few tries; the rest is final.
 */
import type { Code, Failure } from '../../errors.ts';

const FIRST_MS = 1000;
const LONGEST_MS = 300_000;
/** A server that nobody has repaired in a week is not waited for. */
const PATIENCE_MS = 7 * 86_400_000;
/** A file that changes each time it is read, or never verifies, will not be different after that many tries. */
const MAX_TRIES = 10;

const AWAY: ReadonlySet<Code> = new Set<Code>(['LOST', 'CONNECT', 'TIMEOUT', 'BUSY', 'SHUTDOWN']);

/** How long to wait before the next try, in milliseconds; undefined: there is none. `fails` counts from 1; `chance` is in [0, 1). */
export function pauseBefore(failure: Pick<Failure, 'code' | 'retry'>, fails: number, failingMs: number, chance: number): number | undefined {
  const away = AWAY.has(failure.code);
  if (!failure.retry && failure.code !== 'LOST' && failure.code !== 'CONNECT') return undefined;
  if (away ? failingMs > PATIENCE_MS : fails >= MAX_TRIES) return undefined;
  const pause = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(fails - 1, 20));
  return Math.round(pause * (0.5 + chance / 2));
}
