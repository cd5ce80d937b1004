/**
 * Listing: entries of a folder as lines, in the order and the form that was asked for. Pure.
 * Names pass `printable` here; a name is never shown raw.
 */
import type { Entry } from '../client/api.ts';
import { printable } from '../printable.ts';
import type { Kind } from '../entry.ts';
import { PLAIN, type Paint } from './line/lscolors.ts';
import { formatCount, formatDate, formatSize, isoTime } from './measures.ts';
import { columnsOf, fit, inColumns } from './width.ts';

export interface ListFlags {
  readonly long: boolean;
  readonly one: boolean;
  readonly all: boolean;
  readonly human: boolean;
  /** Largest first. */
  readonly size: boolean;
  /** Newest first. */
  readonly time: boolean;
  readonly reverse: boolean;
  /** With owners as numbers, of which there are none: as `long`. */
  readonly numeric?: boolean;
  /** As the folder gives them. */
  readonly unsorted?: boolean;
}

/** The entries to show, in order: by name in code units, the same on every machine; dot files only with `all`. */
export function arrange(entries: readonly Entry[], flags: Pick<ListFlags, 'all' | 'size' | 'time' | 'reverse' | 'unsorted'>): Entry[] {
  const shown = flags.all ? [...entries] : entries.filter(({ name }) => !name.startsWith('.'));
  if (flags.unsorted === true) return shown;
  const byName = (a: Entry, b: Entry) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  shown.sort((a, b) => {
    if (flags.time && a.mtime !== b.mtime) return b.mtime - a.mtime;
    if (flags.size && a.size !== b.size) return b.size - a.size;
    return byName(a, b);
  });
  return flags.reverse ? shown.reverse() : shown;
}

const MARKS: Readonly<Record<Kind, string>> = { file: '', folder: '/', link: '@', other: '=' };

/** The name with its mark: `/` a folder, `@` a link, `=` a device, FIFO or socket. */
export function marked(entry: Entry, paint: Paint = PLAIN): string {
  return paint(entry, entry.name, printable(entry.name)) + MARKS[entry.kind];
}

/** The lines of a listing; `width` in columns, undefined for one name a line and for lines as long as they come out. */
export function listingLines(entries: readonly Entry[], flags: Pick<ListFlags, 'long' | 'human' | 'numeric'>, width: number | undefined, paint: Paint = PLAIN): string[] {
  if (flags.long || flags.numeric === true) return longLines(entries, flags.human, width, paint);
  const names = entries.map((entry) => marked(entry, paint));
  return width === undefined ? names : inColumns(names, width);
}

/** What can be left out of a long line where it would wrap, in this order: sizes in full, the time of day, the mode; and the date where hardly anything of a name would be left. */
interface Columns { readonly human: boolean; readonly clock: boolean; readonly mode: boolean; readonly date: boolean }

/** So many columns of a name tell most of them apart. */
const LEAST_NAME = 8;

const NARROWER: readonly ((columns: Columns) => Columns)[] = [(columns) => ({ ...columns, human: true }), (columns) => ({ ...columns, clock: false }), (columns) => ({ ...columns, mode: false })];

/** Without a width nobody looks: programs read sizes as plain digits. */
function longLines(entries: readonly Entry[], human: boolean, width: number | undefined, paint: Paint): string[] {
  if (width === undefined) return headsOf(entries, { human, clock: true, mode: true, date: true }, String).map((head, index) => head + marked(entries[index]!, paint));
  const names = entries.map((entry) => columnsOf(marked(entry)));
  let columns: Columns = { human, clock: true, mode: true, date: true };
  let heads = headsOf(entries, columns);
  // A name that is cut in any case takes nothing from the others.
  const least = headsOf(entries, NARROWER.reduce((wide, narrower) => narrower(wide), columns))[0]?.length ?? 0;
  const counted = names.map((name) => (least + name > width ? Math.min(name, Math.floor(width / 3)) : name));
  for (const narrower of NARROWER) {
    if (heads.every((head, index) => head.length + counted[index]! <= width)) break;
    columns = narrower(columns);
    heads = headsOf(entries, columns);
  }
  const isCut = (head: string, index: number): boolean => head.length + Math.min(names[index]!, LEAST_NAME) > width;
  if (heads.some(isCut)) heads = headsOf(entries, { ...columns, date: false });
  return entries.map((entry, index) => {
    const room = width - heads[index]!.length;
    return heads[index]! + (names[index]! <= room ? marked(entry, paint) : fit(marked(entry), Math.max(1, room)));
  });
}

/** All of a long line but the name. */
function headsOf(entries: readonly Entry[], { human, clock, mode, date: dated }: Columns, exact: (size: number) => string = formatCount): string[] {
  const sizes = entries.map(({ kind, size }) => (kind !== 'file' ? '-' : human ? formatSize(size) : exact(size)));
  const widest = sizes.reduce((most, size) => Math.max(most, size.length), 0);
  return entries.map((entry, index) => {
    const date = formatDate(entry.mtime);
    return [...(mode ? [modeText(entry)] : []), sizes[index]!.padStart(widest), ...(dated ? [clock ? date : date.slice(0, 10)] : []), ''].join('  ');
  });
}

const LETTERS: Readonly<Record<Kind, string>> = { file: '-', folder: 'd', link: 'l', other: '?' };

/** `-rw-r--r--`, as `ls -l` shows it. */
export function modeText({ kind, mode }: Pick<Entry, 'kind' | 'mode'>): string {
  const bits = Array.from('rwxrwxrwx', (letter, index) => (mode & (0o400 >> index) ? letter : '-'));
  return LETTERS[kind] + bits.join('');
}

/** An entry for programs; `path` from the served folder. The time is ISO 8601 in UTC with microseconds. */
export function entryEvent(entry: Entry, path: string): object {
  const { kind, size, mtime, mode } = entry;
  return { event: 'entry', path, kind, size, mtime: isoTime(mtime), mode: mode.toString(8).padStart(3, '0') };
}
