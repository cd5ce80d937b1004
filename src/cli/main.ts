#!/usr/bin/env node
/**
 * wherry, the command: arguments in, exit code out.
 *
 * Finds the command in the table, reads its words, connects where it needs a server, runs it. What goes wrong ends
 * here: as one line and a hint, or as one JSON object, and as an exit code. Loads only what the command uses.
 */
import { newAction } from '../client/action.ts';
import { Failure } from '../errors.ts';
import { ROOT } from '../path.ts';
import { printableJson } from '../printable.ts';
import { SOFTWARE_VERSION } from '../version.ts';
import type { Client } from '../client/api.ts';
import { adviseAt, type Spot } from './advice.ts';
import { findCommand, type Command, type Context, type Ready, type Session, type Settings, type Work } from './command.ts';
import { COMMANDS } from './commands.ts';
import { DONE, EXITS, UNHEARD } from './exits.ts';
import { existsHere, startHere } from './here.ts';
import { parseDuration } from './measures.ts';
import { commandFirst } from './order.ts';
import { STANDARD } from './places.ts';
import { Report } from './report.ts';
import { reasonOf, resumeHint, stopAfter, stopOnSignals } from './signals.ts';
import { Terminal } from './terminal.ts';
import { loadWidths } from './width.ts';

/** Flags that name a command when they stand first. */
const FIRST: Readonly<Record<string, string>> = { '--help': 'help', '-h': 'help', '--version': 'version', '-V': 'version' };

/** Letters that make a word a pattern. */
const MAGIC = /[*?[{]/;

async function main(typed: readonly string[], terminal: Terminal): Promise<number> {
  const [first = 'connect', ...rest] = typed;
  const name = FIRST[first] ?? first;
  if (name === 'version') {
    // As at the prompt, where there is a server.
    await terminal.data(`${typed.includes('--json') ? printableJson({ event: 'version', here: SOFTWARE_VERSION, server: null }) : `wherry ${SOFTWARE_VERSION}`}\n`);
    return DONE;
  }
  if (terminal.isShown || terminal.canRedraw) await loadWidths();
  // Before the flags are read, this is all there is to say how failures are to be told.
  const told = { json: typed.includes('--json'), quiet: false };
  let report = new Report(terminal, { ...told, advise: adviseAt({ place: 'shell', server: undefined }) });
  let command: Command | undefined;
  try {
    const [word, ...words] = name.startsWith('-') ? commandFirst(typed, COMMANDS) : [name, ...rest];
    command = findCommand(COMMANDS, word, 'shell');
    report = new Report(terminal, { ...told, advise: adviseAt({ place: 'shell', server: undefined }) }, command.name);
    const ready = command.read(words, 'shell', existsHere);
    report = new Report(terminal, { ...told, advise: adviseAt(spotOf(ready)) }, command.name);
    if (!ready.settings.help) return await run(command, ready, terminal);
    const { showCommand } = await import('./guide.ts');
    return await showCommand({ terminal, report, settings: ready.settings, session: undefined }, command, COMMANDS);
  } catch (error) {
    const failure = Failure.from(error);
    await report.failed(failure);
    // What a server refused was typed as it should be.
    if (failure.code === 'USAGE' && failure.who !== 'rule' && command !== undefined && !report.json) {
      const { usageLine } = await import('./help.ts');
      terminal.say(usageLine(command, 'shell'));
    }
    return EXITS[failure.code];
  }
}

/** Which server later commands have to name, to be about the same one. */
function spotOf({ server, settings }: Ready): Spot {
  return { place: 'shell', server: server ?? settings.server };
}

async function run(command: Command, ready: Ready, terminal: Terminal): Promise<number> {
  const { settings } = ready;
  const deadlineMs = settings.deadline === undefined ? undefined : parseDuration(settings.deadline, '--deadline');
  const hint = resumeHint(command.name);
  // The prompt has a ^C of its own for each command.
  using stop = command.name === 'connect' ? stopAfter(deadlineMs, hint) : stopOnSignals(() => hint, deadlineMs);
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
  const spot = spotOf(ready);
  const report = new Report(terminal, { ...settings, aside, advise: adviseAt(spot) }, command.name);
  const context: Context = { terminal, settings, signal, report, spot, session: undefined };
  if (!command.connects) return ready.run(context);
  const named = command.name === 'connect' ? ready.words[0] : undefined;
  const place = named === undefined ? undefined : await (await import('./script/bookmarks.ts')).placeOf(named, settings);
  const client = await open(ready.server ?? place?.server, settings, signal).catch((error: unknown) => mayBeAway(error, ready, signal));
  if (client === undefined) return ready.away!(context);
  const session: Session = Object.assign(startHere(), { client, cwd: ROOT, ended: false, names: new Map<string, string>() });
  const work = { ...context, session, action: newAction() };
  try {
    if (place !== undefined && place.path !== '/') await (await import('./script/bookmarks.ts')).goTo(work, place.path);
    return await (await withPatterns(work, command, ready)).run(work);
  } finally {
    await session.client.close();
  }
}

/** undefined: the server does not answer, and what was asked for can wait until it does. Names that only the server knows cannot. */
async function mayBeAway(error: unknown, ready: Ready, signal: AbortSignal): Promise<undefined> {
  const patterns = ready.words.some((word) => /^[\w.-]*:/.test(word) && MAGIC.test(word));
  if (ready.away === undefined || signal.aborted || patterns || !(await import('./reconnect.ts')).isPassing(error)) throw error;
}

/** What was typed, with patterns of names on the server replaced by the names: `wherry get ':*.pdf'`. */
async function withPatterns(work: Work, command: Command, ready: Ready): Promise<Ready> {
  if (!ready.words.some((word) => MAGIC.test(word))) return ready;
  const { expandTyped } = await import('./script/expand.ts');
  return command.read(await expandTyped(work, command, ready.typed, existsHere), 'shell', existsHere);
}

async function open(named: string | undefined, settings: Settings, signal: AbortSignal): Promise<Client> {
  const { connect } = await import('../client/client.ts');
  return connect({ server: named ?? settings.server, home: settings.home, signal });
}

const terminal = new Terminal();
const exit = await main(process.argv.slice(2), terminal);
process.exitCode = exit;
terminal.close();
// All has been said; a socket that takes nothing would keep the process for some seconds more.
if (exit === EXITS.CANCELLED || exit === EXITS.TERMINATED || exit === EXITS.DEADLINE) process.exit();
