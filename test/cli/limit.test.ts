/** The limit on the line of a terminal: a transfer that the network holds, seen at two widths. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Proxy } from '../e2e/proxy.ts';
import { Rig } from '../e2e/rig.ts';
import { noise } from '../e2e/trees.ts';
import { Screen } from './screen.ts';

const MIB = 1 << 20;

test.each([
  [80, /^big\.iso {2}\d+% {2}[\d.]+ MiB of 32 MiB {2}.* {2}limit: network$/m],
  [40, /^big\.iso {2}\d+% {2}stalled {2}limit: network$/m],
])('a terminal of %d columns says what holds a transfer up', async (columns, line) => {
  await using rig = await Rig.start();
  await using proxy = await Proxy.before(rig);
  await writeFile(join(rig.served, 'big.iso'), noise(32 * MIB));
  proxy.cutAfter({ down: 3.5 * MIB, hold: true }); // in the middle of a block
  await using screen = new Screen(['get', ':big.iso'], { columns, rows: 10, cwd: rig.local, env: { WHERRY_HOME: rig.home, HOME: rig.folder } });
  await screen.see(line);
  await proxy.release();
  expect(await screen.exit).toBe(0);
  expect(screen.lines.join('\n')).toMatch(/^big\.iso {2}32 MiB in .*verified/s);
});
