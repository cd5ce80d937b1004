/** What belongs to the language of a line, in the table of commands; `source` is in `commands.ts`, since it runs any of them. */
import { remote, type Command } from '../command.ts';
import { DRY_RUN } from './dry-run.ts';

export const SCRIPT: readonly Command[] = [
  remote({
    name: 'alias', where: 'prompt', words: '[NAME=WORDS]', completes: [], count: [0, 2],
    summary: 'let a word stand for a command, or show what does',
    details: ['It lasts for this session; a line in the file rc, beside the list of servers, makes it last.'],
    flags: {}, needs: [], examples: ["alias ll 'ls -lh'", 'alias'],
    run: async (work, call) => (await import('../script/aliases.ts')).alias(work, call),
  }),
  remote({
    name: 'unalias', where: 'prompt', words: 'NAME...', completes: [], count: [1, Infinity],
    summary: 'forget an alias',
    flags: {}, needs: [], examples: ['unalias ll'],
    run: async (work, call) => (await import('../script/aliases.ts')).unalias(work, call),
  }),
  remote({
    name: 'bookmark', where: 'prompt', words: '[NAME [PATH]]', completes: [], count: [0, 2],
    summary: 'keep the folder one is in under a name, or list what is kept',
    details: ['wherry connect NAME and open NAME lead to it.'],
    flags: { delete: { short: 'd', summary: 'forget it' }, ...DRY_RUN }, needs: [], examples: ['bookmark holidays', 'bookmark -d holidays'],
    run: async (work, call) => (await import('../script/bookmarks.ts')).bookmark(work, call),
  }),
  remote({
    name: 'open', where: 'prompt', words: 'NAME', completes: ['server'], count: [1, 1],
    summary: 'go to another server, or to a bookmark',
    flags: {}, needs: [], examples: ['open lab'],
    run: async (work, call) => (await import('../script/bookmarks.ts')).open(work, call),
  }),
];
