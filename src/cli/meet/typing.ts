/**
 * Typing: a ticket or a code as it is typed, judged while it is. Pure: keys lead from one state to the next, and a state can be drawn.
 *
 * `w` begins a ticket: its dashes come by themselves, letters are read as `join` reads them, and each group that is complete is right or wrong
 * by itself, so that a wrong one is marked at once. A digit begins a code: a word that is finished is in the list or not.
 * What is pasted is typed quickly; a line break in it, as terminals put into long lines, ends nothing while the ticket is not complete.
 */
import type { Key } from 'node:readline';
import { CODE_WORDS } from '../../codewords.ts';
import { Failure } from '../../errors.ts';
import { isCode } from '../../spoken.ts';
import { decodeTicket, GROUP, isGroup } from '../../ticket.ts';
import { columnsOf } from '../width.ts';

/** Longer than any ticket. */
const MAX_TYPED = 4096;
const PREFIX = 'wherry1';
const QUESTION = 'ticket or code: ';

export interface Typing {
  /** What was typed: of a ticket the letters that count, of anything else all of it. */
  readonly text: string;
  /** How it ended; undefined: it goes on. */
  readonly ended?: 'done' | 'left';
  /** Why Enter did not end it. */
  readonly unfinished?: boolean;
}

export const NOTHING_TYPED: Typing = { text: '' };

/** One part that is shown; a wrong one is marked. */
interface Part { readonly text: string; readonly isWrong: boolean }

export function press({ text }: Typing, typed: string | undefined, { name, ctrl }: Pick<Key, 'name' | 'ctrl'>): Typing {
  if (ctrl === true) return pressWithCtrl(text, name);
  if (name === 'return' || name === 'enter') return isUnfinished(text) ? { text, unfinished: true } : { text, ended: 'done' };
  if (name === 'backspace') return { text: text.slice(0, -1) };
  if (typed === undefined || !/^[\x20-\x7e]$/.test(typed) || text.length >= MAX_TYPED) return { text };
  return { text: isTicket(text + typed) ? text + (/[a-z\d]/i.test(typed) ? typed.toLowerCase() : '') : (text + typed).trimStart() };
}

function pressWithCtrl(text: string, name: string | undefined): Typing {
  if (name === 'c') return { text, ended: 'left' };
  if (name === 'u') return NOTHING_TYPED;
  return name === 'd' && text === '' ? { text, ended: 'done' } : { text };
}

/** Whether it is the beginning of a ticket, or one. */
function isTicket(text: string): boolean {
  return text.toLowerCase().startsWith('w');
}

/** A ticket of which nothing is wrong so far, and which is not complete. */
function isUnfinished(text: string): boolean {
  if (!text.startsWith(PREFIX) || parts(text).some(({ isWrong }) => isWrong)) return false;
  try {
    decodeTicket(text);
    return false;
  } catch (error) {
    return Failure.from(error).code === 'USAGE';
  }
}

function parts(text: string): Part[] {
  if (isCode(text)) return codeParts(text);
  if (!text.startsWith(PREFIX)) return [{ text, isWrong: false }];
  const letters = text.slice(PREFIX.length).toUpperCase().replace(/[IL]/g, '1').replaceAll('O', '0');
  const groups = letters.match(new RegExp(`.{1,${GROUP}}`, 'g')) ?? [];
  const shown = groups.map((group, number) => ({ text: `-${group}`, isWrong: group.length === GROUP && !isGroup(group, number) }));
  return [{ text: PREFIX, isWrong: false }, ...shown];
}

/** Words and what stands between them; what follows an `@` is an address, and the last word is still being typed. */
function codeParts(text: string): Part[] {
  const [code = '', ...address] = text.split(/(?=@)/);
  const pieces = code.match(/[a-z]+|[^a-z]+/gi) ?? [];
  const isOver = (index: number): boolean => index < pieces.length - 1 || address.length > 0;
  const words = pieces.map((piece, index) => ({ text: piece, isWrong: /^[a-z]/i.test(piece) && isOver(index) && !CODE_WORDS.includes(piece.toLowerCase()) }));
  return [...words, ...address.map((piece) => ({ text: piece, isWrong: false }))];
}

/** The rows that show it, of less than `width` columns; `paint` colours what is wrong, which has a `?` behind it as well. */
export function typedRows({ text, ended, unfinished = false }: Typing, width: number, paint: (text: string) => string): string[] {
  const rows = [''];
  let columns = 0;
  const add = (piece: string, isWrong: boolean): void => {
    // A group stays whole where a row has room for it.
    if (columns > 0 && piece.length < width && columns + piece.length > width - 1) [columns] = [0, rows.push('')];
    for (let left = piece; left !== '';) {
      if (columns >= width - 1) [columns] = [0, rows.push('')];
      const fits = left.slice(0, width - 1 - columns);
      columns += columnsOf(fits);
      rows[rows.length - 1] += isWrong ? paint(fits) : fits;
      left = left.slice(fits.length);
    }
  };
  add(QUESTION, false);
  for (const part of parts(text)) add(part.isWrong ? `${part.text}?` : part.text, part.isWrong);
  if (ended === undefined) add('_', false);
  return unfinished ? [...rows, 'the rest of the ticket is missing'] : rows;
}
