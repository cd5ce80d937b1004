/** A drive of an account whose rights differ from folder to folder: what it sees, is sent, and may put. */
import { beforeEach, describe, expect, test } from 'vitest';
import { ready } from '../../src/digest.ts';
import { Drive } from '../../src/drive.ts';
import { parsePath, ROOT } from '../../src/path.ts';
import { type Right, ROLES } from '../../src/rights.ts';
import { createMemoryVault } from '../../src/store/memory.ts';
import type { Vault } from '../../src/store/vault.ts';
import { at, codeOf, codesOf, contentOf, packOf, put, told, visible } from '../store/vaults.ts';

let vault: Vault;
beforeEach(async () => {
  await ready();
  vault = createMemoryVault();
  for (const folder of ['open/deep', 'secret/inner', 'blind/sub', 'inbox']) await vault.makeFolder(at(folder), { parents: true });
  for (const file of ['top', 'open/a', 'open/deep/b', 'secret/c', 'secret/inner/d', 'blind/e', 'inbox/f']) await put(vault, file, file);
});

/** `secret` gives nothing, `blind` may be listed and not read, `inbox` takes new files, the rest is read and written. */
function drive(more: readonly [string, readonly Right[]][] = []): Drive {
  const table: readonly [string, readonly Right[]][] = [['', ROLES.rw], ['secret', []], ['blind', ['list']], ['inbox', ROLES.drop], ...more];
  return new Drive({ vault, principal: { name: 'ann', grants: table.map(([path, rights]) => ({ path: parsePath(path), rights })) } });
}

async function names(path: string, deep = false): Promise<string[]> {
  const all: string[] = [];
  for await (const { entries } of drive().list(at(path), { deep })) all.push(...entries.map(({ name }) => name));
  return all.sort();
}

describe('a listing', () => {
  test('does not show what the account is given nothing of', async () => {
    expect(await names('')).toEqual(['blind', 'inbox', 'open', 'top']);
    expect(await names('', true)).toEqual(['blind', 'blind/e', 'blind/sub', 'inbox', 'open', 'open/a', 'open/deep', 'open/deep/b', 'top']);
  });

  test('of a folder that may not be listed is refused, and so is a look at what is in it', async () => {
    expect(await codeOf(names('secret'))).toBe('DENIED');
    expect(await codeOf(names('inbox'))).toBe('DENIED');
    expect(await codeOf(drive().stat(at('secret/c')))).toBe('DENIED');
    expect(await codeOf(drive().stat(at('secret/nothing')))).toBe('DENIED');
  });

  test('counts what it shows', async () => {
    expect(await drive().usage(ROOT)).toMatchObject({ files: 4, folders: 6 });
  });
});

describe('a tree that is fetched', () => {
  test('leaves out what may not be read', async () => {
    const steps = [];
    for await (const step of drive().pack(ROOT)) steps.push(step);
    expect(told(steps).filter((line) => line.startsWith('file')).sort()).toEqual(['file open/a', 'file open/deep/b', 'file top']);
  });
});

describe('a tree that is put', () => {
  const pack = (): Uint8Array => packOf({ '': [{ name: 'new', data: '1' }], 'open': [{ name: 'a', data: '2' }], 'secret': [{ name: 'x', data: '3' }], 'inbox': [{ name: 'g', data: '4' }, { name: 'f', data: '5' }], 'secret/made': [] });

  test('goes where it may, with the rights of each folder, and the rest are problems of their own', async () => {
    const { problems, files } = await drive().receiveBatch(ROOT, pack(), visible);
    expect(codesOf(problems)).toEqual(['inbox/f EXISTS', 'secret/made DENIED', 'secret/x DENIED']);
    expect(files).toBe(3);
    expect((await contentOf(vault, 'open/a')).toString()).toBe('2');
    expect((await contentOf(vault, 'inbox/f')).toString()).toBe('inbox/f');
    expect((await contentOf(vault, 'inbox/g')).toString()).toBe('4');
  });

  test('whose folder may not be made, and is there, is no problem', async () => {
    const { problems } = await drive([['secret/drop', ROLES.drop]]).receiveBatch(ROOT, packOf({ secret: [], 'secret/drop': [{ name: 'y', data: '1' }] }), visible);
    expect(problems).toEqual([]);
    expect((await contentOf(vault, 'secret/drop/y')).toString()).toBe('1');
  });

  test('sets the modes of those folders only where that is allowed', async () => {
    const before = await vault.stat(at('secret'));
    expect(await drive().finishFolders(ROOT, [{ path: at('secret'), mode: 0, mtime: 0 }, { path: at('open'), mode: 0o700, mtime: 0 }], 'visible')).toEqual([]);
    expect(await vault.stat(at('secret'))).toEqual(before);
    expect((await vault.stat(at('open')))?.mode).toBe(0o700);
  });
});

describe('folders', () => {
  test('are not made on the way where the account may not make them', async () => {
    const ann = drive([['far/away', ROLES.rw], ['far', []]]);
    expect(await codeOf(ann.makeFolder(at('far/away/new'), { parents: true }))).toBe('DENIED');
    await vault.makeFolder(at('far'));
    expect(await codeOf(ann.makeFolder(at('far/away/new'), { parents: true }))).toBe('done');
  });

  test('with something in them that may not be deleted stay', async () => {
    expect(await codeOf(drive([['open/deep', ROLES.ro]]).remove(at('open'), { deep: true }))).toBe('DENIED');
    expect((await contentOf(vault, 'open/deep/b')).toString()).toBe('open/deep/b');
  });

  test('with rules inside are not renamed, whoever asks', async () => {
    await vault.makeFolder(at('home/secret'), { parents: true });
    expect(await codeOf(drive([['home/secret', []]]).move(at('home'), at('elsewhere')))).toBe('DENIED');
  });
});
