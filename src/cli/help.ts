/**
 * Help: the table of commands as text. Pure.
 *
 * The list is about one person: a command that the server's rights do not allow is shown as such, not left out,
 * so that nobody looks for it in vain.
 */
import { ROLES, type Right } from '../rights.ts';
import { allFlags } from './arguments.ts';
import type { Command } from './command.ts';
import { termLines } from './manual/blocks.ts';
import { isShown, relatedTo } from './manual/subjects.ts';
import { EXIT_MEANINGS, exitsOf } from './manual/topics.ts';
import { columnsOf, fit, pad, wrap } from './width.ts';

type Place = 'shell' | 'prompt';

/** What a command lacks the rights for is marked with this. */
export const NOT_ALLOWED = 'not allowed for this account';

/** Sentences and flags of the table are written for terminals of this width. */
const WRITTEN_FOR = 80;

/** The commands that exist in a place, one line each; `rights` are those of the account, undefined before there is one. */
export function helpLines(commands: readonly Command[], place: Place, rights: readonly Right[] | undefined, width: number): string[] {
  const rows = commands.filter((command) => existsAt(command, place)).map((command) => ({
    usage: `${command.name} ${wordsOf(command, place)}`.trimEnd(),
    summary: allowed(command, rights) ? command.summary : `${command.summary} (${NOT_ALLOWED})`,
  }));
  const widest = rows.reduce((most, { usage }) => Math.max(most, columnsOf(usage)), 0);
  // On a narrow terminal the summary gets its own line: cut off, it would not say what is not allowed.
  if (widest + 30 > width) return rows.flatMap(({ usage, summary }) => [fit(usage, width), ...wrap(summary, width - 4).map((line) => `    ${line}`)]);
  return rows.flatMap(({ usage, summary }) => {
    const [first = '', ...more] = wrap(summary, width - widest - 2);
    return [`${pad(usage, widest)}  ${first}`, ...more.map((line) => ' '.repeat(widest + 2) + line)];
  });
}

/** Whether people are told of the command in a place. */
export function existsAt(command: Command, place: Place): boolean {
  return isShown(command) && (command.where === 'both' || command.where === place);
}

/** All about one command: usage, what it does, flags, exit codes, what is near it among `others`, examples. */
export function commandHelp(command: Command, place: Place, rights: readonly Right[] | undefined, width: number, others: readonly Command[] = []): string[] {
  const examples = command.examples.map((example) => (place === 'shell' || command.where === 'prompt' ? example : atPrompt(example)));
  return [
    ...paragraphs([usageLine(command, place)], width, 7),
    '',
    ...paragraphs([
      sentence(command.summary),
      ...command.details.map((text) => (place === 'prompt' ? withoutColons(text) : text)),
      ...(command.aliases.length > 0 ? [`Also: ${command.aliases.join(', ')}.`] : []),
      ...(allowed(command, rights) ? [] : [`This is ${NOT_ALLOWED}.`]),
    ], width),
    '',
    ...flagLines(command, place, width),
    '',
    ...exitLines(command, place, width),
    ...seeAlso(command, others, width),
    '',
    ...(command.examples.length > 1 ? ['examples:'] : ['example:']),
    ...examples.flatMap((example) => exampleLines(example, width)),
  ];
}

/** Sentences broken between words; on a wide terminal as on the usual one, since long lines are hard to read. */
export function paragraphs(texts: readonly string[], width: number, indent = 0): string[] {
  return texts.flatMap((text) => wrap(text, Math.min(width, WRITTEN_FOR), indent));
}

function flagLines(command: Command, place: Place, width: number): string[] {
  const flags = Object.entries(allFlags(command.flags, place === 'shell')).filter(([, { summary }]) => summary !== '');
  const names = flags.map(([name, { short, value }]) => `${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`);
  const widest = names.reduce((most, name) => Math.max(most, name.length), 0);
  return flags.flatMap(([, { summary }], index) => {
    const line = `  ${names[index]!.padEnd(widest)}  ${summary}`;
    const most = Math.min(width, WRITTEN_FOR);
    if (line.length <= most) return [line];
    return [`  ${names[index]!}`, ...wrap(summary, most - 8).map((part) => ' '.repeat(8) + part)];
  });
}

/** At the prompt nobody sees exit codes, but for a batch, whose author reads about them in the shell. */
function exitLines(command: Command, place: Place, width: number): string[] {
  const codes = exitsOf(command);
  if (place === 'prompt' || codes.length === 0) return [];
  return ['exit codes besides 0 and 2:', ...termLines(codes.map((code) => [String(code), EXIT_MEANINGS.get(code) ?? '']), Math.min(width, WRITTEN_FOR)), ''];
}

/** Commands of the same subject, and the topics that it takes for known. */
function seeAlso(command: Command, others: readonly Command[], width: number): string[] {
  const names = [...relatedTo(command, others).map(({ name }) => name), ...(command.shape === 'plain' ? [] : ['places']), ...(exitsOf(command).length > 0 ? ['exit'] : [])];
  return names.length === 0 ? [] : wrap(`see also: ${names.map((name) => `help ${name}`).join(', ')}`, Math.min(width, WRITTEN_FOR), 2);
}

/** A command line in as many lines as it needs, which a shell still reads as one. */
function exampleLines(example: string, width: number): string[] {
  if (width >= WRITTEN_FOR) return [`  ${example}`];
  const lines = wrap(`  ${example}`, width - 2, 4);
  return lines.map((line, index) => (index < lines.length - 1 ? `${line} \\` : line));
}

/** The one line of usage that goes with a usage error. */
export function usageLine(command: Command, place: Place): string {
  return `usage: ${place === 'shell' ? 'wherry ' : ''}${command.name} ${wordsOf(command, place)}`.trimEnd();
}

/** Whether the account may use the command; everything is possible as long as the rights are not known. */
export function allowed({ needs }: Command, rights: readonly Right[] | undefined): boolean {
  return rights === undefined || needs.every((right) => rights.includes(right));
}

/** Rights in words: a named set by what it is for, another one item by item. */
export function rightsText(rights: readonly Right[]): string {
  const is = (role: readonly Right[]) => role.length === rights.length && role.every((right) => rights.includes(right));
  if (is(ROLES.rw)) return 'read and write';
  if (is(ROLES.ro)) return 'read only';
  return is(ROLES.drop) ? 'add new files only' : `rights: ${rights.join(', ')}`;
}

export function wordsOf({ words, promptWords }: Command, place: Place): string {
  return place === 'shell' ? words : promptWords;
}

/** An example of the shell as one types it at the prompt: no program name, no colons before remote paths. */
function atPrompt(example: string): string {
  return example.replace(/^wherry /, '').replace(/(?<= )[\w.-]*:(?=\S|$)/g, '').trimEnd();
}

/** A sentence for the prompt, where places on the server need no colon. */
function withoutColons(text: string): string {
  return text.replace(/(?<= ):(?=[A-Z])/g, '');
}

export function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
