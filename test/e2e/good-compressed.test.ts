/** On a slow line what shrinks is compressed, where both sides can; on every line it arrives as it was. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hasZstd } from '../../src/session/zstd.ts';
import { Proxy } from './proxy.ts';
import { Rig } from './rig.ts';
import { plant, sameBytes } from './trees.ts';

const MIB = 1 << 20;
/** Of 100 kB each: enough that what goes as it is at first, some 10 MB on a busy machine, is not all. */
const FILES = 300;
/** What may go, of all bytes: an idle processor sends a third, one that is very busy finds late that the line is slow. */
const MOST = 0.85;
/** Some 5 MB/s: also where other tests take most of the processor the line is what limits. */
const LINE = { ms: 12, window: 128 << 10 };

let rig: Rig;
let proxy: Proxy;
beforeEach(async () => {
  rig = await Rig.start();
  proxy = await Proxy.before(rig, LINE);
});
afterEach(async () => {
  await proxy[Symbol.asyncDispose]();
  await rig[Symbol.asyncDispose]();
});

/** Lines that differ, and shrink to about a quarter. */
function prose(bytes: number): Buffer {
  const lines: string[] = [];
  for (let length = 0, line = 0; length < bytes; line += 1) {
    const text = `${line}: ${(line * 2_654_435_761 % 4_294_967_296).toString(36)} went down the river to the sea, and came back\n`;
    lines.push(text);
    length += text.length;
  }
  return Buffer.from(lines.join('')).subarray(0, bytes);
}

describe.skipIf(!hasZstd)('compressed where that is quicker (this Node has no zstd: skipped)', () => {
  test('a file that shrinks is sent as less than it is, and fetched so', async () => {
    plant(rig.local, { prose: prose(24 * MIB) });
    expect(await rig.run(['put', 'prose', ':'])).toMatchObject({ code: 0 });
    expect(proxy.up).toBeLessThan(20 * MIB);
    expect(sameBytes(join(rig.local, 'prose'), join(rig.served, 'prose'))).toBe(true);
    expect(await rig.run(['get', ':prose', 'back'])).toMatchObject({ code: 0 });
    expect(proxy.down).toBeLessThan(20 * MIB);
    expect(sameBytes(join(rig.local, 'back'), join(rig.served, 'prose'))).toBe(true);
  });

  test('so is a folder of small files, but for what goes before the line is known to be slow', async () => {
    mkdirSync(join(rig.local, 'many'));
    for (let at = 0; at < FILES; at += 1) writeFileSync(join(rig.local, 'many', `${at}.txt`), prose(100_000 + at));
    expect(await rig.run(['put', 'many', ':'])).toMatchObject({ code: 0 });
    expect(proxy.up).toBeLessThan(FILES * 100_000 * MOST);
    expect(await rig.run(['get', ':many', 'back'])).toMatchObject({ code: 0 });
    expect(proxy.down).toBeLessThan(FILES * 100_000 * MOST);
    for (let at = 0; at < FILES; at += 1) {
      expect(sameBytes(join(rig.local, 'many', `${at}.txt`), join(rig.served, 'many', `${at}.txt`))).toBe(true);
      expect(sameBytes(join(rig.local, 'back', `${at}.txt`), join(rig.served, 'many', `${at}.txt`))).toBe(true);
    }
  });
});

test('what does not shrink goes as it is', async () => {
  plant(rig.local, { noise: randomBytes(12 * MIB) });
  expect(await rig.run(['put', 'noise', ':'])).toMatchObject({ code: 0 });
  expect(proxy.up).toBeGreaterThan(12 * MIB);
  expect(sameBytes(join(rig.local, 'noise'), join(rig.served, 'noise'))).toBe(true);
});
