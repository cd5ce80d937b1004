/** What the staging folder keeps, and what is left of it after a crash. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { openDisk } from '../../../src/store/disk/disk.ts';
import { at, codeOf, contentOf, MTIME, namesIn, packOf, put, visible, wanting } from '../vaults.ts';
import { newRoot } from './roots.ts';

const build = pathToFileURL(resolve(process.env['WHERRY_DIST'] ?? 'dist', 'store/disk/disk.js')).href;

function staged(root: string): string[] {
  return existsSync(join(root, '.wherry')) ? readdirSync(join(root, '.wherry')) : [];
}

/** Leaves a part of `bytes` for the owner `ann` and gives its name. */
async function leavePart(root: string, path: string, bytes: string): Promise<string> {
  await using vault = await openDisk(root);
  await using upload = await vault.receive(at(path), wanting());
  await upload.write([Buffer.from(bytes)], 0);
  await upload[Symbol.asyncDispose]();
  return staged(root).find((name) => name.endsWith('.part'))!;
}

describe('an old file that is the basis of an upload', () => {
  test('is only read, by an upload that says when somebody else has written to it', async () => {
    const root = newRoot();
    await using vault = await openDisk(root);
    await put(vault, 'a', Buffer.alloc(2 << 20, 5));
    await using upload = await vault.receive(at('a'), wanting({ reuseOld: true, size: 2 << 20 }));
    await upload.write([Buffer.from('new')], 0);
    expect([upload.basis.kind, await upload.basisChanged()]).toEqual(['old', false]);
    expect(readFileSync(join(root, 'a')).equals(Buffer.alloc(2 << 20, 5))).toBe(true);
    writeFileSync(join(root, 'a'), 'shorter');
    expect(await upload.basisChanged()).toBe(true);
    expect(await upload.readBasis([Buffer.alloc(100)], 0)).toBe(7);
  });
});

describe('the staging folder', () => {
  test('counts what rests of an account, whichever device of it began, and of no other', async () => {
    const root = newRoot();
    await using vault = await openDisk(root);
    for (const [owner, bytes] of [['ann', 'one'], ['ann\0device', 'four'], ['annabel', 'other']] as const) {
      await using upload = await vault.receive(at('big'), wanting({ owner }));
      await upload.write([Buffer.from(bytes)], 0);
    }
    expect([...(await vault.resting('ann')).values()].map(({ bytes }) => bytes).toSorted((one, other) => one - other)).toEqual([3, 4]);
  });

  test('A9: is made on first need for us alone, hidden, and removed when nothing is in it', async () => {
    const root = newRoot();
    {
      await using vault = await openDisk(root);
      await namesIn(vault, '');
      expect(existsSync(join(root, '.wherry'))).toBe(false);
      await using upload = await vault.receive(at('a'), wanting());
      expect(statSync(join(root, '.wherry')).mode & 0o777).toBe(0o700);
      expect(await namesIn(vault, '', true)).toEqual([]);
      await upload.commit(0);
    }
    expect(readdirSync(root)).toEqual(['a']);
  });

  test('A9: that others may enter is closed to them', async () => {
    const root = newRoot();
    mkdirSync(join(root, '.wherry'));
    chmodSync(join(root, '.wherry'), 0o777);
    await using vault = await openDisk(root);
    await put(vault, 'a', 'x');
    expect(statSync(join(root, '.wherry')).mode & 0o777).toBe(0o700);
  });

  test('is there for everybody, however many come and go at once and remove it behind them', async () => {
    const root = newRoot();
    await Promise.all(Array.from({ length: 8 }, async (_, who) => {
      for (let round = 0; round < 25; round += 1) {
        await using vault = await openDisk(root, { workers: 1 });
        await put(vault, `f${who}`, `${round}`);
      }
    }));
    expect(readdirSync(root)).toHaveLength(8);
  }, 60_000);

  test('that is removed under our hands is made again', async () => {
    const root = newRoot();
    await using vault = await openDisk(root);
    await put(vault, 'a', 'x');
    renameSync(join(root, '.wherry'), join(root, 'gone'));
    await put(vault, 'b', 'still staged in the folder that is open');
    const other = await openDisk(root);
    await put(other, 'c', 'x');
    await other[Symbol.asyncDispose]();
    expect(existsSync(join(root, '.wherry'))).toBe(false);
    await put(vault, 'd', 'x');
    expect((await namesIn(vault, '')).sort()).toEqual(['a', 'b', 'c', 'd', 'gone']);
  });

  test('removed by another process that saw it empty is made again', async () => {
    const root = newRoot();
    await using vault = await openDisk(root);
    await put(vault, 'a', 'x');
    const other = await openDisk(root);
    await put(other, 'b', 'x');
    await other[Symbol.asyncDispose]();
    expect(existsSync(join(root, '.wherry'))).toBe(false);
    await put(vault, 'c', 'x');
    expect((await vault.receiveBatch(at(''), packOf({ '': [{ name: 'd', data: 'x' }] }), visible)).problems).toEqual([]);
  });

  test('of which somebody took the file away advises the same command again', async () => {
    const root = newRoot();
    await using vault = await openDisk(root);
    const upload = await vault.receive(at('a'), wanting());
    for (const name of readdirSync(join(root, '.wherry'))) unlinkSync(join(root, '.wherry', name));
    await expect(upload.commit(0, 0)).rejects.toMatchObject({ code: 'IO', retry: true, hint: 'run the same command again' });
    await upload.discard();
    expect(existsSync(join(root, 'a'))).toBe(false);
  });

  test('keeps a part that several vaults want for one of them', async () => {
    const root = newRoot();
    await leavePart(root, 'a', 'part');
    await using one = await openDisk(root);
    await using two = await openDisk(root, { workers: 1 });
    await using three = await openDisk(root);
    const uploads = await Promise.all([one, two, three].map((vault) => vault.receive(at('a'), wanting())));
    expect(uploads.map(({ basis }) => basis.kind).sort()).toEqual(['none', 'none', 'part']);
    for (const upload of uploads) await upload.discard();
  });

  test('keeps the larger of two parts of one upload', async () => {
    const root = newRoot();
    await using vault = await openDisk(root);
    await using other = await openDisk(root);
    const [first, second] = [await vault.receive(at('a'), wanting()), await other.receive(at('a'), wanting())];
    await first.write([Buffer.from('longer')], 0);
    await second.write([Buffer.from('short')], 0);
    await first[Symbol.asyncDispose]();
    await second[Symbol.asyncDispose]();
    await using again = await vault.receive(at('a'), wanting());
    expect(again.basis).toEqual({ kind: 'part', size: 6 });
  });
});

describe('after a crash', () => {
  test('in the middle of an upload nothing is visible, the old file is there, and the part is continued', async () => {
    const root = newRoot();
    writeFileSync(join(root, 'cut'), 'old');
    const child = spawn(process.execPath, [fileURLToPath(new URL('./uploader.mjs', import.meta.url)), build, root], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    {
      await using vault = await openDisk(root);
      await using other = await vault.receive(at('cut'), wanting());
      expect(other.basis.kind).toBe('none');
    }
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    await using vault = await openDisk(root);
    expect(await namesIn(vault, '', true)).toEqual(['cut']);
    expect((await contentOf(vault, 'cut')).toString()).toBe('old');
    await using again = await vault.receive(at('cut'), wanting());
    expect(again.basis).toEqual({ kind: 'part', size: 3 << 20 });
    const block = new Uint8Array(1 << 20);
    expect(await again.read(block, 2 << 20)).toBe(1 << 20);
    expect(block.every((byte) => byte === 7)).toBe(true);
  });

  test('between a file’s name and the end of its staging the visible file is never written again', async () => {
    const root = newRoot();
    const part = await leavePart(root, 'a', 'whole');
    linkSync(join(root, '.wherry', part), join(root, 'a'));
    await using vault = await openDisk(root);
    await using upload = await vault.receive(at('a'), wanting());
    expect(upload.basis.kind).toBe('none');
    await upload.write([Buffer.from('XX')], 0);
    expect(readFileSync(join(root, 'a'), 'utf8')).toBe('whole');
  });

  test('files of a batch are swept, and parts of processes that are gone are put back', async () => {
    const root = newRoot();
    const part = await leavePart(root, 'a', 'part');
    const key = part.split('.')[0]!;
    await using vault = await openDisk(root);
    await using live = await vault.receive(at('b'), wanting());
    const [, mark] = staged(root).find((name) => name.endsWith('.live'))!.split('.');
    const dead = mark!.replace(/-\d+-/, '-4194305-');
    renameSync(join(root, '.wherry', part), join(root, '.wherry', `${key}.${dead}.1.live`));
    writeFileSync(join(root, '.wherry', `${dead}.2.tmp`), 'x');
    writeFileSync(join(root, '.wherry', `ffffffff-1-1.3.tmp`), 'of another machine, now');
    writeFileSync(join(root, '.wherry', `ffffffff-1-1.4.tmp`), 'of another machine, long ago');
    utimesSync(join(root, '.wherry', 'ffffffff-1-1.4.tmp'), 1e9, 1e9);
    expect(await vault.sweep(0)).toBe(0);
    expect(staged(root).map((name) => name.replace(/.*\./, '')).sort()).toEqual(['live', 'part', 'tmp']);
    expect(await vault.sweep(Date.now() + 60_000)).toBe(1);
    await live.discard();
  });
});

test('no mode that is sent sets more than permission bits, or what the umask withholds', async () => {
  const root = newRoot();
  await using vault = await openDisk(root);
  await put(vault, 'a', 'x', { mode: 0o6777 });
  await vault.makeFolder(at('d'), { mode: 0o7777 });
  await vault.finishFolders(at(''), [{ path: at('d'), mode: 0o7777, mtime: MTIME }], 'visible');
  for (const name of ['a', 'd']) expect(statSync(join(root, name)).mode & 0o7777).toBe(0o777 & ~process.umask());
});

test('a vault that was closed refuses everything', async () => {
  for (const workers of [0, 1]) {
    const vault = await openDisk(newRoot(), { workers });
    const upload = await vault.receive(at('a'), wanting());
    await upload.write([Buffer.from('x')], 0);
    await vault[Symbol.asyncDispose]();
    expect(await codeOf(vault.stat(at('a')))).toBe('SHUTDOWN');
    expect(await codeOf(upload.commit(1))).toBe('SHUTDOWN');
  }
});

test('a root that is no folder is refused when it is opened', async () => {
  const root = newRoot();
  writeFileSync(join(root, 'f'), '');
  expect(await codeOf(openDisk(join(root, 'no')))).toBe('NOTFOUND');
  expect(await codeOf(openDisk(join(root, 'f'), { workers: 1 }))).toBe('NOTDIR');
});
