/** Jobs, which go on without a terminal, in the table of commands. */
import { asking, plain, type Command } from '../command.ts';
import { orStopped } from '../signals.ts';
import { DRY_RUN } from './dry-run.ts';
import { TRANSFER } from './transfer-flags.ts';

/** A number, or else the word for all of them. */
const UNDER_WAY = ['job-under-way', { all: 'all of them' }] as const;

/** The flags of what is put in line; the line that is shown has none. */
const EACH = Object.keys(TRANSFER) as (keyof typeof TRANSFER)[];

export const JOBS: readonly Command[] = [
  plain({
    name: 'jobs', where: 'both', words: '[N]...', completes: ['job'], count: [0, 1000],
    summary: 'show the transfers that go on in the background',
    details: ['A job is a put or get with --background, or one that ^Z was typed at. It goes on when the terminal is closed, when the connection breaks, and after a reboot.', 'At a terminal it is asked before it starts which files may be replaced; what comes into its way later stays, unless -y was given.'],
    flags: {
      long: { short: 'l', summary: 'all about each, and what it said' },
      watch: { summary: 'show how far they are, until all are over' },
      clear: { summary: 'forget those that are over' },
      install: { summary: 'let them go on after a reboot (systemd)' },
      uninstall: { summary: 'undo that' },
      ...DRY_RUN,
    },
    needs: [], examples: ['wherry jobs', 'wherry jobs -l 3'],
    // What is drawn as it goes on ends in its own way.
    run: async (context, call) => {
      const shown = (await import('../jobs/commands.ts')).jobs(context, call);
      return call.flags.watch ? shown : orStopped(shown, context.signal);
    },
  }),
  asking({
    name: 'wait', where: 'both', words: '[N]...', completes: [UNDER_WAY], count: [0, 1000],
    summary: 'wait for jobs, and exit as they do',
    details: ['Alone, and with all in place of numbers, waits for all that are not paused.'],
    flags: {}, needs: [], examples: ['wherry wait 3'],
    run: async (context, call) => (await import('../jobs/commands.ts')).wait(context, call),
  }),
  plain({
    name: 'fg', where: 'both', words: '[N]', completes: ['job-under-way'], count: [0, 1],
    summary: 'show how far a job is; ^C and ^Z leave it running',
    details: ['Alone, the newest that is under way.'],
    flags: {}, needs: [], examples: ['wherry fg 3'],
    run: async (context, call) => (await import('../jobs/commands.ts')).foreground(context, call),
  }),
  asking({
    name: 'bg', where: 'both', words: '[N]...', completes: [UNDER_WAY], count: [0, 1000],
    summary: 'let paused jobs go on, and waiting ones try at once',
    details: ['Alone, lets the one that is paused go on; where that is not one, shows those jobs. all stands for all of them.'],
    flags: DRY_RUN, needs: [], examples: ['wherry bg 3'],
    run: async (context, call) => (await import('../jobs/commands.ts')).background(context, call),
  }),
  asking({
    name: 'pause', where: 'both', words: 'N...', completes: [UNDER_WAY], count: [1, 1000],
    summary: 'stop jobs, so that bg can let them go on',
    details: ['all stands for all of them.'],
    flags: DRY_RUN, needs: [], examples: ['wherry pause 3'],
    run: async (context, call) => (await import('../jobs/commands.ts')).pause(context, call),
  }),
  asking({
    name: 'kill', where: 'both', words: 'N...', completes: [UNDER_WAY], count: [1, 1000],
    summary: 'end jobs',
    details: ['all stands for all of them. What was sent is not lost: the same put or get again goes on where it was.'],
    flags: DRY_RUN, needs: [], examples: ['wherry kill 3', 'wherry kill all'],
    run: async (context, call) => (await import('../jobs/commands.ts')).kill(context, call),
  }),
  plain({
    name: 'queue', where: 'both', words: '[COMMAND]...', carries: ['put', 'get'], completes: [{ put: 'send files or folders', get: 'fetch files or folders' }, []], count: [0, Infinity],
    summary: 'run a put or get as a job, behind those queued before',
    details: ['Alone, shows the queue.'],
    flags: TRANSFER, actions: { '': [], put: EACH, get: EACH }, needs: [], examples: ['wherry queue put big.iso :', 'wherry queue'],
    run: async (context, call) => (await import('../jobs/commands.ts')).queue(context, call),
  }),
  plain({
    name: 'agent', where: 'shell', words: '', count: [0, 0], summary: '',
    details: ['Runs the jobs of this user, without a terminal. It is started when it is needed, and ends by itself.'],
    flags: {
      stop: { summary: 'end the one that runs; unfinished jobs go on with the next' },
      idle: { value: 'TIME', summary: 'end after so long without work; 5m by default' },
    },
    needs: [], examples: ['wherry agent --stop'],
    run: async (context, call) => (await import('../jobs/agent.ts')).agent(context, call),
  }),
];
