/**
 * Words of a prompt line, split as `sh` splits them. Pure.
 *
 * Spaces and tabs separate. `'…'` keeps everything, `"…"` everything but `\"` and `\\`, a backslash outside
 * quotes keeps the next character. `#` at the start of a word begins a comment. Nothing is expanded: no `$`,
 * no `~`, no patterns, no `;`.
 */
import { Failure } from '../errors.ts';

/** Longer lines are an accident (a file fed to standard input), not a command: two paths of 4096 bytes fit many times. */
export const MAX_LINE = 65_536;

export function splitWords(line: string): string[] {
  if (line.length > MAX_LINE) throw new Failure('USAGE', `the line is longer than ${MAX_LINE} characters`);
  const words: string[] = [];
  let at = 0;
  while (at < line.length) {
    if (/\s/.test(line[at]!)) at += 1;
    else if (line[at] === '#') break;
    else {
      const [word, end] = readWord(line, at);
      words.push(word);
      at = end;
    }
  }
  return words;
}

/** The word that begins at `start`, and where it ends. */
function readWord(line: string, start: number): [word: string, end: number] {
  let word = '';
  let at = start;
  while (at < line.length && !/\s/.test(line[at]!)) {
    const letter = line[at]!;
    if (letter === "'" || letter === '"') {
      const [text, end] = readQuoted(line, at, letter);
      word += text;
      at = end;
    } else if (letter === '\\') {
      if (at + 1 === line.length) throw new Failure('USAGE', 'the line ends in a backslash', { hint: 'write \\\\ for a backslash' });
      word += line[at + 1]!;
      at += 2;
    } else {
      word += letter;
      at += 1;
    }
  }
  return [word, at];
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
