import { describe, expect, test } from 'vitest';
import { extend, foundBy, next, shorten, START, type Search } from '../../../src/cli/line/search.ts';

const LINES = ['put photos', 'ls', 'get Photo.jpg', 'put photos', 'cd photos'];
const type = (text: string): Search => [...text].reduce((search, letter) => extend(LINES, search, letter), START);

describe('a search in history', () => {
  test('finds the newest line first, then older ones, each once, and back', () => {
    const newest = type('photo');
    expect(foundBy(LINES, newest)).toBe('put photos');
    const older = next(LINES, newest, 1);
    expect(foundBy(LINES, older)).toBe('get Photo.jpg');
    expect(foundBy(LINES, next(LINES, older, -1))).toBe('put photos');
  });

  test('keeps the last line found when nothing fits, and says so', () => {
    const failed = type('photosx');
    expect([foundBy(LINES, failed), failed.failed]).toEqual(['put photos', true]);
    expect(foundBy(LINES, shorten(LINES, failed))).toBe('put photos');
  });

  test('minds capitals that are typed', () => {
    expect(foundBy(LINES, type('Photo'))).toBe('get Photo.jpg');
  });

  test('shows nothing before something is typed', () => {
    expect(foundBy(LINES, START)).toBeUndefined();
    expect(next(LINES, START, 1)).toBe(START);
  });
});
