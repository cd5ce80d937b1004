/** Undo by its rights: every set of rights, with every kind of action that somebody with all rights has done by the same device. What is not allowed changes nothing. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf, ready } from '../../src/digest.ts';
import { Drive, type DriveAccount } from '../../src/drive.ts';
import { parsePath } from '../../src/path.ts';
import { everywhere, type Right, RIGHTS } from '../../src/rights.ts';
import { openDisk } from '../../src/store/disk/disk.ts';
import { createMemoryVault } from '../../src/store/memory.ts';
import type { Vault } from '../../src/store/vault.ts';
import { outcomeOf, RIGHT_SETS } from '../matrix.ts';
import { namesIn, packOf, put as plant } from '../store/vaults.ts';

const at = parsePath;
let folder: string;
beforeAll(async () => { await ready(); folder = mkdtempSync(join(tmpdir(), 'wherry-undoing-')); });
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

async function put(drive: Drive, path: string, content: string, action: string): Promise<void> {
  await using upload = await drive.receive(at(path), { size: content.length, mtime: 0, mode: 0o644, level: 'visible', condition: 'any', action });
  await upload.write([Buffer.from(content)], 0);
  await upload.commit(content.length);
}

async function drain(pages: AsyncIterable<unknown>): Promise<void> {
  for await (const page of pages) void page;
}

const ACTION = '00000000000000aa';

/** What was done, and what it takes to undo it. */
const ACTIONS: Readonly<Record<string, { readonly needs: readonly Right[]; readonly entry?: readonly Right[]; act(drive: Drive): Promise<unknown> }>> = {
  'put over': { needs: ['overwrite'], act: (drive) => put(drive, 'old', 'newer', ACTION) },
  'put': { needs: ['delete'], act: (drive) => put(drive, 'new', 'new', ACTION) },
  'put a folder': { needs: ['delete', 'overwrite'], act: (drive) => drive.receiveBatch(at('sub'), packOf({ '': [{ name: 'x', data: 'new x' }], 'deep': [{ name: 'y', data: 'y' }] }), { level: 'visible', condition: 'any', action: ACTION }) },
  'rm': { needs: ['create'], act: (drive) => drive.remove(at('old'), { action: ACTION }) },
  'rm -r': { needs: ['create', 'mkdir'], act: (drive) => drive.remove(at('sub'), { deep: true, action: ACTION }) },
  'change': { needs: ['rename', 'create'], act: (drive) => drive.move(at('old'), at('other'), { action: ACTION }) },
  'change to another folder': { needs: ['rename', 'create', 'delete'], act: (drive) => drive.move(at('old'), at('sub/other'), { action: ACTION }) },
  'mkdir': { needs: ['delete'], act: (drive) => drive.makeFolder(at('made'), { action: ACTION }) },
};
/** Without any of these nothing can be undone. */
const ENTRY: readonly Right[] = ['delete', 'overwrite', 'rename'];

async function seen(vault: Vault): Promise<string[]> {
  return (await namesIn(vault, '', true)).sort();
}

const all = (rights: readonly Right[], by = 'laptop'): Pick<ConstructorParameters<typeof Drive>[0], 'principal' | 'by'> => ({ principal: { name: 'ann', grants: everywhere(rights) }, by });

describe.each(Object.entries(ACTIONS))('undo of %s', (_, { needs, act }) => {
  test.each(Object.entries(RIGHT_SETS))('with the rights %s', async (__, rights) => {
    const vault = createMemoryVault();
    await plant(vault, 'old', 'old');
    await vault.receiveBatch(at('sub'), packOf({ '': [{ name: 'x', data: 'x' }] }), { level: 'visible', condition: 'any' });
    const before = await seen(vault);
    await act(new Drive({ vault, ...all(RIGHTS) }));
    const after = await seen(vault);
    const undo = new Drive({ vault, ...all(rights) }).undo({ redo: false, force: false }, '00000000000000ab');
    const allowed = needs.every((right) => rights.includes(right)) && ENTRY.some((right) => rights.includes(right));
    expect(await outcomeOf(drain(undo))).toBe(allowed ? 'ok' : 'DENIED');
    expect(await seen(vault)).toEqual(allowed ? before : after);
  });
});

test('another device of the account, and another account, undo nothing of it; nor does one whose access has ended', async () => {
  await using vault = await openDisk(mkdtempSync(join(folder, 'root-')), { keep: { ms: 60_000, bytes: 1 << 20 } });
  await plant(vault, 'old', 'old');
  await put(new Drive({ vault, ...all(RIGHTS) }), 'old', 'newer', ACTION);
  const how = { redo: false, force: false };
  expect(await outcomeOf(drain(new Drive({ vault, ...all(RIGHTS, 'phone') }).rehearseUndo(how)))).toBe('NOTFOUND');
  const bob: DriveAccount = { name: 'bob', grants: everywhere(RIGHTS) };
  expect(await outcomeOf(drain(new Drive({ vault, principal: bob, by: 'laptop' }).rehearseUndo(how)))).toBe('NOTFOUND');
  expect(await outcomeOf(drain(new Drive({ vault, principal: { ...all(RIGHTS).principal, active: () => false }, by: 'laptop' }).rehearseUndo(how)))).toBe('AUTH');
  expect(await outcomeOf(drain(new Drive({ vault, ...all(RIGHTS) }).undo(how, ACTION.replace('a', 'b'))))).toBe('ok');
  expect(digestOf(await bytesAt(vault, 'old'))).toEqual(digestOf(Buffer.from('old')));
});

async function bytesAt(vault: Vault, path: string): Promise<Uint8Array> {
  await using source = await vault.read(at(path));
  const into = Buffer.alloc(source.entry.size);
  await source.read(into, 0);
  return into;
}

test('where something was changed since nothing at all is undone, and it is told what; forced, the rest of it is', async () => {
  const vault = createMemoryVault();
  const drive = new Drive({ vault, ...all(RIGHTS) });
  for (const name of ['a', 'b', 'c', 'd', 'e']) await put(drive, name, name, ACTION);
  for (const name of ['a', 'b', 'c', 'd']) await plant(vault, name, 'changed');
  const refused = await drain(drive.undo({ redo: false, force: false }, 'b'.repeat(16))).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'PRECONDITION', message: 'nothing was undone: /d was changed since, /c was changed since, /b was changed since, and 1 more' });
  expect(await seen(vault)).toEqual(['a', 'b', 'c', 'd', 'e']);
  await drain(drive.undo({ redo: false, force: true }, 'c'.repeat(16)));
  expect(await seen(vault)).toEqual([]);
});
