/** What `quick --ci` keeps an eye on, and what it says when something became much slower. */
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';

const bench = resolve(import.meta.dirname, '..', '..', 'bench');

interface Case { readonly id: string; readonly ways: readonly string[]; readonly peers: readonly string[]; readonly alarm: { readonly measured: number; readonly below: number } }
interface Verdict { readonly text: string; readonly met: boolean }

const { CI } = await import(pathToFileURL(join(bench, 'suites.mjs')).href) as { CI: (sizes: { scale: number }) => Case[] };
const { judge } = await import(pathToFileURL(join(bench, 'verdicts.mjs')).href) as { judge: (all: object) => Verdict[] };

test('three ratios are watched: large and small files against sftp, a changed file against rsync', () => {
  const cases = CI({ scale: 1 });
  expect(cases.map(({ id, ways, peers }) => [id, ways, peers])).toEqual([['large', ['put'], ['sftp']], ['small', ['put'], ['sftp']], ['changed', ['put'], ['rsync']]]);
  for (const { alarm } of cases) expect(alarm.below).toBeLessThanOrEqual(alarm.measured / 2);
});

describe('the alarm', () => {
  const facts = { way: 'put', title: '1 file', place: 'memory', peer: 'sftp', alarm: { measured: 3, below: 1.5 }, limits: {} };
  const verdicts = (high: number, faults: string[] = []): Verdict[] => judge({ comparisons: [{ facts, faults, pairs: 3, ratio: { low: 0.1, middle: 0.2, high } }], figures: [], growths: [] });

  test('is raised when the upper quartile falls below its bound, and says what it was before', () => {
    expect(verdicts(1.49).at(-1)).toEqual({ met: false, text: 'put 1 file: ALARM, below 1.5 times as fast as sftp: upper quartile 1.49, and 3 when last measured; something became much slower' });
  });

  test('is not raised before', () => {
    expect(verdicts(1.5).at(-1)).toEqual({ met: true, text: 'put 1 file: no alarm, not below 1.5 times as fast as sftp: upper quartile 1.50' });
  });

  test('is no matter where a copy was wrong: that has failed already', () => {
    expect(verdicts(9, ['wherry failed'])).toEqual([{ met: false, text: 'put 1 file: every copy is right, also by sftp' }]);
  });
});
