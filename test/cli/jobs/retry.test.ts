import { describe, expect, test } from 'vitest';
import { pauseBefore } from '../../../src/cli/jobs/retry.ts';
import { Failure } from '../../../src/errors.ts';

const DAY = 86_400_000;
const lost = new Failure('LOST', 'gone');

describe('a job that failed', () => {
  test('waits twice as long each time, up to five minutes, with half of it left to chance', () => {
    expect([1, 2, 3, 8, 9, 10, 1000].map((fails) => pauseBefore(lost, fails, 0, 0))).toEqual([500, 1000, 2000, 64_000, 128_000, 150_000, 150_000]);
    expect([1, 9, 10, 1000].map((fails) => pauseBefore(lost, fails, 0, 1))).toEqual([1000, 256_000, 300_000, 300_000]);
  });

  test('waits for a server that is away for seven days', () => {
    expect(pauseBefore(lost, 2000, 7 * DAY, 0)).toBeDefined();
    expect(pauseBefore(lost, 2000, 7 * DAY + 1, 0)).toBeUndefined();
    expect(pauseBefore(new Failure('CONNECT', 'nobody there', { retry: false }), 1, 0, 0)).toBeDefined();
  });

  test('is over at once when the same would fail again', () => {
    for (const code of ['NOTFOUND', 'DENIED', 'NOSPACE', 'EXISTS', 'IDENTITY', 'AUTH'] as const) expect(pauseBefore(new Failure(code, 'no'), 1, 0, 0), code).toBeUndefined();
  });

  test('gets a few tries when the file changes each time', () => {
    const changed = new Failure('CHANGED', 'changed');
    expect(pauseBefore(changed, 9, 0, 0)).toBeDefined();
    expect(pauseBefore(changed, 10, 0, 0)).toBeUndefined();
  });
});
