/** What the documents name is there: the tests behind the README's comparison, and the screens that are kept. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
/** The cells of all rows of a table of Markdown that stands behind `heading`. */
const rowsBehind = (text: string, heading: string): string[][] => text.slice(text.indexOf(heading)).split('\n').filter((line) => line.startsWith('| ')).map((line) => line.split(' | '));
const named = (cell: string): string[] => [...cell.matchAll(/`([\w/.-]+)`/g)].map(([, name]) => name!);
const missing = (tests: readonly string[]): string[] => tests.filter((name) => !existsSync(join(ROOT, 'test', `${name}.test.ts`)));

test('every test that the README names exists', () => {
  const tests = rowsBehind(read('README.md'), '### At the keyboard').flatMap((cells) => named(cells.at(-1)!));
  expect(tests.length).toBeGreaterThan(20);
  expect(missing(tests)).toEqual([]);
});

test('the index of screens has every screen, and names tests that keep them', () => {
  const rows = rowsBehind(read('docs/screens/README.md'), '# Screens');
  const kept = new Set(readdirSync(join(ROOT, 'docs/screens')).filter((name) => name.endsWith('.txt')).map((name) => name.replace(/-\d+x\d+\.txt$/, '')));
  expect(rows.flatMap(([screens]) => named(screens!)).toSorted()).toEqual([...kept].toSorted());
  expect(missing(rows.flatMap((cells) => named(cells.at(-1)!)))).toEqual([]);
  for (const [screens, , tests] of rows) for (const name of named(screens!)) expect(named(tests!).some((one) => read(`test/${one}.test.ts`).includes(`'${name}'`)), name).toBe(true);
});
