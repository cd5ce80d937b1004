import { beforeEach, describe, expect, test } from 'vitest';
import { type Amount, Ledger } from '../../src/access/ledger.ts';
import type { Account } from '../../src/access/entries.ts';
import { parsePath } from '../../src/path.ts';
import { ROLES } from '../../src/rights.ts';

const HOME = parsePath('home/ann');
const FILE = parsePath('home/ann/file');
const DAY = 86_400_000;

let clock: number;
let there: Amount;
let counts: number;
let account: Account;
let ledger: Ledger;

beforeEach(() => {
  clock = 0;
  counts = 0;
  there = { bytes: 0, files: 0 };
  account = { name: 'ann', rights: ROLES.rw, roots: [{ name: '', path: HOME }], rules: [], own: false, added: 0, quota: { bytes: 100, files: 3 } };
  ledger = new Ledger({ account: (name) => (name === 'ann' ? account : undefined), measure: async () => { counts += 1; return there; }, now: () => clock });
});

const keep = (bytes: number, files = 1, path = FILE): Promise<number> => ledger.keep('ann', path, { bytes, files }, 'ann');
const fits = (bytes: number, files = 1, path = FILE): Promise<boolean> => keep(bytes, files, path).then((number) => { ledger.end(number); return true; }, () => false);

describe('room', () => {
  test('is what the quota leaves of what is there, which is counted once', async () => {
    there = { bytes: 60, files: 1 };
    expect([await fits(40), await fits(41), await fits(1, 3)]).toEqual([true, false, false]);
    expect(counts).toBe(1);
  });

  test('that is kept is nobody else\'s, however many ask at once', async () => {
    const tries = await Promise.allSettled(Array.from({ length: 50 }, (_, index) => keep(10, 0, parsePath(`home/ann/${index}`))));
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
    for (const one of tries) if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'QUOTA', who: 'rule' });
  });

  test('is free again when nothing came, and used when it did', async () => {
    ledger.end(await keep(100));
    const number = await keep(100);
    ledger.change(FILE, { bytes: 100, files: 1 });
    ledger.end(number);
    expect(await fits(1)).toBe(false);
    ledger.change(FILE, { bytes: -100, files: -1 });
    expect(await fits(100)).toBe(true);
  });

  test('grows with what comes where its size was not known, and no further than the quota', async () => {
    const number = await keep(0);
    await ledger.extend(number, 60);
    await ledger.extend(number, 50);
    expect([await fits(40), await fits(41)]).toEqual([true, false]);
    await expect(ledger.extend(number, 101)).rejects.toMatchObject({ code: 'QUOTA', message: expect.stringContaining('do not fit') as string });
    expect(await ledger.used('ann')).toEqual({ bytes: 60, files: 1 });
  });

  test('that is asked for by an account without a quota is not bounded, and nothing is counted for it', async () => {
    account = { ...account, quota: undefined };
    const number = await keep(1e12);
    await ledger.extend(number, 1e15);
    ledger.end(number);
    expect([counts, await ledger.used('ann')]).toEqual([0, undefined]);
  });
});

describe('what rests of an upload that broke off', () => {
  test('stays counted until it is continued, and then once', async () => {
    ledger.end(await keep(80), 70);
    expect([await fits(30, 1), await ledger.used('ann')]).toEqual([true, { bytes: 0, files: 0 }]); // `fits` continued it, and left nothing
    ledger.end(await keep(80), 70);
    await expect(ledger.keep('ann', parsePath('home/ann/other'), { bytes: 31, files: 1 })).rejects.toMatchObject({ code: 'QUOTA' });
    const number = await keep(100);
    expect(await ledger.used('ann')).toEqual({ bytes: 100, files: 1 });
    ledger.end(number);
  });

  test('of one owner makes no room for another, nor for a batch at the same path', async () => {
    ledger.end(await keep(80), 70);
    for (const owner of ['ann of another device', undefined]) {
      await expect(ledger.keep('ann', FILE, { bytes: 31, files: 1 }, owner)).rejects.toMatchObject({ code: 'QUOTA' });
    }
    expect(await ledger.used('ann')).toEqual({ bytes: 70, files: 0 });
  });

  test('counts once, however often it was begun again before it was over', async () => {
    const first = await keep(40);
    const second = await keep(40);
    ledger.end(first, 20);
    ledger.end(second, 30);
    expect(await ledger.used('ann')).toEqual({ bytes: 30, files: 0 });
  });

  test('is what the one that was begun last says, also when the one before is over later', async () => {
    const first = await keep(40);
    account = { ...account }; // which is counted anew
    ledger.end(await keep(40), 0); // has its name
    ledger.end(first, 20);
    expect(await ledger.used('ann')).toEqual({ bytes: 0, files: 0 });
    const third = await keep(40);
    ledger.end(await keep(40), 30);
    ledger.end(third, 20);
    expect(await ledger.used('ann')).toEqual({ bytes: 30, files: 0 });
  });

  test('is forgotten when the store has forgotten it', async () => {
    ledger.end(await keep(80), 70);
    clock = 7 * DAY;
    expect(await ledger.used('ann')).toEqual({ bytes: 0, files: 0 });
  });
});

describe('the count', () => {
  test('follows what others do in the folder, and nothing beside it', async () => {
    await fits(1);
    ledger.change(parsePath('home/ann/sub/x'), { bytes: 50, files: 1 });
    ledger.change(parsePath('home/annabel/x'), { bytes: 50, files: 1 });
    expect(await ledger.used('ann')).toEqual({ bytes: 50, files: 1 });
  });

  test('is made anew when it is old and nothing is on its way', async () => {
    const number = await keep(10);
    there = { bytes: 90, files: 1 };
    clock = DAY;
    expect(await ledger.used('ann')).toEqual({ bytes: 10, files: 1 });
    ledger.end(number);
    expect(await ledger.used('ann')).toEqual({ bytes: 90, files: 1 });
  });

  test('that fails lets nothing in, and is tried again', async () => {
    let broken = true;
    ledger = new Ledger({ account: () => account, measure: async () => { if (broken) throw new Error('disk'); return there; }, now: () => clock });
    await expect(keep(1)).rejects.toThrow('disk');
    broken = false;
    expect(await fits(1)).toBe(true);
  });
});

describe('what rests from before', () => {
  const part = { bytes: 70, since: 0 };

  test('counts from the first offer on, and is part of what continues it, whatever is offered first', async () => {
    ledger = new Ledger({ account: () => account, measure: async () => there, resting: async (name) => new Map([[`${name}:${FILE}`, part]]), keyOf: (name, path) => `${name}:${path}`, now: () => clock });
    expect([await fits(31, 1, parsePath('home/ann/other')), await fits(30, 1, parsePath('home/ann/other'))]).toEqual([false, true]);
    expect(await ledger.used('ann')).toEqual({ bytes: 70, files: 0 });
    const number = await keep(100);
    expect(await ledger.used('ann')).toEqual({ bytes: 100, files: 1 });
    ledger.end(number, 80);
    expect([await fits(21, 1, parsePath('home/ann/other')), await fits(20, 1, parsePath('home/ann/other')), await fits(100)]).toEqual([false, true, true]);
  });

  test('is gone when the store has swept it', async () => {
    ledger = new Ledger({ account: () => account, measure: async () => there, resting: async () => new Map([['key', part]]), keyOf: () => 'other', now: () => clock });
    expect(await fits(31)).toBe(false);
    clock = 8 * DAY;
    expect(await fits(100)).toBe(true);
  });

  test('that cannot be counted is asked for again, and nothing is admitted meanwhile', async () => {
    let fails = true;
    ledger = new Ledger({ account: () => account, measure: async () => there, resting: async () => { if (fails) throw new Error('disk'); return new Map([['key', part]]); }, keyOf: () => 'key', now: () => clock });
    expect(await fits(1)).toBe(false);
    fails = false;
    expect([await fits(101), await fits(100)]).toEqual([false, true]);
  });
});

describe('an account that was changed', () => {
  const EMPTY = parsePath('home/empty');

  beforeEach(() => {
    ledger = new Ledger({ account: (name) => (name === 'ann' ? account : undefined), measure: async (path) => { counts += 1; return path === EMPTY ? { bytes: 0, files: 0 } : { bytes: 90, files: 1 }; }, now: () => clock });
  });

  test('is counted anew in its other folders, be there more in them or less', async () => {
    expect(await fits(11)).toBe(false);
    account = { ...account, roots: [{ name: '', path: EMPTY }] };
    expect([await fits(100), await ledger.used('ann')]).toEqual([true, { bytes: 0, files: 0 }]);
    account = { ...account, roots: [{ name: '', path: HOME }] };
    expect([await ledger.used('ann'), await fits(11), await fits(10)]).toEqual([{ bytes: 90, files: 1 }, false, true]);
  });

  test('is counted anew when it has its quota back: nobody may have told meanwhile what came', async () => {
    expect(await fits(10)).toBe(true);
    const { quota } = account;
    account = { ...account, quota: undefined };
    expect(await fits(1e9)).toBe(true);
    account = { ...account, quota };
    expect(await fits(11)).toBe(false);
    expect(counts).toBe(2);
  });

  test('keeps what is on its way, and counts what rests of it once', async () => {
    account = { ...account, roots: [{ name: '', path: EMPTY }] };
    const rests = new Map([['ann:home/ann/file', { bytes: 70, since: 0 }]]);
    ledger = new Ledger({ account: () => account, measure: async () => ({ bytes: 0, files: 0 }), resting: async () => rests, keyOf: (owner, path) => `${owner}:${path}`, now: () => clock });
    const number = await keep(20, 1, parsePath('home/empty/x'));
    account = { ...account };
    expect(await ledger.used('ann')).toEqual({ bytes: 90, files: 1 });
    ledger.end(number);
    expect(await ledger.used('ann')).toEqual({ bytes: 70, files: 0 });
  });

  test('is counted once more when nothing further is done for those who were not counted', async () => {
    await fits(1);
    ledger.forget('ann');
    await fits(1);
    expect(counts).toBe(2);
  });
});
