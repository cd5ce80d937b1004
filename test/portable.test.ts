import { expect, test } from 'vitest';
import { unportable } from '../src/portable.ts';
import { PORTABLE, UNPORTABLE } from './windows-names.ts';

test.each(Object.entries(UNPORTABLE))('A8: names that are %s are told from others, and why', (_, names) => {
  expect(names.filter((name) => unportable(name) === undefined)).toEqual([]);
});

test('A8: names that only look like these are portable', () => {
  expect(PORTABLE.filter((name) => unportable(name) !== undefined)).toEqual([]);
});

test('A8: sixty and more names are looked at', () => {
  expect(Object.values(UNPORTABLE).flat().length + PORTABLE.length).toBeGreaterThanOrEqual(60);
});
