/** The commands as a person types them: what they answer agrees with the file system, in words and in JSON. */
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Rig, type Ran } from './rig.ts';
import { plant, snapshot } from './trees.ts';

let rig: Rig;
beforeAll(async () => { rig = await Rig.start(); });
afterAll(() => rig[Symbol.asyncDispose]());
beforeEach(() => {
  for (const folder of [rig.served, rig.local]) for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
});

type Event = Record<string, unknown>;

/** Every line of the output as an object; a line that is none fails the test. */
function events({ stdout }: Ran): Event[] {
  return stdout.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Event);
}

function lines({ stdout }: Ran): string[] {
  return stdout.split('\n').filter((line) => line !== '');
}

function names(folder: string): string[] {
  return Object.keys(snapshot(folder, { attributes: false })).filter((name) => name !== '' && !name.startsWith('.wherry')).sort();
}

describe('where things go', () => {
  beforeEach(() => {
    plant(rig.local, { a: 'A', b: 'B', 'dir/x': 'X', 'dir/sub/y': 'Y' });
    mkdirSync(join(rig.served, 'there'));
  });

  test.each([
    [['a', ':'], 'a'], [['a'], 'a'], [['a', ':/'], 'a'], [['a', ':new'], 'new'], [['a', ':/new'], 'new'], [['a', ':there'], 'there/a'], [['a', ':there/'], 'there/a'],
    [['a', ':there/new'], 'there/new'], [['./a', ':there/../new'], 'new'], [['dir/x', ':'], 'x'],
  ])('put %j makes %s', async (words, target) => {
    expect(await rig.run(['put', ...words])).toMatchObject({ code: 0, stderr: '' });
    expect(names(rig.served)).toEqual([...new Set(['there', target])].sort());
  });

  test.each([
    [['dir', ':'], 'dir'], [['dir/', ':'], 'dir'], [['dir', ':new'], 'new'], [['dir', ':there'], 'there/dir'], [['dir/.', ':there/'], 'there'], [['dir/.', ':there'], 'there'], [['dir/.', ':new'], 'new'], [['dir/.', ':new/'], 'new'], [['dir/.', ':'], '.'], [['dir/./', ':new'], 'new'],
  ])('put %j makes the folder %s', async (words, target) => {
    expect(await rig.run(['put', ...words])).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(join(rig.served, target, 'sub/y'), 'utf8')).toBe('Y');
  });

  test.each([[[':d/.', 'new'], 'new'], [[':d/.', 'dir'], 'dir'], [[':d/.'], '.'], [[':/d/.', 'new/'], 'new'], [[':d/.', '.'], '.'], [[':.', 'new'], 'new/d']])('get %j makes the folder %s', async (words, target) => {
    plant(rig.served, { 'd/sub/y': 'Y' });
    expect(await rig.run(['get', ...words])).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(join(rig.local, target, 'sub/y'), 'utf8')).toBe('Y');
  });

  test('what is in a folder goes to the target itself, and a target that was there keeps its mode and time', async () => {
    chmodSync(join(rig.local, 'dir'), 0o700);
    chmodSync(join(rig.served, 'there'), 0o751);
    utimesSync(join(rig.local, 'dir'), 1000, 1000);
    expect(await rig.run(['put', '.', ':there'], { cwd: join(rig.local, 'dir') })).toMatchObject({ code: 0, stderr: '' });
    expect(names(rig.served)).toEqual(['there', 'there/sub', 'there/sub/y', 'there/x']);
    expect((await rig.run(['put', 'dir/.', ':new'])).code).toBe(0);
    const [there, made] = ['there', 'new'].map((name) => lstatSync(join(rig.served, name)));
    expect([there!.mode & 0o777, there!.mtimeMs > 1_000_000, made!.mode & 0o777, Math.round(made!.mtimeMs)]).toEqual([0o751, true, 0o700, 1_000_000]);
    expect((await rig.run(['get', ':new/.', 'dir'])).code).toBe(0);
    expect(names(join(rig.local, 'dir'))).toEqual(['sub', 'sub/y', 'x']);
  });

  test('of a file there are no contents, a parent must be there, and two folders do not mix unseen', async () => {
    plant(rig.served, { f: 'F' });
    expect(await rig.run(['put', 'a/.', ':new'])).toMatchObject({ code: 7, stderr: expect.stringMatching(/^put: a\/\.: not a folder/) as string });
    expect(await rig.run(['get', ':f/.', 'new'])).toMatchObject({ code: 7, stderr: expect.stringMatching(/^get: :?\/?f.*not a folder/) as string });
    expect((await rig.run(['put', 'dir/.', ':f'])).code).toBe(7);
    expect((await rig.run(['put', 'dir/.', ':no/new'])).code).toBe(6);
    plant(rig.local, { 'other/x': 'other' });
    const both = await rig.run(['put', 'dir/.', 'other/.', ':there']);
    expect([both.code, both.stderr]).toEqual([1, expect.stringContaining('has the same name or target')]);
    expect(readFileSync(join(rig.served, 'there/x'), 'utf8')).toBe('X');
  });

  test('several go into a folder, which must be there', async () => {
    expect((await rig.run(['put', 'a', 'dir', 'b', ':there'])).code).toBe(0);
    expect(names(rig.served)).toEqual(['there', 'there/a', 'there/b', 'there/dir', 'there/dir/sub', 'there/dir/sub/y', 'there/dir/x']);
    expect((await rig.run(['put', 'a', 'b', ':missing'])).code).not.toBe(0);
    expect((await rig.run(['put', 'a', ':missing/'])).code).toBe(6);
    expect((await rig.run(['put', 'a', ':missing/new'])).code).toBe(6);
    expect(existsSync(join(rig.served, 'missing'))).toBe(false);
  });

  test('a file that is missing is an error, and the others still go', async () => {
    const put = await rig.run(['put', 'a', 'nothing', 'b', ':']);
    expect(put.code).toBe(1);
    expect(put.stderr).toMatch(/^put: nothing: no such file or folder here/);
    expect(names(rig.served)).toEqual(['a', 'b', 'there']);
    expect((await rig.run(['put', 'nothing', ':'])).code).toBe(6);
  });

  test('of two sources with one name the second is refused, not stored over the first', async () => {
    plant(rig.local, { 'dir/a': 'another' });
    const put = await rig.run(['put', 'a', 'dir/a', ':']);
    expect(put.code).toBe(1);
    expect(put.stderr).toMatch(/^put: dir\/a: another source of this command has the same name/);
    expect(readFileSync(join(rig.served, 'a'), 'utf8')).toBe(readFileSync(join(rig.local, 'a'), 'utf8'));
  });

  test('a file with a colon in its name is the file, and with ./ anything is', async () => {
    plant(rig.local, { 'lab:notes': 'local' });
    expect((await rig.run(['put', 'lab:notes', ':'])).code).toBe(0);
    expect(names(rig.served)).toEqual(['lab:notes', 'there']);
  });

  test.each([[[':f'], 'f'], [[':f', '.'], 'f'], [[':f', './'], 'f'], [[':f', 'new'], 'new'], [[':f', 'dir'], 'dir/f'], [[':f', 'dir/'], 'dir/f'], [[':d/g', 'dir/sub/new'], 'dir/sub/new']])('get %j makes %s', async (words, target) => {
    plant(rig.served, { f: 'F', 'd/g': 'F' });
    expect(await rig.run(['get', ...words])).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(join(rig.local, target), 'utf8')).toBe('F');
  });

  test('several are fetched into a folder; a missing one is an error, and the others come', async () => {
    plant(rig.served, { f: 'F', 'd/g': 'G' });
    const get = await rig.run(['get', ':f', ':nothing', ':d', 'dir']);
    expect(get.code).toBe(1);
    expect(get.stderr).toMatch(/nothing.*no such file or folder on the server/);
    expect(readFileSync(join(rig.local, 'dir/f'), 'utf8')).toBe('F');
    expect(readFileSync(join(rig.local, 'dir/d/g'), 'utf8')).toBe('G');
    expect((await rig.run(['get', ':f', ':d', 'missing'])).code).not.toBe(0);
  });

  test('--exclude leaves out what is named too, as the shell makes names of *, of a job as well', async () => {
    const folder = join(rig.local, 'named');
    plant(folder, { 'node_modules/x': '', 'src/a': 'a', 'b.o': '', build: '', keep: '' });
    const words = ['--exclude', '*.o', '--exclude', 'node_modules/', '--exclude', 'build/'];
    expect(await rig.run(['mkdir', ':named', ':later'])).toMatchObject({ code: 0 });
    expect(await rig.run(['put', 'b.o', 'build', 'keep', 'node_modules', 'src', ':named', ...words], { cwd: folder })).toMatchObject({ code: 0, stderr: '' });
    expect(readdirSync(join(rig.served, 'named')).toSorted()).toEqual(['build', 'keep', 'src']);
    expect(await rig.run(['get', ':named/keep', ':named/src', '--exclude', 'src', `${rig.local}/`])).toMatchObject({ code: 0, stderr: '' });
    expect(readdirSync(rig.local)).not.toContain('src');
    expect(await rig.run(['queue', 'put', 'b.o', 'keep', ':later', ...words], { cwd: folder })).toMatchObject({ code: 0 });
    expect(await rig.run(['wait'])).toMatchObject({ code: 0 });
    expect(readdirSync(join(rig.served, 'later'))).toEqual(['keep']);
    const none = await rig.run(['put', 'b.o', ':named', ...words], { cwd: folder });
    expect([none.code, none.stderr]).toEqual([2, expect.stringMatching(/^put: --exclude leaves out all that was named; give other names/)]);
    // What is in a folder has no name of its own that was typed.
    expect(await rig.run(['put', 'src/.', ':named', '--exclude', 'src'], { cwd: folder })).toMatchObject({ code: 0 });
  });

  test('--exclude leaves out names and paths, both ways', async () => {
    plant(rig.local, { 'tree/keep.c': '', 'tree/drop.o': '', 'tree/node_modules/deep/x.js': '', 'tree/build/out': '', 'tree/sub/build/kept': '', 'tree/sub/also.o': '' });
    const words = ['--exclude', '*.o', '--exclude=node_modules', '--exclude', 'build/**'];
    expect((await rig.run(['put', 'tree', ':', ...words])).code).toBe(0);
    expect(names(join(rig.served, 'tree')).filter((name) => /[.]|kept|out/.test(name))).toEqual(['keep.c', 'sub/build/kept']);
    plant(rig.served, { 'tree/new.o': '', 'tree/build/out': '' });
    expect((await rig.run(['get', ':tree', 'back', ...words])).code).toBe(0);
    expect(names(join(rig.local, 'back')).filter((name) => /[.]|kept|out/.test(name))).toEqual(['keep.c', 'sub/build/kept']);
  });

  test('--if-absent never replaces', async () => {
    plant(rig.served, { a: 'old' });
    expect((await rig.run(['put', '--if-absent', 'a', ':'])).code).toBe(7);
    expect(readFileSync(join(rig.served, 'a'), 'utf8')).toBe('old');
    plant(rig.served, { b: 'new' });
    expect((await rig.run(['get', '--if-absent', ':b'])).code).toBe(7);
    expect(readFileSync(join(rig.local, 'b'), 'utf8')).toBe('B');
  });
});

describe('change', () => {
  beforeEach(() => plant(rig.served, { old: 'OLD', taken: 'TAKEN', 'folder/x': '' }));

  test.each(['change', 'rename', 'mv', 'CHANGE', 'Rename'])('is also spelled %s, and says what was renamed', async (word) => {
    const ran = await rig.run([word, ':old', 'new']);
    expect(ran).toMatchObject({ code: 0, stdout: 'renamed old to new\n', stderr: '' });
    expect(names(rig.served)).toContain('new');
  });

  test('says that the old name was not found', async () => {
    const ran = await rig.run(['change', ':nothing', 'new']);
    expect(ran.code).toBe(6);
    expect(ran.stderr).toMatch(/^change: nothing: no such file or folder/);
  });

  test('never replaces, unless -f is given', async () => {
    const ran = await rig.run(['change', ':old', 'taken']);
    expect(ran.code).toBe(7);
    expect(ran.stderr).toContain('taken');
    expect(readFileSync(join(rig.served, 'taken'), 'utf8')).toBe('TAKEN');
    expect((await rig.run(['change', '-f', ':old', 'taken'])).code).toBe(0);
    expect(readFileSync(join(rig.served, 'taken'), 'utf8')).toBe('OLD');
    expect(existsSync(join(rig.served, 'old'))).toBe(false);
  });

  test('moves into a folder with a slash, and renames folders', async () => {
    expect((await rig.run(['mv', ':old', ':folder/'])).code).toBe(0);
    expect((await rig.run(['mv', ':folder', ':renamed'])).code).toBe(0);
    expect(names(rig.served)).toEqual(['renamed', 'renamed/old', 'renamed/x', 'taken']);
    expect((await rig.run(['mv', ':renamed', ':renamed/inside'])).code).not.toBe(0);
  });

  test('changes only the case of a name', async () => {
    expect(await rig.run(['change', ':old', 'OLD'])).toMatchObject({ code: 0 });
    expect(names(rig.served)).toContain('OLD');
  });
});

describe('answers agree with the file system', () => {
  beforeEach(() => {
    plant(rig.served, { small: 'x', large: Buffer.alloc(70_000), '.hidden': '', 'folder/inside': 'yy', 'folder/deep/er': 'zzz' });
    symlinkSync('small', join(rig.served, 'link'));
    utimesSync(join(rig.served, 'small'), 1000, 1_000_000_000.123456);
    utimesSync(join(rig.served, 'large'), 1000, 1_100_000_000);
    utimesSync(join(rig.served, 'folder'), 1000, 900_000_000);
  });

  test.each([
    [[], ['folder/', 'large', 'link@', 'small']],
    [['-a'], ['.hidden', 'folder/', 'large', 'link@', 'small']],
    [['-r'], ['small', 'link@', 'large', 'folder/']],
    [['-1S'], ['large', 'small', 'folder/', 'link@']],
    [['-R'], ['/:', 'folder/', 'large', 'link@', 'small', 'folder:', 'deep/', 'inside', 'folder/deep:', 'er']],
  ])('ls %j', async (flags, expected) => {
    expect(lines(await rig.run(['ls', ...flags, ':']))).toEqual(expected);
  });

  test('ls -t is newest first, ls of one file is that file', async () => {
    expect(lines(await rig.run(['ls', '-t', ':'])).filter((name) => name !== 'link@')).toEqual(['large', 'small', 'folder/']);
    expect((await rig.run(['ls', ':folder/inside'])).stdout).toBe('folder/inside\n');
    expect(lines(await rig.run(['ls', '-l', ':large']))[0]).toMatch(/^-rw-r--r-- {2}70000 {2}2004-11-09 \d\d:\d\d {2}large$/);
    expect((await rig.run(['ls', '-lh', ':large'])).stdout).toContain('68 KiB');
    expect((await rig.run(['ls', ':nothing'])).code).toBe(6);
  });

  test('stat, du, df, find and hash', async () => {
    const stats = lstatSync(join(rig.served, 'small'));
    const [entry] = events(await rig.run(['stat', '--json', ':small']));
    expect(entry).toEqual({ event: 'entry', path: '/small', kind: 'file', size: 1, mtime: '2001-09-09T01:46:40.123456Z', mode: (stats.mode & 0o777).toString(8) });
    expect((await rig.run(['stat', ':small'])).stdout).toMatch(/^path: {4}\/small\nkind: {4}file\nsize: {4}1 bytes/);
    expect(events(await rig.run(['du', '--json', ':']))).toEqual([{ event: 'usage', path: '/', files: 5, folders: 3, bytes: 70_006 }]);
    const [space] = events(await rig.run(['df', '--json', ':']));
    const { blocks, bsize } = statfsSync(rig.served);
    expect(space).toMatchObject({ event: 'space', total: blocks * bsize });
    expect(space!['free']).toBeLessThan(space!['total'] as number);
    expect(lines(await rig.run(['find', ':'])).sort()).toEqual(['.hidden', 'folder', 'folder/deep', 'folder/deep/er', 'folder/inside', 'large', 'link', 'small']);
    expect(lines(await rig.run(['find', '--name', '*e*', ':folder'])).sort()).toEqual(['folder/deep', 'folder/deep/er', 'folder/inside']);
  });

  test('names that cannot be shown are counted, in words and as an object, and rm -r removes them too', async () => {
    plant(rig.served, { 'odd/good': '', 'odd/line\nbreak': '' });
    writeFileSync(Buffer.concat([Buffer.from(`${join(rig.served, 'odd')}/`), Buffer.from([0xff, 0xfe])]), '');
    for (const verb of ['ls', 'find']) {
      expect(await rig.run([verb, ':odd'])).toMatchObject({ code: 0, stderr: `${verb}: 2 names left out: not valid Unicode, or not safe to show\n` });
      const json = await rig.run([verb, ':odd', '--json']);
      expect(json).toMatchObject({ code: 0, stderr: '' });
      expect(events(json).filter(({ event }) => event === 'unlisted')).toEqual([{ event: 'unlisted', path: '/odd', names: 2 }]);
    }
    expect((await rig.run(['rm', '-rn', ':odd'])).stdout).toBe('would remove the folder odd with 3 files, 0 B, 2 names in it not to be shown\n');
    expect((await rig.run(['rm', '-r', ':odd'])).code).toBe(0);
    expect(existsSync(join(rig.served, 'odd'))).toBe(false);
  });

  test('mkdir, rmdir and rm', async () => {
    expect((await rig.run(['mkdir', ':a'])).code).toBe(0);
    expect((await rig.run(['mkdir', ':a'])).code).toBe(7);
    expect((await rig.run(['mkdir', '-p', ':a/b/c', ':a'])).code).toBe(0);
    expect((await rig.run(['mkdir', ':x/y'])).code).toBe(6);
    expect((await rig.run(['rmdir', ':a'])).code).toBe(7);
    expect((await rig.run(['rmdir', ':a/b/c', ':a/b'])).code).toBe(0);
    expect((await rig.run(['rm', ':a'])).code).toBe(7);
    expect((await rig.run(['rm', ':nothing'])).code).toBe(6);
    expect((await rig.run(['rm', '-f', ':nothing'])).code).toBe(0);
    expect((await rig.run(['rm', ':small', ':link'])).code).toBe(0);
    expect((await rig.run(['rm', '-r', ':folder', ':a'])).code).toBe(0);
    expect(names(rig.served)).toEqual(['.hidden', 'large']);
  });
});

describe('--json', () => {
  test('of every command is one object a line with an event, failures too', async () => {
    plant(rig.local, { f: 'F', 'd/x': '' });
    const ran = async (...words: string[]): Promise<string[]> => events(await rig.run([...words, '--json'])).map(({ event }) => String(event));
    expect(await ran('put', 'f', 'd', ':')).toEqual(['item', 'item', 'summary']);
    expect(await ran('put', '-v', 'd', ':')).toEqual(['file', 'item', 'summary']);
    expect(await ran('get', ':f', ':nothing', './')).toEqual(['item', 'error', 'summary']);
    expect(await ran('ls', ':')).toEqual(['entry', 'entry']);
    expect(await ran('find', ':')).toHaveLength(3);
    expect(await ran('change', ':f', 'g')).toEqual(['renamed']);
    expect(await ran('hash', ':g')).toEqual(['digest']);
    expect(await ran('mkdir', ':m')).toEqual(['made']);
    expect(await ran('rm', ':g')).toEqual(['removed']);
    expect(await ran('rm', ':g')).toEqual(['error']);
    expect(await ran('frobnicate')).toEqual(['error']);
    const [error] = events(await rig.run(['get', ':nothing', '--json']));
    expect(error).toMatchObject({ event: 'error', code: 'NOTFOUND', path: ':nothing'.slice(1), who: 'server', retry: false, exit: 6 });
    const before = await rig.run(['--json', 'stat', ':nothing']);
    expect([before.code, before.stderr, events(before)[0]]).toEqual([6, '', expect.objectContaining({ event: 'error', code: 'NOTFOUND' })]);
    const invite = await rig.run(['invite', '--state', rig.state, '--json']);
    expect(events(invite)[0]).toMatchObject({ event: 'invited', role: 'rw' });
    expect(events(await rig.run(['devices', 'list', '--state', rig.state, '--json']))[0]).toMatchObject({ event: 'device', rights: 'rw' });
  });
});
