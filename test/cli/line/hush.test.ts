/** What is typed while a transfer shows how far it is: not seen on the screen, and there at the prompt behind it. */
import { expect, test } from 'vitest';
import { noise, plant } from '../../e2e/trees.ts';
import { proxied } from '../proxied.ts';

const MIB = 1 << 20;
const place = proxied();

test.each([24, 2])('on a terminal of %d rows, keys leave nothing on the screen, and are lines of the prompt afterwards', async (rows) => {
  plant(place.rig.local, { big: noise(16 * MIB) });
  place.proxy.cutAfter({ up: 8 * MIB, hold: true });
  await using screen = place.open([], 80, rows);
  await screen.see(/> $/);
  screen.enter('put big');
  await place.proxy.held();
  await screen.see(/%/);
  screen.enter('pwd');
  screen.enter('lpwd');
  screen.type('ls');
  await place.proxy.release();
  await screen.see(/> ls$/);
  const lines = screen.lines.slice(1);
  expect(lines[1]).toMatch(/^big {2}16 MiB in .*verified/);
  expect([lines[0], ...lines.slice(2)]).toEqual(['wherry test:/> put big', 'wherry test:/> pwd', '/', 'wherry test:/> lpwd', place.rig.local, 'wherry test:/> ls']);
});

test('^C while a transfer runs ends it, and drops what was typed before it', async () => {
  plant(place.rig.local, { big: noise(16 * MIB) });
  place.proxy.cutAfter({ up: 8 * MIB, hold: true });
  await using screen = place.open();
  await screen.see(/> $/);
  screen.enter('put big');
  await place.proxy.held();
  await screen.see(/%/);
  screen.enter('pwd');
  screen.type('\u0003');
  await screen.see(/interrupted[^]*> $/);
  screen.enter('lpwd');
  await screen.see(/\n\/.*\n.*> $/);
  expect(screen.lines.filter((line) => line.includes('pwd'))).toEqual(['wherry test:/> lpwd']);
});
