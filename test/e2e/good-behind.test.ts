/**
 * What one connection brings is in one order, and who waits for what is behind may hold what is before it: a client that may hold next to
 * nothing gets a folder whose small files come before the bytes of its large ones, and reads a stream in the middle of which it asks for something else.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Requester } from '../../src/client/requester.ts';
import { getAll } from '../../src/client/transfers.ts';
import { Budget } from '../../src/session/budget.ts';
import { dialAs } from './raw.ts';
import { Rig } from './rig.ts';
import { noise, plant, snapshot } from './trees.ts';

const MIB = 1 << 20;

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start();
  plant(rig.served, Object.fromEntries([
    ...Array.from({ length: 12 }, (_, at) => [`tree/a/large-${at}`, noise(2 * MIB, at)] as const),
    ...Array.from({ length: 1500 }, (_, at) => [`tree/b/${at % 15}/small-${at}`, noise(16 << 10, at)] as const),
  ]));
});
afterAll(() => rig[Symbol.asyncDispose]());

test('a folder arrives whole, although its packs alone are many times what may be held, and the large files are behind them', async () => {
  const budget = new Budget(4 * MIB);
  const { connection, closed } = await dialAs(rig, undefined, budget);
  const { files, failed } = await getAll(new Requester(connection, closed), ['tree'], rig.local, { level: 'visible' });
  expect([files, failed, budget.used]).toEqual([1512, 0, 0]);
  expect(snapshot(join(rig.local, 'tree'))).toEqual(snapshot(join(rig.served, 'tree')));
  connection.end(undefined);
});

test('a stream that is not read on holds nobody up who asks for something else over the same connection', async () => {
  const budget = new Budget(4 * MIB);
  const { connection, closed } = await dialAs(rig, undefined, budget);
  const requester = new Requester(connection, closed);
  using stream = await requester.open({ kind: 'getTree', path: 'tree/b', exclude: [] }, undefined);
  await stream.next();
  // Whoever asked that did not see the answer come before 16 MiB of packs.
  const { entry } = await requester.ask({ kind: 'stat', path: 'tree/a' }, 'entry', undefined);
  expect(entry).toMatchObject({ name: 'a', kind: 'folder' });
  connection.end(undefined);
}, 60_000);
