import { expect, test } from 'vitest';
import { waitBefore } from '../../src/cli/backoff.ts';

test('the wait doubles up to half a minute, and is never less than half of that', () => {
  expect([1, 2, 3, 4, 5, 6, 7, 1000].map((attempt) => waitBefore(attempt, 1))).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  expect([1, 2, 6].map((attempt) => waitBefore(attempt, 0))).toEqual([500, 1000, 15_000]);
});
