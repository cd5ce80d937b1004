/** Watching a server that runs here, and reading its audit, in the table of commands. */
import type { Flags } from '../arguments.ts';
import { asking, type Command } from '../command.ts';

const STATE = { state: { value: 'DIR', summary: 'the state folder of the server; by default the only one running' } } as const satisfies Flags;

export const WATCH: readonly Command[] = [
  asking({
    name: 'audit', where: 'shell', words: 'verify [FILE...] | show', completes: ['local'], count: [1, Infinity],
    summary: 'read who did what on a server here, or check that nobody changed that',
    details: [
      'verify reads the files of the audit, oldest first, and needs no running server. It ends with exit code 9 where a line was changed, removed or added, and names the place.',
      'show prints the records; --since and --account choose among them.',
    ],
    flags: {
      state: { value: 'DIR', summary: 'the state folder of the server; by default the only one there is' },
      since: { value: 'TIME', summary: 'show what is not older than this, as 1h' },
      account: { value: 'NAME', summary: 'show what this account did' },
    },
    actions: { verify: [], show: ['since', 'account'] },
    needs: [], examples: ['wherry audit verify', 'wherry audit show --since 1h --account laptop', 'wherry audit verify --json /backup/audit/*.jsonl'],
    run: async (context, call) => (await import('../audit.ts')).audit(context, call),
  }),
  asking({
    name: 'metrics', where: 'shell', words: '', count: [0, 0],
    summary: 'print the numbers of the server running here, as Prometheus reads them',
    details: ['"wherry serve --metrics 127.0.0.1:9438" has the same at http://127.0.0.1:9438/metrics, with /healthz and /readyz beside.'],
    flags: STATE, needs: [], examples: ['wherry metrics', 'wherry metrics --state /srv/wherry'],
    run: async (context, call) => (await import('../watch.ts')).metrics(context, call),
  }),
  asking({
    name: 'health', where: 'shell', words: '', count: [0, 0],
    summary: 'say whether the server running here can do its work',
    details: ['The exit code is 0 when it can, 11 when something is in the way, and 3 when no server answers.'],
    flags: STATE, needs: [], examples: ['wherry health', 'wherry health --quiet --state /srv/wherry'],
    run: async (context, call) => (await import('../watch.ts')).health(context, call),
  }),
];
