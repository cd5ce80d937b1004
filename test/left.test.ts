/** What of a tree need not come, in one message: what was named is known again, nothing else is, and no more than fits. */
import { beforeAll, expect, test } from 'vitest';
import { ready } from '../src/digest.ts';
import { markLeft, MAX_LEFT, MAX_LEFT_BYTES, readLeft } from '../src/left.ts';

beforeAll(async () => ready());

test('paths that were named are known again, and no others', () => {
  const isLeft = readLeft(markLeft(['a', 'docs/ä.txt', '']));
  expect(['a', 'docs/ä.txt', '', 'b', 'docs', 'docs/a.txt', 'A'].map((path) => isLeft(path))).toEqual([true, true, true, false, false, false, false]);
});

test('of nothing there is nothing to say', () => {
  expect(markLeft([])).toBeUndefined();
  expect(readLeft(undefined)('a')).toBe(false);
});

test('the same paths look different each time, so that nobody can name a file for another', () => {
  expect(Buffer.from(markLeft(['a'])!).equals(markLeft(['a'])!)).toBe(false);
});

test('a message holds as many as fit, a list that goes nowhere all of them', () => {
  const paths = Array.from({ length: MAX_LEFT + 1 }, (_, index) => `file ${index}`);
  const isLeft = readLeft(markLeft(paths));
  expect(markLeft(paths)?.byteLength).toBe(MAX_LEFT_BYTES);
  expect([isLeft(paths[MAX_LEFT - 1]!), isLeft(paths[MAX_LEFT]!)]).toEqual([true, false]);
  expect(readLeft(markLeft(paths, Infinity))(paths[MAX_LEFT]!)).toBe(true);
});

test.each([1, 15, 17, 27])('a list of %d bytes is refused', (bytes) => {
  expect(() => readLeft(new Uint8Array(bytes))).toThrow('malformed');
});
