/** Habits of sftp and lftp at a prompt: reput and reget, the cache, a pager, and a listing as the folder gives it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { noise, plant } from '../e2e/trees.ts';
import { proxied } from './proxied.ts';
import { Screen } from './screen.ts';

const MIB = 1 << 20;
const place = proxied();

test.each([
  ['reput', { up: 8 * MIB, hold: true }],
  ['reget', { down: 8 * MIB, hold: true }],
] as const)('%s goes on with what was cut, and asks nothing about the file that is there', async (again, cut) => {
  const data = noise(32 * MIB);
  const [from, to] = again === 'reput' ? [place.rig.local, place.rig.served] : [place.rig.served, place.rig.local];
  plant(from, { big: data });
  plant(to, { big: 'an older one' });
  place.proxy.cutAfter(cut);
  await using screen = place.open();
  await screen.see(/> $/);
  screen.enter(`${again.slice(2)} -y big`);
  await place.proxy.held();
  await screen.see(/%/);
  screen.type('\u0003');
  await screen.see(/to resume[^]*> $/);
  await place.proxy.release();
  screen.enter(`${again} big`);
  await screen.see(/verified[^]*> $/);
  expect(screen.lines.join('\n')).toMatch(/\nbig {2}32 MiB in .*kept from before/);
  expect(screen.lines.join('\n')).not.toContain('[y/N');
  expect(readFileSync(join(to, 'big')).equals(data)).toBe(true);
});

test('cache, the pager, and ls -f', async () => {
  const { rig } = place;
  plant(rig.served, { 'notes.txt': 'one\ntwo\n', '.hidden': '', 'photos/one.jpg': '' });
  const pager = join(rig.folder, 'pager');
  writeFileSync(pager, '#!/bin/sh\necho "<pager>"\ncat\necho "</pager>"\n', { mode: 0o755 });
  await using screen = new Screen([], { cwd: rig.local, env: { WHERRY_HOME: rig.home, HOME: rig.folder, PAGER: pager } });
  await screen.see(/> $/);
  for (const command of ['less', 'more']) {
    screen.enter(`${command} notes.txt`);
    await screen.see(new RegExp(`> ${command} notes\\.txt\\n<pager>\\none\\ntwo\\n</pager>\\n.*> $`));
  }
  screen.enter('ls -f');
  await screen.see(/> ls -f\n(?=.*notes\.txt)(?=.*photos\/).*\n.*> $/);
  screen.type('cat no');
  await screen.complete(/cat notes\.txt $/);
  screen.type('\u0015');
  screen.enter('cache');
  await screen.see(/> cache\n\/ {2}3 names, .* old\n.*> $/);
  screen.enter('cache flush; cache');
  await screen.see(/\nforgot 1 folder\nno folder is kept\n.*> $/);
});
