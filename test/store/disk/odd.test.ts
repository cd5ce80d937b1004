/** What a disk can hold beside ordinary files with ordinary names: devices, pipes, names that are no text, other people's times. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openDisk } from '../../../src/store/disk/disk.ts';
import { parsePath } from '../../../src/path.ts';
import { at, codeOf, namesIn, packOf, put, stepsOf, told, visible, wanting } from '../vaults.ts';
import { newRoot, onLinux, openDescriptors } from './roots.ts';

const isRoot = process.geteuid?.() === 0;

describe.skipIf(!onLinux)('on Linux', () => {
  test('A10: a pipe, a socket and a device are listed and skipped, and opening them never waits', async () => {
    const root = newRoot();
    execFileSync('mkfifo', [join(root, 'fifo')]);
    const server = createServer().listen(join(root, 'socket'));
    await once(server, 'listening');
    const odd = ['fifo', 'socket'];
    if (isRoot) {
      execFileSync('mknod', [join(root, 'device'), 'c', '1', '5']);
      odd.push('device');
    }
    await using vault = await openDisk(root, { workers: 1 });
    for (const name of odd) {
      expect(await vault.stat(at(name))).toMatchObject({ kind: 'other', size: 0 });
      expect(await codeOf(vault.read(at(name)))).toBe('UNSUPPORTED');
    }
    const [step] = await stepsOf(vault, '');
    expect([step?.files, step?.skipped]).toEqual([0, odd.length]);
    await put(vault, 'fifo', 'now a file');
    await vault.move(at('socket'), at('moved'));
    await vault.remove(at('moved'));
    server.close();
  });

  test('A5, A6: names that are not valid UTF-8, or may not be shown, are counted and told of, never shown as other names', async () => {
    const root = newRoot();
    const raw = (...bytes: number[]): Buffer => Buffer.concat([Buffer.from(`${root}/`), Buffer.from(bytes)]);
    writeFileSync(raw(0x61, 0xff), '1');
    writeFileSync(raw(0x61, 0xfe), '2');
    writeFileSync(join(root, 'a\ufffd'), 'a real name');
    writeFileSync(join(root, 'line\nbreak'), '3');
    writeFileSync(join(root, '.WHERRY'), '4');
    mkdirSync(raw(0xff));
    writeFileSync(join(root, 'é'), '5');
    await using vault = await openDisk(root);
    let unlisted = 0;
    const names: string[] = [];
    const hidden: string[] = [];
    for await (const page of vault.list(at(''), { deep: true })) {
      unlisted += page.unlisted;
      hidden.push(...page.hidden ?? []);
      names.push(...page.entries.map(({ name }) => name));
    }
    expect([names.sort(), unlisted]).toEqual([['a\ufffd', 'é'], 5]);
    expect(hidden.sort()).toEqual(['\\x2eWHERRY', '\\xff', 'a\\xfe', 'a\\xff', 'line\\nbreak']);
    expect(await vault.usage(at(''))).toMatchObject({ files: 6, folders: 2, unlisted: 5 });
    const problems = (await stepsOf(vault, '')).flatMap((step) => step.problems);
    expect(problems.map(({ path }) => path).sort()).toEqual(['\\x2eWHERRY', '\\xff', 'a\\xfe', 'a\\xff', 'line\\nbreak']);
    for (const { path, code } of problems) expect([parsePath(path), code]).toEqual([path, 'BADNAME']);
    mkdirSync(join(root, 'top'));
    writeFileSync(Buffer.concat([Buffer.from(`${root}/top/`), Buffer.from([0xff])]), '');
    await vault.remove(at('top'), { deep: true });
    expect(readdirSync(root)).not.toContain('top');
  });

  test.skipIf(!isRoot)('a full disk is told as such, nothing is left staged, and the old file stays (needs root, to mount a small disk)', async () => {
    const root = newRoot();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', root]);
    try {
      await using vault = await openDisk(root);
      await put(vault, 'a', 'old');
      await using upload = await vault.receive(at('a'), wanting());
      expect(await codeOf(upload.write([new Uint8Array(2 << 20)], 0))).toBe('NOSPACE');
      expect(readdirSync(join(root, '.wherry'))).toEqual([]);
      const data = new Uint8Array(174_000);
      const result = await vault.receiveBatch(at(''), packOf({ '': [{ name: 'a', data: 'new' }, ...Array.from({ length: 6 }, (_, i) => ({ name: `f${i}`, data })), { name: 'z', data: '' }] }), { level: 'durable', condition: 'any' });
      expect(new Set(result.problems.map(({ code }) => code))).toEqual(new Set(['NOSPACE']));
      expect(readdirSync(join(root, '.wherry'))).toEqual([]);
      expect(result.files + result.problems.length).toBe(8);
      await vault.remove(at('a'));
    } finally {
      execFileSync('umount', ['-l', root]);
    }
  });

  test.skipIf(!isRoot)('a disk that fills up under several writes at once is told as such by each of them (needs root, to mount a small disk)', async () => {
    const root = newRoot();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', root]);
    try {
      await using vault = await openDisk(root, { workers: 0 });
      expect(await codeOf(vault.receive(at('big'), wanting({ size: 8 << 20 })))).toBe('NOSPACE'); // known before a byte is sent
      await using upload = await vault.receive(at('big'), wanting());
      const writes = Array.from({ length: 8 }, (_, at) => upload.write([Buffer.alloc(1 << 20, at)], at << 20));
      // Later ones as well, which find the file closed.
      const all = await Promise.allSettled([...writes, Promise.any(writes).catch(() => upload.write([Buffer.alloc(10)], 0))]);
      const failures = all.filter((one) => one.status === 'rejected').map((one) => (one.reason as { code: string }).code);
      expect(new Set(failures)).toEqual(new Set(['NOSPACE']));
      await expect(upload.write([Buffer.alloc(10)], 0)).rejects.toMatchObject({ code: 'NOSPACE' });
      await expect(upload.read(Buffer.alloc(10), 0)).rejects.toMatchObject({ code: 'NOSPACE' });
    } finally {
      execFileSync('umount', ['-l', root]);
    }
  });

  test.skipIf(!isRoot)('A10: onto another disk inside the tree nothing is received, and that is said before a byte is sent (needs root, to mount one)', async () => {
    const root = newRoot();
    mkdirSync(join(root, 'other'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', join(root, 'other')]);
    try {
      await using vault = await openDisk(root);
      expect(await codeOf(vault.receive(at('other/a'), wanting()))).toBe('UNSUPPORTED');
      const { problems } = await vault.receiveBatch(at('other'), packOf({ '': [{ name: 'a', data: 'x' }] }), visible);
      expect(problems).toMatchObject([{ path: 'a', code: 'UNSUPPORTED' }]);
      await put(vault, 'b', 'x');
      expect(await codeOf(vault.move(at('b'), at('other/b')))).toBe('UNSUPPORTED');
      expect(await namesIn(vault, 'other')).toEqual([]);
    } finally {
      execFileSync('umount', ['-l', join(root, 'other')]);
    }
  });

  test.each([0, 1])('no operation, failed or not, keeps a descriptor (%i workers)', async (workers) => {
    const root = newRoot();
    await using vault = await openDisk(root, { workers });
    const round = async (i: number): Promise<void> => {
      await put(vault, 'a', 'x', { level: i % 2 === 0 ? 'durable' : 'visible' });
      await codeOf(put(vault, 'A', 'x'));
      await codeOf(put(vault, 'no/a', 'x'));
      await codeOf(vault.receive(at('a'), wanting({ condition: 'absent' })));
      await vault.receiveBatch(at('t'), packOf({ d: [{ name: 'f', data: 'x' }, { name: 'F', data: 'x' }], 'd/f': [{ name: 'x', data: 'x' }], e: [{ name: 'bad', data: 'x', digest: new Uint8Array(32) }] }), { level: i % 2 === 0 ? 'durable' : 'visible', condition: i % 3 === 0 ? 'absent' : 'any' });
      for await (const step of vault.pack(at(''))) if (i % 2 === 0 && step.files >= 0) break;
      for await (const page of vault.list(at(''), { deep: true })) if (i % 2 === 0 && page.unlisted === 0) break;
      for (const path of ['a/b', 'no', 't/d/f']) await Promise.all([vault.read(at(path)).then((source) => source[Symbol.asyncDispose](), () => undefined), codeOf(namesIn(vault, path)), codeOf(vault.usage(at(path)))]);
      await vault.finishFolders(at('t'), [{ path: at('d'), mode: 0o755, mtime: 1 }, { path: at('no'), mode: 0, mtime: 1 }], 'durable');
      await codeOf(vault.move(at('a'), at('t')));
      await codeOf(vault.makeFolder(at('t')));
      await codeOf(vault.remove(at('t')));
    };
    for (let i = 0; i < 5; i += 1) await round(i);
    const before = openDescriptors();
    for (let i = 0; i < 60; i += 1) await round(i);
    expect(openDescriptors()).toBe(before);
  });
});

test('every time from 1935 to 2038 is read as it was set', async () => {
  const root = newRoot();
  await using vault = await openDisk(root);
  const times = Array.from({ length: 2000 }, (_, i) => Math.floor((i / 2000) * 2.147e15) + (i * 7919) % 1000).concat([0, 1, 999_999, 1_000_000, -1, -999_999, -1_000_000, -1_000_001], Array.from({ length: 500 }, (_, i) => -Math.floor(((i + 1) / 500) * 1.1e15) - (i * 7919) % 1000));
  const { problems } = await vault.receiveBatch(at(''), packOf({ '': times.map((mtime, i) => ({ name: `f${i}`, data: '', mtime })) }), visible);
  expect(problems).toEqual([]);
  for (const [i, mtime] of times.entries()) expect([mtime, (await vault.stat(at(`f${i}`)))?.mtime]).toEqual([mtime, mtime]);
});

test('a file that cannot be read is a problem in the answer, and the walk goes on', async (context) => {
  if (isRoot) context.skip('root reads everything');
  const root = newRoot();
  for (const name of ['a', 'b']) writeFileSync(join(root, name), name);
  chmodSync(join(root, 'a'), 0);
  await using vault = await openDisk(root);
  const steps = await stepsOf(vault, '');
  expect([told(steps), steps[0]?.problems]).toMatchObject([['file b', 'folder '], [{ path: 'a', code: 'DENIED' }]]);
});

test('A7: similar names are accepted where that was asked for', async () => {
  const root = newRoot();
  await using vault = await openDisk(root, { similarNames: true });
  await put(vault, 'a', '1');
  await put(vault, 'A', '2');
  await vault.receiveBatch(at(''), packOf({ '': [{ name: 'É', data: '' }, { name: 'é', data: '' }] }), visible);
  expect((await namesIn(vault, '')).sort()).toEqual(['A', 'a', 'É', 'é'].sort());
});

test('names that others made, changed or removed meanwhile are known when it counts', async () => {
  const root = newRoot();
  await using vault = await openDisk(root);
  await put(vault, 'one', '');
  writeFileSync(join(root, 'Two'), '');
  utimesSync(root, 1e9, 1e9);
  expect(await codeOf(vault.receive(at('two'), wanting()))).toBe('EXISTS');
  await vault.remove(at('Two'));
  await put(vault, 'two', '');
  expect((await namesIn(vault, '')).sort()).toEqual(['one', 'two']);
});
