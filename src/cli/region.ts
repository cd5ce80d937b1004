/**
 * Region: the rows at the bottom of a terminal that are drawn again and again. Pure: rows as they were and as they shall
 * be become the bytes that lead there.
 *
 * The cursor rests at the first column of the last row of the region, hidden. Rows must be narrower than the terminal and printable.
 * Only rows that differ are written, all in one piece, within a synchronized update (mode 2026) for terminals that know it.
 */
import { columnsOf } from './width.ts';

export interface Drawn {
  readonly rows: readonly string[];
  /** Columns of the terminal when they were drawn. */
  readonly columns: number;
}

export const NOTHING: Drawn = { rows: [], columns: 0 };

const HIDE = '\u001b[?25l';
/** Also what a terminal is given back with, whatever happened. */
export const SHOW = '\u001b[?25h';
const BEGIN = '\u001b[?2026h';
const END = '\u001b[?2026l';
const ERASE_BELOW = '\u001b[J';
const ERASE_REST = '\u001b[K';

/** From `before` to `rows` on a terminal of `columns`; `above` is text that stays, above the region, and ends its own lines. */
export function redraw(before: Drawn, rows: readonly string[], columns: number, above = ''): string {
  const same = before.columns === columns && above === '' && rows.length > 0 && rows.length === before.rows.length;
  const written = same ? changes(before.rows, rows) : toTop(before, columns) + above + rows.join('\n');
  if (written === '') return '';
  const rest = rows.length === 0 ? SHOW : '\r';
  return `${BEGIN}${rows.length > 0 ? HIDE : ''}${written}${rest}${END}`;
}

/** To the first row of what was drawn, and all of it away. Terminals break rows that have become too wide. */
function toTop({ rows }: Drawn, columns: number): string {
  if (rows.length === 0) return '';
  const up = rows.slice(0, -1).reduce((sum, row) => sum + Math.max(1, Math.ceil(columnsOf(row) / columns)), 0);
  return `${up === 0 ? '' : `\u001b[${up}A`}\r${ERASE_BELOW}`;
}

function changes(before: readonly string[], rows: readonly string[]): string {
  let written = '';
  let at = rows.length - 1;
  rows.forEach((row, index) => {
    if (row === before[index]) return;
    written += move(index - at) + `\r${row}${ERASE_REST}`;
    at = index;
  });
  return written === '' ? '' : written + move(rows.length - 1 - at);
}

function move(rows: number): string {
  return rows === 0 ? '' : `\u001b[${Math.abs(rows)}${rows < 0 ? 'A' : 'B'}`;
}
