/**
 * Aliases: a word that stands for the beginning of a command, for this session (in the rc file: for all of them).
 *
 * What one stands for is a command with words, not a line of several: whoever types further words means them for it. An alias
 * may begin with another one; each stands for itself once, so that `alias ls 'ls -l'` ends.
 */
import { Failure } from '../../errors.ts';
import { printable } from '../../printable.ts';
import type { Work } from '../command.ts';
import { DONE } from '../exits.ts';
import { parseLine } from './grammar.ts';
import { quoted, type Word } from './words.ts';

const NAME = /^[\w.+-]{1,64}$/;
/** Nobody remembers more. */
const MAX_ALIASES = 1000;

/** The words with an alias at their beginning written out. */
export function withNames(names: ReadonlyMap<string, string>, words: readonly Word[]): readonly Word[] {
  const used = new Set<string>();
  let all = words;
  for (let first = all[0]?.text; first !== undefined && names.has(first) && !used.has(first); first = all[0]?.text) {
    used.add(first);
    all = [...parseLine(names.get(first)!).steps[0]!.words, ...all.slice(1)];
  }
  return all;
}

/** `alias` lists, `alias NAME` shows, `alias NAME='COMMAND WORDS'` or `alias NAME 'COMMAND WORDS'` sets. */
export async function alias({ session, settings, report, terminal }: Work, { words }: { words: readonly string[] }): Promise<number> {
  const [first, second] = words;
  const [, name, given] = /^([^=]*)(?:=(.*))?$/s.exec(first ?? '') ?? [];
  const text = given ?? second;
  if (first === undefined || name === undefined || text === undefined) {
    const shown = [...session.names].filter(([one]) => first === undefined || one === first).sort(([a], [b]) => (a < b ? -1 : 1));
    if (first !== undefined && shown.length === 0) throw new Failure('NOTFOUND', `there is no alias ${printable(first)}`, { who: 'here', hint: 'alias lists all of them' });
    if (shown.length === 0 && !settings.quiet && !report.json) terminal.say(`there are no aliases; as in: alias ll 'ls -lh'`);
    await report.answer(shown.map(([one, meaning]) => printable(`alias ${one} ${quoted(meaning)}`)), { event: 'aliases', aliases: Object.fromEntries(shown) });
    return DONE;
  }
  if (given !== undefined && second !== undefined) throw new Failure('USAGE', 'what an alias stands for is one word', { hint: `quote it: alias ${printable(name)} '${printable(given)} ...'` });
  if (!NAME.test(name)) throw new Failure('USAGE', `${printable(name)} cannot be an alias`, { hint: 'use letters, digits, and . _ + -' });
  const { steps: [step, ...more], isForgiven, isSilent } = parseLine(text);
  if (step === undefined || more.length > 0 || isForgiven || isSilent || step.shell !== undefined || step.pipe !== undefined || step.into !== undefined || step.isJob) {
    throw new Failure('USAGE', 'an alias stands for one command and its words', { hint: `as in: alias ll 'ls -lh'` });
  }
  if (session.names.size >= MAX_ALIASES && !session.names.has(name)) throw new Failure('LIMIT', `there are ${MAX_ALIASES} aliases already`, { who: 'here', hint: 'unalias NAME removes one' });
  session.names.set(name, text.trim());
  return DONE;
}

export async function unalias({ session }: Work, { words }: { words: readonly string[] }): Promise<number> {
  for (const name of words) if (!session.names.delete(name)) throw new Failure('NOTFOUND', `there is no alias ${printable(name)}`, { who: 'here', hint: 'alias lists all of them' });
  return DONE;
}
