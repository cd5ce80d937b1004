/**
 * Notices: what became of the jobs of this prompt that ended since its last line, for the row before the next one, as `sh` has it.
 *
 * Read from the book, so that no agent is needed and none is started. What was told otherwise, by `wait`, `fg`, `jobs` or `kill`, is not told again.
 */
import type { Context, Session, Work } from '../command.ts';
import { formatDuration, formatSize, plural } from '../measures.ts';
import { fit } from '../width.ts';
import { readJobs } from './book.ts';
import { isOver, type Job } from './job.ts';
import { jobsFolder } from './place.ts';

/** More of them would hide what was on the screen. */
const MAX_NOTICES = 10;
/** Columns of a command and of a reason: each fits a row of most terminals. */
const MAX_COLUMNS = 72;

/** Notes that a job is one of this prompt. */
export function watchFor({ session }: Pick<Context, 'session'>, number: number): void {
  if (session !== undefined) (session.jobs ??= new Set()).add(number);
}

/** Notes that the end of a job has been told. */
export function told({ session }: { readonly session?: Session | undefined }, { number, ...job }: Job): void {
  if (isOver(job)) session?.jobs?.delete(number);
}

/** A line for each job that ended since; none twice. */
export async function notices({ session, settings }: Pick<Work, 'session' | 'settings'>): Promise<string[]> {
  const watched = session.jobs;
  if (watched === undefined || watched.size === 0 || settings.quiet || settings.json) return [];
  // A prompt must not fail because of a folder that cannot be read; what is gone was cleared.
  const jobs = await readJobs(jobsFolder(settings.home), undefined, watched).catch(() => new Map<number, Job>());
  const ended = [...watched].flatMap((number) => jobs.get(number) ?? []).filter(isOver);
  for (const number of watched) if (jobs.get(number) === undefined || isOver(jobs.get(number)!)) watched.delete(number);
  const lines = ended.slice(0, MAX_NOTICES).map(noticeOf);
  return ended.length > MAX_NOTICES ? [...lines, `and ${plural(ended.length - MAX_NOTICES, 'more job')} ended; jobs shows them`] : lines;
}

/** `[3] done: put big.bin (286 MiB in 8.8 s)`; `[3] failed: put big.bin: no room on the disk; jobs 3 shows why`. */
export function noticeOf({ number, state, what, reached, begun, ended, failure }: Job): string {
  const head = `[${number}] ${state}: ${fit(what, MAX_COLUMNS)}`;
  if (state === 'failed') return `${head}: ${fit(failure?.message ?? 'it failed', MAX_COLUMNS)}; jobs ${number} shows why`;
  if (state !== 'done' || reached === undefined || begun === undefined || ended === undefined) return head;
  return `${head} (${formatSize(reached.bytes)} in ${formatDuration(Math.max(0, ended - begun))})`;
}
