import { beforeEach, expect, test } from 'vitest';
import { Pace } from '../../src/access/pace.ts';

let clock: number;
let pace: Pace;
beforeEach(() => {
  clock = 0;
  pace = new Pace({ now: () => clock, wait: async (milliseconds) => { clock += milliseconds; } });
});

test('what moves goes at the rate, after a first quarter of a second at once', async () => {
  clock = 1000;
  for (let moved = 0; moved < 10; moved += 1) await pace.take('ann', 'in', 100, 1000);
  expect(clock).toBe(1000 + 1000 - 250);
});

test('what was not used is not saved up beyond that', async () => {
  await pace.take('ann', 'in', 1, 1000);
  clock += 60_000;
  const before = clock;
  await pace.take('ann', 'in', 1000, 1000);
  expect(clock - before).toBe(750);
});

test('ways and names do not wait for each other', async () => {
  await pace.take('ann', 'in', 10_000, 1000);
  const before = clock;
  await pace.take('ann', 'out', 200, 1000);
  await pace.take('bob', 'in', 200, 1000);
  expect(clock).toBe(before);
});

test('who asks at the same time takes turns, a quarter of a second for each', async () => {
  const waits: number[] = [];
  pace = new Pace({ now: () => clock, wait: async (milliseconds) => { waits.push(milliseconds); } });
  clock = 1000;
  await Promise.all([pace.take('ann', 'in', 500, 1000), pace.take('ann', 'in', 500, 1000)]);
  expect(waits).toEqual([250, 500, 750]);
});

test('a small file does not wait for all of a large one that was moved before it', async () => {
  const ended: string[] = [];
  const waiting: { until: number; go(): void }[] = [];
  pace = new Pace({ now: () => clock, wait: (milliseconds) => new Promise<void>((go) => waiting.push({ until: clock + milliseconds, go })) });
  clock = 1000;
  const large = pace.take('ann', 'in', 16_000, 1000).then(() => void ended.push(`large ${clock}`));
  const small = pace.take('ann', 'in', 4, 1000).then(() => void ended.push(`small ${clock}`));
  while (ended.length < 2) {
    const [next] = waiting.sort((one, other) => one.until - other.until).splice(0, 1);
    clock = Math.max(clock, next!.until);
    next!.go();
    await new Promise((turn) => { setImmediate(turn); });
  }
  await Promise.all([large, small]);
  expect(ended).toEqual(['small 1004', 'large 16754']);
});
