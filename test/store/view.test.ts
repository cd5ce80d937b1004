import { describe, expect, test } from 'vitest';
import { ready } from '../../src/digest.ts';
import { Failure } from '../../src/errors.ts';
import { ROOT } from '../../src/path.ts';
import { createMemoryVault } from '../../src/store/memory.ts';
import type { Vault } from '../../src/store/vault.ts';
import { viewOf } from '../../src/store/view.ts';
import { vaultContract } from './contract.ts';
import { at, codeOf, contentOf, namesIn, packOf, put, visible, wanting } from './vaults.ts';

/** One folder of a vault as somebody's whole world keeps the contract of a vault, but for sweeping, which is not theirs. */
vaultContract('a home', async () => {
  const vault = createMemoryVault();
  await vault.makeFolder(at('home/ann'), { parents: true });
  const view = viewOf(vault, [{ name: '', path: at('home/ann') }]);
  view.sweep = (before) => vault.sweep(before);
  return view;
});

async function given(): Promise<{ vault: Vault; view: Vault }> {
  await ready();
  const vault = createMemoryVault();
  for (const folder of ['home/ann', 'shared/docs', 'shared/secret']) await vault.makeFolder(at(folder), { parents: true });
  await put(vault, 'home/ann/mine.txt', 'mine');
  await put(vault, 'shared/docs/ours.txt', 'ours');
  await put(vault, 'shared/secret/theirs.txt', 'theirs');
  return { vault, view: viewOf(vault, [{ name: 'mine', path: at('home/ann') }, { name: 'docs', path: at('shared/docs') }]) };
}

describe('a view of the whole', () => {
  test('is the vault itself', () => {
    const vault = createMemoryVault();
    expect(viewOf(vault, [{ name: '', path: ROOT }])).toBe(vault);
  });
});

describe('a view of several folders', () => {
  test('shows their names at the top, and nothing of what else there is', async () => {
    const { view } = await given();
    expect((await namesIn(view, '')).sort()).toEqual(['docs', 'mine']);
    expect((await namesIn(view, '', true)).sort()).toEqual(['docs', 'docs/ours.txt', 'mine', 'mine/mine.txt']);
    expect(await view.stat(ROOT)).toMatchObject({ kind: 'folder', name: '' });
    expect(await view.stat(at('docs'))).toMatchObject({ kind: 'folder', name: 'docs' });
    expect(await view.usage(ROOT)).toEqual({ files: 2, folders: 3, bytes: 8 });
  });

  test('reads and writes in each of them, and renames from one to another', async () => {
    const { vault, view } = await given();
    expect((await contentOf(view, 'docs/ours.txt')).toString()).toBe('ours');
    await put(view, 'docs/new.txt', 'new');
    expect((await contentOf(vault, 'shared/docs/new.txt')).toString()).toBe('new');
    await view.move(at('mine/mine.txt'), at('docs/mine.txt'));
    expect((await contentOf(vault, 'shared/docs/mine.txt')).toString()).toBe('mine');
    expect((await view.receiveBatch(at('docs/tree'), packOf({ '': [{ name: 'a', data: 'a' }] }), visible)).problems).toEqual([]);
    expect((await contentOf(vault, 'shared/docs/tree/a')).toString()).toBe('a');
  });

  test('tells an upload that another took the place of so by the path as it is seen here', async () => {
    const { view } = await given();
    await using first = await view.receive(at('mine/same'), wanting());
    await using second = await view.receive(at('mine/same'), wanting());
    for (const late of [first.write([new Uint8Array(1)], 0), first.commit(0)]) await expect(late).rejects.toMatchObject({ code: 'BUSY', path: 'mine/same', message: expect.stringContaining('another upload of this name') as unknown });
    await second.commit(0);
  });

  test.each<[string, (view: Vault) => Promise<unknown>, string]>([
    ['a file beside them', (view) => put(view, 'loose.txt', 'x'), 'NOTFOUND'],
    ['a folder beside them', (view) => view.makeFolder(at('other')), 'NOTFOUND'],
    ['a tree at the top', (view) => view.receiveBatch(ROOT, packOf({ '': [] }), visible), 'DENIED'],
    ['a folder by its place in the vault', (view) => view.read(at('shared/docs/ours.txt')), 'NOTFOUND'],
    ['to remove one of them', (view) => view.remove(at('docs'), { deep: true }), 'DENIED'],
    ['to rename one of them', (view) => view.move(at('docs'), at('mine/docs')), 'DENIED'],
    ['to put something in the place of one', (view) => view.move(at('mine/mine.txt'), at('docs'), { replace: true }), 'DENIED'],
    ['to change the mode of one', (view) => view.setAttributes(at('docs'), { mode: 0 }), 'DENIED'],
    ['to receive a file under the name of one', (view) => put(view, 'docs', 'x'), 'ISDIR'],
    ['to make what is there', (view) => view.makeFolder(ROOT), 'EXISTS'],
    ['a name that begins like one of them', (view) => view.read(at('docs2/ours.txt')), 'NOTFOUND'],
  ])('refuses %s', async (_, deed, code) => {
    const { vault, view } = await given();
    const before = (await namesIn(vault, '', true)).sort();
    expect(await codeOf(deed(view))).toBe(code);
    expect((await namesIn(vault, '', true)).sort()).toEqual(before);
  });

  test('tells failures by its own paths, never by those of the vault', async () => {
    const { view } = await given();
    const failures = await Promise.all([view.read(at('docs/none')), view.move(at('mine/none'), at('docs/x')), view.remove(at('mine/none'))].map((deed) => deed.then(() => undefined, (error: unknown) => Failure.from(error))));
    expect(failures.map((failure) => failure?.path)).toEqual(['docs/none', 'mine/none', 'mine/none']);
    for (const failure of failures) expect(failure?.message).not.toMatch(/home|shared/);
  });
});
