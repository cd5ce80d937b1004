/**
 * The meter on a terminal, as it looks while a folder is held on its way: in both sizes, after the terminal became smaller, and while a
 * connection that broke is waited for. Nothing moves when the screens are taken, so that they are the same each time.
 */
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { plant } from '../e2e/trees.ts';
import { keep } from './kept.ts';
import { proxied } from './proxied.ts';
import type { Screen } from './screen.ts';

const KIB = 1 << 10;
const MIB = 1 << 20;
/** Ten files to a pack, and the connection is held in the fourth pack. */
const [FILES, SIZE, HELD] = [200, 100 * KIB, 3.5 * MIB];

const place = proxied();

/** A put at the prompt, of a folder and what comes with it, that is held while the folder is on its way, and is seen to stand still. */
async function held(columns: number, rows: number, command = 'put photos', total = /total .*30\/200 files.*stalled/): Promise<Screen> {
  // Random, so that nothing is compressed and the place is the same each time.
  plant(place.rig.local, Object.fromEntries(Array.from({ length: FILES }, (_, index) => [`photos/${String(index).padStart(3, '0')}.jpg`, randomBytes(SIZE)])));
  place.proxy.cutAfter({ up: HELD, hold: true });
  const screen = place.open([], columns, rows);
  await screen.see('wherry test:/> ');
  screen.enter(command);
  await place.proxy.held();
  await screen.see(columns < 60 ? total : new RegExp(`${total.source}.*limit: network\\s`));
  return screen;
}

describe.each([[80, 24], [40, 10]] as const)('on a terminal of %d columns and %d rows', (columns, rows) => {
  test('a folder has a line for all of it and one for what is on its way', async () => {
    await using screen = await held(columns, rows);
    keep(screen, 'progress-folder', columns, rows);
    await place.proxy.release();
    await screen.see(/200 files, 20 MiB in [^]*> $/);
    expect(screen.lines.join('\n')).not.toContain('total');
  });

  test('several sources have a line for all of them and one for what is on its way', async () => {
    for (const name of ['first', 'last']) plant(place.rig.local, { [name]: randomBytes(1.5 * MIB) });
    await using screen = await held(columns, rows, 'mput first photos last', /total .*1\/3 sources.*\d+%.*stalled/);
    keep(screen, 'progress-several', columns, rows);
    await place.proxy.release();
    await screen.see(/3 sources: 202 files, 23 MiB in [^]*> $/);
    expect(screen.lines.join('\n')).not.toContain('total');
  });

  test('a connection that broke is waited for below the line of all', async () => {
    await using screen = await held(columns, rows);
    place.proxy.cutAfter();
    await place.rig.stop('SIGKILL');
    place.proxy.sever();
    await screen.see(columns < 60 ? /lost; again in \d+ s/ : /trying again in \d+ s \(try 2;/);
    keep(screen, 'progress-waiting', columns, rows);
    await place.rig.serve();
    await screen.see(/200 files, 20 MiB in [^]*> $/);
  });
});

test('a terminal that becomes smaller shows the same in what room there is, and nothing of what was there before', async () => {
  await using screen = await held(80, 24);
  screen.resize(40, 10);
  await screen.see(/total +30\/200 files +\d+% +stalled *\n +photos/);
  const rows = screen.glass.filter((row) => row !== '');
  expect(rows.filter((row) => /total|files/.test(row))).toHaveLength(1);
  expect(rows.filter((row) => row.startsWith('  photos'))).toHaveLength(1);
  keep(screen, 'progress-resized', 40, 10);
  screen.resize(80, 24);
  await screen.see(/total +30\/200 files .*limit: network\n +photos[^\n]*$/);
  expect(screen.lines.filter((row) => /total/.test(row))).toHaveLength(1);
  await place.proxy.release();
  await screen.see(/200 files, 20 MiB in [^]*> $/);
  expect(screen.lines.join('\n')).not.toContain('total');
});
