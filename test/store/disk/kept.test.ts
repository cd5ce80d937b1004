/** What the disk keeps for undo: its bounds in time and space, after a crash and a restart, and that nobody finds it by a path. */
import { existsSync, linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ready } from '../../../src/digest.ts';
import { openDisk, type DiskVault } from '../../../src/store/disk/disk.ts';
import { by, rehearsed, undo } from '../contract-undo.ts';
import { at, codeOf, namesIn, packOf, put, visible } from '../vaults.ts';

const HOUR = 3_600_000;
let base: string;
beforeAll(async () => { await ready(); base = mkdtempSync(join(tmpdir(), 'wherry-kept-')); });
afterAll(() => { rmSync(base, { recursive: true, force: true }); });

const root = (): string => mkdtempSync(join(base, 'root-'));
const kept = (folder: string): string => join(folder, '.wherry/kept');
/** Names of the actions that are kept. */
const actions = (folder: string): string[] => (existsSync(kept(folder)) ? readdirSync(kept(folder)) : []);
const disk = (folder: string, bytes = 1 << 20, ms = HOUR): Promise<DiskVault> => openDisk(folder, { keep: { ms, bytes } });

test('nothing is kept, and nothing made, where the time or the space is 0', async () => {
  for (const keep of [undefined, { ms: 0, bytes: 1 << 20 }, { ms: HOUR, bytes: 0 }]) {
    const folder = root();
    await using vault = await openDisk(folder, { ...(keep && { keep }) });
    await put(vault, 'a', 'one', { keep: by(1) });
    await put(vault, 'a', 'two', { keep: by(1) });
    await vault.remove(at('a'), { keep: by(1) });
    expect(actions(folder)).toEqual([]);
    expect(await codeOf(rehearsed(vault))).toBe('NOTFOUND');
  }
});

test('the oldest goes when the space is used up, and one thing that is larger than the space is not kept at all', async () => {
  const folder = root();
  await using vault = await disk(folder, 10_000);
  for (const name of ['a', 'b', 'c']) await put(vault, name, Buffer.alloc(4000, name));
  await put(vault, 'large', Buffer.alloc(20_000));
  await put(vault, 'a', 'new', { keep: by(1) });
  await put(vault, 'b', 'new', { keep: by(2) });
  await put(vault, 'c', 'new', { keep: by(3) });
  expect(actions(folder)).toHaveLength(2);
  await vault.remove(at('large'), { keep: by(4) });
  expect(await vault.stat(at('large'))).toBeUndefined();
  expect(await undo(vault, 5)).toEqual(['large NOTFOUND']);
  expect(await undo(vault, 6)).toEqual(['replace c']);
  expect(await undo(vault, 7)).toEqual(['replace b']);
  expect(await codeOf(rehearsed(vault))).toBe('NOTFOUND');
  expect(readFileSync(join(folder, 'b'), 'utf8')).toBe('b'.repeat(4000));
  expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('new');
});

test('of one action that is larger than the space the first things come back, and of the others it is told', async () => {
  const folder = root();
  await using vault = await disk(folder, 10_000);
  for (const name of ['a', 'b', 'c']) await put(vault, name, Buffer.alloc(4000, name));
  for (const name of ['a', 'b', 'c']) await vault.remove(at(name), { keep: by(1) });
  expect((await undo(vault, 2)).sort()).toEqual(['c NOTFOUND', 'restore a', 'restore b']);
  expect((await namesIn(vault, '')).sort()).toEqual(['a', 'b']);
});

test('what is older than the time is gone at the next sweep, also after a restart; a folder of any modes goes with it', async () => {
  const folder = root();
  {
    await using vault = await disk(folder);
    await vault.receiveBatch(at('d'), packOf({ sub: [{ name: 'f', data: 'f' }] }), visible);
    await vault.finishFolders(at('d'), [{ path: at('sub'), mode: 0o500, mtime: 0 }], 'visible');
    await vault.remove(at('d'), { deep: true, keep: by(1) });
    await put(vault, 'new', 'new', { keep: by(2) });
  }
  expect(actions(folder)).toHaveLength(2);
  const old = actions(folder).find((name) => name.endsWith('1'))!;
  utimesSync(join(kept(folder), old, 'log'), Date.now() / 1000 - 7200, Date.now() / 1000 - 7200);
  await using vault = await disk(folder);
  await vault.sweep(0);
  expect(actions(folder).map((name) => name.at(-1))).toEqual(['2']);
  await using off = await openDisk(folder);
  await off.sweep(0);
  expect(actions(folder)).toEqual([]);
});

test('it is undone after a restart, and what is kept is not seen or counted', async () => {
  const folder = root();
  {
    await using vault = await disk(folder);
    await put(vault, 'a', 'one');
    await put(vault, 'a', 'three', { keep: by(1) });
  }
  await using vault = await disk(folder);
  expect(await namesIn(vault, '', true)).toEqual(['a']);
  expect(await vault.usage(at(''))).toEqual({ files: 1, folders: 1, bytes: 5 });
  expect(statSync(kept(folder)).mode & 0o777).toBe(0o700);
  expect(await undo(vault, 2)).toEqual(['replace a']);
  expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('one');
});

test('who was killed between the second name and the replacement has harmed nothing, and what is left of it goes in time', async () => {
  const folder = root();
  await using vault = await disk(folder);
  await put(vault, 'a', 'one');
  await put(vault, 'a', 'two', { keep: by(1) });
  await undo(vault, 2);
  // As it is on the disk then: a second name of the file that is still there, and no word of it in any log.
  mkdirSync(join(kept(folder), 'killed.0000000000000003'));
  linkSync(join(folder, 'a'), join(kept(folder), 'killed.0000000000000003/0'));
  expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('one');
  await put(vault, 'a', 'three', { keep: by(4) });
  expect(await undo(vault, 5)).toEqual(['replace a']);
  const old = Date.now() / 1000 - 7200;
  for (const name of actions(folder)) for (const path of [join(kept(folder), name), join(kept(folder), name, 'log')]) if (existsSync(path)) utimesSync(path, old, old);
  await using later = await disk(folder);
  await later.sweep(0);
  expect(actions(folder)).toEqual([]);
  expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('one');
  expect(statSync(join(folder, 'a')).nlink).toBe(1);
});

test('a log that was cut off is read as far as it goes', async () => {
  const folder = root();
  await using vault = await disk(folder);
  await put(vault, 'a', 'one', { keep: by(1) });
  const [action] = actions(folder);
  writeFileSync(join(kept(folder), action!, 'log'), '3 1 1 [{"does":"gone","pa', { flag: 'a' });
  expect(await undo(vault, 2)).toEqual(['remove a']);
});

test('what was changed on the disk beside the server is noticed', async () => {
  const folder = root();
  await using vault = await disk(folder);
  await put(vault, 'a', 'one');
  await put(vault, 'a', 'two', { keep: by(1) });
  writeFileSync(join(folder, 'a'), 'by hand');
  expect(await rehearsed(vault)).toMatchObject([{ what: 'replace', path: 'a', problem: { code: 'PRECONDITION', message: 'was changed since' } }]);
  rmSync(join(folder, 'a'));
  expect(await rehearsed(vault)).toMatchObject([{ problem: { message: 'is gone since' } }]);
});

test('what is kept is given up before an upload fails for want of room', async () => {
  const folder = root();
  await using vault = await disk(folder);
  await put(vault, 'a', 'one');
  await put(vault, 'a', 'two', { keep: by(1) });
  // More than any disk has: what is kept goes, and it is refused all the same.
  expect(await codeOf(vault.receive(at('b'), { size: 2 ** 52, mtime: 0, mode: 0o644, level: 'visible', condition: 'any', owner: 'ann', reuseOld: false }))).toBe('NOSPACE');
  expect(actions(folder)).toEqual([]);
});

test('an action that somebody lost a file of is undone in its other steps', async () => {
  const folder = root();
  await using vault = await disk(folder);
  for (const name of ['a', 'b']) await put(vault, name, name);
  for (const name of ['a', 'b']) await vault.remove(at(name), { keep: by(1) });
  const [action] = actions(folder);
  const [first] = readdirSync(join(kept(folder), action!)).filter((name) => name !== 'log').sort();
  renameSync(join(kept(folder), action!, first!), join(folder, 'aside'));
  expect((await undo(vault, 2)).sort()).toEqual(['a NOTFOUND', 'restore b']);
});
