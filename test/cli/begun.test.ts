/** What was begun and has not ended well is known by its words: to its owner, for a week, and never in the way. */
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { begin, end, isBegun, type Words } from '../../src/cli/begun.ts';

const DAY = 86_400;
const words: Words = { verb: 'put', server: 'sha256:abc', account: 'ann', source: '/home/ann/photos', target: '/new' };

let home: string;
const folder = (): string => join(home, 'begun');
const files = async (): Promise<string[]> => (await readdir(folder())).map((name) => join(folder(), name));
beforeEach(async () => { home = await mkdtemp(join(tmpdir(), 'wherry-begun-')); });
afterEach(async () => rm(home, { recursive: true }));

test('is known until it ends, by all of its words, and readable for its owner alone', async () => {
  expect(await isBegun(home, words)).toBe(false);
  expect(await begin(home, words)).toBe(true);
  expect(await isBegun(home, { ...words })).toBe(true);
  for (const other of [{ verb: 'get' }, { server: 'x' }, { account: 'bob' }, { source: '/x' }, { target: '/x' }] as const) expect(await isBegun(home, { ...words, ...other })).toBe(false);
  const [file = ''] = await files();
  expect([(await stat(file)).mode & 0o777, (await stat(folder())).mode & 0o777]).toEqual([0o600, 0o700]);
  await end(home, words);
  expect([await isBegun(home, words), await files()]).toEqual([false, []]);
});

test('is forgotten after a week, and the oldest of more than a hundred; what was left half written goes too', async () => {
  await begin(home, words);
  const [file = ''] = await files();
  const noted = JSON.parse(await readFile(file, 'utf8')) as object;
  await writeFile(file, JSON.stringify({ ...noted, at: Date.now() - 6.9 * DAY * 1000 }));
  expect(await isBegun(home, words)).toBe(true);
  await writeFile(file, JSON.stringify({ ...noted, at: Date.now() - 7.1 * DAY * 1000 }));
  expect(await isBegun(home, words)).toBe(false);
  await writeFile(join(folder(), '.half.new'), '{');
  for (const path of await files()) await utimes(path, Date.now() / 1000 - 8 * DAY, Date.now() / 1000 - 8 * DAY);
  for (let index = 0; index < 103; index += 1) await begin(home, { ...words, target: `/${index}` });
  expect(await files()).toHaveLength(100);
  expect(await Promise.all([0, 2, 3, 102].map((index) => isBegun(home, { ...words, target: `/${index}` })))).toEqual([false, false, true, true]);
});

test('that was noted by several at once is there, each of it', async () => {
  const all = Array.from({ length: 30 }, (_, index) => ({ ...words, target: `/${index}` }));
  expect(await Promise.all([...all, ...all].map((one) => begin(home, one)))).not.toContain(false);
  expect(await Promise.all(all.map((one) => isBegun(home, one)))).not.toContain(false);
  expect(await files()).toHaveLength(30);
});

test('that cannot be read was not begun, and what cannot be written is told', async () => {
  await begin(home, words);
  const [file = ''] = await files();
  for (const text of ['', '{', 'null', '[]', '{"at":1}', JSON.stringify({ ...words, at: 'now' }), JSON.stringify({ ...words, target: '/x', at: Date.now() })]) {
    await writeFile(file, text);
    expect(await isBegun(home, words), text).toBe(false);
  }
  await begin(home, words);
  await chmod(file, 0o644);
  expect(await isBegun(home, words)).toBe(false);
  await rm(folder(), { recursive: true });
  await writeFile(folder(), '');
  expect([await isBegun(home, words), await begin(home, words)]).toEqual([false, false]);
  await end(home, words);
  await rm(folder());
  await mkdir(folder(), { mode: 0o777 });
  await chmod(folder(), 0o777);
  expect(await begin(home, words)).toBe(false);
});
