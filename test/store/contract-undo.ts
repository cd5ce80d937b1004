/** The part of the contract about undo: what is kept when something is replaced, removed or renamed, and how it comes back. */
import { expect } from 'vitest';
import type { Chosen, Keep, UndoStep } from '../../src/store/undo.ts';
import type { Vault } from '../../src/store/vault.ts';
import { type Check, at, codeOf, contentOf, MTIME, namesIn, packOf, put, visible } from './vaults.ts';

/** The action number `n` of a device. */
export function by(n: number, device = 'ann'): Keep {
  return { by: device, action: n.toString(16).padStart(16, '0') };
}

/** How the last action would be undone. */
export async function rehearsed(vault: Vault, device = 'ann', redo = false): Promise<UndoStep[]> {
  const steps: UndoStep[] = [];
  for await (const { page } of vault.rehearseUndo(device, redo)) steps.push(...page);
  return steps;
}

async function chosenBy(vault: Vault, device: string, redo: boolean): Promise<Chosen> {
  const pages: Chosen[] = [];
  for await (const page of vault.rehearseUndo(device, redo)) pages.push(page);
  return pages[0]!;
}

/** Undoes the last action, as number `n`; what became of each step, as `what path` or `path CODE`. */
export async function undo(vault: Vault, n: number, { device = 'ann', redo = false, force = false } = {}): Promise<string[]> {
  const chosen = await chosenBy(vault, device, redo);
  const steps: UndoStep[] = [];
  for await (const { page } of vault.undo(chosen, by(n, device), { redo, force })) steps.push(...page);
  return steps.map(({ what, path, problem }) => (problem === undefined ? `${what} ${path}` : `${path} ${problem.code}`));
}

const text = async (vault: Vault, path: string): Promise<string> => (await contentOf(vault, path)).toString();

export function undoing(check: Check): void {
  for (const level of ['visible', 'durable'] as const) {
    check(`a file that a put replaced comes back with its bytes, mode and time, and what a put has made is gone (${level})`, async (vault) => {
      await put(vault, 'a', 'old', { mode: 0o600 });
      await put(vault, 'a', 'newer', { mtime: MTIME + 5, level, keep: by(1) });
      await put(vault, 'b', 'new', { level, keep: by(1) });
      expect(await undo(vault, 2)).toEqual(['remove b', 'replace a']);
      expect(await namesIn(vault, '')).toEqual(['a']);
      expect(await vault.stat(at('a'))).toMatchObject({ size: 3, mtime: MTIME, mode: 0o600 });
      expect(await text(vault, 'a')).toBe('old');
    });

    check(`of a folder that was put some files come back and the new ones go, with the folders that were made for them (${level})`, async (vault) => {
      await put(vault, 'same', 'x');
      await vault.makeFolder(at('d'));
      await put(vault, 'd/one', 'one before');
      const pack = packOf({ '': [], sub: [{ name: 'two', data: '2' }], 'sub/deep': [{ name: 'three', data: '3' }] });
      await vault.receiveBatch(at('d'), packOf({ '': [{ name: 'one', data: 'one' }, { name: 'zero', data: '0' }] }), { level, condition: 'any', keep: by(1) });
      await vault.receiveBatch(at('d'), pack, { level, condition: 'any', keep: by(1) });
      expect((await undo(vault, 2)).sort()).toEqual(['remove d/sub/deep/three', 'remove d/sub/two', 'remove d/zero', 'removeFolder d/sub', 'removeFolder d/sub/deep', 'replace d/one']);
      expect((await namesIn(vault, '', true)).sort()).toEqual(['d', 'd/one', 'same']);
      expect(await text(vault, 'd/one')).toBe('one before');
    });
  }

  check('a folder that was removed with all in it comes back, and so does an empty one', async (vault) => {
    await vault.receiveBatch(at('d'), packOf({ '': [{ name: 'f', data: 'f' }], sub: [{ name: 'g', data: 'gg' }] }), visible);
    await vault.makeFolder(at('empty'));
    await vault.remove(at('d'), { deep: true, keep: by(1) });
    await vault.remove(at('empty'), { keep: by(1) });
    expect(await namesIn(vault, '')).toEqual([]);
    expect(await rehearsed(vault)).toMatchObject([{ what: 'makeFolder', path: 'empty' }, { what: 'restoreFolder', path: 'd', bytes: 3 }]);
    expect(await undo(vault, 2)).toEqual(['makeFolder empty', 'restoreFolder d']);
    expect((await namesIn(vault, '', true)).sort()).toEqual(['d', 'd/f', 'd/sub', 'd/sub/g', 'empty']);
    expect(await text(vault, 'd/sub/g')).toBe('gg');
  });

  check('a rename is reversed, and what it replaced comes back', async (vault) => {
    await put(vault, 'a', 'a');
    await put(vault, 'b', 'b');
    await vault.move(at('a'), at('b'), { replace: true, keep: by(1) });
    expect(await undo(vault, 2)).toEqual(['rename b', 'restore b']);
    expect([await text(vault, 'a'), await text(vault, 'b')]).toEqual(['a', 'b']);
  });

  check('undo goes back action by action, and redo takes back the last undo', async (vault) => {
    await put(vault, 'a', 'one', { keep: by(1) });
    await put(vault, 'a', 'two!', { keep: by(2) });
    await vault.remove(at('a'), { keep: by(3) });
    await undo(vault, 4);
    expect(await text(vault, 'a')).toBe('two!');
    await undo(vault, 5);
    expect(await text(vault, 'a')).toBe('one');
    expect(await undo(vault, 6, { redo: true })).toEqual(['replace a']);
    expect(await text(vault, 'a')).toBe('two!');
    await undo(vault, 7);
    await undo(vault, 8);
    expect(await namesIn(vault, '')).toEqual([]);
    expect(await codeOf(rehearsed(vault))).toBe('NOTFOUND');
  });

  check('nobody undoes what another has done, and what was not asked to be kept is not', async (vault) => {
    await put(vault, 'a', 'one');
    await put(vault, 'a', 'two', { keep: by(1) });
    await vault.remove(at('a'));
    expect(await codeOf(rehearsed(vault, 'bob'))).toBe('NOTFOUND');
    expect(await rehearsed(vault)).toMatchObject([{ path: 'a', problem: { code: 'PRECONDITION' } }]);
  });

  check('what was changed since is left alone, unless it is forced; then it is kept in turn', async (vault) => {
    await put(vault, 'a', 'one');
    await put(vault, 'a', 'two', { keep: by(1) });
    await put(vault, 'a', 'somebody else\'s');
    expect(await undo(vault, 2)).toEqual(['a PRECONDITION']);
    expect(await text(vault, 'a')).toBe('somebody else\'s');
    expect(await undo(vault, 3, { force: true })).toEqual(['replace a']);
    expect(await text(vault, 'a')).toBe('one');
    expect(await undo(vault, 4, { redo: true })).toEqual(['replace a']);
    expect(await text(vault, 'a')).toBe('somebody else\'s');
  });

  check('a name that was taken since, and a folder that is used since, are not given up', async (vault) => {
    await put(vault, 'a', 'one');
    await vault.remove(at('a'), { keep: by(1) });
    await vault.makeFolder(at('d'), { keep: by(2) });
    await put(vault, 'd/x', 'x');
    await vault.makeFolder(at('a'));
    expect(await undo(vault, 3)).toEqual(['d NOTEMPTY']);
    expect(await undo(vault, 4, { force: true })).toEqual(['a ISDIR']);
    await vault.remove(at('a'));
    expect(await undo(vault, 5)).toEqual(['restore a']);
    expect(await text(vault, 'a')).toBe('one');
  });

  check('an action of several pages is undone to its end', async (vault) => {
    const names = Array.from({ length: 100 }, (_, n) => `f${n}`);
    await vault.receiveBatch(at('d'), packOf({ '': names.map((name) => ({ name, data: name })) }), { ...visible, keep: by(1) });
    expect(await undo(vault, 2)).toHaveLength(101);
    expect(await namesIn(vault, '')).toEqual([]);
    expect(await codeOf(rehearsed(vault))).toBe('NOTFOUND');
  });

  check('an action that has gone on since it was rehearsed is not undone unseen', async (vault) => {
    await put(vault, 'a', 'one', { keep: by(1) });
    const chosen = await chosenBy(vault, 'ann', false);
    await put(vault, 'b', 'two', { keep: by(1) });
    expect(await codeOf((async () => { for await (const page of vault.undo(chosen, by(2), { redo: false, force: false })) void page; })())).toBe('CHANGED');
    expect((await namesIn(vault, '')).sort()).toEqual(['a', 'b']);
  });
}
