/**
 * Exit codes: what a script learns from `wherry` without reading a word.
 *
 * The numbers are documented and never change. One table from the closed list of failure codes, so that a
 * new code does not compile until it has an exit code.
 */
import type { Code, Failure } from '../errors.ts';

/** All done and verified. */
export const DONE = 0;
/** Some of several items failed, or something failed that has no code of its own. */
export const SOME_FAILED = 1;
/** What was typed makes no sense. */
export const USAGE = 2;
/** The reader of the answers went away before their end: 128 + SIGPIPE, as shells count. */
export const UNHEARD = 141;

export const EXITS: Readonly<Record<Code, number>> = {
  IO: 1, INTERNAL: 1,
  USAGE, BADNAME: USAGE,
  CONNECT: 3, PROTOCOL: 3, VERSION: 3, // no talk was possible
  IDENTITY: 4,
  AUTH: 5, DENIED: 5,
  NOTFOUND: 6,
  EXISTS: 7, PRECONDITION: 7, NOTEMPTY: 7, ISDIR: 7, NOTDIR: 7, UNSUPPORTED: 7, // what is there is not what was expected
  NOSPACE: 8, QUOTA: 8,
  VERIFY: 9,
  CHANGED: 10,
  TIMEOUT: 11, LOST: 11, BUSY: 11, SHUTDOWN: 11, LIMIT: 11, // temporary: the same command again is safe
  DEADLINE: 12,
  CANCELLED: 130, // 128 + SIGINT, as shells count
  TERMINATED: 143, // 128 + SIGTERM
};

/** The exit code of a command that was asked for `asked` things: of one thing its own, of several 1 when some failed. */
export function exitOf(asked: number, failures: readonly Failure[]): number {
  const first = failures[0];
  if (first === undefined) return DONE;
  return asked <= 1 ? EXITS[first.code] : SOME_FAILED;
}
