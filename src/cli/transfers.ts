/**
 * put and get: the sources as typed, a line of progress while they run, an answer for each of them.
 * The transfers themselves are the client's; nothing here touches a file.
 */
import { join } from 'node:path';
import type { Client, Item, Problem, Summary, TransferOptions } from '../client/api.ts';
import { Failure, type Code } from '../errors.ts';
import { PART_DAYS } from '../keeping.ts';
import { printable } from '../printable.ts';
import type { Answered, Leg } from './agree.ts';
import { againAs, type AgainOf } from './again.ts';
import { askingAt } from './ask.ts';
import type { Work } from './command.ts';
import { checkConditions, checkInput, checkOutput, withoutExcluded, type TransferFlags } from './conditions.ts';
import { DONE, EXITS, exitOf, UNHEARD } from './exits.ts';
import { pour, remotePath, remoteSource } from './files.ts';
import { explained, late } from './explained.ts';
import { goOn, type Move } from './going.ts';
import { isFolderHere, localPath, localSource } from './here.ts';
import { startMeter, type RunningMeter } from './meter.ts';
import { Naming } from './naming.ts';
import { STANDARD } from './places.ts';
import { persist, persists } from './reconnect.ts';
import { summaryEvent, summaryLine } from './report.ts';
import { FailedList, readFailed, type Way } from './script/failed.ts';
import { reasonOf } from './signals.ts';

/** A transfer that is over in a second needs no estimate, and counting would cost it a quarter of that. */
const COUNT_AFTER_MS = 1_000;

interface Ask {
  readonly flags: TransferFlags;
  readonly local: readonly string[];
  readonly remote: readonly string[];
  readonly onAnswered?: ((answered: readonly Answered[]) => void) | undefined;
}

export async function put(work: Work, { flags, local, remote, onAnswered }: Ask): Promise<number> {
  const { session } = work;
  if (flags['retry-failed'] !== undefined) return retry(work, 'put', flags, flags['retry-failed']);
  if (local.includes(STANDARD)) return putStandardInput(work, { flags, local, remote });
  // Without a target a file goes into the remote folder; the slash says that it is meant as a folder.
  const target = remote[0] === undefined || remote[0] === '' ? remotePath(session, './') : remotePath(session, remote[0]);
  const named = await withoutExcluded(flags, local, (word) => isFolderHere(session, word));
  return begin(work, 'put', { flags, local: named, remote, onAnswered }, named.map((word) => localSource(session, word)), target);
}

export async function get(work: Work, { flags, local, remote, onAnswered }: Ask): Promise<number> {
  const { session } = work;
  if (flags['retry-failed'] !== undefined) return retry(work, 'get', flags, flags['retry-failed']);
  if (local[0] === STANDARD) return getStandardOutput(work, flags, remote);
  // What of these is a folder only the server knows, and a pattern for folders is hardly meant for a file that has its name.
  const named = await withoutExcluded(flags, remote, () => true);
  return begin(work, 'get', { flags, local, remote: named, onAnswered }, named.map((word) => remoteSource(session, word)), localPath(session, local[0] ?? './'));
}

/** Goes on where the same command had begun, if it had. */
async function begin(work: Work, way: Way, { flags, local, remote, onAnswered }: Ask, sources: readonly string[], target: string): Promise<number> {
  const { session, settings, signal, spot } = work;
  const [words, [to = '']] = way === 'put' ? [local, remote] : [remote, local];
  const naming = await Naming.of(settings.home, session.client, { verb: way, sources, target });
  const typed = new Map(naming.sources.map((source, index) => [source, words[index]!]));
  const again = againAs(spot, { verb: way, flags: { ...flags }, local, remote, naming, signal });
  const exit = await travel(work, { way, flags, typed, target, again, naming, to, onAnswered });
  if (!flags['dry-run']) await naming.ended(session.client, exit, signal);
  return exit;
}

const MOVES: Readonly<Record<Way, Move>> = {
  put: (client, sources, to, options) => client.put(sources, to, options),
  get: (client, sources, to, options) => client.get(sources, to, options),
};

/** What a list of failed files names, one by one to the places it was meant for; the list becomes that of what fails again, or stays, and `--failed` names another one. */
async function retry(work: Work, way: Way, flags: TransferFlags, typed: string): Promise<number> {
  const entries = await readFailed(work, way, typed);
  const failed = new FailedList(work, way, flags.failed ?? typed);
  for (const entry of entries) {
    // What is left when it is interrupted stays in the list.
    if (work.signal.aborted) failed.keep(entry);
    else await travel(work, { way, flags: { ...flags, yes: true, failed: undefined }, typed: new Map([[entry.source, entry.source]]), target: entry.target, again: () => undefined, failed })
      .catch(async (error: unknown) => {
        // A name that the server cannot have: it is renamed first, and keeps nothing else back.
        if (Failure.from(error).code !== 'BADNAME') throw error;
        await work.report.failed(error, printable(entry.source));
        failed.keep(entry);
      });
  }
  if (!flags['dry-run']) await failed.write();
  return exitAfter(work.signal, entries.length, work.report.failures);
}

interface Journey {
  readonly way: Way;
  readonly flags: TransferFlags;
  /** The sources as the client knows them → as typed. */
  readonly typed: ReadonlyMap<string, string>;
  readonly target: string;
  readonly again: AgainOf;
  /** Takes what fails, where it is to be listed. */
  readonly failed?: FailedList;
  readonly onAnswered?: Ask['onAnswered'];
  readonly naming?: Naming;
  /** The target as typed. */
  readonly to?: string;
}

/** What is in the way is asked about first; what is agreed to goes in one transfer, or, where a folder has names that stay, in several. */
async function travel(work: Work, journey: Journey): Promise<number> {
  const { way, flags, typed, target, again, naming, to = '' } = journey;
  checkConditions(flags, typed.size);
  if (flags['dry-run']) return (await import('./rehearsal.ts')).rehearseTransfer(work, journey);
  const asking = askingAt(work, flags.yes || flags.resume || flags['if-absent'] || flags['if-match'] !== undefined);
  const sources = [...typed.keys()];
  const legs: readonly Leg[] = asking === undefined ? [{ sources, target }] : await (await import('./agree.ts')).agree(work, { way, sources, target, exclude: flags.exclude, follow: flags.follow, update: flags.update }, asking, journey.onAnswered);
  const listed = flags.failed === undefined ? undefined : new FailedList(work, way, flags.failed);
  const failed = journey.failed ?? listed;
  let exit = DONE;
  for (const leg of legs) {
    const shown = new Map(leg.sources.map((source) => [source, shownAs(typed, source)]));
    exit = await transfer(work, flags, shown, going(work, leg.sources, leg.target, MOVES[way], naming?.goesOn === true ? target : undefined), { verb: way, again, onTarget: naming?.listening(work, to), asked: typed.size, leave: leg.leave, replaceable: leg.replaceable, onFailure: (item) => failed?.take(item, leg.target) });
    if (work.signal.aborted) break;
  }
  await listed?.write();
  return exit;
}

/** A file of a folder that was typed is shown below what was typed. */
function shownAs(typed: ReadonlyMap<string, string>, source: string): string {
  for (const [top, word] of typed) {
    if (source === top) return word;
    const folder = top.replace(/\/\.?$/, '');
    if (source.startsWith(`${folder}/`)) return join(word, source.slice(folder.length + 1));
  }
  return source;
}

/** mput: all words are sources. */
export async function putAll(work: Work, ask: Ask & Named): Promise<number> {
  sayMany(work, 'mput', ask);
  return put(work, ask);
}

/** mget: the same. */
export async function getAll(work: Work, ask: Ask & Named): Promise<number> {
  sayMany(work, 'mget', ask);
  return get(work, ask);
}

interface Named { readonly words: readonly string[] }

/** Once for a session: whoever knows sftp takes the last of two words for the target. */
function sayMany({ session, settings, terminal, report }: Work, name: string, { flags, words }: Ask & Named): void {
  if (words.length < 3 || (flags.into ?? flags.target) !== undefined || session.toldMany === true || settings.quiet || report.json) return;
  session.toldMany = true;
  terminal.say(`${name}: all words are sources; to name a folder for them: ${name} -O DIR ...`);
}

async function putStandardInput(work: Work, { flags, local, remote }: Ask): Promise<number> {
  const { session, report, terminal } = work;
  const name = remote[0];
  if (local.length > 1) throw new Failure('USAGE', 'standard input cannot be sent together with files');
  if (name === undefined || name === '' || name.endsWith('/')) throw new Failure('USAGE', 'standard input has no name of its own', { hint: 'name the target: wherry put - :NAME' });
  const target = remotePath(session, name);
  checkInput(flags);
  if (flags['dry-run']) return (await import('./rehearsal.ts')).rehearseStream(work, target, flags['if-absent']);
  return transfer(work, flags, new Map([[STANDARD, STANDARD]]), async (client, options) => {
    const item = await client.putStream(terminal.bytes(work.signal), target, options);
    // The name it has now says more than a dash.
    await report.item(item, printable(name));
    return summaryOf(item);
  }, { verb: 'put', tellItems: false });
}

/** Only the bytes go to standard output, and nothing is said when all is well: it is the beginning of a pipe. */
async function getStandardOutput(work: Work, flags: TransferFlags, remote: readonly string[]): Promise<number> {
  checkOutput(flags);
  if (flags['dry-run']) return (await import('./rehearsal.ts')).rehearsePour(work, new Map(remote.map((word) => [remotePath(work.session, word), word])));
  for (const word of remote) {
    await pour(work, remotePath(work.session, word)).catch((error: unknown) => {
      const failure = Failure.from(error);
      // Another target, as get advises, would change nothing.
      throw failure.code === 'ISDIR' ? new Failure('ISDIR', failure.message, { path: failure.path, who: failure.who, hint: 'name a file', cause: error }) : error;
    });
    if (!work.terminal.isHeard) return UNHEARD;
  }
  return DONE;
}

function summaryOf(item: Item): Summary {
  const { files, bytes, kept, skipped, left, milliseconds } = item;
  return { items: [item], files, bytes, kept, failed: item.failed + (item.failure === undefined ? 0 : 1), skipped, left, milliseconds };
}

/** A transfer that goes on over a new connection when the one it has breaks. */
function going(work: Work, sources: readonly string[], target: string, move: Move, begun: string | undefined): Start {
  return (client, options, meter) => goOn(client, {
    sources, target, move, lasting: persists(work), begun,
    reconnect: async () => {
      try {
        return await persist(work, meter);
      } catch (error) {
        // Given up, or refused: the sources tell of the break, and this says why it was not mended.
        if (!work.signal.aborted) await work.report.failed(Failure.from(error));
        return undefined;
      }
    },
  }, options);
}

type Start = (client: Client, options: TransferOptions, meter: RunningMeter | undefined) => Promise<Summary>;

interface About {
  readonly verb: Way;
  readonly tellItems?: boolean;
  readonly again?: AgainOf;
  readonly onTarget?: TransferOptions['onTarget'];
  /** Of how many words the command was. */
  readonly asked?: number;
  readonly leave?: TransferOptions['leave'];
  readonly replaceable?: TransferOptions['replaceable'];
  readonly onFailure?: ((item: Item) => void) | undefined;
}

/** Runs a transfer of the sources in `typed` (as the client knows them → as typed) and answers for each, in order. */
async function transfer(work: Work, flags: TransferFlags, typed: ReadonlyMap<string, string>, start: Start, { verb, tellItems = true, again, onTarget, asked = typed.size, leave, replaceable, onFailure }: About): Promise<number> {
  const { session, settings, signal, report, action } = work;
  let told = Promise.resolve();
  const onItem = (item: Item) => {
    onFailure?.(item);
    told = told.then(() => report.item(explained(replaceable === undefined ? item : late(item), signal), typed.get(item.source) ?? item.source, again?.(item)));
  };
  const onFile = (path: string, problem?: Problem) => {
    // What failed is told with its item.
    if (problem === undefined) told = told.then(() => report.done(printable(path), { event: 'file', path }));
  };
  const onSkipped = (path: string, kind: 'link' | 'other') => {
    told = told.then(() => report.done(`${printable(path)}  passed over: ${kind === 'link' ? 'a link' : 'neither a file nor a folder'}`, { event: 'skipped', path, kind }));
  };
  const meter = startMeter(work);
  try {
    const summary = await start(session.client, {
      signal, action, exclude: flags.exclude, follow: flags.follow, update: flags.update, ifAbsent: flags['if-absent'] || leave !== undefined || replaceable !== undefined, leave, replaceable, ifMatch: flags['if-match'], level: flags['no-sync'] ? 'visible' : 'durable',
      onProgress: meter?.update, countAfter: meter === undefined ? undefined : COUNT_AFTER_MS,
      onTarget, onItem: tellItems ? onItem : undefined, ...(settings.verbose && { onFile, onSkipped }),
    }, meter);
    meter?.stop();
    await told;
    if (verb === 'put' && summary.items.some(isKept)) await sayKept(work);
    const exit = exitAfter(signal, asked, report.failures);
    if (typed.size > 1 && !report.json) await report.done(summaryLine(summary), {});
    await report.event(summaryEvent(summary, summary.items.length, exit));
    return exit;
  } finally {
    meter?.stop();
  }
}

/** After these no source can go on, whatever became of the others. */
const REFUSED: ReadonlySet<Code> = new Set<Code>(['IDENTITY', 'AUTH']);

function exitAfter(signal: AbortSignal, asked: number, failures: readonly Failure[]): number {
  const end = signal.aborted ? reasonOf(undefined, signal) : failures.find(({ code }) => REFUSED.has(code));
  return end === undefined ? exitOf(asked, failures) : EXITS[end.code];
}

/** After these the receiver keeps what it has of a file. */
const KEEPING: ReadonlySet<Code> = new Set<Code>(['LOST', 'TIMEOUT', 'SHUTDOWN', 'CANCELLED', 'TERMINATED', 'DEADLINE', 'CHANGED']);

function isKept({ unfinished, failure, problems }: Item): boolean {
  return unfinished > 0 && [...(failure === undefined ? [] : [failure]), ...problems].some(({ code }) => KEEPING.has(code));
}

/** Once for a command, however many files were cut. */
async function sayKept({ report, settings, terminal }: Work): Promise<void> {
  if (report.json) await report.event({ event: 'kept', days: PART_DAYS });
  else if (!settings.quiet) terminal.say(`put: what arrived of unfinished files is kept on the server for ${PART_DAYS} days`);
}
