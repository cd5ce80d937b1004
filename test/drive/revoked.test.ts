/** Whose access ends while one verb takes many steps: on a real folder, revoked when the verb has begun, at the first step. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { digestOf, ready } from '../../src/digest.ts';
import { Drive } from '../../src/drive.ts';
import type { Action } from '../../src/drive/action.ts';
import { parsePath, ROOT } from '../../src/path.ts';
import { type Right, ROLES } from '../../src/rights.ts';
import { createMemoryVault } from '../../src/store/memory.ts';
import type { Meter } from '../../src/store/meter.ts';
import { meteredVault } from '../../src/store/metered.ts';
import { type DiskOptions, openDisk } from '../../src/store/disk/disk.ts';
import { newRoot } from '../store/disk/roots.ts';
import { at, bytesOf, codeOf } from '../store/vaults.ts';

/** More than a step of a removal or a count, and two pages of a listing. */
const FILES = 2500;
/** Read in several pieces. */
const LARGE = bytesOf(3 << 20);
const WANT = { size: 1, mtime: 1_000_000, mode: 0o644, level: 'visible', condition: 'any' } as const;

let root: string;
let actions: Action[];
beforeEach(async () => {
  await ready();
  [root, actions] = [newRoot(), []];
});

/** One that stays whole is the same for all who ask for it: it takes a while to make. */
let whole: string | undefined;
function tree(stays: boolean): void {
  if (stays && whole !== undefined) root = whole;
  if (root === whole) return;
  if (stays) whole = root;
  mkdirSync(join(root, 'tree'));
  for (let number = 0; number < FILES; number += 1) writeFileSync(join(root, 'tree', String(number)), '');
}

interface Given { readonly lasts: number; readonly rules?: readonly [string, readonly Right[]][]; readonly disk?: DiskOptions; readonly metered?: boolean }

/** A drive whose account is found active so many times, and no more; one process or thread does what is asked. */
async function driveThat({ lasts, rules = [], disk, metered = false }: Given): Promise<Drive & AsyncDisposable> {
  const vault = await openDisk(root, disk);
  let asked = 0;
  const grants = [['', ROLES.owner] as const, ...rules].map(([path, rights]) => ({ path: parsePath(path), rights }));
  const principal = { name: 'ann', grants, active: () => { asked += 1; return asked <= lasts; } };
  const drive = new Drive({ vault: metered ? meteredVault(vault, FREE) : vault, principal, onAction: (action) => actions.push(action) });
  return Object.assign(drive, { [Symbol.asyncDispose]: () => vault[Symbol.asyncDispose]() });
}

/** Counts nothing, and refuses nothing. */
const FREE: Meter = {
  use: async () => {}, change: () => {}, moved: async () => {}, left: async () => undefined, quota: async () => undefined,
  admit: async () => ({ extend: async () => {}, commit: async () => {}, end: () => {} }), issue: async () => ({ settle: async () => {}, end: () => {} }),
};

const left = (): number => readdirSync(join(root, 'tree')).length;

test.each<[string, Omit<Given, 'lasts'>]>([
  ['', {}],
  [' in a thread', { disk: { workers: 1 } }],
  [' where it is counted for a quota', { metered: true }],
])('E7: a removal%s ends at its next step, and what is left stays', async (_, given) => {
  tree(given.metered === true);
  await using drive = await driveThat({ lasts: 1, ...given });
  expect(await codeOf(drive.remove(at('tree'), { deep: true }))).toBe('AUTH');
  expect(left()).toBe(given.metered === true ? FILES : FILES - 2000); // it is counted first
  expect(actions.map(({ verb, outcome }) => [verb, outcome])).toEqual([['remove', 'AUTH']]);
});

test('E7: a removal that keeps what it takes for undo takes nothing any more', async () => {
  tree(true);
  await using drive = await driveThat({ lasts: 1, disk: { keep: { ms: 60_000, bytes: 1 << 30 } } });
  expect(await codeOf(drive.remove(at('tree'), { deep: true, action: '0123456789abcdef' }))).toBe('AUTH');
  expect(left()).toBe(FILES);
});

test.each<[string, (drive: Drive) => Promise<unknown>, Partial<Given>?]>([
  ['count', (drive) => drive.usage(ROOT)],
  ['count of what shows', (drive) => drive.usage(ROOT), { rules: [['hidden', []]] }],
  ['listing', async (drive) => { for await (const page of drive.list(at('tree'))) void page; }, { lasts: 2 }],
])('E7: a %s ends at its next step', async (_, run, given) => {
  tree(true);
  await using drive = await driveThat({ lasts: 1, ...given });
  expect(await codeOf(run(drive))).toBe('AUTH');
});

test.each<[string, (drive: Drive) => Promise<unknown>]>([
  ['removed', (drive) => drive.remove(at('large'), { match: digestOf(LARGE) })],
  ['renamed', (drive) => drive.move(at('large'), at('other'), { match: digestOf(LARGE) })],
  ['replaced', (drive) => drive.receive(at('large'), { ...WANT, match: digestOf(LARGE) })],
])('E7: a file that is read first, to be %s only as it was, stays', async (_, run) => {
  writeFileSync(join(root, 'large'), LARGE);
  await using drive = await driveThat({ lasts: 2 });
  expect(await codeOf(run(drive))).toBe('AUTH');
  expect(readdirSync(root)).toEqual(['large']);
});

test('E7: a file gets no name when access has ended while its last bytes were written', async () => {
  await using drive = await driveThat({ lasts: 3 });
  await using upload = await drive.receive(at('new'), WANT);
  await upload.write([Buffer.from('x')], 0);
  expect(await codeOf(upload.commit(1))).toBe('AUTH');
  expect(readdirSync(root)).toEqual(['.wherry']);
});

test('E7: whether a drop box has put a file itself is not told any more', async () => {
  const vault = createMemoryVault();
  let asked = 0;
  let lasts = Infinity;
  const principal = { name: 'ann', grants: [{ path: ROOT, rights: ROLES.drop }], active: () => { asked += 1; return asked <= lasts; } };
  const drive = new Drive({ vault, principal });
  {
    await using upload = await drive.receive(at('large'), { ...WANT, size: LARGE.length });
    await upload.write([LARGE], 0);
    await upload.commit(LARGE.length);
  }
  drive.received(at('large'), digestOf(LARGE), 'visible');
  expect(await drive.holds(at('large'), digestOf(LARGE), 'visible')).toBe(true);
  [asked, lasts] = [0, 2];
  expect(await codeOf(drive.holds(at('large'), digestOf(LARGE), 'visible'))).toBe('AUTH');
});
