/** What `wherry serve` shows on a terminal, with a QR code. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Rig } from '../../e2e/rig.ts';
import { keep } from '../kept.ts';
import { Screen } from '../screen.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start();
  await mkdir(join(rig.folder, 'share'));
});
afterAll(async () => rig[Symbol.asyncDispose]());

function serve(flags: readonly string[], columns: number, rows: number): Screen {
  const words = ['serve', 'share', '--state', join(rig.folder, `state-${columns}x${rows}`), '--listen', '127.0.0.1:0', ...flags];
  return new Screen(words, { cwd: rig.folder, columns, rows, env: { HOME: rig.folder } });
}

describe.each([[80, 24], [40, 10]] as const)('wherry serve on a terminal of %d columns and %d rows', (columns, rows) => {
  test('shows what it serves, to whom, where, and the ticket', async () => {
    await using screen = serve([], columns, rows);
    await screen.see('stops the');
    const text = screen.lines.join('\n').replace(/\n {2}/g, ' ');
    expect(text).toContain('serving share, read and write\nwho joins can list, read, add, replace, rename and delete everything in it\n');
    expect(text).toContain('reachable from this machine only: the ticket works nowhere else');
    expect(text).toMatch(/^wherry1-[0-9A-Z-]+$/m);
    await screen.see(/server\.\n/);
    keep(screen, 'serve', columns, rows);
  });

  test('shows a code to say when asked', async () => {
    await using screen = serve(['--code'], columns, rows);
    await screen.see(/this machine: {2}wherry join\s+\d+-[a-z]+-[a-z]+@127/);
    await screen.see(/server\.\n/);
    keep(screen, 'serve-code', columns, rows);
  });

  test('draws the ticket as a QR code when asked', async () => {
    await using screen = serve(['--qr'], columns, rows);
    await screen.see(/\n +▀{7} [▀ ]*\n+$/);
    keep(screen, 'serve-qr', columns, rows);
  });
});

test('a terminal that is too narrow for the QR code is told how wide it would have to be', async () => {
  await using screen = serve(['--qr'], 30, 24);
  await screen.see(/the QR code needs 37 columns, and this terminal has 30: make it wider, or copy the ticket/);
});
