/**
 * Running a line: its steps one after the other, each a command of the table or of this machine, as `grammar.ts` has read it.
 *
 * A line has one ^C, which ends all of it. At the prompt a step that fails keeps those behind `&&` from being done, as in
 * `sh`; in a batch also those behind `;`, as with `set -e`. No step rejects: what failed is told, and comes as an exit code.
 */
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { fromErrno } from '../../errors.ts';
import { printable } from '../../printable.ts';
import { adviseAt, type Spot } from '../advice.ts';
import { parseArguments } from '../arguments.ts';
import { findCommand, type Command, type Ready, type Settings, type Work } from '../command.ts';
import { DONE, EXITS } from '../exits.ts';
import { usageLine } from '../help.ts';
import { localPath } from '../here.ts';
import { parseDuration } from '../measures.ts';
import { Outlet } from '../outlet.ts';
import { reconnect } from '../reconnect.ts';
import { Report } from '../report.ts';
import { reasonOf, resumeHint, stopOnSignals, within } from '../signals.ts';
import { withNames } from './aliases.ts';
import { expandWords } from './expand.ts';
import { parseLine, type Line, type Step } from './grammar.ts';
import { runHere, runInto } from './here.ts';
import type { Word } from './words.ts';

const HERE: Spot = { place: 'prompt', server: undefined };

/** Who runs lines, and how. */
export interface Runner {
  readonly work: Work;
  readonly commands: readonly Command[];
  /** Whether a person types them, and sees what comes of each. */
  readonly interactive: boolean;
}

/** A runner at a line of its own; which of its commands runs says how it goes on after ^C. */
interface AtLine extends Runner { readonly running: { command: string } }

/** Runs one line. Resolves with its exit code: that of its last step, 0 where a leading `-` forgives. */
export async function runLine(runner: Runner, text: string): Promise<number> {
  const { work } = runner;
  const parsed = await understood(work, () => parseLine(text));
  if (typeof parsed === 'number') return /^\s*@?-/.test(text) ? DONE : parsed;
  const running = { command: '' };
  using stop = stopOnSignals(() => resumeHint(running.command));
  const signal = AbortSignal.any([work.signal, stop.signal]);
  const settings = parsed.isSilent ? { ...work.settings, quiet: true } : work.settings;
  const exit = await runSteps({ ...runner, running, work: { ...work, settings, signal } }, parsed);
  return parsed.isForgiven && !signal.aborted ? DONE : exit;
}

async function runSteps(runner: AtLine, { steps, isForgiven }: Line): Promise<number> {
  const { session, signal } = runner.work;
  let exit = DONE;
  for (const [index, step] of steps.entries()) {
    const { joint } = step;
    if (index > 0 && joint === ';' && exit !== DONE && !runner.interactive && !isForgiven) break;
    if ((joint === '&&' && exit !== DONE) || (joint === '||' && exit === DONE)) continue;
    exit = await runStep(runner, step);
    if (session.ended || signal.aborted) break;
  }
  return exit;
}

async function runStep(runner: AtLine, step: Step): Promise<number> {
  const { work: { session, terminal } } = runner;
  const run = () => runCommand(runner, step);
  const exit = await understood(runner.work, async () => {
    if (step.shell !== undefined) return runShell(runner, step.shell);
    if (step.pipe !== undefined) return runInto(session, terminal, step.pipe, run);
    return step.into === undefined ? run() : await runToFile(runner.work, step.into, run);
  });
  return exit;
}

/** `!COMMAND`: what it ended with is told where nothing else tells it. */
async function runShell({ work: { session, terminal, signal }, interactive }: AtLine, command: string): Promise<number> {
  const exit = await runHere(session, command, interactive);
  if (exit !== DONE && interactive && command !== '' && !signal.aborted) terminal.say(printable(`!${command}: exit code ${exit}`));
  return exit;
}

/** Does `run` with its answers going to a file here, which is made first: a name that cannot be is told before anything is done. */
async function runToFile({ session, terminal }: Work, { file, append }: NonNullable<Step['into']>, run: () => Promise<number>): Promise<number> {
  const stream = createWriteStream(localPath(session, file.text), { flags: append ? 'a' : 'w' });
  await once(stream, 'open').catch((error: unknown) => { throw fromErrno(error, file.text, 'here'); });
  const outlet = new Outlet(stream, file.text);
  let exit: number;
  try {
    using _ = terminal.divert(outlet);
    exit = await run();
  } finally {
    stream.end();
  }
  await finished(stream).catch(() => undefined); // the outlet has heard why
  if (outlet.fault !== undefined) throw outlet.fault;
  return exit;
}

/** One command of the table. */
async function runCommand({ work: outer, commands, running }: AtLine, step: Step): Promise<number> {
  const { signal, terminal } = outer;
  const advise = adviseAt(HERE);
  let report = new Report(terminal, { ...outer.settings, advise });
  let command: Command | undefined;
  try {
    const [name, ...given] = withNames(outer.session.names, step.words) as [Word, ...Word[]];
    command = findCommand(commands, name.text, 'prompt');
    running.command = command.name;
    report = new Report(terminal, { ...outer.settings, advise }, command.name);
    const work = { ...outer, report, spot: HERE };
    // Patterns of names on the server are looked up there, so the connection comes first.
    if (command.connects && command.needs.length > 0 && !step.isJob && !isBackground(command, given)) await reconnect(work);
    const words = await expandWords(work, command, given, commands);
    const ready = command.read(words, 'prompt', () => false);
    const settings = settingsOf(outer.settings, ready.settings);
    report = new Report(terminal, { ...settings, advise }, command.name);
    if (settings.help) {
      const { showCommand } = await import('../guide.ts');
      return await showCommand({ ...work, settings, report }, command, commands);
    }
    return await (step.isJob ? startAsJob({ ...work, settings, report }, command, words) : attempt({ ...work, settings, report }, ready, resumeHint(command.name)));
  } catch (error) {
    const failure = reasonOf(error, signal);
    await report.failed(failure);
    if (failure.code === 'USAGE' && command !== undefined && !report.json) terminal.say(usageLine(command, 'prompt'));
    return EXITS[failure.code];
  }
}

/** Whether it becomes a job by a flag: then it can wait for the server by itself. */
function isBackground(command: Command, words: readonly Word[]): boolean {
  return command.flags['background'] !== undefined && parseArguments(command.flags, words.map(({ text }) => text)).values['background'] === true;
}

/** Those of the session, with what was typed for one command. */
function settingsOf({ json, server, home, noInput, retry, deadline, quiet }: Settings, typed: Settings): Settings {
  return { ...typed, server, home, noInput, quiet: quiet || typed.quiet, json: json || typed.json, retry: typed.retry ?? retry, deadline: typed.deadline ?? deadline };
}

/** Up to its deadline. */
function attempt(work: Work, ready: Ready, hint: string | undefined): Promise<number> {
  const { deadline } = ready.settings;
  return within(deadline === undefined ? undefined : parseDuration(deadline, '--deadline'), { signal: work.signal, hint }, (signal) => ready.run({ ...work, signal }));
}

async function startAsJob(work: Work, command: Command, words: readonly string[]): Promise<number> {
  const { startJob } = await import('../jobs/start.ts');
  return startJob(work, command.name, words);
}

/** What `action` comes to; where it throws, that is told, and the exit code is what it comes to. */
async function understood<T>({ terminal, settings, signal }: Work, action: () => T | Promise<T>): Promise<T | number> {
  try {
    return await action();
  } catch (error) {
    const failure = reasonOf(error, signal);
    await new Report(terminal, { ...settings, advise: adviseAt(HERE) }).failed(failure);
    return EXITS[failure.code];
  }
}
