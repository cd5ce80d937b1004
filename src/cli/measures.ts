/**
 * Sizes, rates, times and counts as people read and type them. Pure.
 *
 * Sizes are in powers of 1024 with their IEC names, at two or three significant digits; exact numbers are for `--json`.
 */
import { timeIn } from '../amounts.ts';
import { Failure } from '../errors.ts';
import { printable } from '../printable.ts';

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** `812 B`, `4.1 GiB`, `412 MiB`: one decimal below ten. */
export function formatSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 1023.5 would be shown as 1024 of the smaller unit.
  while (value >= 1023.5 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit > 0 && value < 9.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${UNITS[unit]!}`;
}

/** `110 MiB/s`. */
export function formatRate(bytesPerSecond: number): string {
  return `${formatSize(bytesPerSecond)}/s`;
}

/** `31,204`: the same in every country, so that logs can be compared. */
export function formatCount(count: number): string {
  // `toLocaleString` loads the language data first, which takes a short command 10 ms.
  return String(count).replaceAll(/\B(?=(?:\d{3})+$)/g, ',');
}

/** `1 file`, `31,204 files`. */
export function plural(count: number, word: string): string {
  return `${formatCount(count)} ${word}${count === 1 ? '' : 's'}`;
}

/** How long something took: `4 ms`, `3.1 s`, `38 s`, `3 min 12 s`, `2 h 5 min`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 999.5) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 9_950) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Time left on a progress line: `0:21`, `12:05`, `3:07:00`; beyond 99 hours nobody believes it. */
export function formatClock(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (!(whole < 99 * 3600)) return '--:--';
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const tail = String(whole % 60).padStart(2, '0');
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${tail}` : `${minutes}:${tail}`;
}

/** `2026-11-23 21:04`, in the local time zone; `mtime` in microseconds since 1970. */
export function formatDate(mtime: number): string {
  const date = new Date(Math.floor(mtime / 1000));
  if (Number.isNaN(date.getTime())) return 'unknown';
  const two = (value: number) => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** ISO 8601 in UTC with all six decimals, for programs; `mtime` in microseconds since 1970. */
export function isoTime(mtime: number): string {
  const date = new Date(Math.floor(mtime / 1000));
  if (Number.isNaN(date.getTime())) return 'unknown';
  const micros = String(((mtime % 1000) + 1000) % 1000).padStart(3, '0');
  return date.toISOString().replace('Z', `${micros}Z`);
}

/** The longest delay a Node timer can hold, about 24 days: a longer one would fire at once. */
const LONGEST = 2 ** 31 - 1;

/** `30s`, `10m`, `1.5h`, `500ms`, plain seconds: in milliseconds. Throws USAGE, naming the flag. */
export function parseDuration(text: string, flag: string): number {
  const value = timeIn(text);
  if (value === undefined) throw new Failure('USAGE', `${flag} ${text}: not a length of time`, { hint: `write it as ${flag} 30s, 10m or 2h` });
  if (value > LONGEST) throw new Failure('USAGE', `${flag} ${text}: longer than 24 days`, { hint: 'leave it out for no limit' });
  return value;
}

/** As far ahead, or back, as anybody plans; a date of any such length can be written. */
const LONGEST_AGE_DAYS = 3650;

/** As `parseDuration`, of what is compared with a clock and not waited for: up to ten years. */
export function parseAge(text: string, flag: string): number {
  const value = timeIn(text);
  if (value === undefined) throw new Failure('USAGE', `${flag} ${text}: not a length of time`, { hint: `write it as ${flag} 30m, 12h or 30d` });
  if (value > LONGEST_AGE_DAYS * 86_400_000) throw new Failure('USAGE', `${flag} ${text}: longer than ${LONGEST_AGE_DAYS} days`, { hint: 'give a shorter time' });
  return value;
}

const SIZE_UNITS: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** Reads `500`, `10M`, `1.5 GiB`: bytes, with units of 1024. Throws USAGE for what is no size above zero. */
export function parseSize(text: string, flag: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(text.trim());
  const bytes = match === null ? NaN : Math.round(Number(match[1]) * SIZE_UNITS[match[2]!.toLowerCase()]!);
  if (!Number.isSafeInteger(bytes) || bytes === 0) throw new Failure('USAGE', `${flag} is a size, not "${printable(text)}"`, { hint: 'for example 500M or 10G' });
  return bytes;
}
