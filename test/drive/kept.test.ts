import { expect, test } from 'vitest';
import { digestOf, ready } from '../../src/digest.ts';
import { Drive } from '../../src/drive.ts';
import { Recent } from '../../src/drive/recent.ts';
import { PackWriter } from '../../src/pack.ts';
import { parsePath, ROOT } from '../../src/path.ts';
import { everywhere, ROLES } from '../../src/rights.ts';
import { createMemoryVault } from '../../src/store/memory.ts';

await ready();
const PATH = parsePath('a');
const bytes = Buffer.from('bytes');

function packOf(...names: readonly string[]): Uint8Array {
  const writer = new PackWriter();
  writer.folder(ROOT, 0o755);
  for (const name of names) {
    writer.space(name, bytes.byteLength).set(bytes);
    writer.file(name, 0o644, 1, digestOf(bytes), bytes.byteLength);
  }
  return writer.finish();
}

function drives() {
  const [vault, recent] = [createMemoryVault(), new Recent()];
  let active = true;
  const as = (name: string, role: keyof typeof ROLES) => new Drive({ vault, recent, principal: { name, grants: everywhere(ROLES[role]), active: () => active } });
  return { vault, as, revoke: () => { active = false; } };
}

test('a drop box is told of what it put there in a pack, with what of it is kept', async () => {
  const { vault, as } = drives();
  const drop = as('ann', 'drop');
  await drop.receiveBatch(ROOT, packOf('a', 'b'), { level: 'visible', condition: 'any' });
  await vault.remove(parsePath('b'));
  expect(await drop.receiveBatch(ROOT, packOf('a', 'b'), { level: 'visible', condition: 'any' })).toEqual({ files: 2, bytes: 10, kept: 5, problems: [] });
  expect((await drop.receiveBatch(ROOT, packOf('a'), { level: 'visible', condition: 'absent' })).problems).toMatchObject([{ code: 'EXISTS' }]);
  expect((await drop.receiveBatch(ROOT, packOf('a'), { level: 'durable', condition: 'any' })).problems).toMatchObject([{ code: 'EXISTS' }]);
});

test('holds says yes only of what is its own, of the same digest, and there as it was', async () => {
  const { vault, as, revoke } = drives();
  const drop = as('ann', 'drop');
  await drop.receiveBatch(ROOT, packOf('a'), { level: 'visible', condition: 'any' });
  expect(await drop.holds(PATH, digestOf(bytes), 'visible')).toBe(true);
  expect(await drop.holds(PATH, digestOf(Buffer.from('other')), 'visible')).toBe(false);
  expect(await as('bob', 'drop').holds(PATH, digestOf(bytes), 'visible')).toBe(false);
  expect(await as('ann', 'rw').holds(PATH, digestOf(bytes), 'visible')).toBe(false);
  await expect(as('ann', 'ro').holds(PATH, digestOf(bytes), 'visible')).rejects.toMatchObject({ code: 'DENIED' });
  await vault.remove(PATH);
  expect(await drop.holds(PATH, digestOf(bytes), 'visible')).toBe(false);
  await as('eve', 'rw').receiveBatch(ROOT, packOf('a'), { level: 'visible', condition: 'any' });
  drop.received(parsePath('other'), digestOf(bytes), 'visible');
  revoke();
  await expect(drop.holds(PATH, digestOf(bytes), 'visible')).rejects.toMatchObject({ code: 'AUTH' });
});
