/**
 * The commands on jobs: each is a few questions to the agent, and a line for the answer.
 */
import { Failure } from '../../errors.ts';
import { printable } from '../../printable.ts';
import type { Call, Context } from '../command.ts';
import type { Flags } from '../arguments.ts';
import { DONE, exitOf, SOME_FAILED } from '../exits.ts';
import type { TransferFlags } from '../conditions.ts';
import { wouldDo } from '../would.ts';
import { openAgent, type Agent } from './ask.ts';
import { finish, follow, tell, watch } from './follow.ts';
import { isOver, MAX_NUMBER, type Job } from './job.ts';
import { readJobs } from './book.ts';
import { jobsFolder } from './place.ts';
import { told } from './notices.ts';
import { jobEvent, jobLines, jobRows, typedAs } from './show.ts';

type Words = Pick<Call<Flags>, 'words'>;
interface Dry { readonly flags: { readonly 'dry-run': boolean } }

export interface JobsFlags {
  readonly long: boolean;
  readonly watch: boolean;
  readonly clear: boolean;
  readonly install: boolean;
  readonly uninstall: boolean;
  readonly 'dry-run': boolean;
}

async function unit(context: Context, wanted: boolean): Promise<number> {
  const { install, uninstall } = await import('./unit.ts');
  return wanted ? install(context) : uninstall(context);
}

/** Each of these is about all jobs: a number, or another of them, would be passed over, and jobs forgotten that were not meant. */
function checkJobs(flags: JobsFlags, words: readonly string[]): void {
  const [first, second] = (['clear', 'watch', 'install', 'uninstall'] as const).filter((name) => flags[name]);
  if (second !== undefined) throw new Failure('USAGE', `--${first} and --${second} cannot be done at once`, { hint: 'give one of them' });
  if (first === undefined || words.length === 0) return;
  throw new Failure('USAGE', `--${first} is about all jobs, and takes no numbers`, { hint: first === 'watch' ? 'one job is shown by: wherry fg N' : 'leave them out' });
}

export async function jobs(context: Context, { flags, words }: Words & { flags: JobsFlags }): Promise<number> {
  const { settings, report } = context;
  checkJobs(flags, words);
  if ((flags.install || flags.uninstall) && flags['dry-run']) return wouldDo(context, 'jobs', flags.install ? 'let jobs go on after a reboot, by a service of this user' : 'remove the service that lets jobs go on after a reboot', {});
  if (flags.install || flags.uninstall) return unit(context, flags.install);
  const numbers = words.map(numberOf);
  // Nothing is started for one who has no jobs.
  if ((await readJobs(jobsFolder(settings.home))).size === 0) {
    if (numbers[0] !== undefined) throw new Failure('NOTFOUND', `there is no job ${numbers[0]}`, { who: 'rule', hint: 'wherry jobs shows them' });
    if (!settings.quiet && !settings.json) context.terminal.say('there are no jobs');
    return DONE;
  }
  if (flags.watch) return watch(context);
  using agent = await openAgent(settings.home);
  if (flags.clear && flags['dry-run']) {
    await answer(context, (await agent.ask({ verb: 'list' })).filter(isOver), 'would forget ');
    return DONE;
  }
  if (flags.clear) await agent.ask({ verb: 'clear' });
  if (flags.long || numbers.length > 0) return await showWhole(context, agent, numbers);
  const all = await agent.ask({ verb: 'list' });
  await answer(context, all);
  return exitOf(1, report.failures);
}

async function answer({ report, terminal, session }: Context, all: readonly Job[], head = ''): Promise<void> {
  for (const job of all) told({ session }, job);
  if (report.json) for (const job of all) await report.event(jobEvent(job));
  else await report.answer(jobRows(all, terminal.isShown ? terminal.width - 1 - head.length : undefined, Date.now()).map((row) => head + row), {});
}

async function showWhole({ report, session }: Context, agent: Agent, numbers: readonly number[]): Promise<number> {
  const wanted = numbers.length > 0 ? numbers : (await agent.ask({ verb: 'list' })).map(({ number }) => number);
  return eachJob(report, wanted, async (number) => {
    const [job] = await agent.ask({ verb: 'show', number });
    if (job === undefined) return;
    told({ session }, job);
    await report.answer(jobLines(job, Date.now()), { ...jobEvent(job), said: job.said });
  });
}

async function eachJob(report: Context['report'], numbers: readonly number[], one: (number: number) => Promise<void>): Promise<number> {
  for (const number of numbers) {
    try {
      await one(number);
    } catch (error) {
      await report.failed(error, String(number));
    }
  }
  return exitOf(numbers.length, report.failures);
}

/** `3`, and `%3` as shells write it. Throws USAGE. */
function numberOf(word: string): number {
  const number = /^%?(\d{1,6})$/.exec(word)?.[1];
  if (number === undefined || Number(number) < 1 || Number(number) > MAX_NUMBER) throw new Failure('USAGE', `${printable(word)} is not the number of a job`, { who: 'here', hint: 'wherry jobs shows the numbers' });
  return Number(number);
}

/** Waits for the jobs named, or all that run; the exit code of the one, or whether all were done. */
export async function wait(context: Context, { words }: Words): Promise<number> {
  const { settings, signal } = context;
  const numbers = isAll(words) ? [] : words.map(numberOf);
  if (numbers.length === 0 && (await readJobs(jobsFolder(settings.home))).size === 0) return DONE;
  const wanted = numbers.length > 0 ? numbers : (await listed(settings.home, signal)).filter((job) => !isOver(job) && job.state !== 'paused').map(({ number }) => number);
  const exits: number[] = [];
  for (const number of wanted) {
    const over = await whenOver(settings.home, number, signal);
    await tell(context, over, 0);
    exits.push(await finish(context, over));
  }
  if (exits.length <= 1) return exits[0] ?? DONE;
  return exits.every((exit) => exit === DONE) ? DONE : SOME_FAILED;
}

async function listed(home: string | undefined, signal: AbortSignal): Promise<readonly Job[]> {
  using agent = await openAgent(home, signal);
  return await agent.ask({ verb: 'list' });
}

/** The job when it is over, also where the agent ends meanwhile and another one goes on. */
async function whenOver(home: string | undefined, number: number, signal: AbortSignal): Promise<Job> {
  for (;;) {
    signal.throwIfAborted();
    using agent = await openAgent(home);
    // The connection is what ends a question that waits.
    const leave = (): void => agent[Symbol.dispose]();
    signal.addEventListener('abort', leave, { once: true });
    try {
      const [job] = await agent.ask({ verb: 'show', number });
      if (job?.state === 'paused') throw new Failure('BUSY', `job ${number} is paused`, { who: 'here', hint: `wherry bg ${number} lets it go on` });
      const [over] = await agent.ask({ verb: 'wait', number });
      if (over !== undefined) return over;
    } catch (error) {
      if (signal.aborted || Failure.from(error).code !== 'LOST') throw error;
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }
}

export async function kill(context: Context, { words, flags }: Words & Dry): Promise<number> {
  return order(context, words, 'kill', 'killed', flags['dry-run']);
}

export async function pause(context: Context, { words, flags }: Words & Dry): Promise<number> {
  return order(context, words, 'pause', `paused; ${typedAs(context.spot, 'bg')} lets it go on`, flags['dry-run']);
}

/** Lets jobs go on; alone, the one that is paused, as shells do; where that is not one, shows those that could. */
export async function background(context: Context, { words, flags }: Words & Dry): Promise<number> {
  if (words.length > 0) return order(context, words, 'resume', 'goes on', flags['dry-run']);
  const [paused, ...others] = (await readAll(context)).filter(({ state }) => state === 'paused');
  if (paused !== undefined && others.length === 0) return order(context, [String(paused.number)], 'resume', 'goes on', flags['dry-run']);
  return show(context, MEANT.resume, 'no job is paused or waiting');
}

type Order = 'kill' | 'pause' | 'resume';

/** Which jobs an order to all of them means. */
const MEANT: Readonly<Record<Order, (job: Job) => boolean>> = {
  kill: (job) => !isOver(job),
  pause: (job) => !isOver(job) && job.state !== 'paused',
  resume: ({ state }) => state === 'paused' || state === 'waiting',
};

function isAll(words: readonly string[]): boolean {
  return words.length === 1 && words[0]!.toLowerCase() === 'all';
}

async function order(context: Context, words: readonly string[], verb: Order, became: string, isDry: boolean): Promise<number> {
  const { report, settings, session, terminal } = context;
  const numbers = isAll(words) ? (await readAll(context)).filter(MEANT[verb]).map(({ number }) => number) : words.map(numberOf);
  if (numbers.length === 0) {
    if (!settings.quiet && !report.json) terminal.say(`there is no job to ${verb}`);
    return DONE;
  }
  using agent = await openAgent(settings.home);
  return await eachJob(report, numbers, async (number) => {
    if (!isDry) await agent.ask({ verb, number });
    const [job] = await agent.ask({ verb: 'show', number });
    if (job !== undefined) told({ session }, job);
    if (isDry && job === undefined) throw new Failure('NOTFOUND', `there is no job ${number}`, { who: 'rule', hint: 'wherry jobs shows them' });
    if (isDry) await report.answer(`would ${verb} [${number}] ${job!.what}`, { event: 'planned', verb, number });
    else if (job !== undefined) await report.done(`[${number}] ${job.what}  ${became}`, jobEvent(job));
  });
}

export async function foreground(context: Context, { words }: Words): Promise<number> {
  const [word] = words;
  if (word !== undefined) return follow(context, numberOf(word));
  const newest = (await readAll(context)).findLast((job) => !isOver(job));
  if (newest === undefined) throw new Failure('NOTFOUND', 'no job is under way', { who: 'rule', hint: 'wherry jobs shows what became of them' });
  return follow(context, newest.number);
}

/** Apart from `queue`: in functions with \`using\` the compiler leaves the name of the module as it is in the sources. */
const starting = () => import('./start.ts');

/** Puts a command in line behind those before; alone, shows the line. */
export async function queue(context: Context, { flags, words }: Words & { flags: TransferFlags }): Promise<number> {
  const [verb, ...rest] = words;
  const { startParsed, checkedVerb } = await starting();
  if (verb !== undefined) return startParsed(context, checkedVerb(verb), flags, rest, true);
  return show(context, (job) => job.inLine && !isOver(job), 'the queue is empty');
}

/** All jobs as they are now; where there are none, no agent is started to say so. */
async function readAll({ settings, signal }: Context): Promise<readonly Job[]> {
  return (await readJobs(jobsFolder(settings.home))).size === 0 ? [] : listed(settings.home, signal);
}

async function show(context: Context, which: (job: Job) => boolean, none: string): Promise<number> {
  const { settings, report, terminal } = context;
  const shown = (await readAll(context)).filter(which);
  if (shown.length === 0 && !settings.quiet && !report.json) terminal.say(none);
  await answer(context, shown);
  return DONE;
}
