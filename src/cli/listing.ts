/**
 * Listing: entries of a folder as lines, in the order and the form that was asked for. Pure.
 * Names pass `printable` here; a name is never shown raw.
 */
import type { Entry } from '../client/api.ts';
import { printable } from '../printable.ts';
import type { Kind } from '../entry.ts';
import { formatCount, formatDate, formatSize, isoTime } from './measures.ts';
import { inColumns } from './width.ts';

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
}

/** The entries to show, in order: by name in code units, the same on every machine; dot files only with `all`. */
export function arrange(entries: readonly Entry[], flags: Pick<ListFlags, 'all' | 'size' | 'time' | 'reverse'>): Entry[] {
  const shown = flags.all ? [...entries] : entries.filter(({ name }) => !name.startsWith('.'));
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
export function marked(entry: Entry): string {
  return printable(entry.name) + MARKS[entry.kind];
}

/** The lines of a listing; `width` in columns, undefined for one name a line. */
export function listingLines(entries: readonly Entry[], flags: Pick<ListFlags, 'long' | 'human'>, width: number | undefined): string[] {
  if (flags.long) return longLines(entries, flags.human);
  const names = entries.map(marked);
  return width === undefined ? names : inColumns(names, width);
}

function longLines(entries: readonly Entry[], human: boolean): string[] {
  const sizes = entries.map(({ kind, size }) => (kind !== 'file' ? '-' : human ? formatSize(size) : formatCount(size)));
  const widest = sizes.reduce((most, size) => Math.max(most, size.length), 0);
  return entries.map((entry, index) => `${modeText(entry)}  ${sizes[index]!.padStart(widest)}  ${formatDate(entry.mtime)}  ${marked(entry)}`);
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
