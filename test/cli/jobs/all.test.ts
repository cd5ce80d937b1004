/** Orders to all jobs at once, and bg alone, which means the one that is paused. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Rig } from '../../e2e/rig.ts';

test('all stands for every job that an order can be about, and bg alone for the one that is paused', async () => {
  // So slow that they are on their way for as long as it takes to look.
  await using rig = await Rig.start({ serve: ['--rate', '64K'] });
  for (const name of ['one', 'two']) {
    writeFileSync(join(rig.local, name), randomBytes(4 << 20));
    expect((await rig.run(['put', '--background', name, ':'])).code).toBe(0);
  }
  expect((await rig.run(['pause', '2'])).code).toBe(0);
  expect((await rig.run(['bg', '-n'])).stdout).toBe('would resume [2] put two :\n');
  expect((await rig.run(['bg'])).stdout).toBe('[2] put two :  goes on\n');
  expect((await rig.run(['pause', 'all'])).stdout).toBe('[1] put one :  paused; wherry bg lets it go on\n[2] put two :  paused; wherry bg lets it go on\n');
  expect(await rig.run(['pause', 'all'])).toMatchObject({ code: 0, stderr: 'there is no job to pause\n' });
  expect((await rig.run(['bg'])).stdout).toMatch(/^\[1\] paused .*\n\[2\] paused .*\n$/);
  expect((await rig.run(['bg', 'ALL'])).stdout).toBe('[1] put one :  goes on\n[2] put two :  goes on\n');
  expect((await rig.run(['kill', '-n', 'all'])).stdout).toBe('would kill [1] put one :\nwould kill [2] put two :\n');
  expect((await rig.run(['kill', 'all'])).stdout).toBe('[1] put one :  killed\n[2] put two :  killed\n');
  expect(await rig.run(['wait', 'all'])).toMatchObject({ code: 0, stdout: '' });
  await rig.run(['agent', '--stop']);
});
