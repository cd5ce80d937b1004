/** Commands a person types at the prompt between transfers, at two sizes, each time on a server of its own: kept as screens. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Rig } from '../e2e/rig.ts';
import { noise, plant } from '../e2e/trees.ts';
import { keep } from './kept.ts';
import { Screen } from './screen.ts';

let rig: Rig;
beforeEach(async () => {
  // So slow that a large file is on its way for as long as anybody looks.
  rig = await Rig.start({ serve: ['--rate', '256K'] });
  plant(rig.local, { 'big.iso': noise(16 << 20), 'one.txt': 'one\n', 'two.txt': 'two\n', '写真.txt': 'wide\n' });
  plant(rig.served, { 'notes.txt': 'first line\nlast line\n', 'photos/one.jpg': 'one', 'photos/two.jpg': 'three', 'photos/2026/four.jpg': 'four' });
  // An editor that needs nobody: it puts a line at the end.
  writeFileSync(join(rig.folder, 'editor'), '#!/bin/sh\necho "one more" >> "$1"\n');
  chmodSync(join(rig.folder, 'editor'), 0o755);
});
afterEach(async () => {
  await rig.run(['agent', '--stop']);
  await rig[Symbol.asyncDispose]();
});

test.each([[80, 24], [40, 10]] as const)('folders, reading, editing, several files, bookmarks and jobs, on %d columns and %d rows', async (columns, rows) => {
  const env = { WHERRY_HOME: rig.home, HOME: rig.folder, EDITOR: join(rig.folder, 'editor') };
  await using screen = new Screen(['--no-rc'], { cwd: rig.local, columns, rows, env });
  await screen.see('> ');
  const clear = async (): Promise<void> => {
    screen.enter(String.raw`!printf '\033[H\033[2J\033[3J'`);
    await screen.see(/^(?:wherry )?test:\S*> $/);
  };
  const kept = async (name: string, lines: readonly string[], end: RegExp): Promise<void> => {
    await clear();
    for (const line of lines) {
      const from = screen.said.length;
      screen.enter(line);
      await screen.drawn(from, /> (?:\u001b\[[\d;]*[A-Za-z])*$/);
    }
    await screen.see(end);
    keep(screen, name, columns, rows);
  };
  await kept('tour-folders', ['mkdir -p album/2026; cd album; pwd', 'chmod 700 2026; stat 2026', 'cd; rmdir album/2026 album; df'], /\n.*> $/);
  await kept('tour-reading', ['cat notes.txt', 'more notes.txt', 'less notes.txt', 'cat notes.txt | wc -l', 'find photos > list'], /\n.*> $/);
  expect(readFileSync(join(rig.local, 'list'), 'utf8')).toContain('photos/2026/four.jpg');
  await kept('tour-edit', ['edit notes.txt', 'cat notes.txt'], /one more\n.*> $/);
  await kept('tour-several', ['mput -y *.txt', 'mget -y notes.txt photos/*.jpg'], /2 files|3 sources[^]*> $/);
  await kept('tour-bookmark', ['cd photos; bookmark pics', 'cd; open pics; pwd', 'bookmark'], /\n.*> $/);
  await clear();
  screen.enter('ls; cache');
  await screen.see(/2026\/ +one\.jpg +two\.jpg\n(?:\/photos +3 names|no folder is kept)[^]*> $/);
});

test.each([[80, 24], [40, 10]] as const)('a queue, jobs put aside, stopped, gone on with and waited for, on %d columns and %d rows', async (columns, rows) => {
  await using screen = new Screen(['--no-rc'], { cwd: rig.local, columns, rows, env: { WHERRY_HOME: rig.home, HOME: rig.folder } });
  await screen.see('> ');
  const does = async (line: string): Promise<void> => {
    const from = screen.said.length;
    screen.enter(line);
    await screen.drawn(from, /> (?:\u001b\[[\d;]*[A-Za-z])*$/);
  };
  screen.enter('put -y big.iso');
  await screen.see(/\d%/);
  screen.type('\u001a');
  await screen.see(/goes on[^]*> $/);
  await does('queue put -y one.txt');
  expect(screen.lines.join('\n')).toMatch(/\[2\] put one\.txt {2}queued; jobs shows it/);
  await does('jobs');
  expect(screen.lines.join('\n')).toMatch(/\[1\] running[^]*put big\.iso/);
  await does('pause %1');
  expect(screen.lines.join('\n')).toContain('[1] put big.iso  paused; bg lets it go on');
  await does('bg %1');
  expect(screen.lines.join('\n')).toContain('[1] put big.iso  goes on');
  await does('kill %1');
  expect(screen.lines.join('\n')).toContain('[1] put big.iso  killed');
  await does('wait');
  await does(String.raw`!printf '\033[H\033[2J\033[3J'`);
  await does('jobs');
  await does('fg %1');
  keep(screen, 'tour-jobs', columns, rows);
  expect(readFileSync(join(rig.served, 'one.txt'), 'utf8')).toBe('one\n');
  // As a shell does, it leaves with what the last command ended with.
  screen.enter('bye');
  expect(await screen.exit).toBe(143);
});
