/**
 * Expansion: the words of a command with their patterns replaced by the names they stand for, on either side.
 *
 * Only sources are patterns: what `put` sends is looked up here, what the other commands are about on the server. Where
 * something goes to, a new name, and what a flag is given, stay as they are typed; so does all that was quoted. A pattern
 * that nothing matches is an error, never a name. `~` leads to the home folder in words that are places here.
 */
import { lstat, readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { Failure, fromErrno } from '../../errors.ts';
import { printable } from '../../printable.ts';
import { parseArguments } from '../arguments.ts';
import { lookUp, type Command, type Session, type Work } from '../command.ts';
import { remotePath } from '../files.ts';
import { formatCount, formatSize } from '../measures.ts';
import { isOnServer, parseRemote, STANDARD, type Shape } from '../places.ts';
import { expandBraces } from '../../braces.ts';
import { isMagic, literal, matches, type Match, type Tree } from './matching.ts';
import type { Word } from './words.ts';

/** From so many names on, their number is told before anything is done with them. */
const MANY = 20;

type Side = 'local' | 'remote';

/** Which side the sources of a command are on; of one with words of its own, where those are places here. */
const SIDES: Readonly<Partial<Record<Shape, Side>>> = { put: 'local', get: 'remote', remote: 'remote', chmod: 'remote', plain: 'local' };

/** The words behind the name of a command typed at the prompt, as the command is to read them. Throws USAGE, NOTFOUND, LIMIT. */
export async function expandWords(work: Work, command: Command, words: readonly Word[], commands: readonly Command[] = []): Promise<string[]> {
  const texts = words.map(({ text }) => text);
  const parsed = parseArguments(command.flags, texts);
  if (parsed.common.help) return texts;
  const carried = command.carries.includes(parsed.words[0] ?? '') ? lookUp(commands, parsed.words[0]!, 'prompt') : undefined;
  const behind = parsed.indexes[0]! + 1;
  if (carried !== undefined) return [...texts.slice(0, behind), ...await expandWords(work, carried, words.slice(behind))];
  const last = parsed.indexes.length - 1;
  const hasTarget = mayHaveTarget(command) && !command.hasTarget(texts) && !(command.shape === 'get' && last > 0 && words[parsed.indexes[last]!]!.fromServer);
  const expanded: string[][] = texts.map((text) => [text]);
  let found = 0;
  for (const [position, index] of parsed.indexes.entries()) {
    const word = words[index]!;
    const here = isHere(command, position, hasTarget ? last : last + 1);
    const isTarget = hasTarget && position === last && last > 0;
    expanded[index] = [asTyped(command, word, here)];
    if (word.pattern === undefined || word.text === STANDARD) continue;
    if (isTarget && isMagic(word.pattern)) throw aimless(word);
    if (isTarget || !isSource(command, position, here)) continue;
    expanded[index] = await foundFor(work, command, word, parsed.values['force'] === true);
    if (expanded[index].length > 1 && parsed.words.length + expanded[index].length - 1 > command.count[1]) throw tooMany(command, word, expanded[index]);
    found += expanded[index].length;
  }
  const all = expanded.flat();
  // `get *.txt` means all of them to the folder here, never the first ones into the last.
  return hasTarget && last === 0 && found > 1 ? [...all, './'] : all;
}

/** Whether the last word of several may be where the others go to. */
function mayHaveTarget({ shape }: Command): boolean {
  return shape === 'put' || shape === 'get';
}

/** Whether a word that is no target names what the command is about: of chmod the first one does not, and of a command with words of its own only places here do. */
function isSource({ shape }: Command, position: number, here: boolean): boolean {
  return shape === 'plain' ? here : shape === 'chmod' ? position > 0 : SIDES[shape] !== undefined;
}

/** A word that no pattern is looked up for: with the home folder in it where it is a place here, and as a name where its first letter is a quoted colon. */
function asTyped({ shape }: Command, { text, fromHome, fromServer }: Word, here: boolean): string {
  if (here && fromHome) return homedir() + text.slice(1);
  return shape !== 'plain' && isOnServer(text) && !fromServer ? `./${text}` : text;
}

/** What a word with a pattern stands for. A colon before a place on the server is no letter of the pattern, and is kept for whoever reads the words. */
async function foundFor(work: Work, { shape, isNew }: Command, { text, pattern = '', fromHome, fromServer }: Word, isForced: boolean): Promise<string[]> {
  if (SIDES[shape] === 'local') return namesOf(work, 'local', fromHome ? escaped(homedir()) + pattern.slice(1) : pattern, isForced);
  const colon = fromServer ? ':' : '';
  const names = isNew ? newNames(pattern.slice(colon.length), text.slice(colon.length)) : await namesOf(work, 'remote', pattern.slice(colon.length), isForced);
  return names.map((name) => colon + name);
}

/** The words of a command typed in the shell: a place on the server whose name has magic, and is not there as it stands, is a pattern. */
export async function expandTyped(work: Work, command: Command, words: readonly string[], exists: (name: string) => boolean): Promise<string[]> {
  if (command.isNew) return [...words];
  if (SIDES[command.shape] !== 'remote') return [...words];
  const { indexes, values } = parseArguments(command.flags, words, true);
  const expanded: string[][] = words.map((word) => [word]);
  for (const index of indexes) {
    const place = parseRemote(words[index]!, exists);
    if (place === undefined || !/[*?[{]/.test(place.path)) continue;
    if (await treeOf(work, 'remote').has(place.path)) continue; // the name as it is typed is meant first
    expanded[index] = (await namesOf(work, 'remote', place.path, values['force'] === true)).map((name) => `${place.server}:${name}`);
  }
  return expanded.flat();
}

/** `cd p*` goes to one folder: which one is not guessed. */
function tooMany({ name, count: [, most] }: Command, { text }: Word, names: readonly string[]): Failure {
  const shown = names.slice(0, 3).map(printable).join(', ') + (names.length > 3 ? ', ...' : '');
  return new Failure('USAGE', `${printable(text)} stands for ${formatCount(names.length)} names, and ${name} takes ${most === 1 ? 'one' : `at most ${most}`}`, { hint: `type more of it: ${shown}` });
}

/** Where something goes to has one name. */
function aimless(word: Word): Failure {
  return new Failure('USAGE', `${printable(word.text)} is a pattern, and the last word says where to`, { hint: 'type . behind it for the folder one is in, or quote a name that has such letters in it' });
}

/** Of names that are to be made only the braces mean something. */
function newNames(pattern: string, text: string): string[] {
  const all = expandBraces(pattern);
  return all.some(isMagic) ? [text] : all.map(literal);
}

/** Whether a word is a place on this machine, as far as its position says. */
function isHere(command: Command, position: number, last: number): boolean {
  if (command.shape === 'put') return position < last || last === 0;
  if (command.shape === 'get') return position === last && last > 0;
  const kinds = command.completes[Math.min(position, command.completes.length - 1)];
  return command.shape === 'plain' && (kinds === 'local' || kinds === 'local-folder');
}

function escaped(path: string): string {
  return path.replace(/[*?[\]{},\\]/g, '\\$&');
}

/** What one word stands for: its braces written out, its magic looked up. */
async function namesOf(work: Work, side: Side, pattern: string, isForced = false): Promise<string[]> {
  const found: Match[] = [];
  for (const one of expandBraces(pattern)) {
    if (!isMagic(one)) found.push({ path: literal(one), size: undefined, isFolder: false });
    else {
      const matched = await matches(treeOf(work, side), one);
      // As in `sh`, a name that is there as it stands is that name; and `rm -f` accepts what is not there.
      if (matched.length === 0 && (isForced || await treeOf(work, side).has(literal(one)))) found.push({ path: literal(one), size: undefined, isFolder: false });
      else if (matched.length === 0) throw new Failure('NOTFOUND', `no name matches ${printable(one)}`, { who: side === 'local' ? 'here' : 'server', hint: 'quote a name that has such letters in it' });
      found.push(...matched);
    }
  }
  const unique = [...new Map(found.map((match) => [match.path, match])).values()];
  if (unique.length > MANY && isMagic(pattern)) await tell(work, side, pattern, unique);
  // What begins so would be read as something else than a name.
  return unique.map(({ path }) => (/^[-:~]/.test(path) ? `./${path}` : path));
}

async function tell({ terminal, settings, session }: Work, side: Side, pattern: string, found: readonly Match[]): Promise<void> {
  if (settings.quiet || settings.json) return;
  let bytes = 0;
  for (const { path, size, isFolder } of found) {
    if (!isFolder) bytes += size ?? (side === 'local' ? (await lstat(resolve(session.localFolder, path)).catch(() => undefined))?.size ?? 0 : 0);
  }
  const folders = found.filter(({ isFolder }) => isFolder).length;
  const besides = folders === 0 ? '' : `, and what is in ${formatCount(folders)} of them`;
  terminal.say(`${printable(pattern)}: ${formatCount(found.length)} names, ${formatSize(bytes)}${besides}`);
}

function treeOf(work: Work, side: Side): Tree {
  return side === 'local' ? localTree(work.session, work.signal) : remoteTree(work);
}

function localTree({ localFolder }: Session, signal: AbortSignal): Tree {
  return {
    async *names(folder) {
      signal.throwIfAborted();
      const entries = await readdir(resolve(localFolder, folder === '' ? '.' : folder), { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
        throw fromErrno(error, folder, 'here');
      });
      yield entries.map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }));
    },
    has: async (path) => (await lstat(resolve(localFolder, path)).catch(() => undefined)) !== undefined,
  };
}

function remoteTree({ session, signal }: Work): Tree {
  return {
    async *names(folder) {
      try {
        for await (const { entries } of session.client.list(remotePath(session, folder === '' ? './' : folder), { signal })) {
          yield entries.map(({ name, kind, size }) => ({ name, isFolder: kind === 'folder', size: kind === 'file' ? size : undefined }));
        }
      } catch (error) {
        // A pattern that leads through what is not there matches nothing.
        if (!/^NOT(?:FOUND|DIR)$/.test(Failure.from(error).code)) throw error;
      }
    },
    has: async (path) => path === '' || (await session.client.stat(remotePath(session, path), { signal })) !== undefined,
  };
}
