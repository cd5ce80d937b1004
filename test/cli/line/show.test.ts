import { beforeAll, expect, test } from 'vitest';
import type { Candidate } from '../../../src/cli/line/kinds.ts';
import { PLAIN } from '../../../src/cli/line/lscolors.ts';
import { listLines, questionBefore } from '../../../src/cli/line/show.ts';
import { loadWidths } from '../../../src/cli/width.ts';

beforeAll(loadWidths);

const files = (count: number, mtime = 1_700_000_000_000_000): Candidate[] => Array.from({ length: count }, (_, index) => {
  const word = `file-${String(index).padStart(5, '0')}`;
  return { word, shown: word, folder: false, entry: { kind: 'file' as const, size: index, mtime, mode: 0o644 } };
});

test('more than a hundred names are listed only when that is agreed to', () => {
  expect(questionBefore(files(100))).toBe('');
  expect(questionBefore(files(300))).toBe('list all 300? (y/n)');
  expect(questionBefore(files(5_000))).toBe('list 2,000 of 5,000? (y/n)');
});

test('a long list that was agreed to has sizes and dates as a short one, where they are known and it is not far too long', () => {
  const room = { width: 80, rows: 24, all: true };
  expect(listLines(files(300), room, PLAIN)[0]).toMatch(/^file-00000 +0 B +2023-11-1\d \d\d:\d\d/);
  expect(listLines(files(300, NaN), room, PLAIN)[0]).toMatch(/^file-00000 +file-\d+/);
  expect(listLines(files(2_000), room, PLAIN)[0]).toMatch(/^file-00000 +file-\d+/);
  expect(listLines(files(5_000), room, PLAIN).at(-1)).toBe('and 3,000 more');
});

test('long names in a narrow list are not cut to the same lines', () => {
  const names = files(8).map((one, index) => ({ ...one, shown: `file with the number ${index} in a 長いファイル.dat` }));
  for (const all of [true, false]) expect(new Set(listLines(names, { width: 20, rows: 24, all }, PLAIN)).size).toBe(8);
});
