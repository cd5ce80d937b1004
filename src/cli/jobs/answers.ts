/**
 * Answers: what was said about the files in the way of a job while somebody could be asked, in a form that goes with the job.
 *
 * Of each source two lists of paths as `left.ts` marks them: what may be replaced, and what stays. Marks take 16 letters a file,
 * whatever its path, and name only what is found again when the sources are compared. A job without answers replaces what is
 * there, as a script does.
 */
import { ready as digestReady } from '../../digest.ts';
import { Failure } from '../../errors.ts';
import { MAX_LEFT, MAX_LEFT_BYTES, markLeft, readLeft } from '../../left.ts';
import type { Answered } from '../agree.ts';

/** About one source; both in base64, empty where there is none. */
export interface Answer {
  readonly replace: string;
  readonly leave: string;
}

/** Of a source that nobody was asked about: whatever is in its way stays. */
export const UNASKED: Answer = { replace: '', leave: '' };

/** Letters of the longest list. */
export const MAX_MARKS = Math.ceil(MAX_LEFT_BYTES / 3) * 4;

/** The answers that go with a job, a source each; undefined: all may be replaced. Throws LIMIT for more of them than go with one. */
export async function answersOf(answered: readonly Answered[]): Promise<Answer[] | undefined> {
  const asked = answered.reduce((sum, { agreed, declined }) => sum + agreed.length + declined.length, 0);
  const [only] = answered;
  // As where somebody waits for the end: with so many files that are there, what comes later is replaced as well.
  if (answered.length === 1 && only!.declined.length === 0 && asked + only!.plan.same.length > MAX_LEFT) return undefined;
  if (asked > MAX_LEFT) throw new Failure('LIMIT', `more than ${MAX_LEFT} answers do not go with a job`, { who: 'here', hint: 'give --yes to replace all that is there, or leave out the & or --background' });
  await digestReady();
  return answered.map(({ agreed, declined }) => ({ replace: marked(agreed), leave: marked(declined) }));
}

function marked(met: readonly { readonly path: string }[]): string {
  return Buffer.from(markLeft(met.map(({ path }) => path)) ?? []).toString('base64');
}

/** Throws PROTOCOL where `text` is no list. */
export function readMarks(text: string): (path: string) => boolean {
  return readLeft(text === '' ? undefined : Buffer.from(text, 'base64'));
}
