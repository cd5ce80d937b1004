/**
 * The word under the cursor: found in an unfinished line, and written so that the line splits into it again. Pure.
 *
 * It reads quotes and backslashes as `script/words.ts` does, and forgives what is not closed yet. `;`, `&` and `|` outside
 * quotes begin another command, behind `|` one of this machine; `>` is before a file here, as is `<`, which no command of ours takes. What is written back is quoted more than must be: every ASCII character that a shell
 * could take for something else is, so that names stay names whatever a line may mean one day.
 */

/** How a word is being written: with backslashes where needed, or in the quotes it was begun with. */
export type Style = 'plain' | "'" | '"';

/** What a word belongs to: a command of ours, one of this machine, or neither, but the name of a file here. */
export type Part = 'command' | 'shell' | 'file';

export interface Typed {
  readonly part: Part;
  /** The words of the command before the one under the cursor. */
  readonly words: readonly string[];
  /** The word under the cursor as far as it is typed, unquoted. */
  readonly word: string;
  /** Where it starts in the line. */
  readonly start: number;
  readonly style: Style;
}

/** What is typed at the end of `text`; undefined in a comment. */
export function typedAt(text: string): Typed | undefined {
  let words: string[] = [];
  let [at, piped, isFile] = [0, false, false];
  const part = (): Part => (isFile ? 'file' : piped ? 'shell' : 'command');
  while (at < text.length) {
    const letter = text[at]!;
    if (/\s/.test(letter)) at += 1;
    else if (letter === '#') return undefined;
    else if (/[<>]/.test(letter)) [isFile, at] = [true, at + 1];
    else if (/[;&|]/.test(letter)) {
      const isPair = letter !== ';' && text[at + 1] === letter;
      // A single & or | behind | is the other command's own.
      [piped, isFile, words, at] = [!isPair && (letter === '|' || (piped && letter === '&')), false, [], at + (isPair ? 2 : 1)];
    } else {
      const { word, end, style, open } = readWord(text, at);
      if (open) return { part: part(), words, word, start: at, style };
      if (!isFile) words.push(word);
      [isFile, at] = [false, end];
    }
  }
  return { part: part(), words, word: '', start: text.length, style: 'plain' };
}

/** The word that begins at `start`; `open` when the text ends inside it. */
function readWord(text: string, start: number): { word: string; end: number; style: Style; open: boolean } {
  const first = text[start]!;
  let style: Style = first === "'" || first === '"' ? first : 'plain';
  let quote: Style = 'plain';
  let word = '';
  let at = start;
  for (; at < text.length; at += 1) {
    const letter = text[at]!;
    if (quote === 'plain') {
      if (/[\s;&|>]/.test(letter)) return { word, end: at, style, open: false };
      if (letter === "'" || letter === '"') quote = letter;
      else if (letter === '\\') word += text[at += 1] ?? '';
      else word += letter;
    } else if (letter === quote) quote = 'plain';
    else if (quote === '"' && letter === '\\' && /["\\]/.test(text[at + 1] ?? '')) word += text[at += 1];
    else word += letter;
  }
  if (quote !== 'plain') style = quote;
  return { word, end: at, style, open: true };
}

/** How much of a word is there: all of it; a folder, which may go on; or its beginning. */
export type End = 'done' | 'folder' | 'open';

const ENDS: Readonly<Record<End, string>> = { done: ' ', folder: '/', open: '' };

/** The word as it is typed in a style; quotes of an unfinished one stay open. */
export function written(word: string, style: Style, end: End): string {
  // In double quotes these have a meaning of their own in most shells.
  const used = style === '"' && /[$`!]/.test(word) ? 'plain' : style;
  if (used === 'plain') return word.replace(/[^\w@%+=:,./\u0080-\u{10ffff}-]|\s/gu, (letter) => `\\${letter}`) + ENDS[end];
  const inside = used === '"' ? word.replace(/["\\]/g, (letter) => `\\${letter}`) : word.replaceAll("'", "'\\''");
  return used + inside + (end === 'open' ? '' : used) + ENDS[end];
}
