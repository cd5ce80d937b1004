/** What tokens have spent outlives a crash: the book, its journal, and a process that is simply no more. */
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addAccount } from '../../src/access/accounts.ts';
import type { Scope, Spent, Token } from '../../src/access/entries.ts';
import { MAX_JOURNAL_BYTES } from '../../src/access/journal.ts';
import { openRegister, type Register } from '../../src/access/register.ts';
import { NOTHING_SPENT } from '../../src/access/spending.ts';
import { createToken, spendToken } from '../../src/access/tokens.ts';
import { Failure } from '../../src/errors.ts';

const NAME = 'once';
const FILE: Spent = { bytes: 10, files: 1, uses: 0 };
const BACK: Spent = { bytes: -10, files: -1, uses: 0 };

let folder: string;
let register: Register;
/** Those that were opened, the first one crashed where there are more. */
const opened: Register[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-spending-'));
  register = await open();
  await addAccount(register, 'ann', {});
});
afterEach(async () => {
  for (const one of opened.splice(0)) {
    one.retire(); // of those that have crashed nothing is written
    await one[Symbol.asyncDispose]();
  }
  await rm(folder, { recursive: true });
});

async function open(): Promise<Register> {
  const one = await openRegister({ file: join(folder, 'accounts.json') });
  opened.push(one);
  return one;
}

const journal = (): string => join(folder, 'spent');
const lines = async (): Promise<string[]> => (await readFile(journal(), 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
const tokenIn = (one: Register): Token => [...one.tokens.values()][0]!;
const spentIn = (one: Register): Spent => one.spent(tokenIn(one));
const make = (scope: Scope): Promise<unknown> => createToken(register, { account: 'ann', name: NAME, scope });
const codeOf = (attempt: Promise<unknown>): Promise<string> => attempt.then(() => 'ok', (error: unknown) => Failure.from(error).code);

describe('of a server that is killed, a token has spent', () => {
  test('what was moved for good, and not what was taken for a transfer that ran', async () => {
    await make({ files: 3 });
    await spendToken(register, NAME, FILE, NOTHING_SPENT);
    await spendToken(register, NAME, NOTHING_SPENT, FILE);
    await spendToken(register, NAME, FILE, NOTHING_SPENT);
    await spendToken(register, NAME, { ...NOTHING_SPENT, uses: 1 });
    expect(spentIn(register)).toEqual({ bytes: 20, files: 2, uses: 1 });
    expect(spentIn(await open())).toMatchObject({ bytes: 10, files: 1 });
  });

  test.each<[string, Scope, Spent]>([['a file', { files: 1 }, FILE], ['a use', { uses: 1 }, { ...NOTHING_SPENT, uses: 1 }], ['bytes', { bytes: 10 }, FILE]])('%s, so that once is once', async (_, scope, spent) => {
    await make(scope);
    await spendToken(register, NAME, spent);
    expect(await codeOf(spendToken(await open(), NAME, spent))).toBe('QUOTA');
  });

  test('no more than before where the name was not given after all', async () => {
    await make({ files: 2 });
    await spendToken(register, NAME, FILE);
    await spendToken(register, NAME, BACK);
    await spendToken(register, NAME, { ...NOTHING_SPENT, files: 1 }); // whatever is written next says so too
    expect(spentIn(await open())).toEqual({ bytes: 0, files: 1, uses: 0 });
  });

  test('what the book says, where that was written after the journal', async () => {
    await make({ files: 9 });
    await spendToken(register, NAME, FILE);
    const older = await readFile(journal());
    await spendToken(register, NAME, FILE);
    await register.note();
    expect((await stat(journal())).size).toBe(0);
    await writeFile(journal(), older); // as if emptying it had not reached the disk
    expect(spentIn(await open())).toMatchObject({ files: 2 });
  });
});

describe('writing it down', () => {
  test('is one write for all that is spent at once, and none for what has no limit', async () => {
    await make({ files: 1000 });
    await spendToken(register, NAME, { bytes: 5, files: 0, uses: 1 });
    expect(await lines()).toEqual([]);
    await Promise.all(Array.from({ length: 200 }, () => spendToken(register, NAME, FILE)));
    expect((await lines()).length).toBeLessThanOrEqual(2);
    expect(spentIn(await open())).toEqual({ bytes: 2005, files: 200, uses: 1 });
  });

  test('makes a file that only its owner may read, which is bounded: the book takes what is in it', async () => {
    await make({ files: 1000 });
    await spendToken(register, NAME, FILE);
    expect((await stat(journal())).mode & 0o777).toBe(0o600);
    const [line] = await lines();
    await writeFile(journal(), `${line}\n`.repeat(Math.ceil(MAX_JOURNAL_BYTES / line!.length)));
    const next = await open();
    await spendToken(next, NAME, FILE);
    expect((await stat(journal())).size).toBe(0);
    expect(await readFile(join(folder, 'accounts.json'), 'utf8')).toContain('"files": 2');
    await spendToken(next, NAME, FILE);
    expect(await lines()).toHaveLength(1);
  });

  test('goes into the book where no journal can be written; where neither can, nothing is spent', async () => {
    await make({ files: 1000 });
    await mkdir(journal());
    await spendToken(register, NAME, FILE);
    expect(await readFile(join(folder, 'accounts.json'), 'utf8')).toContain('"files": 1');
    await rm(join(folder, 'accounts.json'));
    await mkdir(join(folder, 'accounts.json/in the way'), { recursive: true });
    expect(await codeOf(spendToken(register, NAME, FILE))).toBe('IO');
    expect(spentIn(register)).toEqual(FILE);
    for (const one of ['accounts.json', 'spent']) await rm(join(folder, one), { recursive: true });
    await spendToken(register, NAME, FILE);
    expect(spentIn(await open())).toMatchObject({ files: 2 });
  });

  test('waits while another process may take over, and is for that one then', async () => {
    await make({ files: 1000 });
    await spendToken(register, NAME, FILE);
    await register.hold();
    const [text, waiting] = [await readFile(join(folder, 'accounts.json'), 'utf8'), spendToken(register, NAME, FILE)];
    expect(text).toContain('"files": 1');
    expect(await Promise.race([waiting, readFile(journal(), 'utf8')])).toBe('');
    register.retire();
    await waiting;
    expect([await readFile(join(folder, 'accounts.json'), 'utf8'), await lines()]).toEqual([text, []]);
  });
});

describe('a journal', () => {
  beforeEach(async () => {
    await make({ files: 1000 });
    await spendToken(register, NAME, FILE);
  });

  test.each([['in the middle of a line', 'abc 1'], ['before its bytes came', '\0\0\0\0\0\n'], ['after half a line that looks like one', 'abc 1\n']])('that a crash has torn %s is read up to there, and goes on from there', async (_, tail) => {
    await writeFile(journal(), tail, { flag: 'a' });
    const next = await open();
    expect(spentIn(next)).toEqual(FILE);
    await spendToken(next, NAME, FILE);
    expect(await lines()).toHaveLength(2);
    expect(spentIn(await open())).toMatchObject({ files: 2 });
  });

  test('that is not understood, or that others may read, is refused', async () => {
    const [line] = await lines();
    await writeFile(journal(), `something else\n${line}\n`);
    await expect(open()).rejects.toMatchObject({ code: 'IO', message: expect.stringContaining('cannot be understood') });
    await writeFile(journal(), `${line}\n`);
    await chmod(journal(), 0o644);
    await expect(open()).rejects.toMatchObject({ code: 'IO', message: expect.stringContaining('can be read by other users') });
  });
});
