/** What was cut off goes on: after a broken connection, a killed client, a killed server; and never on anybody's word. */
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Proxy } from './proxy.ts';
import { finished, Rig, type Ran } from './rig.ts';
import { flip, noise, plant, plantLarge, sameBytes } from './trees.ts';

const MIB = 1 << 20;
/** Bytes that may be sent again after a cut: what was under way when it came. */
const AGAIN = 16 * MIB;
const SIZE = 48 * MIB + 12_345;

let rig: Rig;
beforeEach(async () => { rig = await Rig.start(); });
afterEach(() => rig[Symbol.asyncDispose]());

function item({ stdout }: Ran): Record<string, unknown> & { bytes: number; kept: number } {
  return JSON.parse(stdout.split('\n')[0]!) as Record<string, unknown> & { bytes: number; kept: number };
}

/** Bytes of the largest staged file below `folder`; 0 when there is none. */
function staged(folder: string): number {
  const stage = join(folder, '.wherry');
  return existsSync(stage) ? Math.max(0, ...readdirSync(stage).map((name) => statSync(join(stage, name), { throwIfNoEntry: false })?.size ?? 0)) : 0;
}

function stagedFile(folder: string): string {
  const [name] = readdirSync(join(folder, '.wherry'));
  return join(folder, '.wherry', name!);
}

/** Resolves when at least so many bytes are staged below `folder`. */
async function stagedAtLeast(folder: string, bytes: number): Promise<void> {
  while (staged(folder) < bytes) await new Promise((resolve) => { setImmediate(resolve); });
}

describe('a connection that breaks', () => {
  test('while sending: the file is not there, and the next put sends little again', async () => {
    plant(rig.local, { big: noise(SIZE) });
    await using proxy = await Proxy.before(rig);
    proxy.cutAfter({ up: 36 * MIB });
    const first = await rig.run(['put', 'big', ':']);
    expect(first.code).toBe(11);
    expect(first.stderr).toMatch(/run the same command again/);
    expect(proxy.broken).toBeGreaterThan(0);
    expect(existsSync(join(rig.served, 'big'))).toBe(false);
    proxy.cutAfter();
    const second = await rig.run(['put', 'big', ':', '--json']);
    expect(second).toMatchObject({ code: 0, stderr: '' });
    expect(item(second)).toMatchObject({ bytes: SIZE, verified: true });
    expect(item(second).kept).toBeGreaterThan(36 * MIB - AGAIN);
    expect(proxy.up).toBeLessThan(SIZE - 36 * MIB + AGAIN);
    expect(sameBytes(join(rig.local, 'big'), join(rig.served, 'big'))).toBe(true);
  });

  test('while fetching: the file is not there, and the next get fetches little again', async () => {
    plant(rig.served, { big: noise(SIZE) });
    await using proxy = await Proxy.before(rig);
    proxy.cutAfter({ down: 36 * MIB });
    const first = await rig.run(['get', ':big']);
    expect(first.code).toBe(11);
    expect(existsSync(join(rig.local, 'big'))).toBe(false);
    proxy.cutAfter();
    const second = await rig.run(['get', ':big', '--json']);
    expect(second).toMatchObject({ code: 0, stderr: '' });
    expect(item(second).kept).toBeGreaterThan(36 * MIB - AGAIN);
    expect(sameBytes(join(rig.local, 'big'), join(rig.served, 'big'))).toBe(true);
    expect(existsSync(join(rig.local, '.wherry'))).toBe(false);
  });

  test('again and again: each try gets further, until it is done', async () => {
    plant(rig.local, { big: noise(SIZE) });
    await using proxy = await Proxy.before(rig);
    proxy.cutAfter({ up: 24 * MIB });
    const codes: (number | null)[] = [];
    do codes.push((await rig.run(['put', 'big', ':'])).code); while (codes.at(-1) !== 0 && codes.length < 10);
    expect(codes.at(-1)).toBe(0);
    expect(codes.length).toBeGreaterThan(1);
    expect(new Set(codes.slice(0, -1))).toEqual(new Set([11]));
    expect(sameBytes(join(rig.local, 'big'), join(rig.served, 'big'))).toBe(true);
  });

  test('in the middle of a folder: the next put completes it, large files from where they were', async () => {
    plant(join(rig.local, 'tree'), { big: noise(24 * MIB), ...Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`small/${n}`, noise(1000, n)])) });
    await using proxy = await Proxy.before(rig);
    proxy.cutAfter({ up: 20 * MIB });
    expect((await rig.run(['put', 'tree', ':'])).code).toBe(11);
    expect(existsSync(join(rig.served, 'tree/big'))).toBe(false);
    proxy.cutAfter();
    const second = await rig.run(['put', 'tree', ':', '--json']);
    expect(second.code, second.stderr).toBe(0);
    expect(item(second).kept).toBeGreaterThan(4 * MIB);
    expect(sameBytes(join(rig.local, 'tree/big'), join(rig.served, 'tree/big'))).toBe(true);
  });
});

describe('kill -9', () => {
  test('of the client: the next put goes on where it was', async () => {
    plant(rig.local, { big: noise(SIZE) });
    const child = rig.spawn(['put', 'big', ':']);
    await stagedAtLeast(rig.served, 24 * MIB);
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
    const there = staged(rig.served);
    const second = await rig.run(['put', 'big', ':', '--json']);
    expect(second).toMatchObject({ code: 0, stderr: '' });
    // It may have ended before it was killed: then all of it is kept.
    expect(item(second).kept).toBeGreaterThan(Math.max(24 * MIB, there) - AGAIN);
    expect(sameBytes(join(rig.local, 'big'), join(rig.served, 'big'))).toBe(true);
  });

  test('of a client that fetches: the next get goes on where it was', async () => {
    plant(rig.served, { big: noise(SIZE) });
    const child = rig.spawn(['get', ':big']);
    await stagedAtLeast(rig.local, 24 * MIB);
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
    const second = await rig.run(['get', ':big', '--json']);
    expect(second).toMatchObject({ code: 0, stderr: '' });
    expect(item(second).kept).toBeGreaterThan(24 * MIB - AGAIN);
    expect(sameBytes(join(rig.local, 'big'), join(rig.served, 'big'))).toBe(true);
  });

  test('of the server: the client says so, and the next put to the server started again goes on', async () => {
    plant(rig.local, { big: noise(SIZE) });
    const child = rig.spawn(['put', 'big', ':']);
    const first = finished(child);
    await stagedAtLeast(rig.served, 24 * MIB);
    await rig.stop('SIGKILL');
    expect([0, 11]).toContain((await first).code);
    await rig.serve();
    const second = await rig.run(['put', 'big', ':', '--json']);
    expect(second).toMatchObject({ code: 0, stderr: '' });
    expect(item(second).kept).toBeGreaterThan(24 * MIB - AGAIN);
    expect(sameBytes(join(rig.local, 'big'), join(rig.served, 'big'))).toBe(true);
  });
});

describe('nothing is kept on the word of a size or a time', () => {
  /** A put that was cut off at 36 MiB. */
  async function cutOff(): Promise<void> {
    plant(rig.local, { big: noise(SIZE) });
    const proxy = await Proxy.before(rig);
    proxy.cutAfter({ up: 36 * MIB });
    expect((await rig.run(['put', 'big', ':'])).code).toBe(11);
    expect(staged(rig.served)).toBeGreaterThan(16 * MIB);
    await proxy[Symbol.asyncDispose]();
    await proxy.bypass(rig);
  }

  test('a byte changed in the staged part is found and repaired', async () => {
    await cutOff();
    const part = stagedFile(rig.served);
    const { atime, mtime } = statSync(part);
    flip(part, 5 * MIB + 17);
    utimesSync(part, atime, mtime);
    const second = await rig.run(['put', 'big', ':', '--json']);
    expect(second).toMatchObject({ code: 0, stderr: '' });
    expect(item(second).kept).toBeGreaterThan(16 * MIB);
    expect(sameBytes(join(rig.local, 'big'), join(rig.served, 'big'))).toBe(true);
  });

  test('a byte changed in what was sent already is sent again', async () => {
    await cutOff();
    const source = join(rig.local, 'big');
    const { size, mtimeMs } = statSync(source);
    flip(source, 3 * MIB + 1);
    utimesSync(source, mtimeMs / 1000, mtimeMs / 1000);
    const after = statSync(source);
    expect(after.size).toBe(size);
    expect(Math.abs(after.mtimeMs - mtimeMs)).toBeLessThan(0.01);
    expect((await rig.run(['put', 'big', ':'])).code).toBe(0);
    expect(sameBytes(source, join(rig.served, 'big'))).toBe(true);
  });

  test('a source that was replaced by a shorter one leaves nothing of the longer', async () => {
    await cutOff();
    writeFileSync(join(rig.local, 'big'), noise(20 * MIB + 3, 99));
    expect((await rig.run(['put', 'big', ':'])).code).toBe(0);
    expect(sameBytes(join(rig.local, 'big'), join(rig.served, 'big'))).toBe(true);
  });
});

describe('a file that is put again', () => {
  test('sends only the blocks that changed', async () => {
    plantLarge(join(rig.local, 'image'), 64 * MIB);
    expect((await rig.run(['put', 'image', ':'])).code).toBe(0);
    for (const block of [0, 31, 63]) flip(join(rig.local, 'image'), block * MIB + 1000);
    const second = await rig.run(['put', 'image', ':', '--json']);
    expect(second.code).toBe(0);
    expect(item(second)).toMatchObject({ bytes: 64 * MIB, kept: 61 * MIB, verified: true });
    expect(sameBytes(join(rig.local, 'image'), join(rig.served, 'image'))).toBe(true);
  });

  test('sends nothing when nothing changed, and says what was kept', async () => {
    plant(rig.local, { image: noise(8 * MIB + 7) });
    expect((await rig.run(['put', 'image', ':'])).code).toBe(0);
    const again = await rig.run(['put', 'image', ':']);
    expect(again.stdout).toContain('8.0 MiB kept from before');
  });

  test('is fetched by the same rule', async () => {
    plant(rig.served, { image: noise(16 * MIB) });
    plant(rig.local, { image: readFileSync(join(rig.served, 'image')) });
    flip(join(rig.served, 'image'), 9 * MIB);
    const get = await rig.run(['get', ':image', '--json']);
    expect(item(get)).toMatchObject({ kept: 15 * MIB, verified: true });
    expect(sameBytes(join(rig.local, 'image'), join(rig.served, 'image'))).toBe(true);
  });
});
