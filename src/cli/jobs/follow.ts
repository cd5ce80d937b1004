/**
 * Looking at jobs while they run: one of them (`fg`), or all (`jobs --watch`). ^C and ^Z end the looking, never a job.
 */
import { Failure } from '../../errors.ts';
import type { Context } from '../command.ts';
import { DONE, EXITS } from '../exits.ts';
import { openAgent, type Agent } from './ask.ts';
import { isOver, type Job } from './job.ts';
import { told } from './notices.ts';
import { jobEvent, jobLine, jobRows, typedAs } from './show.ts';
import { onSuspend } from './suspend.ts';

/** Often enough to look live. */
const LOOK_MS = 250;
/** Rows above the first one stay readable: more would scroll at each look. */
const MAX_ROWS = 20;
/** ECMA-48: cursor up, and erase all below. */
const UP = (rows: number): string => (rows === 0 ? '' : `\u001b[${rows}A\r\u001b[J`);

/** Resolves after a while, or at once when `signal` fires. */
function lookAgain(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      done();
    };
    const timer = setTimeout(finish, LOOK_MS);
    signal.addEventListener('abort', finish, { once: true });
    if (signal.aborted) finish();
  });
}

/** Shows how far a job is until it is over, and what it says; its exit code. */
export async function follow(context: Context, number: number): Promise<number> {
  const { terminal, report, settings } = context;
  using agent = await openAgent(settings.home, context.signal);
  using suspension = onSuspend();
  using _ = terminal.hush();
  const signal = AbortSignal.any([context.signal, suspension.signal]);
  let heard = 0;
  for (;;) {
    const job = await theJob(agent, number);
    heard = await tell(context, job, heard);
    if (isOver(job)) return await finish(context, job);
    if (job.state === 'paused') throw new Failure('BUSY', `job ${number} is paused`, { who: 'here', hint: `wherry bg ${number} lets it go on` });
    if (!settings.quiet && !settings.json) terminal.status([jobLine(job, terminal.width - 1, Date.now())]);
    await lookAgain(signal);
    if (!signal.aborted) continue;
    await report.done(`[${number}] ${job.what}  goes on; ${typedAs(context.spot, 'kill')} ${number} ends it`, jobEvent(job));
    return EXITS.CANCELLED;
  }
}

async function theJob(agent: Agent, number: number): Promise<Job> {
  const [job] = await agent.ask({ verb: 'show', number });
  if (job === undefined) throw new Failure('NOTFOUND', `there is no job ${number}`, { who: 'rule', hint: 'wherry jobs shows them' });
  return job;
}

/** Tells the lines that are new; how many were said by now. */
export async function tell({ report }: Pick<Context, 'report'>, job: Job, heard: number): Promise<number> {
  const total = job.unsaid + job.said.length;
  for (const line of job.said.slice(Math.max(0, heard - job.unsaid))) await report.done(line, { event: 'said', number: job.number, line });
  return total;
}

/** What became of a job that is over; its exit code. */
export async function finish({ report, session }: Pick<Context, 'report' | 'session'>, job: Job): Promise<number> {
  told({ session }, job);
  await report.done(`[${job.number}] ${job.what}  ${job.state}${job.state === 'done' ? '' : ` (exit ${job.exit ?? 1})`}`, jobEvent(job));
  return job.exit ?? DONE;
}

/** The rows of all jobs, redrawn until all are over. */
export async function watch(context: Context): Promise<number> {
  const { terminal, settings } = context;
  if (!terminal.isShown || !terminal.canRedraw) throw new Failure('USAGE', '--watch needs a terminal', { who: 'here', hint: 'wherry wait waits for jobs, wherry jobs --json tells how far they are' });
  using agent = await openAgent(settings.home, context.signal);
  using suspension = onSuspend();
  using _ = terminal.hush();
  const signal = AbortSignal.any([context.signal, suspension.signal]);
  let drawn = 0;
  while (!signal.aborted) {
    const jobs = await agent.ask({ verb: 'list' });
    const rows = jobRows(jobs, terminal.width - 1, Date.now()).slice(-MAX_ROWS);
    await terminal.data(`${UP(drawn)}${rows.map((row) => `${row}\n`).join('')}`);
    drawn = rows.length;
    if (jobs.every((job) => isOver(job) || job.state === 'paused')) return DONE;
    await lookAgain(signal);
  }
  return DONE;
}
