/** help as a command: which part of the table is shown, to whom, and where. */
import { Failure } from '../errors.ts';
import { printable } from '../printable.ts';
import type { Command, Context } from './command.ts';
import { DONE } from './exits.ts';
import { commandHelp, helpLines, paragraphs } from './help.ts';
import { closest } from './suggest.ts';

export async function help({ session, report, terminal }: Context, { words }: { words: readonly string[] }, commands: readonly Command[]): Promise<number> {
  const place = session === undefined ? 'shell' : 'prompt';
  const rights = session?.client.server.rights;
  const [word] = words;
  if (word === undefined) {
    await report.answer([...paragraphs(preface(place), terminal.width), ...helpLines(commands, place, rights, terminal.width), ...paragraphs(ending(place), terminal.width)], {
      event: 'help', commands: commands.map(({ name, summary, needs }) => ({ name, summary, allowed: rights === undefined || needs.every((right) => rights.includes(right)) })),
    });
    return DONE;
  }
  // Help is given also for a command of the other place: who asks wants to know.
  const name = word.toLowerCase();
  const command = commands.find((one) => one.name === name || one.aliases.includes(name));
  if (command === undefined) {
    const near = closest(word, commands.flatMap((one) => [one.name, ...one.aliases]));
    throw new Failure('USAGE', `there is no command ${printable(word)}`, { hint: near === undefined ? 'help lists all of them' : `did you mean ${near}?` });
  }
  await report.answer(commandHelp(command, command.where === 'both' ? place : command.where, rights, terminal.width), { event: 'help', name: command.name, summary: command.summary });
  return DONE;
}

function preface(place: 'shell' | 'prompt'): string[] {
  if (place === 'prompt') return [];
  return ['wherry moves files between machines: encrypted, verified, atomic, resumable.', '', 'usage: wherry COMMAND [WORDS]', ''];
}

function ending(place: 'shell' | 'prompt'): string[] {
  if (place === 'prompt') return ['', 'help COMMAND shows its flags and an example. !COMMAND runs a command here.'];
  return ['', 'A place on a server is [NAME]:PATH; without a NAME it is the default one. wherry help COMMAND shows flags and examples.'];
}
