/**
 * Candidates: what can stand at the place where TAB was pressed in a shell, from the table of commands. Pure: what only a
 * server or a disk knows is asked for in the answer, not looked up.
 */
import { allFlags } from '../arguments.ts';
import type { Command } from '../command.ts';
import { parseRemote } from '../places.ts';
import { isShown } from './subjects.ts';
import { TOPICS } from './topics.ts';

export type Candidate = readonly [word: string, meaning: string];

export interface Wanted {
  readonly words: readonly Candidate[];
  /** Files here. */
  readonly files: boolean;
  /** Names of servers, each as the beginning of a place (`lab:`) or alone. */
  readonly servers: 'places' | 'names' | undefined;
  /** What is in a folder of a server; `prefix` stands before each name. */
  readonly remote: { readonly server: string; readonly folder: string; readonly prefix: string } | undefined;
}

const NOTHING: Wanted = { words: [], files: false, servers: undefined, remote: undefined };
/** Words that a command takes where it takes words of its own. */
const OWN: Readonly<Record<string, readonly Candidate[]>> = {
  completion: [['bash', ''], ['zsh', ''], ['fish', '']],
  invite: [['list', 'those that can still be used'], ['revoke', 'withdraw some']],
  devices: [['list', 'those that have joined'], ['revoke', 'lock some out']],
};

/** `typed`: the words behind `wherry`, the last one as far as it was typed; `exists` says whether a local file has a name. */
export function wantedAt(commands: readonly Command[], typed: readonly string[], exists: (name: string) => boolean): Wanted {
  const word = typed.at(-1) ?? '';
  const inShell = commands.filter((one) => isShown(one) && one.where !== 'prompt');
  const at = typed.slice(0, -1).findIndex((one) => !one.startsWith('-'));
  if (at < 0) return { ...NOTHING, words: word.startsWith('-') ? flagsOf(undefined) : inShell.map(({ name, summary }) => [name, summary]) };
  const command = inShell.find(({ name, aliases }) => name === typed[at] || aliases.includes(typed[at] ?? ''));
  if (command === undefined) return NOTHING;
  const before = typed.at(-2) ?? '';
  const flag = before.startsWith('--') ? allFlags(command.flags, true)[before.slice(2)] : undefined;
  if (flag?.value !== undefined) return valueOf(flag.value);
  if (word.startsWith('-') && !typed.slice(0, -1).includes('--')) return { ...NOTHING, words: flagsOf(command) };
  return placesOf(command, commands, typed.slice(at + 1), exists);
}

function flagsOf(command: Command | undefined): Candidate[] {
  return Object.entries(allFlags(command?.flags ?? {}, true)).filter(([, { summary }]) => summary !== '').map(([name, { summary }]) => [`--${name}`, summary]);
}

/** What a value is shows in what stands for it in the usage. */
function valueOf(value: string): Wanted {
  if (value === 'DIR' || value === 'FILE' || value === 'PATH') return { ...NOTHING, files: true };
  if (value === 'NAME') return { ...NOTHING, servers: 'names' };
  return { ...NOTHING, words: value === 'TIME' ? ['30s', '10m', '1h'].map((one) => [one, '']) : [] };
}

function placesOf(command: Command, commands: readonly Command[], words: readonly string[], exists: (name: string) => boolean): Wanted {
  const word = words.at(-1) ?? '';
  const { name, shape } = command;
  if (shape === 'plain') {
    if (name === 'help') return { ...NOTHING, words: [...commands.filter(isShown).map((one): Candidate => [one.name, one.summary]), ...TOPICS.map((one): Candidate => [one.name, one.title])] };
    return { ...NOTHING, words: OWN[name] ?? [], servers: command.words.startsWith('[NAME]') ? 'names' : undefined, files: command.words.includes('DIR') };
  }
  const place = parseRemote(word, exists);
  if (place !== undefined) {
    const folder = place.path.slice(0, place.path.lastIndexOf('/') + 1);
    return { ...NOTHING, remote: { server: place.server, folder, prefix: `${place.server}:${folder}` } };
  }
  return { ...NOTHING, servers: 'places', files: shape === 'put' || (shape === 'get' && words.length > 1) };
}
