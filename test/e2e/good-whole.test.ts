/** Whole or not at all: under a name there is the whole old file or the whole new one, whatever happens on the way. */
import { appendFileSync, existsSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Proxy } from './proxy.ts';
import { finished, Rig } from './rig.ts';
import { noise, plant } from './trees.ts';
import { Watcher } from './watcher.ts';

const MIB = 1 << 20;

let rig: Rig;
beforeEach(async () => { rig = await Rig.start(); });
afterEach(() => rig[Symbol.asyncDispose]());

test('a watcher never sees anything but the old or the new file, while puts succeed and break off', async () => {
  const versions = [noise(3 * MIB, 1), noise(2 * MIB + 5, 2), noise(4 * MIB - 1, 3)];
  const watcher = new Watcher(rig.served);
  for (const bytes of versions) watcher.allow('file', bytes);
  await using proxy = await Proxy.before(rig);
  const codes = new Set<number | null>();
  try {
    for (let round = 0; round < 12; round += 1) {
      writeFileSync(join(rig.local, 'file'), versions[round % 3]!);
      proxy.cutAfter(round % 2 === 0 ? { up: 1 + Math.floor((round / 12) * 4 * MIB) } : {});
      const put = await rig.run(['put', 'file', ':']);
      codes.add(put.code);
      // Done was said only of what is there.
      if (put.code === 0) expect(readFileSync(join(rig.served, 'file')).equals(versions[round % 3]!)).toBe(true);
    }
  } finally {
    await watcher.stop();
  }
  expect(watcher.wrong).toEqual([]);
  expect(watcher.rounds).toBeGreaterThan(10);
  expect(codes.has(0)).toBe(true);
  expect(codes.size).toBeGreaterThan(1);
}, 60_000);

describe('a put that fails', () => {
  test('leaves the file that was there', async () => {
    plant(rig.local, { file: noise(8 * MIB, 1) });
    expect((await rig.run(['put', 'file', ':'])).code).toBe(0);
    plant(rig.local, { file: noise(8 * MIB, 2) });
    await using proxy = await Proxy.before(rig);
    proxy.cutAfter({ up: 5 * MIB });
    expect((await rig.run(['put', 'file', ':'])).code).toBe(11);
    expect(readFileSync(join(rig.served, 'file')).equals(noise(8 * MIB, 1))).toBe(true);
  });

  test('of a new file leaves nothing', async () => {
    plant(rig.local, { file: noise(8 * MIB, 1) });
    await using proxy = await Proxy.before(rig);
    proxy.cutAfter({ up: 5 * MIB });
    expect((await rig.run(['put', 'file', ':new'])).code).toBe(11);
    expect(existsSync(join(rig.served, 'new'))).toBe(false);
  });
});

describe('a source that changes while it is read', () => {
  const changes: Record<string, (file: string) => void> = {
    'grows': (file) => appendFileSync(file, 'more'),
    'grows by many blocks': (file) => appendFileSync(file, noise(5 * MIB, 7)),
    'is cut short': (file) => truncateSync(file, 20 * MIB),
    'is cut to nothing': (file) => truncateSync(file, 0),
    'is written over in place': (file) => writeFileSync(file, noise(32 * MIB, 9), { flag: 'r+' }),
    'is replaced by another file': (file) => {
      writeFileSync(`${file}.new`, noise(32 * MIB, 9));
      renameSync(`${file}.new`, file);
    },
  };

  test.each(Object.entries(changes))('and %s is not committed when it is put: exit code 10, the old file stays', async (_, change) => {
    plant(rig.served, { file: 'old' });
    plant(rig.local, { file: noise(32 * MIB, 1) });
    await using proxy = await Proxy.before(rig);
    proxy.cutAfter({ up: 4 * MIB, hold: true });
    const put = finished(rig.spawn(['put', 'file', ':']));
    await proxy.held();
    change(join(rig.local, 'file'));
    await proxy.release();
    const { code, stderr } = await put;
    expect(code, stderr).toBe(10);
    expect(stderr).toMatch(/^put: file: .*while it was (read|sent)/);
    expect(readFileSync(join(rig.served, 'file'), 'utf8')).toBe('old');
    // Nothing of the mixture is taken for good later on.
    expect((await rig.run(['put', 'file', ':'])).code).toBe(0);
    expect(readFileSync(join(rig.served, 'file')).equals(readFileSync(join(rig.local, 'file')))).toBe(true);
  });

  test.each(Object.entries(changes))('and %s is not committed when it is fetched: exit code 10, the old file stays', async (_, change) => {
    plant(rig.local, { file: 'old' });
    plant(rig.served, { file: noise(32 * MIB, 1) });
    await using proxy = await Proxy.before(rig);
    proxy.cutAfter({ down: 4 * MIB, hold: true });
    const get = finished(rig.spawn(['get', ':file']));
    await proxy.held();
    change(join(rig.served, 'file'));
    await proxy.release();
    const { code, stderr } = await get;
    expect(code, stderr).toBe(10);
    expect(readFileSync(join(rig.local, 'file'), 'utf8')).toBe('old');
    expect((await rig.run(['get', ':file'])).code).toBe(0);
    expect(readFileSync(join(rig.served, 'file')).equals(readFileSync(join(rig.local, 'file')))).toBe(true);
  });

  test('inside a folder fails by its name, and the others go', async () => {
    plant(join(rig.local, 'folder'), { a: 'a', big: noise(32 * MIB, 1), z: 'z' });
    await using proxy = await Proxy.before(rig);
    proxy.cutAfter({ up: 4 * MIB, hold: true });
    const put = finished(rig.spawn(['put', 'folder', ':']));
    await proxy.held();
    appendFileSync(join(rig.local, 'folder/big'), 'more');
    await proxy.release();
    const { code, stderr } = await put;
    expect(code).toBe(1);
    expect(stderr).toContain('folder/big');
    expect(existsSync(join(rig.served, 'folder/big'))).toBe(false);
    expect([readFileSync(join(rig.served, 'folder/a'), 'utf8'), readFileSync(join(rig.served, 'folder/z'), 'utf8')]).toEqual(['a', 'z']);
  });
});
