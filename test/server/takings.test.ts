/** What of a token is taken for transfers at a worker, or at an old process, and what becomes of it when that ends: real counts, and what is said between them. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { addAccount } from '../../src/access/accounts.ts';
import { openRegister, type Register } from '../../src/access/register.ts';
import { NOTHING_SPENT } from '../../src/access/spending.ts';
import { createToken } from '../../src/access/tokens.ts';
import { type Accounting, openAccounting } from '../../src/server/accounting.ts';
import { AnsweredCounts, AskedCounts } from '../../src/server/counts.ts';
import { HeardCounts, HandedCounts } from '../../src/server/handover/counted.ts';
import { Puts } from '../../src/server/puts.ts';

const WHO = { account: 'ann', token: 'three' };
const files = (count: number) => ({ bytes: 0, files: count, uses: 0 });

let folder: string;
const open: AsyncDisposable[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-takings-'));
  await mkdir(join(folder, 'served'));
});
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function counts(): Promise<{ register: Register; accounting: Accounting; spent: () => number }> {
  const puts = await Puts.open(folder, (message) => { throw new Error(message); });
  const register = await openRegister({ file: join(folder, 'accounts.json') });
  open.push(puts, register);
  const spent = (): number => register.spent([...register.tokens.values()][0]!).files;
  return { register, spent, accounting: openAccounting({ register, dir: join(folder, 'served'), number: undefined, puts, rates: () => ({ rate: undefined, accountRate: undefined }) }) };
}

async function tokenIn(register: Register): Promise<void> {
  await addAccount(register, 'ann', {});
  await createToken(register, { account: 'ann', name: WHO.token, scope: { files: 3 } });
}

test('a worker that ends gives back what was taken there, and not what was moved', async () => {
  const { register, accounting, spent } = await counts();
  await tokenIn(register);
  const answered: AnsweredCounts = new AnsweredCounts(accounting, (answering) => asked.answered(answering));
  const asked = new AskedCounts((asking) => answered.hear(asking));
  await asked.accounting.spend(WHO, files(2), NOTHING_SPENT);
  await asked.accounting.spend(WHO, NOTHING_SPENT, files(1));
  await expect(asked.accounting.spend(WHO, files(2), NOTHING_SPENT)).rejects.toMatchObject({ code: 'QUOTA' });
  expect(spent()).toBe(2);
  answered.over();
  expect(spent()).toBe(1);
});

test('what is taken at an old process counts at the new one, is settled there, and given back when the old one ends', async () => {
  const before = await counts();
  await tokenIn(before.register);
  const old = new HandedCounts(before.accounting);
  await old.accounting.spend(WHO, files(2), NOTHING_SPENT);
  await before.register.hold();
  const now = await counts();
  const heard = new HeardCounts(now.accounting, (answering) => old.answered(answering));
  expect(now.spent()).toBe(0);
  for (const counted of old.hand((asking) => heard.hear(asking))) heard.inherit(counted);
  expect(now.spent()).toBe(2);
  before.register.retire();
  await old.accounting.spend(WHO, NOTHING_SPENT, files(1));
  await now.register.written();
  heard.over();
  expect(now.spent()).toBe(1);
  expect((await counts()).spent()).toBe(1);
});
