/**
 * Completion: what could stand at the end of the line typed so far, by what the table of commands says of the place.
 *
 * Knows no files and no servers: words come from the sources it is given, which answer in time or not at all.
 */
import { allFlags, type Flag, type Flags } from '../arguments.ts';
import { lookUp, type Command } from '../command.ts';
import type { Candidate, Choice, Completes, Sources } from './kinds.ts';
import { typedAt, written, type Style } from './typed.ts';

/** What is asked for at the end of a line. */
interface Wanted {
  readonly stem: string;
  readonly start: number;
  readonly style: Style;
  readonly choices: readonly (Choice | readonly Candidate[])[];
}

export interface Completion {
  /** What the line is to have from `start` to the cursor; undefined: leave it. */
  readonly text: string | undefined;
  readonly start: number;
  /** What to choose from; empty when nothing fits or only one word does. */
  readonly matches: readonly Candidate[];
  /** A source did not answer in time. */
  readonly late: boolean;
}

/** Completes the last word of `text`. */
export async function complete(text: string, commands: readonly Command[], sources: Sources): Promise<Completion> {
  const wanted = wantedAt(text, commands);
  const nothing = { text: undefined, start: text.length, matches: [], late: false };
  if (wanted === undefined) return nothing;
  for (const choice of wanted.choices) {
    const candidates = typeof choice === 'string' ? await (sources[choice]?.(wanted.stem) ?? []) : isList(choice) ? choice : fixed(choice);
    if (candidates === undefined) return { ...nothing, late: true };
    const matches = matching(candidates, wanted.stem);
    if (matches.length > 0) return conclude(wanted, matches);
  }
  return nothing;
}

function wantedAt(text: string, commands: readonly Command[]): Wanted | undefined {
  const own = /^\s*!/.exec(text)?.[0].length;
  const typed = typedAt(own === undefined ? text : ' '.repeat(own) + text.slice(own));
  if (typed === undefined) return undefined;
  const { part, word: stem, words: [name, ...words], start, style } = typed;
  const at = { stem, start, style };
  if (part === 'file') return { ...at, choices: ['local'] };
  if (own !== undefined || part === 'shell') return { ...at, choices: name === undefined ? ['program', 'local'] : ['local'] };
  if (name === undefined) return { ...at, choices: ['command'] };
  const command = lookUp(commands, name, 'prompt');
  if (command === undefined) return undefined;
  const behind = carriedBy(command, commands, words) ?? { command, words };
  return valueAt(behind.command, behind.words, at, text) ?? { ...at, choices: choicesAt(behind.command, behind.words, stem) };
}

/** The command that another one, as queue, is to run, where its name has been typed; with the words of both. */
function carriedBy({ carries }: Command, commands: readonly Command[], words: readonly string[]): { command: Command; words: readonly string[] } | undefined {
  const at = words.findIndex((word) => !word.startsWith('-'));
  const command = carries.includes(words[at] ?? '') ? lookUp(commands, words[at]!, 'prompt') : undefined;
  return command === undefined ? undefined : { command, words: words.toSpliced(at, 1) };
}

/** `--flag=value`: what is completed is the value. */
function valueAt({ flags }: Command, words: readonly string[], { stem, start, style }: Omit<Wanted, 'choices'>, text: string): Wanted | undefined {
  const head = words.includes('--') ? undefined : /^--[\w-]+=/.exec(stem)?.[0];
  if (head === undefined || !text.startsWith(head, start)) return undefined;
  return { stem: stem.slice(head.length), start: start + head.length, style, choices: listed(allFlags(flags, false)[head.slice(2, -1)]?.completes) };
}

/** What may stand behind `words` of a command, where `stem` is the beginning of it. */
function choicesAt(command: Command, words: readonly string[], stem: string): Wanted['choices'] {
  const flags = allFlags(command.flags, false);
  let position = 0;
  let ended = false;
  let pending: Flag | undefined;
  for (const word of words) {
    if (pending !== undefined) pending = undefined;
    else if (!ended && word === '--') ended = true;
    else if (!ended && word.startsWith('-') && word !== '-') pending = takesNext(flags, word);
    else position += 1;
  }
  if (pending !== undefined) return listed(pending.completes);
  if (!ended && stem.startsWith('-')) return [stem.startsWith('--') ? longFlags(flags) : allShown(flags)];
  if (position >= command.count[1]) return [];
  return listed(command.completes[Math.min(position, command.completes.length - 1)]);
}

function isList(choice: Choice | readonly Candidate[]): choice is readonly Candidate[] {
  return Array.isArray(choice);
}

function listed(completes: Completes | undefined): readonly Choice[] {
  if (completes === undefined) return [];
  return Array.isArray(completes) ? completes as readonly Choice[] : [completes as Choice];
}

/** The flag whose value is the next word. */
function takesNext(flags: Flags, word: string): Flag | undefined {
  const flag = word.startsWith('--') ? flags[word.slice(2)] : Object.values(flags).find(({ short }) => short === word.at(-1));
  return flag?.value === undefined ? undefined : flag;
}

function longFlags(flags: Flags): Choice {
  return Object.fromEntries(Object.entries(flags).filter(([, { summary }]) => summary !== '').map(([name, { summary }]) => [`--${name}`, summary]));
}

/** Behind a single dash: each flag once, by its letter where it has one. */
function allShown(flags: Flags): readonly Candidate[] {
  return Object.entries(flags).filter(([, { summary }]) => summary !== '').map(([name, { short, summary }]) => ({
    word: short === undefined ? `--${name}` : `-${short}`, shown: `${short === undefined ? '   ' : `-${short},`} --${name}`, folder: false, note: summary,
  }));
}

function fixed(words: Readonly<Record<string, string>>): Candidate[] {
  return Object.entries(words).map(([word, note]) => ({ word, shown: word, folder: false, note }));
}

/** Those that begin with the stem; if none does, those that do but for letter case. Dot files only when the dot is typed. */
function matching(candidates: readonly Candidate[], stem: string): Candidate[] {
  const dotted = /^:?\./.test(stem.slice(stem.lastIndexOf('/') + 1));
  const open = candidates.filter(({ shown, entry }) => entry === undefined || dotted || !shown.startsWith('.'));
  const exact = open.filter(({ word }) => word.startsWith(stem));
  if (exact.length > 0) return exact;
  const folded = stem.toLowerCase();
  return open.filter(({ word }) => word.toLowerCase().startsWith(folded));
}

function conclude({ stem, start, style }: Wanted, matches: readonly Candidate[]): Completion {
  const [first, ...others] = matches;
  if (others.length === 0) return { text: written(first!.word, style, first!.folder ? 'folder' : 'done'), start, matches: [], late: false };
  // A server tells names in the order of its disk; commands and flags are in that of the table.
  const files = first!.entry !== undefined;
  const ordered = files ? matches.toSorted((a, b) => (a.word < b.word ? -1 : 1)) : matches;
  const stemOfAll = matches.reduce((common, { word }) => commonStem(common, word), first!.word);
  // Words that agree but for letter case may have less in common than what is typed.
  return { text: stemOfAll.length > stem.length ? written(stemOfAll, style, 'open') : undefined, start, matches: ordered, late: false };
}

function commonStem(a: string, b: string): string {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  // Half of a surrogate pair is no letter.
  return a.slice(0, /[\ud800-\udbff]/.test(a[length - 1] ?? '') ? length - 1 : length);
}
