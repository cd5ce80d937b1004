#!/usr/bin/env node
/**
 * wherry, the command: arguments in, exit code out.
 *
 * Finds the command in the table, reads its words, connects where it needs a server, runs it. What goes wrong ends
 * here: as one line and a hint, or as one JSON object, and as an exit code. Loads only what the command uses.
 */
import { Failure } from '../errors.ts';
import { ROOT } from '../path.ts';
import { SOFTWARE_VERSION } from '../version.ts';
import type { Client } from '../client/api.ts';
import { advise } from './advice.ts';
import { findCommand, type Command, type Context, type Ready, type Session, type Settings } from './command.ts';
import { COMMANDS } from './commands.ts';
import { DONE, EXITS, UNHEARD } from './exits.ts';
import { existsHere, startHere } from './here.ts';
import { parseDuration } from './measures.ts';
import { commandFirst } from './order.ts';
import { STANDARD } from './places.ts';
import { Report } from './report.ts';
import { reasonOf, stopAfter, stopOnSignals } from './signals.ts';
import { Terminal } from './terminal.ts';
import { loadWidths } from './width.ts';

/** Flags that name a command when they stand first. */
const FIRST: Readonly<Record<string, string>> = { '--help': 'help', '-h': 'help', '--version': 'version', '-V': 'version' };

/** Commands that a run can be continued after, by the same words. */
const RESUMABLE: ReadonlySet<string> = new Set(['put', 'get']);

async function main(typed: readonly string[], terminal: Terminal): Promise<number> {
  const [first = 'connect', ...rest] = typed;
  const name = FIRST[first] ?? first;
  if (name === 'version') {
    await terminal.data(`wherry ${SOFTWARE_VERSION}\n`);
    return DONE;
  }
  if (terminal.isShown || terminal.canRedraw) await loadWidths();
  // Before the flags are read, this is all there is to say how failures are to be told.
  let report = new Report(terminal, { json: typed.includes('--json'), quiet: false, advise });
  let command: Command | undefined;
  try {
    const [word, ...words] = name.startsWith('-') ? commandFirst(typed, COMMANDS) : [name, ...rest];
    command = findCommand(COMMANDS, word, 'shell');
    report = new Report(terminal, { json: typed.includes('--json'), quiet: false, advise }, command.name);
    const ready = command.read(words, 'shell', existsHere);
    if (!ready.settings.help) return await run(command, ready, terminal);
    const { commandHelp } = await import('./help.ts');
    await report.answer(commandHelp(command, 'shell', undefined, terminal.width), { event: 'help', name: command.name });
    return DONE;
  } catch (error) {
    const failure = Failure.from(error);
    await report.failed(failure);
    if (failure.code === 'USAGE' && command !== undefined && !report.json) {
      const { usageLine } = await import('./help.ts');
      terminal.say(usageLine(command, 'shell'));
    }
    return EXITS[failure.code];
  }
}

async function run(command: Command, ready: Ready, terminal: Terminal): Promise<number> {
  const { settings } = ready;
  const deadlineMs = settings.deadline === undefined ? undefined : parseDuration(settings.deadline, '--deadline');
  const hint = RESUMABLE.has(command.name) ? 'run the same command again to resume' : undefined;
  // The prompt has a ^C of its own for each command.
  using stop = command.name === 'connect' ? stopAfter(deadlineMs, hint) : stopOnSignals(hint, deadlineMs);
  try {
    const exit = await runConnected(command, ready, terminal, stop.signal);
    // What was asked for was done, but not told: a list on a full disk is none.
    if (terminal.fault !== undefined && (exit === DONE || exit === UNHEARD)) throw terminal.fault;
    return exit;
  } catch (error) {
    throw reasonOf(error, stop.signal);
  }
}

async function runConnected(command: Command, ready: Ready, terminal: Terminal, signal: AbortSignal): Promise<number> {
  const { settings } = ready;
  // `get :x -`: standard output is the file's.
  const aside = command.shape === 'get' && ready.words.at(-1) === STANDARD;
  const context: Context = { terminal, settings, signal, report: new Report(terminal, { ...settings, aside, advise }, command.name), session: undefined };
  if (!command.connects) return ready.run(context);
  const client = await open(ready.server ?? (command.name === 'connect' ? ready.words[0] : undefined), settings, signal);
  const session: Session = Object.assign(startHere(), { client, cwd: ROOT, ended: false });
  try {
    return await ready.run({ ...context, session });
  } finally {
    await session.client.close();
  }
}

async function open(named: string | undefined, settings: Settings, signal: AbortSignal): Promise<Client> {
  const { connect } = await import('../client/client.ts');
  return connect({ server: named ?? settings.server, home: settings.home, signal });
}

const terminal = new Terminal();
process.exitCode = await main(process.argv.slice(2), terminal);
terminal.close();
