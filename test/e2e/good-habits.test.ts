/** What fingers know from sftp and lftp, at the prompt and in the shell. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keep } from '../cli/kept.ts';
import { Screen } from '../cli/screen.ts';
import { Rig } from './rig.ts';
import { contents, events, failureOf } from './traces.ts';
import { plant } from './trees.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start();
  plant(rig.served, { 'notes.txt': 'one\n', 'long/photograph-of-summer.jpg': 'x'.repeat(12_345), 'long/a': 'a', 'm/1': '1', 'm/2': '2' });
  plant(rig.local, { 'x.txt': 'x', 'y.txt': 'yy', 'into/.keep': '' });
});
afterAll(() => rig[Symbol.asyncDispose]());

const served = (path: string) => readFileSync(join(rig.served, path), 'utf8');

/** A program that edits the file it is given. */
function editor(name: string, script: string): string {
  const path = join(rig.folder, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

function open(env: Record<string, string> = {}, columns = 80, rows = 24): Screen {
  return new Screen([], { cwd: rig.local, columns, rows, env: { WHERRY_HOME: rig.home, HOME: rig.folder, ...env } });
}

describe.each([[80, 24], [40, 10]])('on a terminal of %d columns and %d rows', (columns, rows) => {
  test('ls -l fits', async () => {
    await using screen = open({}, columns, rows);
    await screen.see('wherry test:/> ');
    screen.enter('ls -l long');
    await screen.see(/photograph[^]*> $/);
    screen.enter('ls -n --hash long');
    await screen.see(/(photog[^]*){2}> $/);
    keep(screen, 'ls-long', columns, rows);
    screen.enter('bye');
    await screen.exit;
    for (const line of screen.lines.slice(1)) expect(line.length).toBeLessThanOrEqual(columns);
  });
});

test('mget and mput take all words as sources, say so once, and -O names the folder', async () => {
  await using screen = open();
  await screen.see('wherry test:/> ');
  screen.enter('mget -O into m/1 m/2');
  await screen.see(/m\/2 {2}1 B in[^]*> $/);
  screen.enter('mput x.txt y.txt');
  await screen.see(/mput: all words are sources[^]*y\.txt {2}2 B[^]*> $/);
  screen.enter('mput -y x.txt y.txt');
  await screen.see(/(y\.txt {2}2 B[^]*){2}> $/);
  screen.enter('ln -s a b');
  await screen.see('links are never made on the server');
  screen.enter('progress');
  await screen.see('progress is not shown');
  screen.enter('version');
  await screen.see('server: wherry');
  screen.enter('lls -l');
  await screen.see(/-rw-\S+ +1 {2}\S+ \S+ {2}x\.txt/);
  screen.enter('bye');
  expect(await screen.exit).toBe(0);
  expect(screen.lines.join('\n').match(/all words are sources/g)).toHaveLength(1);
  expect([readFileSync(join(rig.local, 'into/1'), 'utf8'), served('x.txt')]).toEqual(['1', 'x']);
});

test('cd - and lcd - lead to the folder before', async () => {
  const lines = (input: string) => rig.run([], { input, cwd: rig.local });
  expect(await lines('cd -\n')).toMatchObject({ code: 6, stderr: expect.stringContaining('there is no folder before this one; cd - goes back after another cd') as string });
  expect(await lines('cd long\ncd ../m\ncd -\npwd\ncd -\n')).toMatchObject({ code: 0, stdout: '/long\n/long\n/m\n' });
  const { stdout } = await lines('lcd into\nlcd -\nlcd -\n');
  expect(stdout).toBe(['into', '', 'into'].map((name) => `${join(rig.local, name)}\n`).join(''));
});

test('what there is none of is said so', async () => {
  const { stdout, stderr } = await rig.run([], { input: 'alias\nbookmark\nqueue\nbg\n' });
  expect(stdout).toBe('');
  for (const text of ['there are no aliases', 'there are no bookmarks', 'the queue is empty', 'no job is paused or waiting']) expect(stderr).toContain(text);
  expect((await rig.run(['queue', '--quiet'])).stderr).toBe('');
});

test('in the shell too', async () => {
  expect((await rig.run(['mput', '-O', ':m', 'x.txt', 'y.txt'])).code).toBe(0);
  expect(Object.keys(await contents(join(rig.served, 'm'))).toSorted()).toEqual(['1', '2', 'x.txt', 'y.txt']);
  expect((await rig.run(['more', ':notes.txt'])).stdout).toBe(served('notes.txt'));
  const [space] = events<{ event: string; names?: number }>(await rig.run(['df', '-i', '--json', ':']));
  expect(space).toHaveProperty('free');
  const link = await rig.run(['symlink', 'a', 'b', '--json']);
  expect([link.code, failureOf(link).code]).toEqual([7, 'UNSUPPORTED']);
  const noTerminal = await rig.run(['edit', ':notes.txt']);
  expect([noTerminal.code, noTerminal.stderr]).toEqual([2, expect.stringContaining('edit needs a terminal')]);
});

describe('edit', () => {
  test('sends back what was changed, with the mode it had', async () => {
    chmodSync(join(rig.served, 'notes.txt'), 0o640);
    await using screen = open({ VISUAL: editor('append', 'stat -c %a "$1"; echo two >> "$1"') });
    await screen.see('wherry test:/> ');
    screen.enter('edit notes.txt');
    await screen.see(/600\n[^]*notes\.txt {2}saved on the server/);
    expect([served('notes.txt'), (await contents(rig.served))['notes.txt']?.slice(0, 3)]).toEqual(['one\ntwo\n', '640']);
    screen.enter('bye');
    await screen.exit;
  });

  test('changes nothing where nothing was changed', async () => {
    await using screen = open({ EDITOR: editor('nothing', 'true') });
    await screen.see('wherry test:/> ');
    screen.enter('edit notes.txt');
    await screen.see('notes.txt  not changed');
    screen.enter('bye');
    await screen.exit;
  });

  test('says that nothing was sent where the editor fails, and with what it ended', async () => {
    await using screen = open({ EDITOR: 'false' });
    await screen.see('wherry test:/> ');
    screen.enter('edit notes.txt');
    await screen.see(/nothing was sent to the server: the editor false ended with 1;/);
    screen.enter('bye');
    await screen.exit;
  });

  test('keeps the copy, and what is there, when somebody else was quicker', async () => {
    const other = join(rig.served, 'notes.txt');
    await using screen = open({ EDITOR: editor('race', `echo theirs > '${other}'; echo mine > "$1"`) });
    await screen.see('wherry test:/> ');
    screen.enter('edit notes.txt');
    await screen.see(/somebody else changed it meanwhile[^]*your copy is kept: (\S+);[^]*> $/);
    const copy = /your copy is kept: (\S+);/.exec(screen.lines.join('').replace(/\n/g, ''))![1]!;
    expect([served('notes.txt'), readFileSync(copy, 'utf8')]).toEqual(['theirs\n', 'mine\n']);
    screen.enter('bye');
    await screen.exit;
  });
});
