/**
 * Order: flags typed before the command, put behind it where what is meant is certain. Pure.
 *
 * Flags that every command takes may stand first (`wherry --json ls :`). A flag of one command may not, since what
 * follows it could be its value or the command; whoever types that is shown the line that works.
 */
import { Failure } from '../errors.ts';
import { printable } from '../printable.ts';
import { allFlags, COMMON, SHELL_ONLY, type Flag, type Flags } from './arguments.ts';
import { lookUp, type Command } from './command.ts';
import { quoted } from './script/words.ts';

const GLOBAL: Flags = { ...COMMON, ...SHELL_ONLY };

/** The words with the command first: that of the prompt when there is none. `typed` begins with a flag. Throws USAGE. */
export function commandFirst(typed: readonly string[], commands: readonly Command[]): [command: string, ...words: string[]] {
  const moved: string[] = [];
  let at = 0;
  for (let taken = globalAt(typed, at); taken !== undefined; taken = globalAt(typed, at)) {
    moved.push(...taken);
    at += taken.length;
  }
  const word = typed[at];
  if (word === undefined) return ['connect', ...moved];
  if (!word.startsWith('-')) {
    return [word, ...moved, ...typed.slice(at + 1)];
  }
  return flagFirst(typed, at, commands);
}

/** At `at` is a flag that not every command takes. */
function flagFirst(typed: readonly string[], at: number, commands: readonly Command[]): [command: string, ...words: string[]] {
  const place = typed.findIndex((word, index) => index > at && lookUp(commands, word, 'shell') !== undefined);
  const name = typed[place];
  const command = name === undefined ? undefined : lookUp(commands, name, 'shell');
  if (name === undefined || command === undefined) return ['connect', ...typed];
  const words = [...typed.slice(0, place), ...typed.slice(place + 1)];
  // A flag that it does not have is its own mistake, and told as such.
  if (!has(allFlags(command.flags, true), typed[at]!)) return [name, ...words];
  throw new Failure('USAGE', `${printable(typed[at]!)} is a flag of ${command.name} and goes behind it`, { hint: `type: ${['wherry', name, ...words].map((one) => quoted(printable(one))).join(' ')}` });
}

/** The flag at `at` under its long name, with its value in one word; undefined when it is not one that every command takes. */
function globalAt(typed: readonly string[], at: number): string[] | undefined {
  const word = typed[at];
  if (word === undefined) return undefined;
  const long = /^--([^=]+)(=.*)?$/s.exec(word);
  if (long === null) {
    // A command may use the letter for something else: it is the long name that moves.
    const names = /^-\w+$/.test(word) ? [...word.slice(1)].map((letter) => Object.keys(GLOBAL).find((name) => GLOBAL[name]!.short === letter)) : [];
    return names.length === 1 && names[0] !== undefined ? [`--${names[0]}`] : undefined;
  }
  const flag: Flag | undefined = Object.hasOwn(GLOBAL, long[1]!) ? GLOBAL[long[1]!] : undefined;
  if (flag === undefined) return undefined;
  const value = typed[at + 1];
  return flag.value === undefined || long[2] !== undefined || value === undefined ? [word] : [word, value];
}

function has(flags: Flags, typed: string): boolean {
  const long = /^--([^=]+)/.exec(typed)?.[1];
  if (long !== undefined) return Object.hasOwn(flags, long);
  return Object.values(flags).some(({ short }) => short === typed[1]);
}
