/**
 * The list of what could stand at the cursor, as lines that fit the terminal. Pure.
 *
 * With what is known of each (size and date of files, what a command does) where that fits on the screen; else the
 * names alone, in columns; else as many of them as fit, and how many more there are. Long lists are asked about before, and are then
 * shown whole. Names pass `printable` here, and are cut so that they still differ.
 */
import { printable } from '../../printable.ts';
import { formatCount, formatDate, formatSize } from '../measures.ts';
import { columnsOf, fit, fitAll, inColumns, pad } from '../width.ts';
import type { Candidate } from './kinds.ts';
import type { Paint } from './lscolors.ts';

export interface Room {
  readonly width: number;
  readonly rows: number;
  /** Asked for once more: nothing is left out for lack of rows. */
  readonly all: boolean;
}

/** More are never shown: nobody reads them, and letters are typed faster. */
const MAX_SHOWN = 2_000;
/** More are listed only when that is agreed to. */
const MAX_UNASKED = 100;
/** So many screens of names with all about them: longer than that, names alone. */
const MAX_SCREENS = 10;
/** Below this there is no room for the time of the day. */
const FULL_DATE_WIDTH = 60;
const DAY = 'YYYY-MM-DD'.length;
/** The prompt below the list, and the line above it that tells what is left out. */
const KEPT_ROWS = 3;

/** What is asked before so many are listed; '' where nothing is. */
export function questionBefore({ length }: readonly Candidate[]): string {
  if (length <= MAX_UNASKED) return '';
  return length <= MAX_SHOWN ? `list all ${formatCount(length)}? (y/n)` : `list ${formatCount(MAX_SHOWN)} of ${formatCount(length)}? (y/n)`;
}

export function listLines(matches: readonly Candidate[], { width, rows, all }: Room, paint: Paint): string[] {
  const most = Math.max(2, rows - KEPT_ROWS);
  const shown = matches.slice(0, MAX_SHOWN);
  const detailed = isKnown(shown) && (all || shown.length <= most * 4) ? inColumns(cells(shown, width, paint), width) : [];
  if (detailed.length > 0 && detailed.length <= (all ? most * MAX_SCREENS : most)) return detailed;
  const names = namesOf(shown, width, paint);
  const lines = inColumns(names, width);
  if (shown.length === matches.length && (all || lines.length <= most)) return lines;
  return cut(matches.length, names, lines, all ? lines.length : most, width);
}

/** Whether of all files it is known how large and how old they are. */
function isKnown(matches: readonly Candidate[]): boolean {
  return matches.every(({ entry }) => entry === undefined || !Number.isNaN(entry.mtime));
}

/** As many as fit in `most` lines, and one line for the others. */
function cut(total: number, names: readonly string[], all: readonly string[], most: number, width: number): string[] {
  let count = names.length;
  let lines = all;
  while (lines.length > most) {
    // At least the share that is too much goes; a few rounds do, since fewer names also stand in more columns.
    count = Math.min(count - 1, Math.floor((count * most) / lines.length));
    lines = inColumns(names.slice(0, count), width);
  }
  return [...lines, fit(`and ${formatCount(total - count)} more${names.length === total ? '; TAB again shows all' : ''}`, width - 1)];
}

function mark({ folder, entry }: Candidate): string {
  return folder ? '/' : entry?.kind === 'link' ? '@' : entry?.kind === 'other' ? '=' : '';
}

function namesOf(matches: readonly Candidate[], columns: number, paint: Paint): string[] {
  const texts = fitAll(matches.map(({ shown }) => printable(shown)), columns - 1);
  return matches.map((match, index) => (match.entry === undefined ? texts[index]! : paint(match.entry, match.shown, texts[index]!)) + mark(match));
}

/** Each with what is known of it, all of one width. */
function cells(matches: readonly Candidate[], width: number, paint: Paint): string[] {
  const sizes = matches.map(({ entry }) => (entry === undefined ? '' : entry.kind === 'file' ? formatSize(entry.size) : '-'));
  const dates = matches.map(({ entry }) => (entry === undefined ? '' : formatDate(entry.mtime).slice(0, width < FULL_DATE_WIDTH ? DAY : undefined)));
  const widestSize = widest(sizes);
  const tail = matches.map(({ note }, index) => (dates[index] === '' ? note ?? '' : `${sizes[index]!.padStart(widestSize)}  ${dates[index]!}`));
  const room = matches.some(({ entry }) => entry !== undefined) ? width - widestSize - widest(dates) - 4 : width;
  const names = namesOf(matches, room, paint);
  const column = widest(names);
  return names.map((name, index) => (tail[index] === '' ? name : `${pad(name, column)}  ${fit(tail[index]!, width - column - 2)}`));
}

function widest(texts: readonly string[]): number {
  return texts.reduce((most, text) => Math.max(most, columnsOf(text)), 0);
}
