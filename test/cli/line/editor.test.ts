import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Rig } from '../../e2e/rig.ts';
import { keep } from '../kept.ts';
import { Screen } from '../screen.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start();
  for (const name of ['photo one.jpg', 'photo two.jpg', '写真.txt', '.hidden']) await writeFile(join(rig.served, name), name);
  await mkdir(join(rig.served, 'photos'));
  await mkdir(join(rig.served, 'many'));
  for (let index = 0; index < 214; index += 1) await writeFile(join(rig.served, 'many', `file-${String(index).padStart(3, '0')}.txt`), '');
  await writeFile(join(rig.local, 'local notes.txt'), 'notes');
});
afterAll(async () => rig[Symbol.asyncDispose]());

const SIZES = [[80, 24], [40, 10]] as const;

describe.each(SIZES)('the line on a terminal of %d columns and %d rows', (columns, rows) => {
  const open = (): Screen => new Screen([], { cwd: rig.local, columns, rows, env: { WHERRY_HOME: rig.home, HOME: rig.folder, NO_COLOR: '1' } });

  test('completes names and lists what fits', async () => {
    await using screen = open();
    await screen.see('wherry test:/> ');
    screen.type('cat ph');
    await screen.complete(/photo\\ one|photos\/[^]*> cat photo$/);
    await screen.see(/photo one\.jpg +13 B +\d{4}/);
    await screen.see(/\d\nwherry test:\/> cat photo$/);
    keep(screen, 'completion', columns, rows);
    screen.type('\\ t');
    await screen.complete(/cat photo\\ two\.jpg /);
    screen.enter('');
    await screen.see(/\nphoto two\.jpg⏎\n.*> $/);
    screen.type("cd 'many");
    await screen.complete(/cd 'many'\//);
    screen.enter('');
    await screen.see('many> ');
    screen.type('stat f');
    await screen.complete(/list all 214\? \(y\/n\) $/);
    keep(screen, 'completion-many', columns, rows);
    screen.type('n');
    await screen.see(/\(y\/n\)\n.*stat file-$/);
    // Who types on has answered, and y agrees.
    await screen.complete(/list all 214\?[^]*list all 214\? \(y\/n\) $/);
    screen.type('00');
    await screen.see(/\(y\/n\)\n.*stat file-00$/);
    screen.type('\u007f\u007f\u001b[D');
    await screen.complete(/(?:list all 214\?[^]*){3} $/);
    screen.type('y');
    await screen.see(/file-213\.txt[^]*stat file--$/);
    expect(screen.said.includes('file-000.txt')).toBe(true);
    screen.type('\u0003');
    await screen.see(/\^C/);
    screen.enter('bye');
    expect(await screen.exit).toBe(0);
  });

  test('finds earlier lines by ^R, also those of an earlier session, and none of those that are secret', async () => {
    {
      await using first = open();
      await first.see('wherry test:/> ');
      first.enter('stat photos');
      await first.see(/mode:[^]*> $/);
      first.enter(' pwd');
      await first.see(/\n\/\n[^]*> $/);
      first.enter('help wherry1-AAAA');
      await first.see(/no command[^]*> $/);
      first.enter('bye');
      expect(await first.exit).toBe(0);
    }
    await using screen = open();
    await screen.see('wherry test:/> ');
    screen.type('\u0012sta');
    await screen.see("(search) 'sta': stat photos");
    keep(screen, 'history-search', columns, rows);
    screen.type('wherry1');
    await screen.see('(no other)');
    screen.type('\u0007');
    await screen.see(/> $/);
    screen.type('\u0012phot\r');
    await screen.see('kind:    folder');
    screen.enter('bye');
    expect(await screen.exit).toBe(0);
    expect(await readdir(join(rig.home, 'history'))).toEqual(['test.lines']);
  });

  test('shows several pasted lines one by one', async () => {
    await using screen = open();
    await screen.see('wherry test:/> ');
    screen.type('\u001b[200~pwd\rmkdir pasted\r\u001b[201~');
    await screen.see('1 more pasted');
    screen.enter('');
    await screen.see(/> mkdir pasted$/);
    screen.type('\u0003');
    await screen.see(/\^C\n.*> $/);
    screen.enter('bye');
    expect(await screen.exit).toBe(0);
    expect(await readdir(rig.served)).not.toContain('pasted');
  });
});

// Both as terminals do it: most break the line anew, and the one of VS Code leaves it as it is.
test.each([
  [true, {}],
  [false, { TERM_PROGRAM: 'vscode' }],
] as const)('a line that is being typed stays whole when the terminal gets narrower and wider (breaks anew: %s)', async (breaksAnew, env) => {
  await using screen = new Screen([], { cwd: rig.local, breaksAnew, env: { WHERRY_HOME: rig.home, HOME: rig.folder, NO_COLOR: '1', ...env } });
  await screen.see(/> $/);
  screen.enter('!echo kept');
  await screen.see(/\nkept\n.*> $/);
  const line = `cat ${'abcdefghi '.repeat(8)}jkl`;
  screen.type(line);
  await screen.see(line);
  const rowsOf = (columns: number): string[] => `wherry test:/> ${line}`.match(new RegExp(`.{1,${columns}}`, 'g'))!.map((row) => row.trimEnd());
  for (const columns of [30, 100, 40]) {
    const drawn = screen.said.length;
    screen.resize(columns, 10);
    await screen.drawn(drawn, /\u001b\[\d+G$/); // what a redrawn line ends with: the place of the cursor
    const shown = (): string[] => screen.glass.filter((row) => row !== '');
    await expect.poll(() => shown().slice(shown().indexOf('kept'))).toEqual(['kept', ...rowsOf(columns)]);
  }
  screen.type('\u0015');
  await screen.see(/\nkept\nwherry test:\/> $/);
});

test('the prompt says when the connection is lost, and keeps what is typed', async () => {
  await using own = await Rig.start();
  await using screen = new Screen([], { cwd: own.local, env: { WHERRY_HOME: own.home, HOME: own.folder } });
  await screen.see('wherry test:/> ');
  screen.type('mkdir ba');
  await screen.see('> mkdir ba');
  await own.stop();
  await screen.see('wherry test:/ (connection lost)> mkdir ba');
  await own.serve();
  screen.enter('ck');
  await screen.see(/made back\nwherry test:\/> $/);
  screen.enter('bye');
  expect(await screen.exit).toBe(0);
});
