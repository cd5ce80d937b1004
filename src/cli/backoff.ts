/**
 * Backoff: how long to wait before each further try to connect. Pure: chance is an argument.
 *
 * Half of a span that doubles, and a random part of the other half, so that many clients of a server that comes back do not all come at once.
 */
const FIRST_MS = 1_000;
/** Longer than this a person would not wait for a server that is back. */
const LONGEST_MS = 30_000;

/** The wait before try number `attempt`, from 1 on; `random` is from 0 to 1. */
export function waitBefore(attempt: number, random: number): number {
  const span = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt - 1, 30));
  return Math.round(span / 2 + (span / 2) * random);
}
