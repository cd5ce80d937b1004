import type { KeyObject } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addAccount, changeAccount, grantsOf, idleRules, narrowed, parseRoots, removeAccount } from '../../src/access/accounts.ts';
import { openDevices, type Devices, type Principal } from '../../src/access/devices.ts';
import { parseSshKey } from '../../src/access/sshkeys.ts';
import { createToken, revokeToken } from '../../src/access/tokens.ts';
import { Failure } from '../../src/errors.ts';
import { createKey, keyFromSecret, pinOf, publicBytes, signProof } from '../../src/identity.ts';
import { parsePath, type RemotePath, ROOT } from '../../src/path.ts';
import { type Right, ROLES } from '../../src/rights.ts';
import type { Secret } from '../../src/secret.ts';
import { parseToken, tokenKey } from '../../src/token.ts';

const serverPin = pinOf(createKey());
const exporter = new Uint8Array(32).fill(1);
const at = parsePath;
/** Of no password anybody has. */
const PHC = `$scrypt$ln=16,r=8,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`;
const FROM = '192.0.2.1';

let folder: string;
let file: string;
let clock: number;
let devices: Devices;

const open = (): Promise<Devices> => openDevices({ file, serverPin, now: () => clock });
const codeOf = (attempt: Promise<unknown>): Promise<string> => attempt.then(() => 'ok', (error: unknown) => Failure.from(error).code);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-accounts-'));
  file = join(folder, 'accounts.json');
  clock = Date.UTC(2030, 0, 1);
  devices = await open();
});
afterEach(async () => {
  await devices[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** Somebody comes in with a token. */
function comeWith(token: Secret<string>, from = FROM): Promise<Principal> {
  const key = tokenKey(parseToken(token.reveal()));
  return devices.signIn({ kind: 'token', key: publicBytes(key), exporter, signature: signProof(key, { kind: 'token', exporter, serverPin }) }, from);
}

/** A device comes by an invite. */
async function come(secret: Secret<Uint8Array>, key: KeyObject, label?: string): Promise<Principal> {
  const [invite, device] = [keyFromSecret(secret, 'invite'), publicBytes(key)];
  const claim = { kind: 'invite', exporter, serverPin, device } as const;
  return devices.signIn({ kind: 'invite', key: publicBytes(invite), device, exporter, signature: signProof(invite, claim), deviceSignature: signProof(key, claim), ...(label !== undefined && { label }) }, FROM);
}

/** A device joins the account. */
async function joined(account: string | undefined, label: string, key = createKey()): Promise<{ key: KeyObject; principal: Principal }> {
  const { secret } = await devices.invite({ role: 'rw', forMs: 60_000, account });
  return { key, principal: await come(secret, key, label) };
}

describe('an account', () => {
  test('is kept with all that it has, in a file that is read back the same', async () => {
    await addAccount(devices.register, 'ann', {
      rights: ROLES.rw, roots: parseRoots(['mine=home/ann', '/shared/docs']), rules: [{ path: at('shared/docs/private'), rights: [] }],
      quota: { bytes: 5, files: 6 }, rate: 7, password: PHC,
    });
    const before = devices.register.accounts.get('ann');
    const again = await open();
    expect(again.register.accounts.get('ann')).toEqual(before);
    expect(before?.roots).toEqual([{ name: 'mine', path: 'home/ann' }, { name: 'docs', path: 'shared/docs' }]);
  });

  test('has a name unlike every other account and device, in any spelling', async () => {
    await addAccount(devices.register, 'Ann', { rights: ROLES.ro });
    await joined(undefined, 'laptop');
    expect(await codeOf(addAccount(devices.register, 'ann', {}))).toBe('EXISTS');
    expect(await codeOf(addAccount(devices.register, 'LAPTOP', {}))).toBe('EXISTS');
    expect((await joined(undefined, 'ANN')).principal.name).toBe('ANN-2');
  });

  test.each(['', '.', '../x', 'a/b', 'a b', 'a\u0000', '-x', 'x'.repeat(49)])('cannot be named %j', async (name) => {
    expect(await codeOf(addAccount(devices.register, name, {}))).toBe('USAGE');
  });

  test('that is changed keeps what was not said, and null takes away', async () => {
    await addAccount(devices.register, 'ann', { rights: ROLES.rw, quota: { bytes: 5 }, rate: 7 });
    await changeAccount(devices.register, 'ann', { rights: ROLES.ro, quota: null });
    expect(devices.register.accounts.get('ann')).toMatchObject({ rights: ROLES.ro, rate: 7, quota: undefined });
    expect(await codeOf(changeAccount(devices.register, 'bob', {}))).toBe('NOTFOUND');
  });

  test('that is changed ends what runs for its devices and tokens, and lets them in anew', async () => {
    await addAccount(devices.register, 'ann', { rights: ROLES.rw });
    const { key, principal } = await joined('ann', 'laptop');
    const { token } = await createToken(devices.register, { account: 'ann', scope: {} });
    const program = await comeWith(token);
    await addAccount(devices.register, 'bob', {});
    expect([principal.active(), program.active()]).toEqual([true, true]);
    await changeAccount(devices.register, 'ann', { rights: ROLES.ro });
    expect([principal.active(), program.active()]).toEqual([false, false]);
    expect([principal.ended(), program.ended()]).toEqual(['changed', 'changed']);
    const again = await devices.signIn({ kind: 'device', key: publicBytes(key), exporter, signature: signProof(key, { kind: 'device', exporter, serverPin }) }, FROM);
    expect(again).toMatchObject({ name: 'ann', device: 'laptop', grants: [{ path: '', rights: ROLES.ro }] });
  });

  test('that is removed takes its devices, tokens and invites with it', async () => {
    await addAccount(devices.register, 'ann', { rights: ROLES.rw });
    const { principal } = await joined('ann', 'laptop');
    const { token } = await createToken(devices.register, { account: 'ann', scope: {} });
    await devices.invite({ role: 'rw', forMs: 60_000, account: 'ann' });
    await (await removeAccount(devices.register, 'ann')).stored;
    expect([principal.active(), principal.ended()]).toEqual([false, 'revoked']);
    expect(await codeOf(comeWith(token))).toBe('AUTH');
    const { accounts, devices: left, tokens, invites } = (await open()).register;
    expect([accounts.size, left.size, tokens.size, [...invites.values()].filter(({ account }) => account === 'ann').length]).toEqual([0, 0, 0, 0]);
  });

  test('of one device goes with it, and with the invites to it: the file can be read afterwards', async () => {
    const { key } = await joined(undefined, 'laptop');
    await devices.invite({ role: 'rw', forMs: 60_000, account: 'laptop' });
    await addAccount(devices.register, 'ann', {});
    await joined('ann', 'phone', key);
    expect([...(await open()).register.accounts.keys()]).toEqual(['ann']);
    await joined(undefined, 'tablet');
    await devices.invite({ role: 'rw', forMs: 60_000, account: 'tablet' });
    await (await devices.revoke('tablet')).stored;
    expect([...(await open()).register.accounts.keys()]).toEqual(['ann']);
  });

  test('of one device gets other rights by an invite for it, but by none that is older than what the owner said of it', async () => {
    const { key, principal: { name } } = await joined(undefined, 'laptop');
    const rights = (): readonly string[] => devices.register.accounts.get(name)!.rights;
    const [older, oldest] = [await devices.invite({ role: 'rw', forMs: 60_000 }), await devices.invite({ role: 'rw', forMs: 60_000 })];
    clock -= 1000; // a clock that is set back makes nothing newer
    await changeAccount(devices.register, name, { rights: ROLES.ro });
    await come(older.secret, key);
    expect(rights()).toEqual(ROLES.ro);
    const newer = await devices.invite({ role: 'drop', forMs: 60_000 });
    await devices[Symbol.asyncDispose]();
    devices = await open();
    await come(oldest.secret, key);
    expect(rights()).toEqual(ROLES.ro);
    await come(newer.secret, key);
    expect(rights()).toEqual(ROLES.drop);
  });

  test('that was made by hand stays when its last device goes', async () => {
    await addAccount(devices.register, 'ann', {});
    await joined('ann', 'laptop');
    await devices.revoke('laptop');
    expect([...devices.register.accounts.keys()]).toEqual(['ann']);
  });
});

describe('what an account may do', () => {
  const account = { name: 'ann', own: false, added: 0 };

  test('is told by the paths as it sees them', () => {
    expect(grantsOf({ ...account, rights: ROLES.rw, roots: parseRoots(['home/ann']), rules: [{ path: at('home/ann/inbox'), rights: ROLES.drop }, { path: at('home/bob'), rights: ROLES.ro }] }))
      .toEqual([{ path: '', rights: ROLES.rw }, { path: 'inbox', rights: ROLES.drop }]);
  });

  test('in several folders is their names at the top, and what holds in each', () => {
    expect(grantsOf({ ...account, rights: ROLES.ro, roots: parseRoots(['mine=home/ann', 'shared/docs']), rules: [{ path: at('home'), rights: ROLES.rw }, { path: at('shared/docs/x'), rights: [] }] }))
      .toEqual([{ path: '', rights: ['list'] }, { path: 'mine', rights: ROLES.rw }, { path: 'docs', rights: ROLES.ro }, { path: 'docs/x', rights: [] }]);
  });

  test('is narrowed by a token, and never widened', () => {
    const grants = [{ path: ROOT, rights: ROLES.ro }, { path: at('a/b'), rights: ROLES.rw }, { path: at('c'), rights: [] }];
    expect(narrowed(grants, at('a'), ['read', 'create', 'delete'])).toEqual([{ path: 'a', rights: ['read'] }, { path: 'a/b', rights: ['read', 'create', 'delete'] }]);
    expect(narrowed(grants, at('c/d'), ROLES.owner)).toEqual([{ path: 'c/d', rights: [] }]);
  });

  test('is told by rules below another spelling of its folder too, and so is what a token may', () => {
    const rules = [{ path: at('M/pub'), rights: [] }, { path: at('m/pub'), rights: ROLES.rw }];
    expect(grantsOf({ ...account, rights: ROLES.rw, roots: parseRoots(['m']), rules })).toEqual([{ path: '', rights: ROLES.rw }, { path: 'pub', rights: [] }]);
    expect(narrowed([{ path: ROOT, rights: ROLES.rw }, ...rules], at('m'))).toEqual([{ path: 'm', rights: ROLES.rw }, { path: 'm/pub', rights: [] }]);
  });
});

describe('a rule for none of the folders of its account', () => {
  const none = (path: string): { path: RemotePath; rights: readonly Right[] } => ({ path: at(path), rights: [] });
  const refused = (attempt: Promise<unknown>): Promise<Failure> => attempt.then(() => { throw new Error('it was accepted'); }, Failure.from);

  test.each<[roots: string[], rule: string, hint: string]>([
    [['m'], 'pub', '--rule m/pub=none?'], [['mine=home/ann', 'docs'], 'Mine/pub', '--rule home/ann/pub=none?'], [['mine=home/ann'], 'pub', '--rule home/ann/pub=none?'],
    [['home/ann', 'docs'], 'pub', 'its folders are home/ann, docs'],
  ])('in %j, as %s, is refused with the path that was meant', async (roots, rule, hint) => {
    const { code, hint: told } = await refused(addAccount(devices.register, 'ann', { rights: ROLES.rw, roots: parseRoots(roots), rules: [none(rule)] }));
    expect([code, told]).toEqual(['USAGE', expect.stringContaining(hint)]);
    expect(devices.register.accounts.size).toBe(0);
  });

  test.each(['m/pub', 'M/pub', 'a', 'A', ''])('is none when it is %j, around a folder or in it in any spelling', async (rule) => {
    await addAccount(devices.register, 'ann', { rights: ROLES.rw, roots: parseRoots(['m', 'a/b']), rules: [none(rule)] });
  });

  test('is refused also when the folders are changed, and one of an older version keeps nothing else from being changed', async () => {
    await addAccount(devices.register, 'ann', { rights: ROLES.rw, roots: parseRoots(['m']), rules: [none('m/pub')] });
    expect((await refused(changeAccount(devices.register, 'ann', { roots: parseRoots(['home']) }))).message).toContain('m/pub=none');
    await devices[Symbol.asyncDispose]();
    await writeFile(file, (await readFile(file, 'utf8')).replace('"m/pub"', '"pub"'));
    devices = await open();
    await changeAccount(devices.register, 'ann', { rate: 70 });
    expect(idleRules(devices.register.accounts.get('ann')!)).toEqual([none('pub')]);
  });
});

describe('a token', () => {
  beforeEach(() => addAccount(devices.register, 'ann', { rights: ROLES.rw }));

  test('lets a program in, in the name of its account', async () => {
    const { token, name } = await createToken(devices.register, { account: 'ann', scope: { path: at('reports'), rights: ROLES.ro } });
    expect(await comeWith(token)).toMatchObject({ name: 'ann', device: name, grants: [{ path: 'reports', rights: ['list', 'read'] }] });
  });

  test('is in no file, nor is anything that would make it', async () => {
    const { token } = await createToken(devices.register, { account: 'ann', scope: {} });
    const text = await readFile(file, 'utf8');
    const secret = Buffer.from(parseToken(token.reveal()).reveal());
    for (const encoding of ['hex', 'base64', 'base64url'] as const) expect(text).not.toContain(secret.toString(encoding).replace(/=+$/, ''));
    expect(text).not.toContain(token.reveal().slice('wherry_'.length));
  });

  test.each<[string, object, string, string]>([
    ['after its time', { expires: Date.UTC(2030, 0, 1) }, FROM, 'this token has expired'],
    ['from another network', { from: ['10.0.0.0/8'] }, FROM, 'this token is not for your network'],
    ['when it is used up', { files: 0 }, FROM, 'this token is used up'],
  ])('is refused %s', async (_, scope, from, message) => {
    const { token } = await createToken(devices.register, { account: 'ann', scope });
    await expect(comeWith(token, from)).rejects.toMatchObject({ code: 'AUTH', message });
  });

  test.each(['10.1.2.3', '::ffff:10.1.2.3', '2001:db8::1'])('is accepted from %s, which is in its networks', async (from) => {
    const { token } = await createToken(devices.register, { account: 'ann', scope: { from: ['10.0.0.0/8', '2001:db8::/32'] } });
    expect((await comeWith(token, from)).name).toBe('ann');
  });

  test('ends in the middle of what runs when its time is over, and when it is revoked', async () => {
    const soon = await comeWith((await createToken(devices.register, { account: 'ann', scope: { expires: clock + 1000 } })).token);
    const { token, name } = await createToken(devices.register, { account: 'ann', scope: {} });
    const other = await comeWith(token);
    expect([soon.active(), other.active()]).toEqual([true, true]);
    clock += 1000;
    await revokeToken(devices.register, name);
    expect([soon.active(), other.active()]).toEqual([false, false]);
    expect([soon.ended(), other.ended()]).toEqual(['expired', 'revoked']);
    expect(await codeOf(comeWith(token))).toBe('AUTH');
  });

  test('that nobody made, or a device key that comes as one, is refused in the usual words', async () => {
    const { key } = await joined('ann', 'laptop');
    const asToken = { kind: 'token', key: publicBytes(key), exporter, signature: signProof(key, { kind: 'token', exporter, serverPin }) } as const;
    await expect(devices.signIn(asToken, FROM)).rejects.toMatchObject({ code: 'AUTH', message: 'the server did not accept the key of this device' });
  });

  test('signed as one kind is not taken as another', async () => {
    const { token } = await createToken(devices.register, { account: 'ann', scope: {} });
    const key = tokenKey(parseToken(token.reveal()));
    expect(await codeOf(devices.signIn({ kind: 'device', key: publicBytes(key), exporter, signature: signProof(key, { kind: 'token', exporter, serverPin }) }, FROM))).toBe('AUTH');
    expect(await codeOf(devices.signIn({ kind: 'device', key: publicBytes(key), exporter, signature: signProof(key, { kind: 'device', exporter, serverPin }) }, FROM))).toBe('AUTH');
  });
});

describe('a key of OpenSSH', () => {
  const key = createKey();
  const body = Buffer.concat([Buffer.from([0, 0, 0, 11]), Buffer.from('ssh-ed25519'), Buffer.from([0, 0, 0, 32]), publicBytes(key)]).toString('base64');

  test('is a device of the account', async () => {
    await addAccount(devices.register, 'ann', { rights: ROLES.ro });
    const { key: raw, label } = parseSshKey(`ssh-ed25519 ${body} ann@laptop`);
    expect(await devices.add('ann', label, raw)).toBe('ann-2');
    expect((await devices.signIn({ kind: 'device', key: publicBytes(key), exporter, signature: signProof(key, { kind: 'device', exporter, serverPin }) }, FROM)).name).toBe('ann');
    expect(await codeOf(devices.add('ann', label, raw))).toBe('EXISTS');
  });

  test.each([
    ['-----BEGIN OPENSSH PRIVATE KEY-----', 'USAGE', 'private'], ['ssh-rsa AAAA x', 'UNSUPPORTED', 'ssh-rsa'], ['', 'USAGE', 'not a public key'],
    [`ssh-ed25519 ${body.slice(4)}`, 'USAGE', 'not a public key'], [`ssh-ed25519 ${body}AAAA`, 'USAGE', 'not a public key'],
  ])('%j is refused', (line, code, words) => {
    expect(() => parseSshKey(line)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(words) }) as Error);
  });
});

test('the file of a version without accounts is read: each device has an account of its own', async () => {
  const key = Buffer.alloc(32, 1).toString('base64url');
  await writeFile(file, JSON.stringify({ version: 1, devices: [{ name: 'laptop', key, role: 'ro', added: '2030-01-01T00:00:00.000Z' }], invites: [] }), { mode: 0o600 });
  const { register } = await open();
  expect(register.accounts.get('laptop')).toMatchObject({ own: true, rights: ROLES.ro, roots: [{ name: '', path: '' }] });
  expect(register.devices.get(key)).toMatchObject({ account: 'laptop', name: 'laptop' });
});
