/**
 * The text before the line: which server, which folder, and whether the connection is there. Pure.
 * At most half of the terminal, so that there is room to type; the end of a folder's path tells most.
 */
import { styleText } from 'node:util';
import { printable } from '../../printable.ts';
import { columnsOf, fit } from '../width.ts';

export interface Standing {
  readonly server: string;
  /** From the served folder, with a slash before it. */
  readonly folder: string;
  readonly lost: boolean;
}

/** `wherry lab:/photos> `; `lab:…/2026/summer> ` where that is too long. */
export function invitation(standing: Standing, width: number, coloured: boolean): string {
  const paint = (style: 'dim' | 'cyan' | 'red', text: string) => (coloured && text !== '' ? styleText(style, text) : text);
  const room = Math.floor(width / 2);
  const server = printable(standing.server);
  const folder = printable(standing.folder);
  const lost = standing.lost ? (width < 80 ? ' (lost)' : ' (connection lost)') : '';
  const fixed = columnsOf(`${lost}> `);
  const program = columnsOf(`wherry ${server}:${folder}`) + fixed <= room ? 'wherry ' : '';
  // Without a third of the room for the folder one would not see where one is.
  const name = fit(server, Math.max(4, room - fixed - 1 - Math.min(columnsOf(folder), Math.floor(room / 3))));
  const place = shortened(folder, room - fixed - columnsOf(`${program}${name}:`));
  return `${paint('dim', program)}${paint('cyan', name)}:${place}${paint('red', lost)}> `;
}

/** A path in so many columns: as many of its last names as fit. */
function shortened(folder: string, columns: number): string {
  if (columnsOf(folder) <= columns) return folder;
  const names = folder.split('/').slice(1);
  for (let from = 1; from < names.length; from += 1) {
    const tail = `…/${names.slice(from).join('/')}`;
    if (columnsOf(tail) <= columns) return tail;
  }
  return fit(`…/${names.at(-1)}`, Math.max(3, columns));
}
