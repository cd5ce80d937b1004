/**
 * Jobs as people and programs see them. Pure: the time and the width are arguments.
 *
 * A job is one row where there is room; on a narrow terminal what it is about stands below.
 */
import type { Spot } from '../advice.ts';
import { formatClock, formatCount, formatRate, formatSize } from '../measures.ts';
import { columnsOf, fit, pad } from '../width.ts';
import { isOver, type Job } from './job.ts';

/** A command on jobs as it is typed at `spot`. */
export function typedAs({ place }: Spot, command: string): string {
  return place === 'prompt' ? command : `wherry ${command}`;
}

/** Below this a row has no room for what the job is about. */
const ROOMY = 60;

/** `[3] running  41%  110 MiB/s  0:21 left  put big.iso`, a row for each job; `width` undefined: as long as they are. */
export function jobRows(jobs: readonly Job[], width: number | undefined, now: number): string[] {
  const heads = jobs.map((job) => `[${job.number}] ${job.state}`);
  const details = jobs.map((job) => detail(job, now));
  const [first, second] = [widest(heads), widest(details)];
  return jobs.flatMap((job, index) => {
    const row = `${pad(heads[index]!, first)}  ${pad(details[index]!, second)}`.trimEnd();
    if (width === undefined) return [`${pad(heads[index]!, first)}  ${pad(details[index]!, second)}  ${job.what}`];
    if (width < ROOMY) return [fit(row, width), fit(`    ${job.what}`, width)];
    const left = width - first - second - 4;
    return [`${pad(heads[index]!, first)}  ${pad(details[index]!, second)}  ${fit(job.what, Math.max(8, left))}`];
  });
}

function widest(texts: readonly string[]): number {
  return texts.reduce((most, text) => Math.max(most, columnsOf(text)), 0);
}

function detail(job: Job, now: number): string {
  const share = shareOf(job);
  if (job.state === 'running') return [share, rateOf(job), leftOf(job)].filter((text) => text !== '').join('  ');
  if (job.state === 'waiting') return [share, `try ${job.tries + 1} in ${formatClock(Math.max(0, (job.next ?? now) - now) / 1000)}`].filter((text) => text !== '').join('  ');
  if (job.state === 'failed' || job.state === 'killed') return `exit ${job.exit ?? 1}`;
  return job.state === 'done' ? '' : share;
}

function shareOf({ reached }: Job): string {
  const total = reached?.totalBytes;
  if (reached === undefined || total === undefined) return reached === undefined ? '' : formatSize(reached.bytes);
  return total === 0 ? '100%' : `${Math.min(100, Math.floor((reached.bytes * 100) / total))}%`;
}

function rateOf({ reached }: Job): string {
  return reached === undefined || reached.rate === 0 ? '' : formatRate(reached.rate);
}

function leftOf({ reached }: Job): string {
  if (reached?.totalBytes === undefined || reached.rate < 1) return '';
  return `${formatClock(Math.max(0, reached.totalBytes - reached.bytes) / reached.rate)} left`;
}

/** The one line of a job that is looked at while it runs, at most `width` columns. */
export function jobLine(job: Job, width: number, now: number): string {
  const { reached } = job;
  const amount = reached === undefined ? '' : reached.totalBytes === undefined ? formatSize(reached.bytes) : `${formatSize(reached.bytes)} of ${formatSize(reached.totalBytes)}`;
  const state = job.state === 'running' ? '' : job.state;
  const head = [`[${job.number}]`, state, detail(job, now)].filter((text) => text !== '').join('  ');
  const long = `${head}  ${amount}`;
  const shown = amount !== '' && columnsOf(long) + 10 <= width ? long : head;
  const left = width - columnsOf(shown) - 2;
  return left < 8 ? fit(shown, width) : `${shown}  ${fit(job.what, left)}`;
}

/** All about one job. */
export function jobLines(job: Job, now: number): string[] {
  const { reached, failure } = job;
  return [
    ...jobRows([job], undefined, now).map((row) => row.trimEnd()),
    `    server:  ${job.server}`,
    ...job.sources.map((source) => `    ${job.verb === 'put' ? 'sends:  ' : 'fetches:'} ${source}`),
    `    to:      ${job.target}`,
    `    begun:   ${formatCount(job.tries)} ${job.tries === 1 ? 'time' : 'times'}`,
    ...(reached === undefined ? [] : [`    reached: ${formatSize(reached.bytes)}${reached.totalBytes === undefined ? '' : ` of ${formatSize(reached.totalBytes)}`}`]),
    ...(failure === undefined || job.state === 'done' ? [] : [`    failure: ${failure.message}${failure.hint === undefined ? '' : `; ${failure.hint}`}`]),
    ...(job.unsaid === 0 ? [] : [`    (${formatCount(job.unsaid)} lines before are not kept)`]),
    ...job.said.map((line) => `    ${line}`),
  ];
}

export function jobEvent(job: Job): object {
  const { number, state, verb, server, sources, target, created, ended, tries, next, exit, failure, reached, what } = job;
  const time = (value: number | undefined) => (value === undefined ? null : new Date(value).toISOString());
  return {
    event: 'job', number, state, over: isOver(job), what, verb, server, sources, target, created: time(created), ended: time(ended), tries, next: time(next), exit: exit ?? null,
    failure: failure === undefined ? null : { code: failure.code, message: failure.message, hint: failure.hint ?? null },
    bytes: reached?.bytes ?? null, totalBytes: reached?.totalBytes ?? null, files: reached?.files ?? null, totalFiles: reached?.totalFiles ?? null, rate: reached?.rate ?? null,
  };
}
