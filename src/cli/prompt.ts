/**
 * The prompt: a line in, a command out, until `bye`. What a line is, and how it is run, is `script/`; how it is typed, `line/`.
 *
 * With a terminal, each line has its own ^C and a failure only is told. Without one, or with `--batch`, the lines are a batch.
 */
import { printable } from '../printable.ts';
import type { Command, Session, Work } from './command.ts';
import { DONE, EXITS } from './exits.ts';
import { rightsText } from './help.ts';
import { mayLeave, wake } from './jobs/leave.ts';
import { openLine } from './line/open.ts';
import { STANDARD } from './places.ts';
import { linesOf, runBatch, runRc } from './script/batch.ts';
import { runLine, type Runner } from './script/run.ts';

export interface PromptFlags {
  readonly batch: string | undefined;
  readonly 'keep-going': boolean;
  readonly 'no-rc': boolean;
}

/** Runs until `bye`, the end of the input, or the first failure of a batch. `work.signal` ends it altogether. */
export async function runPrompt(work: Work, { flags }: { flags: PromptFlags }, commands: readonly Command[]): Promise<number> {
  const { terminal, session, settings } = work;
  const isTyped = terminal.canAsk && flags.batch === undefined;
  const runner: Runner = { work: isTyped ? work : { ...work, settings: { ...settings, noInput: true } }, commands, interactive: isTyped };
  if (flags.batch !== undefined && flags.batch !== STANDARD) {
    using lines = await linesOf(work, flags.batch);
    return await runBatch(runner, lines, flags['keep-going']);
  }
  const lines = await openLine(work, commands);
  try {
    if (!isTyped) return await runBatch(runner, lines, flags['keep-going']);
    if (!settings.quiet) terminal.say(greeting(session));
    await wake(work);
    if (!flags['no-rc']) await runRc(runner);
    while (!session.ended) {
      const line = await lines.next();
      // ^D is asked about as bye is.
      if (line === undefined && await mayLeave(work)) break;
      if (line === undefined) continue;
      const exit = await runLine(runner, line);
      lines.ran(line);
      // A program that is told to end does, whatever line it was at.
      if (exit === EXITS.TERMINATED) return exit;
    }
    return DONE;
  } finally {
    await lines.close();
  }
}

/** `connected to lab (192.168.1.5:9437) as laptop, read and write; try help`. */
export function greeting({ client: { server } }: Pick<Session, 'client'>): string {
  return printable(`connected to ${server.name ?? server.address} (${server.address}) as ${server.account}, ${rightsText(server.rights)}; try help`);
}
