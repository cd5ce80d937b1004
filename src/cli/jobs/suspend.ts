/**
 * ^Z during a put or get: the transfer stops where it is and becomes a job that goes on, and the terminal is free at once.
 * `--background` makes a job of it from the beginning.
 *
 * The terminal sends SIGTSTP, which would stop the process; while a transfer runs that can be a job, it is taken for this
 * wish instead. What the stopped transfer says of its end is not told, for it does not end. In the shell the exit code is
 * that of a stopped command, so that what was to follow a finished transfer does not run.
 */
import { constants } from 'node:os';
import type { Item } from '../../client/api.ts';
import { Failure } from '../../errors.ts';
import { meansContents } from '../../path.ts';
import { adviseAt } from '../advice.ts';
import type { Again } from '../again.ts';
import type { Settings, Work } from '../command.ts';
import { STANDARD, type Places } from '../places.ts';
import { Report } from '../report.ts';
import type { Terminal } from '../terminal.ts';
import type { TransferFlags } from '../conditions.ts';
import { closeSoonAfter } from './grace.ts';
import type { Answered } from '../agree.ts';
import type { Wish } from './job.ts';

/** 128 + SIGTSTP, as shells count. */
const SUSPENDED = 128 + (constants.signals.SIGTSTP ?? 20);

interface Ask extends Places {
  readonly flags: TransferFlags & { readonly background: boolean };
  readonly onAnswered?: (answered: readonly Answered[]) => void;
}

/** Apart from functions with `using`: in those the compiler leaves the name of the module as it is in the sources. */
const starting = () => import('./start.ts');
const submitting = () => import('./submit.ts');
const answering = () => import('./answers.ts');

/** Runs `foreground`, or a job in its place. */
export async function orJob(work: Work, verb: Wish['verb'], ask: Ask, foreground: (work: Work, ask: Ask) => Promise<number>): Promise<number> {
  if (ask.flags.background) return (await starting()).startPlaces(work, verb, ask.flags, ask);
  if (ask.local.includes(STANDARD) || ask.flags['retry-failed'] !== undefined || process.platform === 'win32') return foreground(work, ask);
  using suspension = onSuspend();
  const quiet = new Quieting(work.settings, suspension.signal);
  using _ = closeSoonAfter(suspension.signal, () => work.session.client);
  const report = new SuspendedReport(work.terminal, quiet, work, verb);
  const exit = await foreground({ ...work, report, settings: quiet.settings, signal: AbortSignal.any([work.signal, suspension.signal]) }, { ...ask, onAnswered: (answered) => { report.answered = answered; } });
  // What had ended before it could be stopped has ended, and what was interrupted as well is not to go on.
  if (!suspension.signal.aborted || work.signal.aborted || report.unfinished.size === 0) return exit;
  const { submit } = await submitting();
  await submit(work, await remaining(await (await starting()).wishAt(work, verb, ask.flags, ask), report), 'goes on as a job');
  return SUSPENDED;
}

export interface Suspension extends Disposable {
  /** Fires at ^Z. */
  readonly signal: AbortSignal;
}

/** Takes ^Z for a wish to go on elsewhere, until it is disposed. */
export function onSuspend(): Suspension {
  const controller = new AbortController();
  const suspend = () => controller.abort(new Failure('CANCELLED', 'goes on as a job'));
  process.on('SIGTSTP', suspend);
  return { signal: controller.signal, [Symbol.dispose]: () => process.off('SIGTSTP', suspend) };
}

/** The settings of a command that says nothing more once it is suspended. */
class Quieting {
  readonly settings: Settings;

  constructor(settings: Settings, suspended: AbortSignal) {
    this.settings = { ...settings, get quiet() { return settings.quiet || suspended.aborted; } };
    this.suspended = suspended;
  }

  readonly suspended: AbortSignal;
}

/** Knows what did not end, and whether its target has become something else by what arrived. */
class SuspendedReport extends Report {
  /** Of sources by the path the client knows: whether what is in the folder goes on, since the target is there now. */
  readonly unfinished = new Map<string, boolean>();
  /** What was told of: it is over, however it ended. */
  readonly #told = new Set<string>();
  /** What was asked about, if anything was. */
  answered: readonly Answered[] | undefined;
  readonly #suspended: AbortSignal;

  constructor(terminal: Terminal, { settings, suspended }: Quieting, { spot }: Work, verb: string) {
    super(terminal, { json: settings.json, get quiet() { return settings.quiet; }, advise: adviseAt(spot) }, verb);
    this.#suspended = suspended;
  }

  override async item(item: Item, shown: string, again?: Again): Promise<void> {
    if (!this.#suspended.aborted || (item.failure === undefined && item.failed === 0)) {
      this.#told.add(item.source);
      return super.item(item, shown, again);
    }
    this.unfinished.set(item.source, again?.isNamed === true);
  }

  /** Whether a source has to go on. What was asked about may not have been begun; a folder of which files stay goes in several parts. */
  goesOn(source: string): boolean {
    const answer = this.answered?.find(({ plan }) => plan.source === source);
    if (answer === undefined) return this.unfinished.has(source);
    return answer.declined.length > 0 ? answer.plan.kind === 'folder' : !this.#told.has(source);
  }

  override async event(event: object): Promise<void> {
    if (!this.#suspended.aborted) await super.event(event);
  }
}

/** The wish for what has not ended, with the answers that were given. */
async function remaining(wish: Wish, report: SuspendedReport): Promise<Wish> {
  const kept = wish.sources.flatMap((source, index) => (report.goesOn(source) ? [index] : []));
  const indexes = kept.length === 0 ? [...wish.sources.keys()] : kept;
  const all = indexes.map((index) => wish.sources[index]!);
  const sources = all.map((source) => (report.unfinished.get(source) === true && !meansContents(source) ? `${source.replace(/\/+$/, '')}/.` : source));
  return { ...wish, sources, typed: indexes.map((index) => wish.typed[index]!), answers: await answersTo(all, report.answered) };
}

/** Of what cannot go with a job nothing is replaced that is there by then. */
async function answersTo(sources: readonly string[], answered: readonly Answered[] | undefined): Promise<Wish['answers']> {
  if (answered === undefined) return undefined;
  const { answersOf, UNASKED } = await answering();
  const going = sources.flatMap((source) => answered.find(({ plan }) => plan.source === source) ?? []);
  return answersOf(going).catch(() => sources.map(() => UNASKED));
}
