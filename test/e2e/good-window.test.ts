/** Far away, more of a folder of small files is on the way than an exchange begins with, where the line takes it. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { INITIAL_CREDIT } from '../../src/session/machine.ts';
import { Proxy } from './proxy.ts';
import { Rig } from './rig.ts';
import { noise, plant, snapshot } from './trees.ts';

/** So far that any machine sends a first window in one round trip; and everything that is sent fits. */
const LINE = { ms: 1_200, window: Infinity };
/** Three times the first window, in files that go in packs. */
const FILES = Object.fromEntries(Array.from({ length: 192 }, (_, at) => [`tree/file-${at}`, noise(256 << 10, at)]));

test.each(['put', 'get'] as const)('a %s of a folder', async (way) => {
  await using rig = await Rig.start();
  await using proxy = await Proxy.before(rig, LINE);
  plant(way === 'put' ? rig.local : rig.served, FILES);
  const words = way === 'put' ? ['put', 'tree', ':'] : ['get', ':tree', '.'];
  expect((await rig.run(words)).code).toBe(0);
  expect(proxy.most).toBeGreaterThan(INITIAL_CREDIT + (1 << 20));
  expect(snapshot(join(rig.local, 'tree'))).toEqual(snapshot(join(rig.served, 'tree')));
});
