/**
 * Page: wherry(1), the whole table of commands and all topics as one page for `man`. Pure. Made at build time into
 * `dist/man/wherry.1`, and by `wherry help --man`.
 */
import { COMMON, SHELL_ONLY, type Flags } from '../arguments.ts';
import type { Command } from '../command.ts';
import { sentence } from '../help.ts';
import { SOFTWARE_VERSION } from '../../version.ts';
import { blockRoff, heading, roffText, subheading, title, usage } from './roff.ts';
import { subjectsOf } from './subjects.ts';
import { exitsOf, TOPICS } from './topics.ts';

/** When the words of the topics were last changed: pages have a date, and that of the build would make each build another one. */
const DATE = '2026-11-24';

export function manPage(commands: readonly Command[]): string {
  const lines = [
    title('wherry', 1, DATE, `wherry ${SOFTWARE_VERSION}`, 'Wherry'),
    heading('name'), `wherry \\- ${roffText('move files between machines, encrypted, verified and whole')}`,
    heading('synopsis'), '.B wherry', roffText('COMMAND [WORDS]'), '.br', '.B wherry',
    heading('description'),
    ...blockRoff({ text: 'Wherry serves a folder on one machine, and puts and gets files on others. A connection is encrypted and the key of its server known; each file is verified from end to end, has its name only when it is whole, and goes on where it was after a cut.' }, true),
    ...blockRoff({ text: 'On the server: wherry serve DIR, which prints a ticket. On the other machine: wherry join, which takes it. From then on commands work as they stand here, and wherry alone opens a prompt, where they are typed without the word wherry, and places without the colon or with it.' }),
    ...subjectsOf(commands).flatMap((subject) => [heading(subject.title), ...subject.commands.flatMap(commandRoff)]),
    heading('flags of every command'), ...flagsRoff({ ...COMMON, ...SHELL_ONLY }),
    ...TOPICS.flatMap((topic) => [heading(topic.title), ...topic.blocks.flatMap((block, index) => blockRoff(block, index === 0))]),
    heading('see also'), '.BR sftp (1),', '.BR rsync (1),', '.BR b3sum (1)',
  ];
  return `${lines.join('\n')}\n`;
}

function commandRoff(command: Command): string[] {
  const { name, aliases, where, words, promptWords, connects, summary, details, flags, examples } = command;
  const program = where === 'prompt' ? '' : 'wherry ';
  const exits = exitsOf(command).filter((code) => code !== 1);
  return [
    subheading(name), ...usage(`${program}${name}`, words).slice(1),
    ...(where === 'both' && promptWords !== words ? ['.br', ...usage(name, `${promptWords} (at the prompt)`.trimStart()).slice(1)] : []),
    ...[sentence(summary), ...details].flatMap((text) => blockRoff({ text })),
    ...(aliases.length > 0 ? blockRoff({ text: `Also: ${aliases.join(', ')}.` }) : []),
    ...flagsRoff(flags),
    ...(connects && where !== 'prompt' && exits.length > 0 ? blockRoff({ text: `Exit codes besides 0, 1 and 2: ${exits.join(', ')}.` }) : []),
    ...blockRoff({ lines: examples }),
  ];
}

function flagsRoff(flags: Flags): string[] {
  const terms = Object.entries(flags).filter(([, { summary }]) => summary !== '').map(([name, { short, value, summary }]) => {
    const long = `--${name}${value === undefined ? '' : ` ${value}`}`;
    return [short === undefined ? long : `-${short}, ${long}`, summary] as const;
  });
  return blockRoff({ terms });
}
