/** Counts are kept once, also while two processes run: two sets of real counts of one folder, and what is said between them. */
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { addAccount } from '../../../src/access/accounts.ts';
import { openRegister, type Register } from '../../../src/access/register.ts';
import { Failure } from '../../../src/errors.ts';
import { parsePath, ROOT } from '../../../src/path.ts';
import { openAccounting } from '../../../src/server/accounting.ts';
import { HandedCounts, HeardCounts } from '../../../src/server/handover/counted.ts';
import type { Asking } from '../../../src/server/talk.ts';
import { Puts } from '../../../src/server/puts.ts';

const ANN = { account: 'ann', token: undefined };
const codeOf = (attempt: Promise<unknown>): Promise<string> => attempt.then(() => 'ok', (error: unknown) => Failure.from(error).code);

let folder: string;
let rate: number | undefined;
let register: Register;
let old: HandedCounts;
let heard: HeardCounts;
let now: HandedCounts;
let puts: readonly [old: Puts, now: Puts];

beforeEach(async () => {
  rate = undefined;
  folder = await mkdtemp(join(tmpdir(), 'wherry-counted-'));
  for (const name of ['served', 'old', 'new']) await mkdir(join(folder, name));
  register = await openRegister({ file: join(folder, 'accounts.json') });
  const warn = (message: string): void => { throw new Error(message); };
  puts = [await Puts.open(join(folder, 'old'), warn), await Puts.open(join(folder, 'new'), warn)];
  await addAccount(register, 'ann', { quota: { bytes: 100 }, roots: [{ name: '', path: ROOT }] });
  const counts = (which: Puts): HandedCounts => new HandedCounts(openAccounting({ register, dir: join(folder, 'served'), number: undefined, puts: which, rates: () => ({ rate, accountRate: undefined }) }));
  [old, now] = [counts(puts[0]), counts(puts[1])];
  heard = new HeardCounts(now.accounting, (answering) => old.answered(answering));
});
afterEach(async () => {
  for (const one of puts) await one[Symbol.asyncDispose]();
  await register[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** Whether the new process has room for so many bytes; takes none. */
async function room(bytes: number): Promise<boolean> {
  const code = await codeOf(now.accounting.keep(ANN, parsePath('probe'), { bytes, files: 1 }).then((number) => now.accounting.end(number, 0)));
  return code === 'ok';
}

function hand(): void {
  for (const counted of old.hand((asking) => heard.hear(asking))) heard.inherit(counted);
}

test('room that was kept before is kept, as much as it had become, until its upload ends', async () => {
  const number = await old.accounting.keep(ANN, parsePath('one'), { bytes: 10, files: 1 });
  await old.accounting.extend(number, 60);
  const ended = await old.accounting.keep(ANN, parsePath('two'), { bytes: 30, files: 1 });
  await old.accounting.end(ended, 0);
  hand();
  expect([await room(40), await room(41)]).toEqual([true, false]);
  await old.accounting.end(number, 0);
  expect(await room(100)).toBe(true);
});

test('so is room that is kept, extended and used there afterwards', async () => {
  hand();
  const number = await old.accounting.keep(ANN, parsePath('one'), { bytes: 20, files: 1 });
  await old.accounting.extend(number, 50);
  expect([await room(50), await room(51)]).toEqual([true, false]);
  await old.accounting.end(number, 0);
  await old.accounting.change(parsePath('one'), { bytes: 50, files: 1 });
  expect([await room(50), await room(51)]).toEqual([true, false]);
});

test('what a process that has ended had kept is free again', async () => {
  await old.accounting.keep(ANN, parsePath('one'), { bytes: 90, files: 1 });
  hand();
  expect(await room(20)).toBe(false);
  heard.over();
  expect(await room(100)).toBe(true);
});

test('who asks the old one is admitted when the new one has room, and not otherwise; both see what the other has', async () => {
  hand();
  const elsewhere = await now.accounting.keep(ANN, parsePath('one'), { bytes: 70, files: 1 });
  expect(await codeOf(old.accounting.keep(ANN, parsePath('two'), { bytes: 40, files: 1 }))).toBe('QUOTA');
  expect(await old.accounting.left(ANN)).toBe(30);
  const number = await old.accounting.keep(ANN, parsePath('two'), { bytes: 20, files: 1 });
  expect(await codeOf(old.accounting.extend(number, 31))).toBe('QUOTA');
  await now.accounting.end(elsewhere, 0);
  expect(await codeOf(old.accounting.extend(number, 31))).toBe('ok');
});

test('what is asked while the new one still opens is answered when it has, in order', async () => {
  const asked: Asking[] = [];
  const inherited = old.hand((asking) => asked.push(asking));
  const first = codeOf(old.accounting.keep(ANN, parsePath('one'), { bytes: 90, files: 1 }));
  const second = codeOf(old.accounting.keep(ANN, parsePath('two'), { bytes: 20, files: 1 }));
  await new Promise((resolve) => { setImmediate(resolve); });
  expect(asked).toHaveLength(2);
  for (const one of inherited) heard.inherit(one);
  for (const one of asked) heard.hear(one);
  expect(await Promise.all([first, second])).toEqual(['ok', 'QUOTA']);
});

test('nobody is asked before; when nobody takes over after all, or nobody answers any more, it counts for itself again, with what was admitted meanwhile', async () => {
  const told: unknown[] = [];
  const early = await old.accounting.keep(ANN, parsePath('one'), { bytes: 10, files: 1 });
  expect(old.hand((asking) => told.push(asking))).toHaveLength(1);
  const waiting = old.accounting.keep(ANN, parsePath('two'), { bytes: 20, files: 1 });
  await old.keepToItself(true);
  const late = await waiting;
  expect(told).toHaveLength(1);
  expect(await old.accounting.left(ANN)).toBe(70);
  hand();
  const there = await old.accounting.keep(ANN, parsePath('three'), { bytes: 30, files: 1 });
  await old.keepToItself(false);
  expect(await old.accounting.left(ANN)).toBe(40);
  for (const number of [early, late, there]) await old.accounting.end(number, 0);
  expect(await old.accounting.left(ANN)).toBe(100);
});

test('a call that began before and ends after counts at the new one too', async () => {
  const keeping = old.accounting.keep(ANN, parsePath('one'), { bytes: 90, files: 1 }); // counts the folder first
  hand();
  await keeping;
  expect([await room(10), await room(11)]).toEqual([true, false]);
});

test('a rate is one for both', async () => {
  rate = 1000;
  hand();
  await now.accounting.pace(ANN, 'in', 250); // what may come at once
  const began = performance.now();
  await old.accounting.pace(ANN, 'in', 250);
  // Never sooner, however fast the machine is; and it comes in a quarter of a second, not at once.
  expect(performance.now() - began).toBeGreaterThan(200);
});

test('what a drop box puts at the old one is remembered by the new one, which alone writes it down then', async () => {
  await old.accounting.remember('ann', ['before'.padEnd(16)], 'visible');
  hand();
  await old.accounting.remember('ann', ['after'.padEnd(16)], 'visible');
  expect(await Promise.all(['before', 'after'].map((key) => now.accounting.recall('ann', key.padEnd(16), 'visible')))).toEqual([0, 1]);
  await puts[0][Symbol.asyncDispose]();
  expect((await stat(join(folder, 'old', 'puts'))).size).toBe(37);
});
