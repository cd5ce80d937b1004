/** What one try of a transfer leaves for the next: packs and large files that arrived are not sent again, and a new folder is finished as one. */
import { chmodSync, existsSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Client, Remembered } from '../../src/index.ts';
import { plant } from '../e2e/trees.ts';
import { Place } from '../library/place.ts';

let place: Place;
let client: Client;
beforeAll(async () => {
  place = await Place.open();
  client = await place.connect();
});
afterAll(() => place[Symbol.asyncDispose]());

const YEAR_2001 = 1_000_000_000;

function fresh(): Remembered {
  return { sent: new Set(), tops: new Set(), fetched: new Map(), left: new Map(), held: new Map() };
}

test('small files that a server has confirmed are not sent again, those that changed since are', async () => {
  plant(place.local('tree'), { one: 'one', 'sub/two': 'two', 'sub/three': 'three' });
  const remembered = fresh();
  await client.put(place.local('tree'), 'sent', { remembered });
  expect(remembered.sent.size).toBe(1);
  const again = await client.put(`${place.local('tree')}/.`, 'sent', { remembered });
  expect([again.files, again.bytes, again.kept]).toEqual([3, 11, 11]);
  writeFileSync(place.local('tree/one'), 'new');
  const changed = await client.put(`${place.local('tree')}/.`, 'sent', { remembered });
  expect([changed.files, changed.bytes, changed.kept]).toEqual([3, 11, 0]);
  const elsewhere = await client.put(`${place.local('tree')}/.`, 'other', { remembered });
  expect([elsewhere.files, elsewhere.kept]).toEqual([3, 0]);
});

test('nor are large files, unless their size or time is another since', async () => {
  plant(place.local('mixed'), { small: 'small', large: 'l'.repeat(300_000), 'sub/other': 'o'.repeat(200_000) });
  const remembered = fresh();
  await client.put(place.local('mixed'), 'mixed', { remembered });
  rmSync(place.served('mixed/large')); // it would come again if it were sent
  const files: string[] = [];
  const again = await client.put(`${place.local('mixed')}/.`, 'mixed', { remembered, onFile: (path) => files.push(path) });
  expect([again.files, again.bytes, again.kept, files, existsSync(place.served('mixed/large'))]).toEqual([3, 500_005, 500_005, [], false]);
  writeFileSync(place.local('mixed/large'), 'm'.repeat(300_000));
  const changed = await client.put(`${place.local('mixed')}/.`, 'mixed', { remembered, onFile: (path) => files.push(path) });
  expect([changed.files, changed.kept, files, readFileSync(place.served('mixed/large'), 'utf8')]).toEqual([3, 200_005, ['large'], 'm'.repeat(300_000)]);
});

test.each(['put', 'get'] as const)('a folder that a first try of %s has made is finished by the next; one that was there keeps its own mode', async (verb) => {
  const [from, to] = verb === 'put' ? [place.local.bind(place), place.served.bind(place)] : [place.served.bind(place), place.local.bind(place)];
  const move = (target: string, remembered: Remembered) => (verb === 'put' ? client.put(`${from(`top-${verb}`)}/.`, target, { remembered }) : client.get(`top-${verb}/.`, to(target), { remembered }));
  plant(from(`top-${verb}`), { file: 'file' });
  chmodSync(from(`top-${verb}`), 0o750);
  utimesSync(from(`top-${verb}`), YEAR_2001, YEAR_2001);
  const remembered = fresh();
  await move(`made-${verb}`, remembered);
  chmodSync(to(`made-${verb}`), 0o700);
  await move(`made-${verb}`, remembered);
  const made = statSync(to(`made-${verb}`));
  expect(made.mode & 0o777).toBe(0o750);
  // What is fetched is staged in the folder itself when that is there, which gives it another time at the end.
  if (verb === 'put') expect(Math.round(made.mtimeMs)).toBe(YEAR_2001 * 1000);
  plant(to(`there-${verb}`), { own: 'own' });
  chmodSync(to(`there-${verb}`), 0o700);
  await move(`there-${verb}`, fresh());
  expect(statSync(to(`there-${verb}`)).mode & 0o777).toBe(0o700);
});
