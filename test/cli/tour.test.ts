/** What else a person sees at the prompt, at two sizes, one after the other on one server: kept as screens. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Rig } from '../e2e/rig.ts';
import { noise, plant } from '../e2e/trees.ts';
import { keep } from './kept.ts';
import { Screen } from './screen.ts';

let rig: Rig;
beforeAll(async () => {
  // So slow that a large file is on its way for as long as anybody looks.
  rig = await Rig.start({ serve: ['--rate', '256K'] });
  plant(rig.local, { 'big.iso': noise(16 << 20), 'notes.txt': 'new', lines: 'ls photos\nget nothing\npwd\n' });
  plant(rig.served, { 'notes.txt': 'older', 'photos/one.jpg': 'one', 'photos/two.jpg': 'three', 'photos/2026/four.jpg': 'four' });
});
afterAll(async () => {
  await rig.run(['agent', '--stop']);
  await rig[Symbol.asyncDispose]();
});

test.each([[80, 24], [40, 10]] as const)('help, find, a dry run, ^C of a put, a job in front and a batch that fails, on %d columns and %d rows', async (columns, rows) => {
  const env = { WHERRY_HOME: rig.home, HOME: rig.folder };
  await using screen = new Screen(['--no-rc'], { cwd: rig.local, columns, rows, env });
  await screen.see('> ');
  const clear = async (): Promise<void> => {
    screen.enter(String.raw`!printf '\033[H\033[2J\033[3J'`);
    await screen.see(/^wherry test:\/> $/);
  };
  const kept = async (name: string, line: string, end: RegExp): Promise<void> => {
    await clear();
    screen.enter(line);
    await screen.see(end);
    keep(screen, name, columns, rows);
  };
  await kept('tour-help', 'help', /\n.*> $/);
  await kept('tour-find', 'find photos/2026; du photos', /photos.*\n[^]*\n.*> $/);
  await kept('tour-dry-run', 'put -n notes.txt; rm -rn photos', /would remove [^]*\n.*> $/);
  await clear();
  screen.enter('put big.iso');
  await screen.see(/\d%/);
  screen.type('\u0003');
  await screen.see(/to resume[^]*> $/);
  keep(screen, 'tour-interrupted', columns, rows);
  await clear();
  screen.enter('put -y big.iso &');
  await screen.see(/started[^]*> $/);
  screen.enter('fg');
  await screen.see(/\d%[^\n]*$/);
  screen.type('\u0003');
  await screen.see(/goes on;[^]*> $/);
  keep(screen, 'tour-fg', columns, rows);
  screen.enter('kill %1; kill %2');
  screen.enter('bye');
  expect(await screen.exit).toBe(0);
  await using batch = new Screen(['-b', 'lines'], { cwd: rig.local, columns, rows, env });
  expect(await batch.exit).toBe(6);
  keep(batch, 'tour-batch', columns, rows);
});
