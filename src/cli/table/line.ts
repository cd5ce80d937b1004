/** What belongs to the line at the prompt, in the table of commands. */
import { remote, type Command } from '../command.ts';

export const LINE: readonly Command[] = [
  remote({
    name: 'cache', where: 'prompt', words: '[flush]', completes: [{ flush: 'forget all of them' }], count: [0, 1],
    summary: 'show the folders whose names are kept for TAB, or forget them',
    flags: {}, needs: [], examples: ['cache', 'cache flush'],
    run: async (work, call) => (await import('../line/cache.ts')).cache(work, call),
  }),
];
