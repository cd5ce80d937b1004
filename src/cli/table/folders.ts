/** The two folders of a session, the remote and the local one, in the table of commands. */
import { Failure } from '../../errors.ts';
import { remote, type Command } from '../command.ts';
import { LIST } from './files.ts';

export const FOLDERS: readonly Command[] = [
  remote({
    name: 'cd', where: 'prompt', words: '[PATH]', shape: 'remote', completes: ['remote-folder'], count: [0, 1],
    summary: 'go to a folder on the server; alone, to the top; - is the one before',
    flags: {}, needs: ['list'], examples: ['cd photos/2026'],
    run: async (work, call) => (await import('../folders.ts')).enter(work, call),
  }),
  remote({
    name: 'pwd', where: 'prompt', words: '', count: [0, 0],
    summary: 'show the folder on the server',
    flags: {}, needs: [], examples: ['pwd'],
    run: async (work) => (await import('../folders.ts')).where(work),
  }),
  remote({
    name: 'lcd', where: 'prompt', words: '[DIR]', completes: ['local-folder'], count: [0, 1],
    summary: 'go to a folder here; alone, to the home folder; - is the one before',
    flags: {}, needs: [], examples: ['lcd ~/Downloads'],
    run: async (work, call) => (await import('../folders.ts')).enterHere(work, call),
  }),
  remote({
    name: 'lpwd', where: 'prompt', words: '', count: [0, 0],
    summary: 'show the folder here',
    flags: {}, needs: [], examples: ['lpwd'],
    run: async (work) => (await import('../folders.ts')).whereHere(work),
  }),
  remote({
    name: 'lls', where: 'prompt', words: '[PATH]...', completes: ['local'], count: [0, Infinity],
    summary: 'list folders here',
    details: ['The flags are those of ls.'],
    flags: LIST, needs: [], examples: ['lls', 'lls -l *.jpg'],
    run: async (work, call) => (await import('../folders.ts')).listHere(work, call),
  }),
  remote({
    name: 'progress', where: 'prompt', words: '', count: [0, 0],
    summary: 'show how far transfers are, or no longer',
    flags: {}, needs: [], examples: ['progress'],
    run: async (work) => (await import('../folders.ts')).toggleProgress(work),
  }),
  remote({
    name: 'version', where: 'prompt', words: '', count: [0, 0],
    summary: 'show the versions at both ends',
    flags: {}, needs: [], examples: ['version'],
    run: async (work) => (await import('../folders.ts')).versions(work),
  }),
  remote({
    // For whoever looks for it: the reason is more use than «no such command».
    name: 'symlink', aliases: ['ln'], where: 'both', words: '...', count: [0, Infinity], summary: '',
    flags: { symbolic: { short: 's', summary: '' } }, needs: [], examples: ['symlink'],
    run: async () => {
      throw new Failure('UNSUPPORTED', 'links are never made on the server: they could lead out of the folder it serves', { who: 'rule', hint: 'send the file under both names, or rename it: wherry change :OLD NEW' });
    },
  }),
];
