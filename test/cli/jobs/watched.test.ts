/** `jobs --watch`: how far jobs are, as long as one is under way. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { noise, plant, sameBytes } from '../../e2e/trees.ts';
import { proxied } from '../proxied.ts';

const MIB = 1 << 20;
const place = proxied();

test.each([[80, 24], [40, 10]] as const)('on a terminal of %d columns and %d rows it follows a job to its end', async (columns, rows) => {
  const { rig, proxy } = place;
  plant(rig.local, { 'big.iso': noise(24 * MIB) });
  proxy.cutAfter({ up: 12 * MIB, hold: true });
  expect((await rig.run(['put', 'big.iso', ':', '--background'])).code).toBe(0);
  await proxy.held();
  await using screen = place.open(['jobs', '--watch'], columns, rows);
  await screen.see(/\[1\] running +[1-4]\d%/);
  await proxy.release();
  await screen.see(/\[1\] done/);
  expect(await screen.exit).toBe(0);
  expect(screen.lines.join('\n')).not.toContain('running');
  expect(sameBytes(join(rig.local, 'big.iso'), join(rig.served, 'big.iso'))).toBe(true);
});
