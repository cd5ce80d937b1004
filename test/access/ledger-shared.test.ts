/** One folder, and several accounts that may put into it: whatever is there, or on its way there, counts for each of them. */
import { beforeEach, describe, expect, test } from 'vitest';
import { type Amount, Ledger } from '../../src/access/ledger.ts';
import type { Account } from '../../src/access/entries.ts';
import { parsePath, type RemotePath, ROOT } from '../../src/path.ts';
import { ROLES } from '../../src/rights.ts';

const SHARED = parsePath('shared');
const A = parsePath('shared/a');
const OUTSIDE = parsePath('other/file');

let there: Amount;
let counts: number;
let accounts: Map<string, Account>;
let ledger: Ledger;

beforeEach(() => {
  there = { bytes: 0, files: 0 };
  counts = 0;
  accounts = new Map();
  ledger = new Ledger({ account: (name) => accounts.get(name), measure: async () => { counts += 1; return there; }, now: () => 0 });
});

function add(name: string, path: RemotePath, bytes?: number): void {
  accounts.set(name, { name, rights: ROLES.rw, roots: [{ name: '', path }], rules: [], own: false, added: 0, ...(bytes !== undefined && { quota: { bytes } }) });
}

const keep = (name: string, path: RemotePath, bytes: number): Promise<number> => ledger.keep(name, path, { bytes, files: 1 }, name);
async function fits(name: string, path: RemotePath, bytes: number): Promise<boolean> {
  return keep(name, path, bytes).then((number) => { ledger.end(number); return true; }, () => false);
}
/** The file has its name. */
function commit(number: number, path: RemotePath, bytes: number): void {
  ledger.change(path, { bytes, files: 1 });
  ledger.end(number);
}

describe.each([['the same folder', SHARED], ['a folder in that of the other', A], ['the folder above', ROOT]])('what is on its way by one account counts for another that has %s', (_, root) => {
  beforeEach(() => {
    add('one', SHARED, 100);
    add('two', root, 100);
  });

  test('and of two that ask at once one is refused', async () => {
    const path = parsePath('shared/a/file');
    const tries = await Promise.allSettled([keep('one', path, 90), keep('two', path, 90)]);
    expect(tries.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });

  test('while it comes, grows, and when it has come; and no more when it broke off', async () => {
    const path = parsePath('shared/a/file');
    const first = await keep('one', path, 0);
    await ledger.extend(first, 60);
    expect([await fits('two', path, 41), await fits('two', path, 40)]).toEqual([false, true]);
    const second = await keep('two', path, 40);
    await expect(ledger.extend(first, 61)).rejects.toMatchObject({ code: 'QUOTA' });
    commit(second, path, 40);
    ledger.end(first, 60);
    // What rests of it is nowhere yet, and is offered again before it comes.
    expect(await ledger.used('two')).toEqual({ bytes: 40, files: 1 });
    expect(await ledger.used('one')).toEqual({ bytes: 100, files: 1 });
    expect([await fits('two', path, 61), await fits('two', path, 60)]).toEqual([false, true]);
  });
});

describe('what is sent by an account without a quota', () => {
  beforeEach(() => {
    add('team', ROOT);
    add('bob', A, 50);
  });

  test('counts for one with, whose folder it is for, from before that is first counted', async () => {
    const number = await keep('team', parsePath('shared/a/big'), 30);
    expect([await fits('bob', parsePath('shared/a/own'), 21), await fits('bob', parsePath('shared/a/own'), 20)]).toEqual([false, true]);
    await ledger.extend(number, 45);
    expect(await ledger.used('bob')).toEqual({ bytes: 45, files: 1 });
    commit(number, parsePath('shared/a/big'), 45);
    expect([await fits('bob', parsePath('shared/a/own'), 6), await fits('bob', parsePath('shared/a/own'), 5)]).toEqual([false, true]);
  });

  test('and beside that folder does not', async () => {
    await keep('team', OUTSIDE, 1e12);
    await keep('team', parsePath('shared/abc'), 1e12);
    expect(await fits('bob', A, 50)).toBe(true);
  });

  test('as a batch with its top above counts whole while nobody knows better, and is looked at when that leaves no room', async () => {
    expect(await fits('bob', A, 50)).toBe(true);
    const number = await keep('team', SHARED, 30);
    expect([await fits('bob', A, 21), await fits('bob', A, 20)]).toEqual([false, true]);
    there = { bytes: 10, files: 1 };
    commit(number, SHARED, 30);
    expect([await fits('bob', A, 20), counts]).toEqual([true, 1]);
    expect([await fits('bob', A, 40), counts]).toEqual([true, 2]);
    expect([await fits('bob', A, 41), counts]).toEqual([false, 2]);
    // What was removed with a folder above is found gone.
    there = { bytes: 0, files: 0 };
    ledger.change(SHARED, { bytes: -30, files: -2 });
    expect([await fits('bob', A, 50), counts]).toEqual([true, 3]);
    ledger.change(SHARED, { bytes: 5, files: 0 });
    expect([await ledger.used('bob'), counts]).toEqual([{ bytes: 0, files: 0 }, 4]);
  });

  test('or removed while the folders are counted is taken for not seen by that', async () => {
    let counted!: (amount: Amount) => void;
    const first = new Promise<Amount>((resolve) => { counted = resolve; });
    ledger = new Ledger({ account: (name) => accounts.get(name), measure: () => ((counts += 1) === 1 ? first : Promise.resolve(there)), now: () => 0 });
    const number = keep('bob', parsePath('shared/a/own'), 10);
    ledger.change(A, { bytes: -20, files: -1 }); // it may have been gone when the count came by
    ledger.change(A, { bytes: 5, files: 1 });
    counted({ bytes: 25, files: 3 });
    await number;
    there = { bytes: 25, files: 3 };
    expect([counts, await fits('bob', A, 15), counts]).toEqual([1, true, 2]);
    expect(await fits('bob', A, 16)).toBe(false);
  });
});
