/** A file of 2 GiB goes there and back; too slow, and too large, for every run of the tests. In memory where there is room. */
import { existsSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Rig } from '../e2e/rig.ts';
import { plantLarge, sha256 } from '../e2e/trees.ts';

const SIZE = 2 ** 31 + 4097;
/** The file, its copy on the server, and some air. */
const ROOM = 3 * SIZE;

function freeAt(folder: string): number {
  if (!existsSync(folder)) return 0;
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

test.skipIf(Math.max(freeAt('/dev/shm'), freeAt(tmpdir())) < ROOM)('2 GiB and a little more arrive, and come back', async () => {
  await using rig = await Rig.start({ below: freeAt('/dev/shm') >= ROOM ? '/dev/shm' : tmpdir() });
  plantLarge(join(rig.local, 'large'), SIZE);
  const digest = sha256(join(rig.local, 'large'));
  expect(await rig.run(['put', 'large', ':'])).toMatchObject({ code: 0 });
  rmSync(join(rig.local, 'large'));
  expect(sha256(join(rig.served, 'large'))).toBe(digest);
  expect((await rig.run(['hash', '--sha256', ':large'])).stdout).toBe(`${digest}  large\n`);
  expect(await rig.run(['get', ':large'])).toMatchObject({ code: 0 });
  expect(sha256(join(rig.local, 'large'))).toBe(digest);
});
