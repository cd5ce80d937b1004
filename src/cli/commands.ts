/**
 * Commands: the one table. The shell, the prompt, help and completion all read it, and nothing else knows the names.
 *
 * An entry states everything about its command but how it is done; that is loaded when it is run. The order is that
 * of help: the five words first, then files, folders, and what concerns servers. The entries stand by subject in
 * `table/`; here are those that are about the table itself.
 */
import { plain, remote, type Command } from './command.ts';
import { FILES } from './table/files.ts';
import { FOLDERS } from './table/folders.ts';
import { JOBS } from './table/jobs.ts';
import { LINE } from './table/line.ts';
import { MANUAL } from './table/manual.ts';
import { SCRIPT } from './table/script.ts';
import { SERVERS } from './table/servers.ts';
import { TRANSFERS } from './table/transfers.ts';
import { WATCH } from './table/watch.ts';

const SESSION: readonly Command[] = [
  plain({
    name: 'help', aliases: ['?'], where: 'both', words: '[WORD]', completes: ['command', []], count: [0, 4],
    summary: 'show what can be done here, or all about one command or topic',
    details: ['On a terminal, what is longer than the screen goes through $PAGER.'],
    flags: { man: { summary: 'print the manual page, for man -l -' } }, needs: [], examples: ['wherry help put', 'wherry help exit'],
    run: async (context, call) => (await import('./guide.ts')).help(context, call, COMMANDS),
  }),
  remote({
    name: 'bye', aliases: ['exit', 'quit'], where: 'prompt', words: '', count: [0, 0],
    summary: 'end the session',
    flags: {}, needs: [], examples: ['bye'],
    run: async (work) => {
      work.session.ended = await (await import('./jobs/leave.ts')).mayLeave(work);
      return 0;
    },
  }),
];

const CONNECT: Command = remote({
  name: 'connect', where: 'shell', words: '[NAME]', completes: ['server'], count: [0, 1],
  summary: 'open the prompt; what wherry alone does',
  details: ['Commands from a pipe or a file are run one by one, up to the first that fails. -COMMAND may fail, @COMMAND is silent.', 'NAME is a server, or a bookmark.', 'wherry help syntax shows what a line may be.'],
  flags: {
    batch: { short: 'b', value: 'FILE', completes: ['local'], summary: 'run the commands in a file; - is standard input' },
    'keep-going': { summary: 'run the rest of a batch when a command fails' },
    'no-rc': { summary: 'do not read the rc file before the prompt' },
  },
  needs: [], examples: ['wherry', 'wherry connect lab', 'wherry < commands.txt', 'wherry -b commands.txt --keep-going'],
  run: async (work, call) => (await import('./prompt.ts')).runPrompt(work, call, COMMANDS),
});

const SOURCE: Command = remote({
  name: 'source', where: 'prompt', words: 'FILE', completes: ['local'], count: [1, 1],
  summary: 'run the commands in a file here, up to the first that fails',
  flags: {}, needs: [], examples: ['source nightly.txt'],
  run: async (work, call) => (await import('./script/batch.ts')).source(work, call, COMMANDS),
});

/** For the scripts of `completion`, not for people: no summary, so no list has it. */
const COMPLETE: Command = plain({
  name: '__complete', where: 'shell', words: '[-- WORD...]', count: [0, Infinity], summary: '',
  flags: {}, needs: [], examples: ['wherry __complete -- put'],
  run: async (context, call) => (await import('./manual/complete.ts')).complete(context, call, COMMANDS),
});

export const COMMANDS: readonly Command[] = [...TRANSFERS, ...SESSION, ...FILES, ...FOLDERS, ...JOBS, ...LINE, ...SCRIPT, SOURCE, CONNECT, ...SERVERS, ...WATCH, ...MANUAL, COMPLETE];
