/** The part of the contract about trees: packs out, packs in, and folders at the end. */
import { expect } from 'vitest';
import { digestOf } from '../../src/digest.ts';
import { heldAs, markLeft } from '../../src/left.ts';
import { LEAST_PACK_BYTES, MAX_PACKED_FILE, PACK_HEADROOM } from '../../src/pack.ts';
import { ROOT, type RemotePath } from '../../src/path.ts';
import { type Check, at, bytesOf, codeOf, codesOf, contentOf, MTIME, namesIn, packOf, put, stepsOf, told, visible } from './vaults.ts';

export function trees(check: Check): void {
  check('a tree goes out and comes in the same: files, empty folders, modes, times', async (vault) => {
    await vault.makeFolder(at('from/deep/er'), { parents: true });
    await vault.makeFolder(at('from/empty'));
    await put(vault, 'from/a', 'A', { mode: 0o600 });
    await put(vault, 'from/deep/b', '', { mode: 0o755 });
    await put(vault, 'from/deep/er/c', bytesOf(MAX_PACKED_FILE));
    await put(vault, 'from/deep/large', bytesOf(MAX_PACKED_FILE + 1));
    const steps = await stepsOf(vault, 'from');
    expect(told(steps).sort()).toEqual(['file a', 'file deep/b', 'file deep/er/c', 'folder ', 'folder deep', 'folder deep/er', 'folder empty', 'large deep/large']);
    for (const step of steps) {
      const result = await vault.receiveBatch(at('to'), step.pack.slice(), visible);
      expect(result).toEqual({ files: step.files, bytes: step.bytes, problems: [] });
    }
    const folders = steps.flatMap((step) => step.folders);
    expect(await vault.finishFolders(at('to'), folders.map((folder) => ({ ...folder, mtime: MTIME })), 'durable')).toEqual([]);
    expect((await namesIn(vault, 'to', true)).sort()).toEqual(['a', 'deep', 'deep/b', 'deep/er', 'deep/er/c', 'empty']);
    expect(await vault.stat(at('to/a'))).toMatchObject({ mode: 0o600, mtime: MTIME, size: 1 });
    expect(await vault.stat(at('to/deep/b'))).toMatchObject({ mode: 0o755, size: 0 });
    expect(await vault.stat(at('to/deep'))).toMatchObject({ mode: 0o755, mtime: MTIME });
    expect((await contentOf(vault, 'to/deep/er/c')).equals(bytesOf(MAX_PACKED_FILE))).toBe(true);
  });

  check('children are finished before their parents', async (vault) => {
    await vault.makeFolder(at('a/b/c'), { parents: true });
    expect((await stepsOf(vault, '')).flatMap(({ folders }) => folders.map(({ path }) => path))).toEqual(['a/b/c', 'a/b', 'a', '']);
  });

  check('what is excluded is left out, a folder with all in it', async (vault) => {
    const files = [{ name: 'x.o', data: '' }, { name: '.hidden.o', data: '' }, { name: 'x.c', data: '' }];
    await vault.receiveBatch(ROOT, packOf({ '': files, 'node_modules/m': files, build: files, 'src/build': files }), visible);
    const steps = await stepsOf(vault, '', { exclude: ['*.o', 'node_modules', '/build'] });
    expect(told(steps).sort()).toEqual(['file src/build/x.c', 'file x.c', 'folder ', 'folder src', 'folder src/build']);
    expect(told(await stepsOf(vault, '', { exclude: ['src/**', 'build/'] })).filter((word) => word.startsWith('folder')).sort()).toEqual(['folder ', 'folder node_modules', 'folder node_modules/m']);
    expect(await codeOf(stepsOf(vault, '', { exclude: ['*a*a*a*a*a*b'] }))).toBe('LIMIT');
  });

  check('where nothing may be replaced, what is named may be', async (vault) => {
    const files = (data: string) => [{ name: 'named', data }, { name: 'not', data }];
    for (const level of ['visible', 'durable'] as const) {
      await vault.receiveBatch(ROOT, packOf({ [level]: files('old'), [`${level}/sub`]: files('old') }), visible);
      const replaceable = markLeft(['named', 'sub/not']);
      const { files: stored, problems } = await vault.receiveBatch(at(level), packOf({ '': files('new'), sub: files('new') }), { level, condition: 'absent', replaceable });
      expect([stored, codesOf(problems)]).toEqual([2, ['not EXISTS', 'sub/named EXISTS']]);
      const now = ['named', 'not', 'sub/named', 'sub/not'].map(async (name) => (await contentOf(vault, `${level}/${name}`)).toString());
      expect(await Promise.all(now)).toEqual(['new', 'old', 'old', 'new']);
    }
  });

  check('files that need not come are left out, and folders are not', async (vault) => {
    const files = [{ name: 'a', data: 'a' }, { name: 'b', data: 'b' }];
    await vault.receiveBatch(ROOT, packOf({ '': files, sub: files }), visible);
    await put(vault, 'sub/large', bytesOf(MAX_PACKED_FILE + 1));
    const steps = await stepsOf(vault, '', { leave: markLeft(['a', 'sub', 'sub/b', 'sub/large']) });
    expect(told(steps).sort()).toEqual(['file b', 'file sub/a', 'folder ', 'folder sub']);
    expect(await codeOf(stepsOf(vault, '', { leave: new Uint8Array(17) }))).toBe('PROTOCOL');
  });

  check('small files of which the same bytes are held are counted, and do not come', async (vault) => {
    const files = [{ name: 'a', data: 'a' }, { name: 'b', data: 'b' }];
    await vault.receiveBatch(ROOT, packOf({ '': files, sub: files }), visible);
    const of = (path: string, data: string): string => heldAs(path, digestOf(Buffer.from(data)));
    const steps = await stepsOf(vault, '', { held: markLeft([of('a', 'a'), of('b', 'a'), of('sub/b', 'b'), of('none', 'a')]) });
    expect(told(steps).sort()).toEqual(['file b', 'file sub/a', 'folder ', 'folder sub']);
    expect(steps.reduce((sum, { same }) => ({ files: sum.files + (same?.files ?? 0), bytes: sum.bytes + (same?.bytes ?? 0) }), { files: 0, bytes: 0 })).toEqual({ files: 2, bytes: 2 });
    expect(await codeOf(stepsOf(vault, '', { held: new Uint8Array(17) }))).toBe('PROTOCOL');
  });

  check('where there is little room for a pack, packs are small, and files that have no room in one go alone', async (vault) => {
    const files = Array.from({ length: 40 }, (_, i) => ({ name: `f${i}`, data: 'x'.repeat(4096) }));
    await vault.receiveBatch(ROOT, packOf({ '': files, sub: [...files.slice(0, 3), { name: 'middling', data: 'y'.repeat(60_000) }] }), visible);
    let asked = 0;
    const room = (): Promise<ArrayBuffer> => { asked += 1; return Promise.resolve(new ArrayBuffer(PACK_HEADROOM + LEAST_PACK_BYTES)); };
    const steps = await stepsOf(vault, '', { room });
    expect(told(steps).sort()).toEqual([...files.map(({ name }) => `file ${name}`), 'file sub/f0', 'file sub/f1', 'file sub/f2', 'folder ', 'folder sub', 'large sub/middling'].sort());
    expect(Math.max(...steps.map(({ pack }) => pack.byteLength))).toBeLessThanOrEqual(LEAST_PACK_BYTES);
    expect(asked).toBe(steps.length + 1);
  });

  check('leaving a walk early leaves nothing behind', async (vault) => {
    await vault.receiveBatch(ROOT, packOf({ a: [{ name: 'f', data: 'x' }] }), visible);
    for await (const step of vault.pack(ROOT)) if (step.files >= 0) break;
    for await (const page of vault.list(ROOT)) if (page.entries.length > 0) break;
    expect(told(await stepsOf(vault, '')).sort()).toEqual(['file a/f', 'folder ', 'folder a']);
  });

  for (const level of ['visible', 'durable'] as const) {
    check(`in a batch one bad file does not stop the others (${level})`, async (vault) => {
      await vault.makeFolder(at('t/folder'), { parents: true });
      await put(vault, 't/file', 'old');
      const pack = (): Uint8Array => packOf({
        '': [{ name: 'good', data: 'g' }, { name: 'bad', data: 'b', digest: new Uint8Array(32) }, { name: 'folder', data: 'f' }, { name: 'file', data: 'new' }],
        file: [{ name: 'under', data: 'u' }], 'new/er': [{ name: 'last', data: 'l' }],
      });
      const first = await vault.receiveBatch(at('t'), pack(), { level, condition: 'any' });
      expect(codesOf(first.problems)).toEqual(['bad VERIFY', 'file NOTDIR', 'file/under NOTDIR', 'folder ISDIR']);
      expect([first.files, first.bytes]).toEqual([3, 5]);
      expect((await contentOf(vault, 't/file')).toString()).toBe('new');
      const second = await vault.receiveBatch(at('t'), pack(), { level, condition: 'absent' });
      expect(codesOf(second.problems)).toEqual(['bad VERIFY', 'file EXISTS', 'file NOTDIR', 'file/under NOTDIR', 'folder EXISTS', 'good EXISTS', 'new/er/last EXISTS']);
      expect((await namesIn(vault, 't', true)).sort()).toEqual(['file', 'folder', 'good', 'new', 'new/er', 'new/er/last']);
    });
  }

  check('a malformed pack changes nothing', async (vault) => {
    const pack = packOf({ '': [{ name: 'a', data: 'a' }, { name: 'b', data: 'b' }] });
    expect(await codeOf(vault.receiveBatch(ROOT, pack.slice(0, -1), visible))).toBe('PROTOCOL');
    expect(await namesIn(vault, '')).toEqual([]);
  });

  check('many packs of one tree may be under way at once', async (vault) => {
    const packs = Array.from({ length: 8 }, (_, i) => packOf({ d: Array.from({ length: 50 }, (_unused, j) => ({ name: `f${i}-${j}`, data: `${i} ${j}` })) }));
    const results = await Promise.all(packs.map((pack) => vault.receiveBatch(at('t'), pack, { level: 'durable', condition: 'absent' })));
    expect(results.map(({ files }) => files)).toEqual(Array(8).fill(50));
    expect(await namesIn(vault, 't/d')).toHaveLength(400);
  });

  check('a tree 60 deep goes out and comes in', async (vault) => {
    const path = Array(60).fill('d').join('/') as RemotePath;
    await vault.receiveBatch(ROOT, packOf({ [path]: [{ name: 'f', data: 'x' }] }), visible);
    expect(told(await stepsOf(vault, '')).filter((word) => word.startsWith('file'))).toEqual([`file ${path}/f`]);
    expect(await namesIn(vault, '', true)).toHaveLength(61);
    await vault.remove(at('d'), { deep: true });
  });

  check('attributes of a folder that is gone are a problem, not a rejection', async (vault) => {
    await vault.makeFolder(at('d'));
    const problems = await vault.finishFolders(ROOT, [{ path: at('no'), mode: 0o700, mtime: 1 }, { path: at('d'), mode: 0o700, mtime: 1 }], 'visible');
    expect(codesOf(problems)).toEqual(['no NOTFOUND']);
    expect(await vault.stat(at('d'))).toMatchObject({ mode: 0o700, mtime: 1 });
  });
}
