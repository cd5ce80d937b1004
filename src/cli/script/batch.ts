/**
 * Batches: lines that a file or a pipe gives, run one by one; and the rc file, whose lines come before the first prompt.
 *
 * A batch ends at the first line that fails, with its exit code, and says which line that was; with `--keep-going` it goes on, and
 * says at the end which lines failed. Nothing is asked, and nothing is echoed unless `--verbose` is given.
 */
import { createReadStream } from 'node:fs';
import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { homeFolder } from '../../client/trust.ts';
import { Failure, fromErrno } from '../../errors.ts';
import { printable } from '../../printable.ts';
import type { Command, Work } from '../command.ts';
import { DONE, EXITS, SOME_FAILED } from '../exits.ts';
import { localPath } from '../here.ts';
import { formatCount, plural } from '../measures.ts';
import { withNames } from './aliases.ts';
import { parseLine } from './grammar.ts';
import { runLine, type Runner } from './run.ts';

/** Files that read each other would never end. */
const MAX_DEPTH = 8;
/** Lines that failed and are told by number at the end: some screens of numbers. More are only counted, so that a batch without end is not held. */
const MAX_TOLD = 1_000;
/** Letters of a line that failed: enough to find it. */
const MAX_SHOWN = 200;
/** What may stand in an rc file: it is run unasked, before anybody looks. */
const SETTINGS: ReadonlySet<string> = new Set(['alias', 'unalias', 'progress', 'lcd', 'cd']);
const MAX_RC_BYTES = 65_536;

/** Lines one by one, as they are asked for. */
export interface LineSource { next(): Promise<string | undefined> }

export async function runBatch(runner: Runner, source: LineSource, keepGoing: boolean): Promise<number> {
  const { work: { session, settings, terminal, report, signal } } = runner;
  const lines: number[] = [];
  let [count, only] = [0, DONE];
  for (let line = 1; !session.ended; line += 1) {
    const text = await source.next();
    if (text === undefined) break;
    if (settings.verbose && !/^\s*-?@/.test(text) && !settings.json) terminal.say(printable(`> ${text}`));
    const exit = await runLine(runner, text);
    if (exit === DONE) continue;
    [count, only] = [count + 1, exit];
    if (lines.length < MAX_TOLD) lines.push(line);
    if (keepGoing && !signal.aborted && exit !== EXITS.TERMINATED && exit !== EXITS.CANCELLED) continue;
    if (settings.json) await report.event({ event: 'stopped', line, exit });
    else if (!settings.quiet) terminal.say(printable(`stopped at line ${line} (exit code ${exit}): ${shortened(text.trim())}`));
    return exit;
  }
  if (count === 0) return DONE;
  if (settings.json) await report.event({ event: 'failed-lines', count, lines });
  else terminal.say(`${plural(count, 'line')} failed: ${lines.join(', ')}${count > lines.length ? ` and ${formatCount(count - lines.length)} more` : ''}`);
  return count === 1 ? only : SOME_FAILED;
}

function shortened(line: string): string {
  return line.length > MAX_SHOWN ? `${line.slice(0, MAX_SHOWN)}…` : line;
}

/** The lines of a file here. Throws when it cannot be read. */
export async function linesOf(work: Pick<Work, 'session'>, typed: string): Promise<LineSource & Disposable> {
  const path = localPath(work.session, typed);
  const about = await lstat(path).catch((error: unknown) => { throw fromErrno(error, typed, 'here'); });
  if (about.isDirectory()) throw new Failure('ISDIR', 'a folder has no lines', { path: typed, who: 'here', hint: 'name a file with commands' });
  const stream = createReadStream(path);
  const failed = new Promise<never>((_, reject) => { stream.on('error', (error) => reject(fromErrno(error, typed, 'here'))); });
  failed.catch(() => undefined);
  const reader: AsyncIterator<string, undefined> = createInterface({ input: stream, terminal: false, crlfDelay: Infinity })[Symbol.asyncIterator]();
  return {
    async next() {
      const { value, done } = await Promise.race([reader.next(), failed]);
      return done === true ? undefined : value;
    },
    [Symbol.dispose]: () => { stream.destroy(); },
  };
}

/** `source FILE`: the lines of a file, as if they had been typed; up to the first that fails. */
export async function source(work: Work, { words: [typed = ''] }: { words: readonly string[] }, commands: readonly Command[]): Promise<number> {
  const { session } = work;
  const depth = session.depth ?? 0;
  if (depth >= MAX_DEPTH) throw new Failure('LIMIT', `more than ${MAX_DEPTH} files that source each other`, { path: printable(typed), who: 'here', hint: 'look whether a file sources itself' });
  using lines = await linesOf(work, typed);
  session.depth = depth + 1;
  try {
    return await runBatch({ work, commands, interactive: false }, lines, false);
  } finally {
    session.depth = depth;
  }
}

/** The lines of this device's `rc`, for a prompt that opens. A mistake in it is told and passed over. */
export async function runRc({ work, commands }: Runner): Promise<void> {
  const path = join(homeFolder(work.settings.home), 'rc');
  const text = await rcText(path).catch((error: unknown) => {
    work.terminal.say(printable(`rc: ${Failure.from(error).message}`), true);
    return undefined;
  });
  for (const [index, line] of (text ?? '').split('\n').entries()) {
    const name = nameIn(work, line);
    if (name === undefined) continue;
    if (SETTINGS.has(name)) {
      // What is wrong with it has been told.
      if (await runLine({ work, commands, interactive: true }, line) !== DONE) work.terminal.say(printable(`rc:${index + 1}: passed over: ${line.trim()}`));
    } else work.terminal.say(printable(`rc:${index + 1}: ${name} cannot stand in the rc file; only ${[...SETTINGS].join(', ')}`), true);
  }
}

/** The command that a line begins with, aliases written out; '' when the line makes no sense or is more than one command. */
function nameIn({ session }: Work, line: string): string | undefined {
  try {
    const { steps } = parseLine(line);
    if (steps.length === 0) return undefined;
    const [step] = steps;
    const isSimple = steps.length === 1 && step!.shell === undefined && step!.pipe === undefined && step!.into === undefined && !step!.isJob;
    return isSimple ? withNames(session.names, step!.words)[0]?.text.toLowerCase() ?? '' : line.trim();
  } catch {
    return line.trim();
  }
}

/** Throws when others could write it: its lines are run. */
async function rcText(path: string): Promise<string | undefined> {
  const about = await lstat(path).catch(() => undefined);
  if (about === undefined) return undefined;
  if (!about.isFile() || about.size > MAX_RC_BYTES) throw new Failure('IO', `${path} is not a file of at most ${MAX_RC_BYTES} bytes`, { who: 'here' });
  if (process.platform !== 'win32' && ((about.mode & 0o022) !== 0 || about.uid !== process.getuid!())) throw new Failure('IO', `${path} can be written by others; type: chmod 600 '${path}'`, { who: 'here' });
  return readFile(path, 'utf8').catch((error: unknown) => { throw fromErrno(error, path, 'here'); });
}
