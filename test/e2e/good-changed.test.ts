/** A file that replaces an older version of itself, as a person sends and fetches it: little travels, and it is right. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Proxy } from './proxy.ts';
import { Rig, type Ran } from './rig.ts';
import { events, staged } from './traces.ts';
import { noise, sameBytes } from './trees.ts';

const MIB = 1 << 20;
const SIZE = 40 * MIB + 12_345;

let rig: Rig;
beforeEach(async () => { rig = await Rig.start(); });
afterEach(() => rig[Symbol.asyncDispose]());

function item(ran: Ran): { bytes: number; kept: number; verified: boolean } {
  return events<{ bytes: number; kept: number; verified: boolean }>(ran, 'item')[0]!;
}

const old = noise(SIZE);

/** What a person may do to a file, and how much of it is then new at most. */
const CHANGES: readonly (readonly [string, () => Buffer, number])[] = [
  ['changed here and there', () => { const bytes = Buffer.from(old); for (let at = 5; at < SIZE; at += 4 * MIB) bytes.fill(7, at, at + 999); return bytes; }, 400_000],
  ['changed in one place', () => { const bytes = Buffer.from(old); bytes.fill(7, 20 * MIB - 5, 21 * MIB); return bytes; }, MIB + 40_000],
  ['moved by something in front', () => Buffer.concat([Buffer.from('a new first line\n'), old]), 1000],
  ['cut in front', () => old.subarray(12_345), 40_000],
  ['cut behind', () => old.subarray(0, 30 * MIB + 5), 40_000],
  ['longer', () => Buffer.concat([old, noise(MIB, 3)]), MIB + 40_000],
  ['the same', () => Buffer.from(old), 0],
  ['quite another', () => noise(SIZE, 9), SIZE],
  ['empty', () => Buffer.alloc(0), 0],
  ['tiny', () => Buffer.from('x'), 1],
];

describe.each(['put', 'get'] as const)('a file that is %s over an older version', (way) => {
  test.each(CHANGES)('and was %s arrives whole, and only what is new travels', async (_what, make, most) => {
    const [from, to] = way === 'put' ? [rig.local, rig.served] : [rig.served, rig.local];
    writeFileSync(join(from, 'big'), make());
    writeFileSync(join(to, 'big'), old);
    await using proxy = await Proxy.before(rig);
    const ran = await rig.run([way, way === 'put' ? 'big' : ':big', way === 'put' ? ':' : '.', '--json']);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    const { bytes, kept, verified } = item(ran);
    expect(verified).toBe(true);
    expect(bytes - kept).toBeLessThanOrEqual(most);
    expect(proxy.up + proxy.down).toBeLessThan(most + most / 50 + 100_000);
    expect(sameBytes(join(from, 'big'), join(to, 'big'))).toBe(true);
  });

  test('and is cut in the middle leaves the old one, and the same command again brings the new one', async () => {
    const [from, to] = way === 'put' ? [rig.local, rig.served] : [rig.served, rig.local];
    const young = Buffer.concat([noise(20 * MIB, 4), old.subarray(0, 10 * MIB), noise(20 * MIB, 5), old.subarray(30 * MIB)]);
    writeFileSync(join(from, 'big'), young);
    writeFileSync(join(to, 'big'), old);
    await using proxy = await Proxy.before(rig);
    const command = [way, way === 'put' ? 'big' : ':big', way === 'put' ? ':' : '.', '--json'];
    proxy.cutAfter(way === 'put' ? { up: 35 * MIB } : { down: 35 * MIB });
    expect((await rig.run(command)).code).toBe(11);
    expect(readFileSync(join(to, 'big')).equals(old)).toBe(true);
    expect(await staged(to)).toHaveLength(1);
    proxy.cutAfter();
    const again = await rig.run(command);
    expect(again).toMatchObject({ code: 0, stderr: '' });
    // What was cut off is a part now, with what had been kept from the old file in it.
    expect(item(again).kept).toBeGreaterThan(20 * MIB);
    expect(readFileSync(join(to, 'big')).equals(young)).toBe(true);
    expect(await staged(to)).toEqual([]);
  });
});
