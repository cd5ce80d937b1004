/** The part of the contract about names: making, listing, renaming, removing, and names too like each other. */
import { expect } from 'vitest';
import { ROOT } from '../../src/path.ts';
import { type Check, at, codeOf, codesOf, contentOf, MTIME, namesIn, packOf, put, stepsOf, visible, wanting } from './vaults.ts';

export function names(check: Check): void {
  check('a folder is made once, with those above it when asked', async (vault) => {
    await vault.makeFolder(at('d'), { mode: 0o700 });
    expect(await vault.stat(at('d'))).toMatchObject({ name: 'd', kind: 'folder', size: 0, mode: 0o700 });
    expect(await codeOf(vault.makeFolder(at('d')))).toBe('EXISTS');
    expect(await codeOf(vault.makeFolder(at('x/y')))).toBe('NOTFOUND');
    await vault.makeFolder(at('x/y/z'), { parents: true });
    await vault.makeFolder(at('x/y/z'), { parents: true });
    await put(vault, 'f', '');
    expect(await codeOf(vault.makeFolder(at('f'), { parents: true }))).toBe('EXISTS');
    expect(await codeOf(vault.makeFolder(at('f/g'), { parents: true }))).toBe('NOTDIR');
    expect(await codeOf(vault.makeFolder(ROOT))).toBe('EXISTS');
    expect((await namesIn(vault, '', true)).sort()).toEqual(['d', 'f', 'x', 'x/y', 'x/y/z']);
  });

  check('a listing has every entry once, in pages, parents before children', async (vault) => {
    const pack = (from: number): Uint8Array => packOf({ many: Array.from({ length: 1250 }, (_, i) => ({ name: `n${from + i}`, data: 'x' })) });
    for (let from = 0; from < 10_000; from += 1250) expect((await vault.receiveBatch(ROOT, pack(from), visible)).problems).toEqual([]);
    const pages: number[] = [];
    const seen = new Set<string>();
    for await (const page of vault.list(at('many'))) {
      pages.push(page.entries.length);
      for (const { name } of page.entries) seen.add(name);
    }
    expect(seen.size).toBe(10_000);
    expect(Math.max(...pages)).toBeLessThanOrEqual(1000);
    const deep = await namesIn(vault, '', true);
    expect([deep.length, deep[0]]).toEqual([10_001, 'many']);
    expect(await vault.usage(ROOT)).toEqual({ files: 10_000, folders: 2, bytes: 10_000 });
    await vault.remove(at('many'), { deep: true });
    expect(await namesIn(vault, '')).toEqual([]);
  });

  check('what is asked of the wrong thing says so', async (vault) => {
    await put(vault, 'f', 'abc');
    expect(await vault.stat(ROOT)).toMatchObject({ name: '', kind: 'folder' });
    expect(await vault.stat(at('f/g'))).toBeUndefined();
    expect(await codeOf(namesIn(vault, 'f'))).toBe('NOTDIR');
    expect(await codeOf(namesIn(vault, 'no'))).toBe('NOTFOUND');
    expect(await codeOf(vault.usage(at('no')))).toBe('NOTFOUND');
    expect(await vault.usage(at('f'))).toEqual({ files: 1, folders: 0, bytes: 3 });
    expect(await codeOf(stepsOf(vault, 'f'))).toBe('NOTDIR');
    expect(await codeOf(stepsOf(vault, 'no'))).toBe('NOTFOUND');
    const { free, total } = await vault.space();
    expect(free).toBeGreaterThan(0);
    expect(total).toBeGreaterThanOrEqual(free);
  });

  check('a rename never replaces unless told to, and then no folder that is not empty', async (vault) => {
    for (const name of ['a', 'b']) await put(vault, name, name);
    await vault.makeFolder(at('d/e'), { parents: true });
    await vault.makeFolder(at('empty'));
    expect(await codeOf(vault.move(at('no'), at('x')))).toBe('NOTFOUND');
    expect(await codeOf(vault.move(at('a'), at('no/x')))).toBe('NOTFOUND');
    expect(await codeOf(vault.move(at('a'), at('b')))).toBe('EXISTS');
    expect(await codeOf(vault.move(at('a'), at('a')))).toBe('EXISTS');
    expect(await codeOf(vault.move(at('d'), at('empty')))).toBe('EXISTS');
    expect(await codeOf(vault.move(at('d'), at('d/e/f')))).toBe('USAGE');
    expect(await codeOf(vault.move(at('a'), at('d'), { replace: true }))).toBe('ISDIR');
    expect(await codeOf(vault.move(at('d'), at('a'), { replace: true }))).toBe('NOTDIR');
    expect(await codeOf(vault.move(at('empty'), at('d'), { replace: true }))).toBe('NOTEMPTY');
    expect((await contentOf(vault, 'b')).toString()).toBe('b');
    await vault.move(at('a'), at('b'), { replace: true });
    expect((await contentOf(vault, 'b')).toString()).toBe('a');
    await vault.move(at('b'), at('d/b'));
    await vault.move(at('d'), at('empty'), { replace: true });
    expect((await namesIn(vault, '', true)).sort()).toEqual(['empty', 'empty/b', 'empty/e']);
  });

  check('mode and time are set each by itself, never beyond 0777, and change nothing else', async (vault) => {
    await put(vault, 'f', 'abc', { mode: 0o644 });
    await vault.makeFolder(at('d'));
    await vault.setAttributes(at('f'), { mode: 0o7600 });
    expect(await vault.stat(at('f'))).toMatchObject({ mode: 0o600, size: 3, mtime: MTIME });
    await vault.setAttributes(at('f'), { mtime: MTIME + 7 });
    expect(await vault.stat(at('f'))).toMatchObject({ mode: 0o600, mtime: MTIME + 7 });
    await vault.setAttributes(at('d'), { mode: 0o700, mtime: -1_600_000_123 });
    expect(await vault.stat(at('d'))).toMatchObject({ kind: 'folder', mode: 0o700, mtime: -1_600_000_123 });
    await vault.setAttributes(at('f'), { mode: 0 });
    await vault.setAttributes(at('f'), { mode: 0o640 });
    expect(await vault.stat(at('f'))).toMatchObject({ mode: 0o640 });
    expect((await contentOf(vault, 'f')).toString()).toBe('abc');
    expect(await codeOf(vault.setAttributes(at('no'), { mode: 0 }))).toBe('NOTFOUND');
    expect(await codeOf(vault.setAttributes(at('f/g'), { mode: 0 }))).toBe('NOTDIR');
    expect(await codeOf(vault.setAttributes(ROOT, { mode: 0 }))).toBe('DENIED');
  });

  check('what is removed is of the kind asked for, and full folders only when asked', async (vault) => {
    await put(vault, 'f', '');
    await vault.makeFolder(at('d/e'), { parents: true });
    await put(vault, 'd/e/g', '');
    expect(await codeOf(vault.remove(ROOT, { deep: true }))).toBe('DENIED');
    expect(await codeOf(vault.remove(at('no')))).toBe('NOTFOUND');
    expect(await codeOf(vault.remove(at('d'), { kind: 'file', deep: true }))).toBe('ISDIR');
    expect(await codeOf(vault.remove(at('f'), { kind: 'folder' }))).toBe('NOTDIR');
    expect(await codeOf(vault.remove(at('d')))).toBe('NOTEMPTY');
    await vault.remove(at('f'), { kind: 'file' });
    await vault.remove(at('d'), { kind: 'folder', deep: true });
    expect(await namesIn(vault, '', true)).toEqual([]);
  });

  check('A7: a name too like one that is there is refused wherever names are made', async (vault) => {
    await put(vault, 'Straße', '1');
    await vault.makeFolder(at('Ordner'));
    await put(vault, 'é', '2');
    expect(await codeOf(vault.receive(at('STRASSE'), wanting()))).toBe('EXISTS');
    expect(await codeOf(vault.receive(at('e\u0301'), wanting()))).toBe('EXISTS');
    expect(await codeOf(vault.makeFolder(at('ordner')))).toBe('EXISTS');
    expect(await codeOf(vault.makeFolder(at('ordner/sub'), { parents: true }))).toBe('EXISTS');
    expect(await codeOf(vault.move(at('é'), at('ORDNER')))).toBe('EXISTS');
    const result = await vault.receiveBatch(ROOT, packOf({ '': [{ name: 'strasse', data: 'x' }, { name: 'new', data: 'x' }, { name: 'NEW', data: 'y' }], ORDNER: [{ name: 'f', data: 'z' }] }), visible);
    expect(codesOf(result.problems)).toEqual(['NEW EXISTS', 'ORDNER EXISTS', 'ORDNER/f EXISTS', 'strasse EXISTS']);
    await using upload = await vault.receive(at('x'), wanting());
    await put(vault, 'X', 'first');
    expect(await codeOf(upload.commit(0))).toBe('EXISTS');
    await vault.move(at('Straße'), at('STRASSE'));
    await put(vault, 'é', 'replaced');
    expect((await namesIn(vault, '')).sort()).toEqual(['Ordner', 'STRASSE', 'X', 'new', 'é']);
  });
}
