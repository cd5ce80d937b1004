/**
 * The prompt: a line in, a command out, until `bye`.
 *
 * With a terminal, each command has its own ^C and a failure only is told. Without one it is a batch: nothing is
 * echoed or asked, and the first command that fails ends it with its exit code, unless the line begins with `-`.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { Failure } from '../errors.ts';
import { printable } from '../printable.ts';
import { displayPath } from '../path.ts';
import type { Client } from '../client/api.ts';
import { advise } from './advice.ts';
import { findCommand, type Command, type Session, type Work } from './command.ts';
import { DONE, EXITS, SOME_FAILED } from './exits.ts';
import { commandHelp, rightsText, usageLine } from './help.ts';
import { Report } from './report.ts';
import { reasonOf, stopOnSignals } from './signals.ts';
import { splitWords } from './words.ts';

/** Runs until `bye`, the end of the input, or the first failure of a batch. `work.signal` ends it altogether. */
export async function runPrompt(work: Work, commands: readonly Command[]): Promise<number> {
  const { terminal, session, settings } = work;
  const interactive = terminal.canAsk;
  const names = commands.filter(({ where }) => where !== 'shell').map(({ name }) => `${name} `);
  const lines = terminal.lines((line) => (line.includes(' ') ? [] : names.filter((name) => name.startsWith(line.toLowerCase()))));
  if (interactive && !settings.quiet) terminal.say(greeting(session));
  try {
    while (!session.ended) {
      const line = await lines.next(`wherry ${printable(session.client.server.name ?? session.client.server.address)}:${displayPath(session.cwd)}> `);
      if (line === undefined) break;
      const exit = await runLine(work, commands, line, interactive);
      // A program that is told to end does, whatever line it was at.
      if ((!interactive && exit !== DONE) || exit === EXITS.TERMINATED) return exit;
    }
    return DONE;
  } finally {
    lines.close();
  }
}

/** `connected to lab (192.168.1.5:9437) as laptop, read and write; try help`. */
export function greeting({ client: { server } }: Pick<Session, 'client'>): string {
  return printable(`connected to ${server.name ?? server.address} (${server.address}) as ${server.account}, ${rightsText(server.rights)}; try help`);
}

/** One line, with its own signal; never rejects. Resolves with the exit code, 0 where a leading `-` forgives. */
async function runLine(outer: Work, commands: readonly Command[], typed: string, interactive: boolean): Promise<number> {
  const forgiven = !interactive && typed.trimStart().startsWith('-');
  const line = forgiven ? typed.trimStart().slice(1) : typed;
  using stop = stopOnSignals('run the same command again to resume');
  const signal = AbortSignal.any([outer.signal, stop.signal]);
  let report = new Report(outer.terminal, { ...outer.settings, advise });
  let command: Command | undefined;
  try {
    if (line.trimStart().startsWith('!')) return forgive(await runHere(outer.session, line.trimStart().slice(1), interactive), forgiven);
    const [word, ...words] = splitWords(line);
    if (word === undefined) return DONE;
    command = findCommand(commands, word, 'prompt');
    report = new Report(outer.terminal, { ...outer.settings, advise }, command.name);
    const ready = command.read(words, 'prompt', () => false);
    const settings = { ...outer.settings, ...ready.settings, noInput: outer.settings.noInput, json: outer.settings.json || ready.settings.json };
    report = new Report(outer.terminal, { ...settings, advise }, command.name);
    if (settings.help) {
      await report.answer(commandHelp(command, 'prompt', outer.session.client.server.rights, outer.terminal.width), { event: 'help', name: command.name });
      return DONE;
    }
    if (command.connects) await reconnect(outer, signal);
    return forgive(await ready.run({ ...outer, settings, report, signal }), forgiven);
  } catch (error) {
    const failure = reasonOf(error, signal);
    await report.failed(failure);
    if (failure.code === 'USAGE' && command !== undefined && !report.json) outer.terminal.say(usageLine(command, 'prompt'));
    return forgive(EXITS[failure.code], forgiven && !signal.aborted);
  }
}

function forgive(exit: number, forgiven: boolean): number {
  return forgiven ? DONE : exit;
}

/** Connects again when the connection broke since the last command: the folders one was in are kept. */
async function reconnect({ session, settings, terminal }: Work, signal: AbortSignal): Promise<void> {
  const broken = await isClosed(session.client);
  if (!broken) return;
  const { connect } = await import('../client/client.ts');
  terminal.say('the connection is lost; connecting again');
  session.client = await connect({ server: session.client.server.name ?? settings.server, home: settings.home, signal });
}

/** Whether the connection has ended by now, as far as this process has heard. */
function isClosed(client: Client): Promise<boolean> {
  return Promise.race([client.closed.then(() => true), new Promise<boolean>((resolve) => setImmediate(() => resolve(false)))]);
}

/** `!COMMAND`: a command of this machine, in the local folder. A batch keeps its input to itself. */
function runHere(session: Session, command: string, interactive: boolean): Promise<number> {
  const shell = process.env['SHELL'] ?? '/bin/sh';
  return new Promise((resolve, reject) => {
    const child = spawn(shell, command.trim() === '' ? [] : ['-c', command], { cwd: session.localFolder, stdio: [interactive ? 'inherit' : 'ignore', 'inherit', 'inherit'] });
    child.on('error', (cause) => reject(new Failure('IO', `${shell} could not be run`, { who: 'here', cause })));
    child.on('close', (code, signal) => resolve(signal === null ? (code ?? SOME_FAILED) : 128 + constants.signals[signal]));
  });
}
