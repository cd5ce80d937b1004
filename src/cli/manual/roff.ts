/**
 * Roff: text as `man` reads it, in the macros of man(7) that groff and mandoc both know. Pure.
 *
 * All text goes through `roffText`, so that no word of the table can be a request: a dot or quote that begins a line, a
 * backslash, and hyphens, which are to be typed as they stand.
 */
import { wrap } from '../width.ts';
import type { Block } from './blocks.ts';

/** Characters that roff takes for something else, or that a terminal would be shown as another character. */
const SPECIAL: Readonly<Record<string, string>> = { '\\': '\\e', '-': '\\-', "'": '\\(aq', '`': '\\(ga', '^': '\\(ha', '~': '\\(ti' };

/** Escapes make a line longer: with these no checker complains of its length. */
const LONGEST = 70;

/** One line of text, whatever is in it. */
export function roffText(text: string): string {
  const safe = text.replaceAll(/\s+/g, ' ').replaceAll(/[\\\-'`^~]/g, (letter) => SPECIAL[letter]!)
    .replaceAll(/[^\u0020-\u007e]/gu, (letter) => `\\[u${letter.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}]`);
  return safe.startsWith('.') ? `\\&${safe}` : safe;
}

/** Text in lines of a length that tools for lines take; `man` fills them anew. */
function roffLines(text: string): string[] {
  return wrap(text, LONGEST).map(roffText);
}

/** One argument of a macro. */
function argument(text: string): string {
  return `"${roffText(text).replaceAll('"', '\\(dq')}"`;
}

/** `date` is digits and hyphens, which here stand as they are. */
export function title(name: string, section: number, date: string, source: string, manual: string): string {
  return `.TH ${argument(name.toUpperCase())} ${section} "${date}" ${argument(source)} ${argument(manual)}`;
}

export function heading(text: string): string {
  return `.SH ${argument(text.toUpperCase())}`;
}

export function subheading(text: string): string {
  return `.SS ${argument(text)}`;
}

/** `first` bold, the rest as it is. */
export function usage(first: string, rest: string): string[] {
  return ['.PP', rest === '' ? `\\fB${roffText(first)}\\fR` : `\\fB${roffText(first)}\\fR ${roffText(rest)}`];
}

/** `begun`: the paragraph stands right below its heading. */
export function blockRoff(block: Block, begun = false): string[] {
  if ('text' in block) return [...(begun ? [] : ['.PP']), ...roffLines(block.text)];
  if ('terms' in block) return block.terms.flatMap(([term, meaning]) => ['.TP', `\\fB${roffText(term)}\\fR`, ...roffLines(meaning)]);
  return ['.PP', '.RS 4', '.nf', ...block.lines.map(roffText), '.fi', '.RE'];
}
