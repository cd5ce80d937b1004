/**
 * Unfinished: a prompt begins in a row of its own, also behind what has no line break at its end: a file, or what another
 * program wrote, which nobody here has seen. Pure.
 *
 * Where the cursor is cannot be asked in time. So, as zsh does (PROMPT_SP), a mark is written, and spaces up to the number of columns.
 * From the first column they end in the last one of the same row, and the prompt takes their place; from any other they reach
 * into the next row, and the mark stays behind what was there. Terminals go to the next row only with the letter after the last column.
 */
import { styleText } from 'node:util';

type Environment = Readonly<Record<string, string | undefined>>;

/** What stands behind an unfinished line: a letter that every terminal has, where the language says nothing of UTF-8. */
export function unfinishedMark({ LC_ALL, LC_CTYPE, LANG }: Environment, isColoured: boolean): string {
  const mark = /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || '') ? '⏎' : '%';
  return isColoured ? styleText('dim', mark, { validateStream: false }) : mark;
}

/** Leads to the first column of an empty row, on a terminal of so many columns; all below is erased, so that rows that are broken anew are not joined. `mark` takes one column. */
export function toOwnRow(mark: string, columns: number | undefined): string {
  if (columns === undefined || columns < 2) return '';
  return `${mark}${' '.repeat(columns - 1)}\r\u001b[J`;
}
