/**
 * Words: one word of a line, read as `sh` reads it, and written so that it is read back. Pure.
 *
 * `'…'` keeps everything, `"…"` everything but `\"` and `\\`, a backslash outside quotes keeps the next character. What a
 * word means besides its letters is kept apart: as a pattern, where it has `*`, `?`, `[` or `{` outside quotes, and as a
 * way from the home folder, where it begins with `~`. Nothing is looked up here, and there is no `$`.
 */
import { Failure } from '../../errors.ts';

/** Longer lines are an accident (a file fed to standard input), not a command: two paths of 4096 bytes fit many times. */
export const MAX_LINE = 65_536;

export interface Word {
  /** Its letters, as if all had been quoted. */
  readonly text: string;
  /** The same as a pattern, with a backslash before each letter that was quoted and has a meaning in one; undefined: it is none. */
  readonly pattern: string | undefined;
  /** Whether it begins with `~` alone or `~/`, unquoted. */
  readonly fromHome: boolean;
  /** Whether it begins with `:`, unquoted: a place on the server as the shell has it. */
  readonly fromServer: boolean;
}

/** What has a meaning in a pattern: `glob.ts` and `braces.ts` read it. */
const SPECIAL = /[*?[\]{},\\!^-]/;
const MAGIC = /[*?[{]/;

/** Outside quotes, these end a word besides spaces. */
export const OPERATORS = /[;&|>]/;

/** The words of a line that has nothing but words. Throws USAGE. */
export function splitWords(line: string): string[] {
  if (line.length > MAX_LINE) throw new Failure('USAGE', `the line is longer than ${MAX_LINE} characters`);
  const words: string[] = [];
  let at = 0;
  while (at < line.length) {
    if (/\s/.test(line[at]!)) at += 1;
    else if (line[at] === '#') break;
    else {
      const { word, end } = readWord(line, at);
      words.push(word.text);
      at = end;
    }
  }
  return words;
}

/** The word that begins at `start`, and where it ends: at a space, or before what `stops` matches. Throws USAGE. */
export function readWord(line: string, start: number, stops?: RegExp): { readonly word: Word; readonly end: number } {
  let [text, pattern, magic] = ['', '', false];
  let at = start;
  const keep = (letters: string) => {
    text += letters;
    pattern += letters.replace(new RegExp(SPECIAL, 'g'), '\\$&');
  };
  while (at < line.length && !/\s/.test(line[at]!) && stops?.test(line[at]!) !== true) {
    const letter = line[at]!;
    if (letter === "'" || letter === '"') {
      const [inside, end] = readQuoted(line, at, letter);
      keep(inside);
      at = end;
    } else if (letter === '\\') {
      if (at + 1 === line.length) throw new Failure('USAGE', 'the line ends in a backslash', { hint: 'write \\\\ for a backslash' });
      keep(line[at + 1]!);
      at += 2;
    } else {
      text += letter;
      pattern += letter;
      magic ||= MAGIC.test(letter);
      at += 1;
    }
  }
  return { word: { text, pattern: magic ? pattern : undefined, fromHome: /^~(?:\/|$)/.test(text) && line[start] === '~', fromServer: line[start] === ':' }, end: at };
}

function readQuoted(line: string, start: number, quote: string): [text: string, end: number] {
  let text = '';
  for (let at = start + 1; at < line.length; at += 1) {
    const letter = line[at]!;
    if (letter === quote) return [text, at + 1];
    const next = line[at + 1];
    if (quote === '"' && letter === '\\' && (next === '"' || next === '\\')) {
      text += next;
      at += 1;
    } else text += letter;
  }
  throw new Failure('USAGE', `a quote ${quote} is opened and not closed`, { hint: `write \\${quote} for the character itself` });
}

/** The word as `splitWords`, a line of the prompt and a shell read it back. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
