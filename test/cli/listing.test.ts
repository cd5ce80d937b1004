import { beforeAll, describe, expect, test } from 'vitest';
import { digestLine } from '../../src/cli/files.ts';
import { arrange, entryEvent, listingLines, modeText } from '../../src/cli/listing.ts';
import type { Entry } from '../../src/entry.ts';
import { loadWidths } from '../../src/cli/width.ts';

beforeAll(loadWidths);

function entry(name: string, over: Partial<Entry> = {}): Entry {
  return { name, kind: 'file', size: 0, mtime: 1_700_000_000_000_000, mode: 0o644, ...over };
}

const plain = { all: false, size: false, time: false, reverse: false };
const names = (entries: readonly Entry[]) => entries.map(({ name }) => name);

describe('entries are arranged', () => {
  const entries = [entry('b', { size: 1, mtime: 3 }), entry('a', { size: 2, mtime: 1 }), entry('.c', { size: 9, mtime: 9 }), entry('B', { size: 2, mtime: 1 })];
  test.each<[flags: Partial<typeof plain>, order: string[]]>([
    [{}, ['B', 'a', 'b']],
    [{ all: true }, ['.c', 'B', 'a', 'b']],
    [{ size: true }, ['B', 'a', 'b']],
    [{ time: true }, ['b', 'B', 'a']],
    [{ reverse: true }, ['b', 'a', 'B']],
  ])('by %j', (flags, order) => expect(names(arrange(entries, { ...plain, ...flags }))).toEqual(order));
});

test('a long listing is aligned, and marks what a name is', () => {
  const lines = listingLines([entry('a', { size: 1_234_567 }), entry('d', { kind: 'folder', mode: 0o755 }), entry('\u001bl', { kind: 'link', mode: 0o777 })], { long: true, human: false }, 80);
  expect(lines.map((line) => line.replace(/\d{4}-\d\d-\d\d \d\d:\d\d/, 'TIME'))).toEqual(['-rw-r--r--  1,234,567  TIME  a', 'drwxr-xr-x          -  TIME  d/', 'lrwxrwxrwx          -  TIME  \\x1bl@']);
});

describe('a long listing where it would wrap', () => {
  const entries = [entry('photograph.jpg', { size: 1_234_567 }), entry('d', { kind: 'folder', mode: 0o755 })];
  test.each([
    [60, '-rw-r--r--  1,234,567  DATE TIME  photograph.jpg'],
    [54, '-rw-r--r--  1.2 MiB  DATE TIME  photograph.jpg'],
    [48, '-rw-r--r--  1.2 MiB  DATE  photograph.jpg'],
    [40, '1.2 MiB  DATE  photograph.jpg'],
    [30, '1.2 MiB  DATE  photogr…'],
    [24, '1.2 MiB  photograph.jpg'],
    [20, '1.2 MiB  photogr…jpg'],
  ])('is narrower: in %d columns', (width, line) => {
    const lines = listingLines(entries, { long: true, human: false }, width);
    for (const one of lines) expect(one.length).toBeLessThanOrEqual(width);
    const steady = lines.map((one) => one.replace(/\d{4}-\d\d-\d\d/, 'DATE').replace(/\d\d:\d\d/, 'TIME'));
    expect(line.endsWith('…') ? steady[0]!.startsWith('1.2 MiB  DATE  photo') : steady[0] === line, steady[0]).toBe(true);
  });

  test('stays whole where nobody looks', () => {
    expect(listingLines(entries, { long: true, human: false }, undefined)[0]).toMatch(/^-rw-r--r-- {2}1234567 {2}\S+ \S+ {2}photograph\.jpg$/);
  });

  test('loses nothing for one name that is cut in any case', () => {
    const lines = listingLines([...entries, entry('x'.repeat(255))], { long: true, human: false }, 80);
    expect(lines[0]).toMatch(/^-rw-r--r-- {2}1,234,567 {2}\S{10} \d\d:\d\d {2}photograph\.jpg$/);
    expect(lines[2]).toMatch(/^-rw-r--r-- .*x…x+$/);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  });
});

test('a short listing is one name a line, or columns where there is a width', () => {
  const entries = [entry('a'), entry('b', { kind: 'folder' }), entry('c', { kind: 'other' })];
  expect(listingLines(entries, { long: false, human: false }, undefined)).toEqual(['a', 'b/', 'c=']);
  expect(listingLines(entries, { long: false, human: false }, 80)).toEqual(['a  b/  c=']);
});

test('a mode is shown as ls shows it', () => {
  expect(modeText(entry('x', { mode: 0o751 }))).toBe('-rwxr-x--x');
});

test('an entry for programs has exact values', () => {
  expect(entryEvent(entry('a', { size: 5, mtime: 1_700_000_000_123_456, mode: 0o44 }), '/d/a')).toEqual({
    event: 'entry', path: '/d/a', kind: 'file', size: 5, mtime: '2023-11-14T22:13:20.123456Z', mode: '044',
  });
});

test('a digest line is what b3sum reads', () => {
  expect(digestLine('ab12', 'two words')).toBe('ab12  two words');
  expect(digestLine('ab12', 'a\\b')).toBe('\\ab12  a\\\\b');
});
