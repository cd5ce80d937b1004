/**
 * Beginning: what is looked at and asked before a job starts, since nobody can be asked later.
 *
 * Sources that are not there are told at once, as the command itself would, and the others go on. At a terminal, what is in the
 * way is asked about in the same words, and the answers go with the job. Where the server is away, the job starts all the same,
 * and replaces nothing. A script is asked nothing: its job replaces what is there, and needs no connection to be put in line.
 */
import { openSource } from '../../client/local.ts';
import { Failure } from '../../errors.ts';
import { ROOT } from '../../path.ts';
import { printable } from '../../printable.ts';
import { adviseAt } from '../advice.ts';
import { askAbout, slashed, type Answered } from '../agree.ts';
import { askingAt, type Asking } from '../ask.ts';
import type { Context, Session, Work } from '../command.ts';
import { DONE, exitOf } from '../exits.ts';
import { startHere } from '../here.ts';
import { isPassing, reconnectNow } from '../reconnect.ts';
import { Report } from '../report.ts';
import { wouldDo } from '../would.ts';
import { answersOf, UNASKED } from './answers.ts';
import type { Wish } from './job.ts';
import { submit } from './submit.ts';

export interface Terms {
  readonly isDry: boolean;
  /** What is there is replaced, or is to fail, by a flag: nobody is asked. */
  readonly isDecided: boolean;
  /** It is known that the server does not answer. */
  readonly isAway?: boolean;
}

/** Apart from `lineTo`: in functions with \`using\` the compiler leaves the name of the module as it is in the sources. */
const connecting = () => import('../../client/client.ts');
const rehearsing = () => import('../rehearsal.ts');

/** Starts a job after all that is to be known before it; the exit code. */
export async function begin(context: Context, wish: Wish, terms: Terms): Promise<number> {
  const { terminal, settings, spot } = context;
  // In the words of the command itself, also where `queue` was typed.
  const report = new Report(terminal, { json: settings.json, quiet: settings.quiet, advise: adviseAt(spot) }, wish.verb);
  const asking = askingAt(context, terms.isDecided);
  await using line = await lineTo({ ...context, report }, wish, terms, asking !== undefined);
  if (terms.isDry) return await rehearse({ ...context, report }, line.work, wish);
  const ready = asking !== undefined && line.work !== undefined ? await asked(line.work, wish, asking) : await found({ ...context, report }, line.work, wish);
  if (ready === undefined) return exitOf(wish.sources.length, report.failures);
  const unasked = asking !== undefined && line.work === undefined;
  if (unasked && !settings.quiet) terminal.say(`${wish.verb}: nobody can be asked now: what is there is left as it is; -y replaces it`);
  const started = wish.inLine ? 'queued' : 'started';
  await submit(context, unasked ? { ...ready, answers: ready.sources.map(() => UNASKED) } : ready, line.isAway ? 'starts when the server answers' : started);
  return exitOf(wish.sources.length, report.failures);
}

interface Line extends AsyncDisposable {
  readonly work: Work | undefined;
  readonly isAway: boolean;
}

const NO_LINE = { work: undefined, [Symbol.asyncDispose]: () => Promise.resolve() };

/** A connection to look at the server by: that of the prompt, or one of its own where somebody is to be asked. */
async function lineTo(context: Context, { server }: Wish, { isDry, isAway = false }: Terms, asks: boolean): Promise<Line> {
  const { session, settings, signal } = context;
  if (isAway) return { ...NO_LINE, isAway };
  try {
    if (session !== undefined) {
      const work = { ...context, session, action: '' };
      await reconnectNow(work);
      return { ...NO_LINE, work, isAway };
    }
    if (!asks && !isDry) return { ...NO_LINE, isAway };
    const client = await (await connecting()).connect({ server, home: settings.home, signal });
    const own: Session = Object.assign(startHere(), { client, cwd: ROOT, ended: false, names: new Map<string, string>() });
    return { work: { ...context, session: own, action: '' }, isAway, [Symbol.asyncDispose]: () => client.close() };
  } catch (error) {
    if (signal.aborted || !isPassing(error)) throw error;
    return { ...NO_LINE, isAway: true };
  }
}

async function rehearse(context: Context, work: Work | undefined, wish: Wish): Promise<number> {
  const { verb, sources, typed, target, exclude, follow, update, ifAbsent, what } = wish;
  await wouldDo(context, verb, `${wish.inLine ? 'queue' : 'start as a job'}: ${what}`, { what });
  if (work === undefined) return DONE;
  const named = new Map(sources.map((source, index) => [source, typed[index]!]));
  return (await rehearsing()).rehearseTransfer(work, { way: verb, typed: named, target, flags: { exclude, follow, update, 'if-absent': ifAbsent } });
}

/** The wish with what was answered; undefined: nothing of it is left to be done. */
async function asked(work: Work, wish: Wish, asking: Asking): Promise<Wish | undefined> {
  const { verb: way, sources, target, exclude, follow, update } = wish;
  const answered = await askAbout(work, { way, sources, target, exclude, follow, update }, asking);
  const going: Answered[] = [];
  for (const [index, one] of answered.entries()) {
    const { failure } = one.plan;
    if (failure !== undefined) await work.report.failed(failure, shownFor(failure, wish, index));
    else if (!isOver(one)) going.push(one);
  }
  const rest = only(wish, (source) => going.some(({ plan }) => plan.source === source));
  return rest === undefined ? undefined : { ...rest, answers: await answersOf(going) };
}

/** A file that stays is done with. */
export function isOver({ plan, declined }: Answered): boolean {
  return plan.kind === 'file' && declined.length > 0;
}

/** The wish with the sources that are there, as far as that can be seen; undefined: there are none. */
async function found(context: Context, work: Work | undefined, wish: Wish): Promise<Wish | undefined> {
  const { report, signal } = context;
  const look = async (source: string): Promise<Failure | undefined> => {
    try {
      if (wish.verb === 'put') await (await openSource(source))[Symbol.asyncDispose]();
      else if (work !== undefined && (await work.session.client.stat(source, { signal })) === undefined) return new Failure('NOTFOUND', 'no such file or folder on the server', { path: source, who: 'server', hint: 'wherry ls : shows what is there' });
      return undefined;
    } catch (error) {
      const failure = Failure.from(error);
      if (signal.aborted) throw failure;
      // A connection that breaks now says nothing of the source.
      return isPassing(failure) ? undefined : failure;
    }
  };
  const failures = await Promise.all(wish.sources.map(look));
  for (const [index, failure] of failures.entries()) if (failure !== undefined) await report.failed(failure, shownFor(failure, wish, index));
  return only(wish, (_, index) => failures[index] === undefined);
}

/** As with an item: a name at the far end says more than the source, which is shown as it was typed. */
function shownFor({ path, who }: Failure, { verb, sources, typed }: Wish, index: number): string {
  const far = path !== undefined && path !== sources[index] && who === (verb === 'get' ? 'here' : 'server');
  return far ? path : printable(typed[index] ?? '');
}

/** The wish with some of its sources; several went into a folder, and so does the last of them. */
export function only(wish: Wish, stays: (source: string, index: number) => boolean): Wish | undefined {
  const kept = wish.sources.flatMap((source, index) => (stays(source, index) ? [index] : []));
  if (kept.length === 0 || kept.length === wish.sources.length) return kept.length === 0 ? undefined : wish;
  const of = <T>(all: readonly T[]): T[] => kept.map((index) => all[index]!);
  return { ...wish, sources: of(wish.sources), typed: of(wish.typed), target: slashed(wish.target), answers: wish.answers === undefined ? undefined : of(wish.answers) };
}
