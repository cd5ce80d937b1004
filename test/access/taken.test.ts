/** What is taken away while the book cannot be written: it holds at once, is owed to the disk, and is tried again. */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addAccount, changeAccount, removeAccount } from '../../src/access/accounts.ts';
import { Devices } from '../../src/access/devices.ts';
import type { Account } from '../../src/access/entries.ts';
import { inviteId, openInvites, revokeInvite } from '../../src/access/invites.ts';
import { isNarrower } from '../../src/access/narrower.ts';
import { openRegister, type Register } from '../../src/access/register.ts';
import { createToken, revokeToken } from '../../src/access/tokens.ts';
import { Failure } from '../../src/errors.ts';
import { parsePath, ROOT } from '../../src/path.ts';
import { ROLES } from '../../src/rights.ts';

let folder: string;
let register: Register;
let told: string[];
let hear: (() => void) | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-taken-'));
  told = [];
  register = await open();
  await addAccount(register, 'ann', { rights: ROLES.rw });
});
afterEach(async () => {
  await register[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const file = (): string => join(folder, 'accounts.json');
const open = (againMs = 3_600_000): Promise<Register> => openRegister({ file: file(), againMs, onTrouble: (message) => { told.push(message); hear?.(); } });
const codeOf = (attempt: Promise<unknown>): Promise<string> => attempt.then(() => 'ok', (error: unknown) => Failure.from(error).code);
/** The disk takes nothing any more, for root either, and what was there is not to be had. */
const breakDisk = (): Promise<void> => rm(folder, { recursive: true });
const mendDisk = async (): Promise<void> => { await mkdir(folder, { mode: 0o700 }); };

describe('while the disk takes nothing', () => {
  test('what is taken away holds at once, and its owner is told that the disk has not got it', async () => {
    const devices = new Devices(register, new Uint8Array(32));
    const { name } = await createToken(register, { account: 'ann', scope: {} });
    const device = await devices.add('ann', 'laptop', Buffer.alloc(32, 1).toString('base64url'));
    const { key } = await devices.invite({ role: 'rw', forMs: 60_000, account: 'ann' });
    await breakDisk();
    for (const taken of [await revokeToken(register, name), await devices.revoke(device), await revokeInvite(register, inviteId(key)), await changeAccount(register, 'ann', { rights: [] })]) {
      expect(await taken.stored).toMatchObject({ code: 'NOTFOUND', message: expect.stringMatching(/ in the running server, but not on its disk yet: cannot write /) as string, hint: expect.stringContaining('tried again by itself') as string });
    }
    expect([register.tokens.size, register.devices.size, openInvites(register).length, register.accounts.get('ann')?.rights]).toEqual([0, 0, 0, []]);
    await (await removeAccount(register, 'ann')).stored;
    expect(register.accounts.size).toBe(0);
    expect(told).toEqual([expect.stringContaining(`the token ${name} is revoked, but not on the disk yet`)]);
  });

  test('what gives something holds not: also a change that gives and takes', async () => {
    await breakDisk();
    const before = register.accounts.get('ann');
    expect(await codeOf(addAccount(register, 'bob', {}))).toBe('NOTFOUND');
    expect(await codeOf(createToken(register, { account: 'ann', scope: {} }))).toBe('NOTFOUND');
    expect(await codeOf(changeAccount(register, 'ann', { rights: ['list', 'share'] }))).toBe('NOTFOUND');
    expect(register.accounts.get('ann')).toBe(before);
    expect([register.accounts.size, register.tokens.size, told]).toEqual([1, 0, []]);
  });

  test('what was taken away is written with the next change that can be, and at the end', async () => {
    await addAccount(register, 'bob', {});
    await breakDisk();
    await (await removeAccount(register, 'ann')).stored;
    await mendDisk();
    await addAccount(register, 'cat', {});
    expect([...(await open()).accounts.keys()]).toEqual(['bob', 'cat']);
    expect(told.at(-1)).toBe('on the disk now: the account ann is removed');
    await breakDisk();
    await (await removeAccount(register, 'bob')).stored;
    await mendDisk();
    await register[Symbol.asyncDispose]();
    expect([...(await open()).accounts.keys()]).toEqual(['cat']);
  });

  test('it is tried again by itself, and told when it is over', async () => {
    register = await open(1);
    await breakDisk();
    await (await removeAccount(register, 'ann')).stored;
    const over = new Promise<void>((resolve) => { hear = () => { if (told.at(-1)!.startsWith('on the disk now')) resolve(); }; });
    await mendDisk();
    await over;
    expect(await readFile(file(), 'utf8')).not.toContain('ann');
    expect(told).toHaveLength(2);
  });

  test('a server that ends before says what will hold again', async () => {
    await breakDisk();
    await (await removeAccount(register, 'ann')).stored;
    await register[Symbol.asyncDispose]();
    expect(told.at(-1)).toMatch(/^not on the disk, and holds no longer after the next start: the account ann is removed; make room/);
  });

  test('the file is left to no other process, which would read it as it was', async () => {
    await breakDisk();
    await (await removeAccount(register, 'ann')).stored;
    await expect(register.hold()).rejects.toThrow('what was taken away is not on the disk yet');
    register.resume();
    await mendDisk();
    await register.hold();
    expect((await open()).accounts.size).toBe(0);
    register.resume();
  });
});

describe('a change of an account', () => {
  const [a, b, ab] = [parsePath('a'), parsePath('b'), parsePath('a/b')];
  const ann: Account = { name: 'ann', rights: ROLES.rw, roots: [{ name: 'a', path: a }, { name: 'b', path: b }], rules: [{ path: a, rights: ROLES.ro }], own: false, added: 0, quota: { bytes: 10 }, password: 'one' };

  test.each<[string, Partial<Account>, boolean]>([
    ['nothing', {}, true],
    ['fewer rights', { rights: ROLES.ro }, true],
    ['another right', { rights: ['share'] }, false],
    ['one right more in a folder', { rules: [{ path: a, rights: [...ROLES.ro, 'create'] }] }, false],
    ['nothing in a folder below', { rules: [...ann.rules, { path: ab, rights: [] }] }, true],
    ['more in a folder below than in that', { rules: [...ann.rules, { path: ab, rights: ROLES.rw }] }, false],
    ['a rule less, by which more holds there', { rules: [] }, false],
    ['a rule less, by which no more holds there', { rights: [], rules: [] }, true],
    ['another spelling of a folder', { rules: [...ann.rules, { path: parsePath('A'), rights: [] }] }, false],
    ['a folder less', { roots: [ann.roots[1]!] }, true],
    ['another folder', { roots: [{ name: 'b', path: ROOT }] }, false],
    ['a smaller quota', { quota: { bytes: 9, files: 1 } }, true],
    ['no quota', { quota: undefined }, false],
    ['a rate', { rate: 1 }, true],
    ['no password', { password: undefined }, true],
    ['another password', { password: 'two' }, false],
  ])('to %s only takes from it: or not', (_, change, isLess) => {
    expect(isNarrower(ann, { ...ann, ...change })).toBe(isLess);
  });
});
