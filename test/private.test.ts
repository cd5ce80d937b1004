import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { publicBytes } from '../src/identity.ts';
import { loadKey, privateFolder, readPrivate, writePrivate } from '../src/private.ts';

let folder: string;
beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'wherry-private-')); });
afterEach(() => rm(folder, { recursive: true }));

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

describe('a private file', () => {
  test('is made for its owner only, whatever the umask', async () => {
    const before = process.umask(0);
    try {
      await privateFolder(join(folder, 'a/b'));
      await writePrivate(join(folder, 'a/b/book'), 'text');
    } finally {
      process.umask(before);
    }
    expect([await modeOf(join(folder, 'a')), await modeOf(join(folder, 'a/b')), await modeOf(join(folder, 'a/b/book'))]).toEqual([0o700, 0o700, 0o600]);
    expect(await readPrivate(join(folder, 'a/b/book'))).toBe('text');
  });

  test('is replaced whole, and leaves nothing beside it', async () => {
    await Promise.all(Array.from({ length: 10 }, (_, index) => writePrivate(join(folder, 'book'), String(index).repeat(100_000))));
    const text = (await readPrivate(join(folder, 'book')))!;
    expect(text).toBe(text[0]!.repeat(100_000));
    expect(await readdir(folder)).toEqual(['book']);
  });

  test.skipIf(process.platform !== 'linux')('where no folder can be made is refused, at once', async () => {
    await expect(privateFolder('/proc/none/below')).rejects.toMatchObject({ name: 'Failure', who: 'here' });
  });

  test('that is not there reads as nothing', async () => {
    expect(await readPrivate(join(folder, 'none'))).toBeUndefined();
  });

  test.each([0o640, 0o604, 0o660, 0o644])('with mode %o is refused, with the command that repairs it', async (mode) => {
    await writePrivate(join(folder, 'book'), 'text');
    await chmod(join(folder, 'book'), mode);
    await expect(readPrivate(join(folder, 'book'))).rejects.toMatchObject({ code: 'IO', hint: `type: chmod 600 '${join(folder, 'book')}'` });
  });

  test('never waits for a FIFO, and does not read a folder', async () => {
    execFileSync('mkfifo', ['-m', '600', join(folder, 'fifo')]);
    await mkdir(join(folder, 'sub'), 0o700);
    await expect(readPrivate(join(folder, 'fifo'))).rejects.toMatchObject({ code: 'IO' });
    await expect(readPrivate(join(folder, 'sub'))).rejects.toMatchObject({ code: 'IO' });
  });

  test('is not put where others can exchange it', async () => {
    await chmod(folder, 0o777);
    await expect(privateFolder(folder)).rejects.toMatchObject({ code: 'IO', hint: `type: chmod 700 '${folder}'` });
    await chmod(folder, 0o755);
    await privateFolder(folder);
  });

  test('that cannot be written says why', async () => {
    await writeFile(join(folder, 'plain'), '');
    await expect(writePrivate(join(folder, 'plain/book'), 'text')).rejects.toMatchObject({ code: 'NOTDIR' });
    await expect(privateFolder(join(folder, 'plain'))).rejects.toMatchObject({ who: 'here' });
  });
});

describe('a key file', () => {
  test('is made on first need and stays the same', async () => {
    const path = join(folder, 'deep/server.key');
    const key = await loadKey(path);
    expect(publicBytes(await loadKey(path))).toEqual(publicBytes(key));
    expect(await modeOf(path)).toBe(0o600);
    expect(await readdir(join(folder, 'deep'))).toEqual(['server.key']);
  });

  test('made by several at once is one key', async () => {
    const keys = await Promise.all(Array.from({ length: 8 }, () => loadKey(join(folder, 'device.key'))));
    expect(new Set(keys.map((key) => Buffer.from(publicBytes(key)).toString('hex'))).size).toBe(1);
  });

  test.each(['', 'not a key', '-----BEGIN PRIVATE KEY-----\nMAAA\n-----END PRIVATE KEY-----\n'])('with %j in it is refused and kept', async (text) => {
    await writePrivate(join(folder, 'device.key'), text);
    await expect(loadKey(join(folder, 'device.key'))).rejects.toMatchObject({ code: 'IO', path: join(folder, 'device.key') });
    expect(await readPrivate(join(folder, 'device.key'))).toBe(text);
  });

  test('that is a dangling link is not written through', async () => {
    await symlink(join(folder, 'elsewhere'), join(folder, 'device.key'));
    await expect(loadKey(join(folder, 'device.key'))).rejects.toThrow();
    expect(await readdir(folder)).toEqual(['device.key']);
  });
});
