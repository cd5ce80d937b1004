/**
 * Subjects: the table of commands by what they are about, from what each entry states of itself, so that a new one stands
 * where it belongs without being named here. Pure. An entry without a summary is not for people, and in no subject.
 */
import type { Command } from '../command.ts';

export interface Subject {
  readonly title: string;
  readonly commands: readonly Command[];
}

const TITLES = ['send, fetch and rename', 'files and folders on the server', 'at the prompt', 'servers, and this program'] as const;
type Title = (typeof TITLES)[number];

/** Commands that are named besides one: more is a list, not a hint. */
const MAX_RELATED = 4;

/** Whether people are told of the command. */
export function isShown({ summary }: Pick<Command, 'summary'>): boolean {
  return summary !== '';
}

function titleOf({ shape, where, connects }: Command): Title {
  if (shape === 'put' || shape === 'get' || shape === 'change') return 'send, fetch and rename';
  if ((shape === 'remote' || shape === 'chmod') && where !== 'prompt') return 'files and folders on the server';
  return connects && where === 'prompt' ? 'at the prompt' : 'servers, and this program';
}

/** The subjects that have commands, each with its commands in the order of the table. */
export function subjectsOf(commands: readonly Command[]): Subject[] {
  const shown = commands.filter(isShown);
  return TITLES.map((title) => ({ title, commands: shown.filter((command) => titleOf(command) === title) })).filter((subject) => subject.commands.length > 0);
}

/** The commands of the same subject that stand nearest in the table. */
export function relatedTo(command: Command, commands: readonly Command[]): Command[] {
  const others = commands.filter((other) => isShown(other) && titleOf(other) === titleOf(command));
  const at = others.indexOf(command);
  const near = others.filter((other) => other !== command).sort((a, b) => Math.abs(others.indexOf(a) - at) - Math.abs(others.indexOf(b) - at)).slice(0, MAX_RELATED);
  return others.filter((other) => near.includes(other));
}
