/** What drop boxes put, over restarts: as much as is remembered, no more than is bounded, and whatever the files have become. */
import { appendFile, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MOST, type Most } from '../../src/drive/recent.ts';
import { Puts } from '../../src/server/puts.ts';

let state: string;
let now: number;
let warnings: string[];
let most: Most;
beforeEach(async () => { [state, now, warnings, most] = [await mkdtemp(join(tmpdir(), 'wherry-puts-')), Date.UTC(2030, 0, 1), [], MOST]; });
afterEach(() => rm(state, { recursive: true }));

const open = (): Promise<Puts> => Puts.open(state, (message) => warnings.push(message), () => now, most);
const key = (number: number): string => String(number).padEnd(16);

/** In a server of its own, as after a restart. */
async function during<T>(step: (puts: Puts) => T): Promise<T> {
  await using puts = await open();
  return step(puts);
}

test('is known after a restart, of its owner, at the level that was promised, for a week', async () => {
  await during((puts) => { puts.remember('ann', [key(1), key(2)], 'visible'); puts.remember('ann', [key(3)], 'durable'); });
  await during((puts) => {
    expect([1, 2, 3, 4].map((number) => puts.recall('ann', key(number), 'visible'))).toEqual([true, true, true, false]);
    expect([puts.recall('ann', key(1), 'durable'), puts.recall('ann', key(3), 'durable'), puts.recall('ben', key(1), 'visible')]).toEqual([false, true, false]);
  });
  now += 7 * 86_400_000;
  expect(await during((puts) => puts.recall('ann', key(1), 'visible'))).toBe(false);
  expect(warnings).toEqual([]);
});

test('is in a file that nobody else reads, without the name of whose it is', async () => {
  await during((puts) => puts.remember('ann of the long name', [key(1)], 'visible'));
  expect((await stat(join(state, 'puts'))).mode & 0o777).toBe(0o600);
  expect((await readFile(join(state, 'puts'), 'latin1')).includes('ann')).toBe(false);
});

test('a file that is full makes room, no more than two are there, and what is not remembered is not in them', async () => {
  const sizes = (): Promise<number[]> => Promise.all(['puts', 'puts.old'].map((name) => stat(join(state, name)).then(({ size }) => size, () => 0)));
  most = { account: 10, files: 30 };
  for (let round = 0; round < 50; round += 1) {
    await during((puts) => puts.remember('ann', [key(round), key(round + 1000), key(round + 2000)], 'visible'));
    for (const size of await sizes()) expect(size).toBeLessThanOrEqual(30 * 37);
  }
  expect(await during((puts) => [puts.recall('ann', key(49), 'visible'), puts.recall('ann', key(1), 'visible')])).toEqual([true, false]);
  for (const owner of ['ben', 'eve']) await during((puts) => puts.remember(owner, Array.from({ length: 10 }, (_, number) => key(number)), 'visible'));
  const before = await sizes();
  await during((puts) => puts.remember('one too many', [key(1)], 'visible'));
  expect(await sizes()).toEqual(before);
});

test('a file that was cut loses what was cut, and goes on', async () => {
  await during((puts) => puts.remember('ann', [key(1), key(2)], 'visible'));
  await truncate(join(state, 'puts'), 37 + 20);
  await during((puts) => puts.remember('ann', [key(3)], 'visible'));
  expect(await during((puts) => [1, 2, 3].map((number) => puts.recall('ann', key(number), 'visible')))).toEqual([true, false, true]);
});

test('what is no record, or from another time, says nothing', async () => {
  const garbage = Buffer.alloc(37 * 100, 0xee);
  await writeFile(join(state, 'puts'), garbage);
  await during((puts) => puts.remember('ann', [key(1)], 'visible'));
  expect(await during((puts) => puts.recall('ann', key(1), 'visible'))).toBe(true);
  await appendFile(join(state, 'puts'), Buffer.alloc(30 << 20));
  expect(await during((puts) => puts.recall('ann', key(1), 'visible'))).toBe(false);
  expect(warnings).toEqual([expect.stringContaining('longer than this server makes it')]);
});
