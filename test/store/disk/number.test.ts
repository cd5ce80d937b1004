/** A folder that is moved away, and another one that stands in its place: nothing is done in that, and all works when the right one is back. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Failure } from '../../../src/errors.ts';
import { type DiskVault, openDisk } from '../../../src/store/disk/disk.ts';
import { numberOf } from '../../../src/store/disk/number.ts';
import { at, codeOf, contentOf, namesIn, packOf, put, stepsOf, visible, wanting } from '../vaults.ts';
import { newRoot, onLinux, openDescriptors } from './roots.ts';

interface Known { readonly root: string; readonly vault: DiskVault; away(): void; other(): void; back(): void }

async function known(workers: number): Promise<Known> {
  const root = newRoot();
  const vault = await openDisk(root, { workers, number: await numberOf(root), keep: { ms: 60_000, bytes: 1 << 20 } });
  return {
    root, vault,
    away: () => renameSync(root, `${root}.away`),
    other: () => mkdirSync(root),
    back() {
      if (existsSync(root)) renameSync(root, `${root}.other`);
      renameSync(`${root}.away`, root);
    },
  };
}

/** The codes with which everything that can be asked is refused. */
async function refusedWith(vault: DiskVault): Promise<string[]> {
  return [...new Set(await Promise.all([
    put(vault, 'new', 'x'), vault.stat(at('a')), namesIn(vault, ''), vault.read(at('a')), stepsOf(vault, ''), vault.usage(at('')), vault.space(), vault.sweep(0), vault.resting('ann'),
    vault.makeFolder(at('folder'), { parents: true }), vault.move(at('a'), at('b')), vault.remove(at('a')), vault.setAttributes(at('a'), { mode: 0o600 }), vault.probe(1, 1),
    vault.receiveBatch(at(''), packOf({ '': [{ name: 'batch', data: 'x' }] }), visible), vault.finishFolders(at(''), [], 'visible'),
  ].map(codeOf)))];
}

describe.each([0, 1, 2])('a folder known by its number, worked on by %i threads,', (workers) => {
  test.each(['before anything was asked', 'after it was used'])('is the only one that is served when it is moved %s', async (when) => {
    const { root, vault, away, other, back } = await known(workers);
    await using _ = vault;
    if (when !== 'before anything was asked') await put(vault, 'a', 'first');
    away();
    expect(await refusedWith(vault)).toEqual(['IO']);
    await expect(vault.stat(at('a'))).rejects.toMatchObject({ code: 'IO', who: undefined, path: undefined, retry: true, message: 'the folder of this server is not the one that was there at its start: there is none now' });
    other();
    expect(await refusedWith(vault)).toEqual(['IO']);
    await expect(vault.stat(at('a'))).rejects.toMatchObject({ message: expect.stringContaining('another one stands in its place') as unknown, hint: expect.stringContaining('start the server again') as unknown });
    expect(readdirSync(root)).toEqual([]);
    back();
    await put(vault, 'b', 'second');
    rmSync(`${root}.other`, { recursive: true });
    await put(vault, 'c', 'third');
    expect(readFileSync(join(root, 'c'), 'utf8')).toBe('third');
    expect((await contentOf(vault, 'b')).toString()).toBe('second');
  });

  test('keeps what has come of a file while another stands there, and goes on with it', async () => {
    const { root, vault, away, other, back } = await known(workers);
    await using _ = vault;
    const cut = await vault.receive(at('a'), wanting({ size: 5 }));
    await cut.write([Buffer.from('first')], 0);
    away();
    other();
    await expect(cut.commit(5)).rejects.toMatchObject({ code: 'IO', retry: true });
    await cut[Symbol.asyncDispose]();
    expect(readdirSync(root)).toEqual([]);
    back();
    await using again = await vault.receive(at('a'), wanting({ size: 5 }));
    expect(again.basis).toEqual({ kind: 'part', size: 5 });
    await again.commit(5);
    expect(readFileSync(join(root, 'a'), 'utf8')).toBe('first');
  });

  test('that is removed under an upload says so, and nothing else', async () => {
    const { root, vault } = await known(workers);
    await using _ = vault;
    const failed = async (): Promise<void> => {
      await using upload = await vault.receive(at('a'), wanting({ size: 5 }));
      await upload.write([Buffer.from('first')], 0);
      rmSync(root, { recursive: true });
      await upload.commit(5);
    };
    const failure = await failed().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({ code: 'IO', message: expect.stringContaining('there is none now') as unknown });
  });

  test.runIf(onLinux)('is opened anew each time it is back, and no descriptor stays', async () => {
    const { vault, away, other, back, root } = await known(workers);
    await using _ = vault;
    const around = async (): Promise<void> => {
      away();
      other();
      for (let time = 0; time < 4; time += 1) expect(await codeOf(vault.stat(at('a')))).toBe('IO');
      back();
      await put(vault, 'a', 'x');
      rmSync(`${root}.other`, { recursive: true });
    };
    await around();
    const before = openDescriptors();
    for (let time = 0; time < 5; time += 1) await around();
    expect(openDescriptors()).toBeLessThanOrEqual(before + workers);
  });
});

test('a folder without a number is whichever was there when it was opened', async () => {
  const root = newRoot();
  await using vault = await openDisk(root);
  renameSync(root, `${root}.away`);
  mkdirSync(root);
  await put(vault, 'a', 'x');
  expect(readdirSync(onLinux ? `${root}.away` : root)).toContain('a');
});
