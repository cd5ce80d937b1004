/** What became of a folder is counted once, and only what is in place counts as moved. */
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect, type Client, type Problem, type Progress, type Summary } from '../../src/index.ts';
import { Proxy } from '../e2e/proxy.ts';
import { finished, Rig } from '../e2e/rig.ts';
import { events, failureOf } from '../e2e/traces.ts';
import { noise, plant } from '../e2e/trees.ts';
import { Place } from '../library/place.ts';

const MIB = 1 << 20;

let place: Place;
let client: Client;
beforeAll(async () => {
  place = await Place.open();
  client = await place.connect();
});
afterAll(() => place[Symbol.asyncDispose]());

describe.each(['put', 'get'] as const)('a folder by %s', (verb) => {
  const from = (name: string): string => (verb === 'put' ? place.local(name) : place.served(name));
  const to = (name: string): string => (verb === 'put' ? place.served(name) : place.local(name));
  const move = (name: string, onFile?: (path: string, problem?: Problem) => void): Promise<Summary> => {
    return verb === 'put' ? client.put(place.local(name), '', { onFile }) : client.get(name, place.local(), { onFile });
  };

  test('that meets a file where a folder is to be counts each name once', async () => {
    const name = `met-${verb}`;
    plant(from(name), { ok: 'ok', 'sub/a': 'a', 'sub/deep/b': 'b', 'sub/large': noise(300_000), large: noise(300_000) });
    plant(to(name), { sub: 'a file' });
    mkdirSync(join(to(name), 'large'));
    const told: string[] = [];
    const { items: [item], failed } = await move(name, (path, problem) => { if (problem !== undefined) told.push(path); });
    const all = ['large', 'sub', 'sub/a', 'sub/deep', 'sub/deep/b', 'sub/large'];
    expect(item!.problems.map(({ path }) => path).toSorted()).toEqual(all);
    expect(told.toSorted()).toEqual(all);
    expect([failed, item!.failed, item!.files, item!.bytes]).toEqual([6, 6, 1, 2]);
  });
});

test('a large file of a folder that fails when its bytes had been sent adds none to what is in place', async () => {
  await using rig = await Rig.start();
  plant(join(rig.local, 'growing'), { small: 'small', large: noise(64 * MIB) });
  await using proxy = await Proxy.before(rig);
  proxy.cutAfter({ up: 4 * MIB, hold: true });
  const running = finished(rig.spawn(['put', 'growing', ':', '--json']));
  await proxy.held();
  appendFileSync(join(rig.local, 'growing/large'), 'more');
  await proxy.release();
  const ran = await running;
  expect(failureOf(ran)).toMatchObject({ code: 'CHANGED', path: 'growing/large' });
  expect(events(ran, 'item')).toMatchObject([{ files: 1, bytes: 5, failed: 1 }]);
  expect(events(ran, 'summary')).toMatchObject([{ files: 1, bytes: 5, failed: 1 }]);
});

test.each(['put', 'get'] as const)('what was there before a %s is told apart from what moves', async (verb) => {
  const all = noise(24 * MIB);
  const name = `begun-${verb}`;
  const [from, to] = verb === 'put' ? [place.local(name), place.served(name)] : [place.served(name), place.local(name)];
  plant(from, { large: all, small: 'small' });
  plant(to, { large: all.subarray(0, 16 * MIB) });
  const told: Progress[] = [];
  const options = { onProgress: (progress: Progress) => void told.push(progress) };
  const { kept } = verb === 'put' ? await client.put(`${from}/.`, name, options) : await client.get(`${name}/.`, to, options);
  expect(kept).toBe(16 * MIB);
  expect(told.at(-1)).toMatchObject({ bytes: 24 * MIB + 5, kept });
  expect(told.every((progress) => progress.bytes >= progress.kept)).toBe(true);
});

test('when nothing of a folder is on its way any more, progress names the folder', async () => {
  plant(place.local('named'), { large: noise(4 * MIB), small: 'small' });
  const told: Progress[] = [];
  await client.put(place.local('named'), 'named-too', { onProgress: (progress) => void told.push(progress) });
  expect(told.at(-1)).toMatchObject({ name: 'named', active: [], files: 2 });
});

test('of a source that is not there no progress is told, for there is nothing to name', async () => {
  const told: unknown[] = [];
  const { failed } = await client.put(place.local('nix'), '', { onProgress: (progress) => told.push(progress) });
  expect([failed, told]).toEqual([1, []]);
});

test('what is on its way is told, with what has arrived of it and not what waits on the line, and no more of it when it is over', async () => {
  await using rig = await Rig.start();
  plant(join(rig.local, 'two'), { small: 'small', one: noise(16 * MIB), other: noise(16 * MIB) });
  await using proxy = await Proxy.before(rig);
  proxy.cutAfter({ up: 4 * MIB, hold: true });
  await using near = await connect({ server: 'test', home: rig.home });
  const told: Progress[] = [];
  const done = near.put(join(rig.local, 'two'), '', { onProgress: (progress) => told.push(progress) });
  await proxy.held();
  const before = told.length;
  await expect.poll(() => told.length - before).toBeGreaterThan(1); // it is told again while nothing moves
  const { active, bytes } = told.at(-1)!;
  expect(active.map(({ name }) => name).toSorted()).toEqual(['one', 'other', 'two']);
  expect(bytes).toBeGreaterThan(0);
  expect(bytes).toBeLessThanOrEqual(4 * MIB);
  await proxy.release();
  expect((await done).failed).toBe(0);
  expect(told.at(-1)).toMatchObject({ active: [], streams: 1, bytes: 32 * MIB + 5 });
});
