/** Lines of a batch and of the prompt against a real server: patterns, steps, files and commands that answers go to, aliases, bookmarks. */
import { chmod, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Rig } from '../../e2e/rig.ts';
import { keep } from '../kept.ts';
import { Screen } from '../screen.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await Rig.start();
  await mkdir(join(rig.served, 'photos', '2026'), { recursive: true });
  for (const name of ['one.jpg', 'two.jpg', 'notes.txt', '2026/three.jpg']) await writeFile(join(rig.served, 'photos', name), name);
  await writeFile(join(rig.served, 'a*b'), 'star');
  await writeFile(join(rig.local, 'a.txt'), 'a');
  await writeFile(join(rig.local, 'b.txt'), 'bb');
});
afterEach(async () => rig[Symbol.asyncDispose]());

/** What a batch of these lines printed, and its exit code. */
async function batch(...lines: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const { code, stdout, stderr } = await rig.run([], { input: `${lines.join('\n')}\n` });
  return { code, out: stdout, err: stderr };
}

describe('patterns', () => {
  test('of put and get stand for the names that match, to the folder one is in', async () => {
    expect(await batch('put *.txt', 'cd photos', '-rm one.jpg', 'get *.jpg')).toMatchObject({ code: 0 });
    expect(await readFile(join(rig.served, 'b.txt'), 'utf8')).toBe('bb');
    expect(await readFile(join(rig.local, 'two.jpg'), 'utf8')).toBe('two.jpg');
    expect(existsSync(join(rig.local, 'one.jpg'))).toBe(false);
  });

  test('go through folders, and braces are written out', async () => {
    expect((await batch('ls -1 photos/**/*.jpg')).out).toBe('photos/2026/three.jpg\nphotos/one.jpg\nphotos/two.jpg\n');
    expect((await batch('ls -1 photos/{one,two}.jpg')).out).toBe('photos/one.jpg\nphotos/two.jpg\n');
    expect((await batch('mkdir new{1,2}', 'ls -1 new*')).out).toContain('new1');
  });

  test('stand for what chmod changes, also in the shell, and never for its mode', async () => {
    await writeFile(join(rig.served, '600'), '');
    expect(await batch('chmod 60? photos/*.jpg')).toMatchObject({ code: 2, err: expect.stringContaining('60? is not a mode') });
    expect(await batch('chmod 600 photos/*.jpg')).toMatchObject({ code: 0 });
    expect(await rig.run(['chmod', '640', ':photos/t*.jpg'])).toMatchObject({ code: 0 });
    const modeOf = async (name: string) => ((await stat(join(rig.served, 'photos', name))).mode & 0o777).toString(8);
    expect([await modeOf('one.jpg'), await modeOf('two.jpg'), await modeOf('notes.txt')]).toEqual(['600', '640', expect.not.stringMatching(/^6[04]0$/)]);
  });

  test('stand for places here in lls, lcd and source', async () => {
    await mkdir(join(rig.local, 'back'));
    await writeFile(join(rig.local, 'back', 'c.txt'), 'lpwd\n');
    expect((await batch('lls -1 *.txt b*k')).out).toBe('a.txt\nb.txt\nback:\nc.txt\n');
    expect((await batch('lls *.txt', 'lls back', '-lls nowhere a.txt', 'lls')).out).toBe('a.txt\nb.txt\nc.txt\na.txt\na.txt\nb.txt\nback/\n');
    expect(await batch('lcd b*k', 'source c.*')).toMatchObject({ code: 0, out: `${join(rig.local, 'back')}\n`.repeat(2) });
    expect(await batch('lls nowhere')).toMatchObject({ code: 6, err: expect.stringContaining('lls: nowhere: no such file') });
    expect(await batch('lls a.txt nowhere')).toMatchObject({ code: 1, out: 'a.txt\n' });
    const events = (await batch('lls --json a.txt back')).out.trim().split('\n').map((line) => JSON.parse(line) as object);
    expect(events).toEqual([{ event: 'names', local: ['a.txt'] }, { event: 'names', folder: 'back', local: ['c.txt'] }]);
  });

  test('stand for what a queued put or get is about', async () => {
    expect((await batch('queue -n put *.txt :photos')).out).toContain('would queue: put a.txt b.txt :photos\n');
    expect((await batch('queue get -n :photos/*.jpg')).out).toContain('would queue: get :photos/one.jpg :photos/two.jpg ./\n');
    expect((await batch("queue -n put '*.txt'")).out).toContain("would queue: put '*.txt'\n");
  });

  test('that stand for several names where one is taken are not guessed at', async () => {
    await mkdir(join(rig.local, 'back'));
    await mkdir(join(rig.local, 'book'));
    await mkdir(join(rig.served, 'places'));
    expect(await batch('lcd b*k')).toMatchObject({ code: 2, err: expect.stringContaining('b*k stands for 2 names, and lcd takes one; type more of it: back, book') });
    expect(await batch('cd p*')).toMatchObject({ code: 2, err: expect.stringContaining('p* stands for 2 names, and cd takes one; type more of it: photos, places') });
  });

  test('that nothing matches are an error, and rm -f accepts it', async () => {
    expect(await batch('get *.pdf')).toMatchObject({ code: 6, err: expect.stringContaining('no name matches *.pdf') });
    expect(await batch('rm -f *.pdf')).toMatchObject({ code: 0 });
  });

  test('are plain letters in quotes, in a target, and where a flag is given a value', async () => {
    expect((await batch("cat 'a*b'", 'cat a\\*b')).out).toBe('starstar');
    expect(await batch('put a.txt *.jpg')).toMatchObject({ code: 2, err: expect.stringContaining('*.jpg is a pattern, and the last word says where to') });
    await mkdir(join(rig.local, 'tree'));
    await writeFile(join(rig.local, 'tree', 'x.o'), 'o');
    expect(await batch("put --exclude *.o tree", 'find tree')).toMatchObject({ code: 0 });
    expect(existsSync(join(rig.served, 'tree', 'x.o'))).toBe(false);
  });

  test('in the shell mean names on the server, unless one is just so', async () => {
    expect(await rig.run(['cat', ':a*b'])).toMatchObject({ code: 0, stdout: 'star' });
    expect(await rig.run(['cat', ':photos/o*.jpg'])).toMatchObject({ code: 0, stdout: 'one.jpg' });
    expect(await rig.run(['get', ':photos/*.jpg', '.'])).toMatchObject({ code: 0 });
    expect(existsSync(join(rig.local, 'two.jpg'))).toBe(true);
    expect(await rig.run(['get', ':*.pdf'])).toMatchObject({ code: 6 });
    expect(await rig.run(['rm', '-f', ':*.pdf'])).toMatchObject({ code: 0 });
    expect(await rig.run(['rm', ':*.pdf'])).toMatchObject({ code: 6 });
    expect(await rig.run(['mkdir', ':new*'])).toMatchObject({ code: 0 });
    expect(existsSync(join(rig.served, 'new*'))).toBe(true);
  });

  test.skipIf(process.getuid!() === 0)('through a folder that nobody may read are refused, not empty (root reads everything: skipped)', async () => {
    await mkdir(join(rig.local, 'closed'));
    await chmod(join(rig.local, 'closed'), 0);
    expect((await batch('put closed/*')).err).toContain('permission denied');
  });
});

describe('a colon before a place on the server', () => {
  test('may be typed as in the shell', async () => {
    expect(await batch('@put a.txt :', '@put b.txt :photos/', 'cat :a.txt', 'cd :photos', 'ls -1 :*.txt', '@put a.txt :', 'ls -1 :a.txt')).toMatchObject({ code: 0, out: 'ab.txt\nnotes.txt\na.txt\n' });
    expect(await readFile(join(rig.served, 'photos', 'b.txt'), 'utf8')).toBe('bb');
    expect(await batch('get :photos/one.jpg :photos/two.jpg', 'get :photos/*.txt', 'get :photos/{one,two}.jpg :photos/n*.txt')).toMatchObject({ code: 0 });
    for (const name of ['one.jpg', 'two.jpg', 'notes.txt']) expect(existsSync(join(rig.local, name)), name).toBe(true);
    expect(await batch('mget -O . :photos/one.jpg', 'mput -O :photos/2026 a.txt', 'mkdir :new{1,2}', 'change :new1 :new3', 'chmod 600 :a.txt', 'rm :a.*')).toMatchObject({ code: 0 });
    expect([existsSync(join(rig.served, 'photos', '2026', 'a.txt')), existsSync(join(rig.served, 'new3')), existsSync(join(rig.served, 'a.txt'))]).toEqual([true, true, false]);
  });

  test('is a letter of the name in quotes, and behind ./', async () => {
    await writeFile(join(rig.served, ':x'), 'colon');
    await writeFile(join(rig.served, 'x'), 'none');
    expect((await batch("cat ':x'", 'cat \\:x', 'cat ./:x', 'cat :x', 'cat ?x')).out).toBe('coloncoloncolonnonecolon');
    await batch("get :x ':y'", "put a.txt ':z'");
    expect([existsSync(join(rig.local, ':y')), existsSync(join(rig.served, ':z'))]).toEqual([true, true]);
  });
});

describe('a listing', () => {
  test('of several files that are named is laid out as one, files before folders, and what is missing is told', async () => {
    await writeFile(join(rig.served, 'photos', 'large'), 'x'.repeat(12_345));
    const { code, out, err } = await batch('ls -l photos photos/two.jpg nowhere photos/l* photos/one.jpg');
    const steady = out.replace(/\d{4}-\d\d-\d\d \d\d:\d\d/g, 'TIME').split('\n');
    expect(steady.slice(0, 5)).toEqual(['-rw-r--r--  12345  TIME  photos/large', '-rw-r--r--      7  TIME  photos/one.jpg', '-rw-r--r--      7  TIME  photos/two.jpg', 'photos:', expect.stringMatching(/^d.* 2026\/$/)]);
    expect([code, err]).toEqual([1, expect.stringContaining('nowhere: no such file')]);
    expect((await batch("ls -l photos/* | awk '{s+=$2} END {print s}'")).out).toBe('12382\n');
    expect((await batch('ls -l --hash photos/large photos/one.jpg')).out).toMatch(/^[0-9a-f]{64} {2}-rw-r--r-- {2}12345 .*\n[0-9a-f]{64} {2}-rw-r--r-- {6}7 .*\n$/);
    const paths = (await batch('ls --json photos/two.jpg photos/one.jpg')).out.trim().split('\n').map((line) => (JSON.parse(line) as { path: string }).path);
    expect(paths).toEqual(['/photos/one.jpg', '/photos/two.jpg']);
  });
});

describe('steps', () => {
  test('behind && need success, behind || failure, behind ; neither, but in a batch they end with what failed', async () => {
    expect((await batch('pwd && lpwd > /dev/null && pwd')).out).toBe('/\n/\n');
    expect((await batch('ls nowhere || pwd')).out).toBe('/\n');
    expect((await batch('pwd || pwd')).out).toBe('/\n');
    expect(await batch('ls nowhere; pwd', 'pwd')).toMatchObject({ code: 6, out: '' });
    expect(await batch('-ls nowhere; pwd')).toMatchObject({ code: 0, out: '/\n' });
  });

  test('answer to a file here, or to a command of this machine', async () => {
    expect(await batch('ls -1 photos > names.txt', 'pwd >> names.txt')).toMatchObject({ code: 0, out: '' });
    expect(await readFile(join(rig.local, 'names.txt'), 'utf8')).toBe('2026/\nnotes.txt\none.jpg\ntwo.jpg\n/\n');
    expect(await batch('ls -1 photos | grep jpg | sort -r')).toMatchObject({ code: 0, out: 'two.jpg\none.jpg\n' });
    expect(await batch('ls photos | false')).toMatchObject({ code: 1 });
    expect(await batch('find | head -n 1')).toMatchObject({ code: 0 });
    expect(await batch('ls > no/such/file')).toMatchObject({ code: 6, err: expect.stringContaining('no/such/file') });
  });

  test('with @ say nothing but what failed', async () => {
    expect(await batch('@put a.txt', '@rm a.txt')).toMatchObject({ code: 0, out: '', err: '' });
  });
});

describe('a batch', () => {
  test('comes from a file, and says at which line it stopped', async () => {
    await writeFile(join(rig.local, 'commands'), '# first\nput a.txt\nget nowhere\nput b.txt\n');
    const { code, stderr } = await rig.run(['-b', 'commands']);
    expect([code, stderr]).toEqual([6, expect.stringContaining('stopped at line 3 (exit code 6): get nowhere')]);
    expect(existsSync(join(rig.served, 'b.txt'))).toBe(false);
  });

  test('goes on with --keep-going, and says at the end what failed', async () => {
    await writeFile(join(rig.local, 'commands'), 'get nowhere\nput b.txt\nfrobnicate\n');
    const { code, stderr } = await rig.run(['connect', '--batch', 'commands', '--keep-going']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('2 lines failed: 1, 3')]);
    expect(existsSync(join(rig.served, 'b.txt'))).toBe(true);
  });

  test('names all lines that failed, up to a thousand, and says how many more there are', async () => {
    await writeFile(join(rig.local, 'commands'), 'nonsense\n'.repeat(1_234));
    const { code, stderr } = await rig.run(['-b', 'commands', '--keep-going', '--quiet']);
    const numbers = Array.from({ length: 1_000 }, (_, index) => index + 1).join(', ');
    expect([code, stderr.trim().split('\n').at(-1)]).toEqual([1, `1,234 lines failed: ${numbers} and 234 more`]);
  });

  test('that is not there, or is a folder, is told', async () => {
    expect(await rig.run(['-b', 'nothing'])).toMatchObject({ code: 6, stderr: expect.stringContaining('nothing: no such file') });
    expect(await rig.run(['-b', '.'])).toMatchObject({ code: 7, stderr: expect.stringContaining('a folder has no lines') });
  });

  test('sources files, which do not go around in circles', async () => {
    await writeFile(join(rig.local, 'inner'), 'pwd\n');
    await writeFile(join(rig.local, 'loop'), 'source loop\n');
    expect(await batch('source inner', 'lpwd > /dev/null')).toMatchObject({ code: 0, out: '/\n' });
    expect(await batch('source loop')).toMatchObject({ code: 11, err: expect.stringContaining('more than 8 files that source each other') });
  });
});

describe('names for commands and places', () => {
  test('an alias stands for the beginning of a command', async () => {
    expect((await batch("alias p 'ls -1 photos'", 'p', 'alias p', 'unalias p', '-p')).out).toBe("2026/\nnotes.txt\none.jpg\ntwo.jpg\nalias p 'ls -1 photos'\n");
    expect(await batch("alias ls 'ls -1'", 'ls photos/*.txt')).toMatchObject({ code: 0, out: 'photos/notes.txt\n' });
    expect(await batch("alias bad 'ls; pwd'")).toMatchObject({ code: 2 });
  });

  test('a bookmark leads to a folder of a server, from the shell and from the prompt', async () => {
    expect(await batch('cd photos', 'bookmark pictures', 'bookmark')).toMatchObject({ code: 0, out: expect.stringContaining('pictures  test:/photos') });
    expect(await rig.run(['connect', 'pictures'], { input: 'pwd\n' })).toMatchObject({ code: 0, stdout: '/photos\n' });
    expect(await batch('open pictures', 'pwd')).toMatchObject({ code: 0, out: '/photos\n' });
    expect(await batch('bookmark -d pictures', '-open pictures', 'pwd')).toMatchObject({ code: 0, out: expect.stringMatching(/\/\n$/) });
  });
});

describe('the rc file', () => {
  test.each([[80, 24], [40, 10]] as const)('sets aliases before the first prompt, and nothing that does anything (%d x %d)', async (columns, rows) => {
    await writeFile(join(rig.home, 'rc'), "# mine\nalias pics 'ls -1 photos'\nrm a*b\n", { mode: 0o600 });
    await using screen = new Screen([], { cwd: rig.local, env: { WHERRY_HOME: rig.home, HOME: rig.folder }, columns, rows });
    await screen.see('wherry test:/> ');
    expect(screen.lines.join('\n')).toMatch(/rc:3: rm cannot stand in/);
    expect(existsSync(join(rig.served, 'a*b'))).toBe(true);
    screen.enter('pics | grep jpg && !echo done');
    await screen.see(/two\.jpg\ndone\nwherry test:\/> $/);
    screen.enter('get photos/*.jpg');
    await screen.see(/two\.jpg {2}7 B in [\s\S]*wherry test:\/> $/);
    keep(screen, 'grammar', columns, rows);
  });

  test('of somebody else is not read', async () => {
    await writeFile(join(rig.home, 'rc'), "alias pics 'ls'\n");
    await chmod(join(rig.home, 'rc'), 0o666);
    await using screen = new Screen([], { cwd: rig.local, env: { WHERRY_HOME: rig.home, HOME: rig.folder } });
    await screen.see('wherry test:/> ');
    expect(screen.lines.join(' ')).toContain('can be written by others');
  });

  test('is told of by line where a line of it has a mistake', async () => {
    await rm(join(rig.home, 'rc'), { force: true });
    await writeFile(join(rig.home, 'rc'), "alias pics 'ls'\nalias bad 'ls | head'\n", { mode: 0o600 });
    await using screen = new Screen([], { cwd: rig.local, env: { WHERRY_HOME: rig.home, HOME: rig.folder } });
    await screen.see('wherry test:/> ');
    expect(screen.lines.join('\n')).toMatch(/\nalias: an alias stands for one command .*\nusage: .*\nrc:2: passed over: alias bad 'ls \| head'\nwherry/);
  });
});
