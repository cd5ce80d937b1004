/** What helps to use the program: completion and doctor, in the table of commands. */
import { plain, type Command } from '../command.ts';

export const MANUAL: readonly Command[] = [
  plain({
    name: 'doctor', where: 'shell', words: '[NAME]', count: [0, 1],
    summary: 'find out what is between this machine and a server, and what limits it',
    details: ['Each step of connecting is looked at by itself; the first that fails is told, with what to do next. Then: the round trip, the rates up and down, the disks at both ends, the clocks, and one sentence about what limits a transfer.',
      'It takes some 10 seconds and sends and fetches at most 64 MiB each way; nothing stays. Rates need the right to create or to read.'],
    flags: { quick: { summary: 'connect and ask only, without measuring rates and disks' } }, needs: [], examples: ['wherry doctor', 'wherry doctor lab --quick', 'wherry doctor --json'],
    run: async (context, call) => (await import('../doctor/doctor.ts')).doctor(context, call),
  }),
  plain({
    name: 'completion', where: 'shell', words: 'bash|zsh|fish', count: [1, 1],
    summary: 'print what makes a shell complete wherry at TAB, names on servers included',
    details: ['In ~/.bashrc or ~/.zshrc (behind compinit): source <(wherry completion bash), or zsh. In ~/.config/fish/config.fish: wherry completion fish | source.'],
    flags: {}, needs: [], examples: ['wherry completion bash'],
    run: async (context, call) => (await import('../manual/completion.ts')).completion(context, call),
  }),
];
