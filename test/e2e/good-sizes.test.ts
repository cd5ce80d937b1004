/** Files of every awkward size and content: what arrives is what was sent, and its digest is the one other tools compute. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Rig } from './rig.ts';
import { events } from './traces.ts';
import { noise, plant, plantLarge, sameBytes, sha256, snapshot } from './trees.ts';

const MIB = 1 << 20;
/** A pack, and the largest file that goes into one, end around here. */
const PACK = 256 << 10;

/** Memory instead of a disk, where there is enough of it: these tests are about bytes, not about disks. */
function roomy(bytes: number): string {
  const shared = '/dev/shm';
  if (!existsSync(shared)) return tmpdir();
  const { bavail, bsize } = statfsSync(shared);
  return bavail * bsize > bytes ? shared : tmpdir();
}

let rig: Rig;
beforeAll(async () => { rig = await Rig.start({ below: roomy(2 << 30) }); });
afterAll(() => rig[Symbol.asyncDispose]());

const edges = [0, 1, 2, 3, 4096, 65_535, 65_536, 65_537, ...[PACK, MIB, 2 * MIB, 4 * MIB].flatMap((edge) => [-3, -2, -1, 0, 1, 2, 3].map((step) => edge + step))];

test('files of sizes around every block, pack and frame arrive, in a folder', async () => {
  plant(join(rig.local, 'sizes'), Object.fromEntries(edges.map((size) => [`${size}`, noise(size, size)])));
  expect(await rig.run(['put', 'sizes', ':'])).toMatchObject({ code: 0, stderr: '' });
  expect(await rig.run(['get', ':sizes', 'sizes.back'])).toMatchObject({ code: 0, stderr: '' });
  const original = snapshot(join(rig.local, 'sizes'));
  expect(snapshot(join(rig.served, 'sizes'))).toEqual(original);
  expect(snapshot(join(rig.local, 'sizes.back'))).toEqual(original);
});

test('files of sizes around every block arrive, one by one, and replace others of such sizes', async () => {
  mkdirSync(join(rig.local, 'one'));
  const names = edges.map((size) => `sizes/${size}`);
  await rig.run(['mkdir', ':one']);
  expect(await rig.run(['put', ...names, ':one/'])).toMatchObject({ code: 0, stderr: '' });
  // Every file again, under the name of the next larger one: its basis is a file of another size.
  for (const [index, size] of edges.entries()) writeFileSync(join(rig.local, 'one', `${edges[(index + 1) % edges.length]}`), noise(size, size));
  expect(await rig.run(['put', ...edges.map((size) => `one/${size}`), ':one/'])).toMatchObject({ code: 0, stderr: '' });
  for (const size of edges) expect(sameBytes(join(rig.served, 'one', `${size}`), join(rig.local, 'one', `${size}`)), `${size}`).toBe(true);
  expect(await rig.run(['get', ...edges.map((size) => `:sizes/${size}`), 'one/'])).toMatchObject({ code: 0, stderr: '' });
  for (const size of edges) expect(sameBytes(join(rig.served, 'sizes', `${size}`), join(rig.local, 'one', `${size}`)), `${size}`).toBe(true);
});

test('4096 spaces followed by a word are a file like any other', async () => {
  plant(rig.local, { spaces: `${' '.repeat(4096)}tail`, exact: ' '.repeat(1024) });
  expect((await rig.run(['put', 'spaces', 'exact', ':'])).code).toBe(0);
  expect((await rig.run(['get', ':spaces', 'spaces.back'])).code).toBe(0);
  expect(readFileSync(join(rig.local, 'spaces.back'), 'latin1')).toBe(`${' '.repeat(4096)}tail`);
  expect(readFileSync(join(rig.served, 'exact'), 'latin1')).toBe(' '.repeat(1024));
});

test('the digest that put, get and hash tell is one, and SHA-256 is the platform\'s', async () => {
  const bytes = noise(3 * MIB + 5);
  plant(rig.local, { digest: bytes });
  const told = async (event: string, ...words: string[]): Promise<Record<string, unknown>> => events<Record<string, unknown>>(await rig.run(words), event)[0]!;
  const put = await told('item', 'put', 'digest', ':', '--json');
  const get = await told('item', 'get', ':digest', 'digest.back', '--json');
  const hash = await told('digest', 'hash', ':digest', '--json');
  expect(put['digest']).toMatch(/^[0-9a-f]{64}$/);
  expect([get['digest'], hash['digest']]).toEqual([put['digest'], put['digest']]);
  expect((await rig.run(['hash', ':digest'])).stdout).toBe(`${String(put['digest'])}  digest\n`);
  expect((await rig.run(['hash', '--sha256', ':digest'])).stdout).toBe(`${createHash('sha256').update(bytes).digest('hex')}  digest\n`);
});

test('a quarter of a gibibyte goes there and back', async () => {
  plantLarge(join(rig.local, 'large'), 256 * MIB + 1);
  const digest = sha256(join(rig.local, 'large'));
  expect((await rig.run(['put', 'large', ':'])).code).toBe(0);
  rmSync(join(rig.local, 'large'));
  expect(sha256(join(rig.served, 'large'))).toBe(digest);
  expect((await rig.run(['get', ':large'])).code).toBe(0);
  expect(sha256(join(rig.local, 'large'))).toBe(digest);
}, 60_000);

test('nothing is left in the staging folder when all is done', () => {
  expect(existsSync(join(rig.local, '.wherry'))).toBe(false);
  expect(Object.keys(snapshot(rig.served)).filter((name) => name.startsWith('.wherry/') && !name.startsWith('.wherry/kept'))).toEqual([]);
});
