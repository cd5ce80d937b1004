/**
 * Blocks: what a page of the manual is made of, before it is known whether a terminal or `man` shows it, and the way to a
 * terminal. Pure. `roff.ts` is the way to `man`.
 */
import { columnsOf, fit, pad, wrap } from '../width.ts';

export type Block =
  /** Sentences. */
  | { readonly text: string }
  /** Words with what each of them means. */
  | { readonly terms: readonly (readonly [term: string, meaning: string])[] }
  /** Lines as they are typed. */
  | { readonly lines: readonly string[] };

export interface Section {
  readonly title: string;
  readonly blocks: readonly Block[];
}

/** Wider lines are hard to read, whatever the terminal has. */
const WIDEST = 80;
/** Terms stand beside their meanings where those keep so much room. */
const ROOM = 30;
const INDENT = 2;

/** A section for a terminal of `width` columns: its title, what is in it, and a line between two blocks. */
export function sectionLines({ title, blocks }: Section, width: number): string[] {
  return [...wrap(title, width), ...blocks.flatMap((block) => ['', ...blockLines(block, Math.min(width, WIDEST))])];
}

function blockLines(block: Block, width: number): string[] {
  if ('text' in block) return wrap(block.text, width);
  if ('lines' in block) return block.lines.map((line) => `${' '.repeat(INDENT)}${line}`).map((line) => fit(line, width));
  return termLines(block.terms, width);
}

/** Terms in a column, their meanings in another; on a narrow terminal below them. */
export function termLines(terms: readonly (readonly [term: string, meaning: string])[], width: number): string[] {
  const widest = terms.reduce((most, [term]) => Math.max(most, columnsOf(term)), 0) + INDENT + 2;
  return terms.flatMap(([term, meaning]) => {
    if (widest + ROOM > width) return [...wrap(`  ${term}`, width, INDENT), ...wrap(meaning, width - 6).map((line) => `      ${line}`)];
    const [first = '', ...more] = wrap(meaning, width - widest);
    return [`${pad(`  ${term}`, widest)}${first}`, ...more.map((line) => ' '.repeat(widest) + line)];
  });
}
