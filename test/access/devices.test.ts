import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addAccount } from '../../src/access/accounts.ts';
import { type Devices, MAX_INVITES, openDevices } from '../../src/access/devices.ts';
import { Failure } from '../../src/errors.ts';
import { type Credentials, createKey, keyFromSecret, pinOf, publicBytes, signProof } from '../../src/identity.ts';
import { ROLES } from '../../src/rights.ts';
import { Secret } from '../../src/secret.ts';
import type { KeyObject } from 'node:crypto';

const serverPin = pinOf(createKey());
const exporter = new Uint8Array(32).fill(1);
const MINUTE = 60_000;
const FROM = '192.0.2.1';

let folder: string;
let file: string;
let clock: number;
let devices: Devices;

const open = (): Promise<Devices> => openDevices({ file, serverPin, now: () => clock });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-devices-'));
  file = join(folder, 'accounts.json');
  clock = Date.UTC(2030, 0, 1);
  devices = await open();
});

afterEach(async () => {
  await devices[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

function deviceProof(key: KeyObject): Credentials {
  return { kind: 'device', key: publicBytes(key), exporter, signature: signProof(key, { kind: 'device', exporter, serverPin }) };
}

function inviteProof(secret: Secret<Uint8Array>, key: KeyObject, label?: string): Credentials {
  const [invite, device] = [keyFromSecret(secret, 'invite'), publicBytes(key)];
  const claim = { kind: 'invite', exporter, serverPin, device } as const;
  return { kind: 'invite', key: publicBytes(invite), device, exporter, signature: signProof(invite, claim), deviceSignature: signProof(key, claim), ...(label !== undefined && { label }) };
}

async function enrolled(label: string, role: 'ro' | 'rw' | 'drop' = 'rw', key = createKey()): Promise<KeyObject> {
  const { secret } = await devices.invite({ role, forMs: 10 * MINUTE });
  await devices.signIn(inviteProof(secret, key, label), FROM);
  return key;
}

async function refusal(attempt: Promise<unknown>): Promise<Failure> {
  return attempt.then(() => { throw new Error('was accepted'); }, (error: unknown) => {
    if (error instanceof Failure) return error;
    throw error;
  });
}

describe('an invite', () => {
  test('enrols the device that brings it, with its rights, and from then on the key alone is enough', async () => {
    const key = createKey();
    const { secret } = await devices.invite({ role: 'drop', forMs: MINUTE });
    const first = await devices.signIn(inviteProof(secret, key, 'laptop'), FROM);
    expect(first).toMatchObject({ name: 'laptop', device: 'laptop', grants: [{ path: '', rights: ['create', 'mkdir'] }] });
    expect(await devices.signIn(deviceProof(key), FROM)).toMatchObject({ name: 'laptop', grants: first.grants });
  });

  test('is burned on the disk before it is answered', async () => {
    const { secret } = await devices.invite({ role: 'rw', forMs: MINUTE });
    await devices.signIn(inviteProof(secret, createKey(), 'laptop'), FROM);
    const again = await open();
    expect(again.list().map((device) => device.name)).toEqual(['laptop']);
    expect((await refusal(again.signIn(inviteProof(secret, createKey()), FROM))).message).toBe('this ticket was already used');
  });

  test('used by two at the same moment lets exactly one in', async () => {
    const { secret } = await devices.invite({ role: 'rw', forMs: MINUTE });
    const tries = await Promise.allSettled(Array.from({ length: 20 }, () => devices.signIn(inviteProof(secret, createKey()), FROM)));
    expect(tries.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
    expect(devices.list()).toHaveLength(1);
    for (const one of tries) if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'AUTH', message: 'this ticket was already used' });
  });

  test('is refused after its time, and its holder is told so', async () => {
    const { secret } = await devices.invite({ role: 'rw', forMs: MINUTE });
    clock += MINUTE;
    const failure = await refusal(devices.signIn(inviteProof(secret, createKey()), FROM));
    expect(failure).toMatchObject({ code: 'AUTH', message: 'this ticket has expired' });
    expect(failure.hint).toContain('wherry invite');
    expect(devices.list()).toEqual([]);
  });

  test('used or expired is told apart from an unknown one only to who holds the secret, and for a day', async () => {
    const { secret } = await devices.invite({ role: 'rw', forMs: MINUTE });
    await devices.signIn(inviteProof(secret, createKey()), FROM);
    const right = inviteProof(secret, createKey());
    const forged = await refusal(devices.signIn({ ...right, signature: new Uint8Array(64) }, FROM));
    const stranger = await refusal(devices.signIn(inviteProof(new Secret(new Uint8Array(16)), createKey()), FROM));
    expect(forged.message).toBe(stranger.message);
    clock += 25 * 60 * MINUTE;
    await devices.invite({ role: 'ro', forMs: MINUTE });
    expect((await refusal(devices.signIn(right, FROM))).message).toBe(stranger.message);
  });

  test('gives a device that is known already its own rights and leaves the name', async () => {
    const key = await enrolled('laptop', 'rw');
    await enrolled('other name', 'ro', key);
    expect(devices.list()).toMatchObject([{ name: 'laptop', account: 'laptop' }]);
    expect(devices.register.accounts.get('laptop')?.rights).toEqual(ROLES.ro);
  });

  test('can say what the device is to be called', async () => {
    const { secret } = await devices.invite({ role: 'rw', forMs: MINUTE, name: 'anna' });
    expect((await devices.signIn(inviteProof(secret, createKey(), 'laptop'), FROM)).name).toBe('anna');
  });

  test('is one of at most a thousand', async () => {
    await writeFile(file, JSON.stringify({
      version: 1, devices: [],
      invites: Array.from({ length: MAX_INVITES }, (_, index) => ({ key: Buffer.alloc(32, `key ${index}`).toString('base64url'), role: 'ro', expires: new Date(clock + MINUTE).toISOString() })),
    }), { mode: 0o600 });
    devices = await open();
    expect((await refusal(devices.invite({ role: 'ro', forMs: MINUTE }))).code).toBe('LIMIT');
    clock += MINUTE;
    await devices.invite({ role: 'ro', forMs: MINUTE });
  });
});

describe('a device', () => {
  test.each<[string, string[]]>([
    ['laptop', ['laptop', 'laptop-2', 'laptop-3']], ['Böôk', ['Böôk', 'Böôk-2', 'Böôk-3']], ['', ['device', 'device-2', 'device-3']],
    ['a\u202eb\n c\u001b[31m', ['a-b-c-31m', 'a-b-c-31m-2', 'a-b-c-31m-3']], ['../..', ['device', 'device-2', 'device-3']],
  ])('that calls itself %j gets a name of its own that can be shown', async (label, names) => {
    for (let count = 0; count < 3; count++) await enrolled(label);
    expect(devices.list().map((device) => device.name)).toEqual(names);
  });

  test('that differs from another in letter case only gets a number too', async () => {
    await enrolled('Laptop');
    await enrolled('laptop');
    expect(devices.list().map((device) => device.name)).toEqual(['Laptop', 'laptop-2']);
  });

  test('is refused on another connection, with a bad proof, or when unknown, always in the same words', async () => {
    const key = await enrolled('laptop');
    const good = deviceProof(key);
    const refusals = await Promise.all([
      refusal(devices.signIn({ ...good, exporter: new Uint8Array(32).fill(2) }, FROM)),
      refusal(devices.signIn({ ...good, signature: new Uint8Array(64) }, FROM)),
      refusal(devices.signIn(deviceProof(createKey()), FROM)),
      refusal(devices.signIn({ ...good, key: new Uint8Array(3) }, FROM)),
    ]);
    expect(new Set(refusals.map(({ code, message, hint }) => `${code} ${message} ${hint}`)).size).toBe(1);
    expect(refusals[0].code).toBe('AUTH');
  });

  test('that is revoked is out at once, also where it is signed in already', async () => {
    const key = await enrolled('laptop');
    const principal = await devices.signIn(deviceProof(key), FROM);
    expect(principal.active()).toBe(true);
    await (await devices.revoke('laptop')).stored;
    expect(principal.active()).toBe(false);
    expect((await refusal(devices.signIn(deviceProof(key), FROM))).code).toBe('AUTH');
    expect((await open()).list()).toEqual([]);
  });

  test('that is revoked leaves its name to nobody else, also over a restart, and gets it again itself', async () => {
    const key = await enrolled('laptop');
    await (await devices.revoke('laptop')).stored;
    await devices[Symbol.asyncDispose]();
    devices = await open();
    await enrolled('laptop');
    expect(devices.list().map(({ name }) => name)).toEqual(['laptop-2']);
    await enrolled('LAPTOP');
    await enrolled('laptop', 'rw', key);
    expect(devices.list().map(({ name }) => name)).toEqual(['laptop-2', 'LAPTOP-3', 'laptop']);
  });

  test('whose rights change is no longer active with the old ones', async () => {
    const key = await enrolled('laptop', 'rw');
    const principal = await devices.signIn(deviceProof(key), FROM);
    await enrolled('laptop', 'ro', key);
    expect(principal.active()).toBe(false);
  });

  test('that is not there cannot be revoked', async () => {
    expect((await refusal(devices.revoke('nobody'))).code).toBe('NOTFOUND');
  });

  test('is listed with its last sign-in, which the file has to the minute, and exactly when the server has stopped', async () => {
    const key = await enrolled('laptop');
    const written = async (): Promise<string | undefined> => /"lastSeen": "([^"]+)"/.exec(await readFile(file, 'utf8'))?.[1];
    const seen = (): string => new Date(devices.list()[0]!.lastSeen!).toISOString();
    clock += MINUTE - 1000;
    await devices.signIn(deviceProof(key), FROM);
    expect([await written(), seen()]).toEqual(['2030-01-01T00:00:00.000Z', '2030-01-01T00:00:59.000Z']);
    clock += 1000;
    await devices.signIn(deviceProof(key), FROM);
    expect([await written(), seen()]).toEqual(['2030-01-01T00:01:00.000Z', '2030-01-01T00:01:00.000Z']);
    clock += 1000;
    await devices.signIn(deviceProof(key), FROM);
    await devices[Symbol.asyncDispose]();
    expect(await written()).toBe('2030-01-01T00:01:01.000Z');
  });

  test('may sign in 200 times at once, and the file is written once or twice', async () => {
    const key = await enrolled('laptop');
    clock += 2 * MINUTE;
    const before = (await stat(file)).ino;
    const inodes = new Set<number>();
    await Promise.all(Array.from({ length: 200 }, async () => {
      await devices.signIn(deviceProof(key), FROM);
      inodes.add((await stat(file)).ino); // every write is a new file under the name
    }));
    inodes.delete(before);
    expect([1, 2]).toContain(inodes.size);
  });

  test('still comes in when the disk does not take the time it was seen', async () => {
    const key = await enrolled('laptop');
    clock += 120 * MINUTE;
    await rm(folder, { recursive: true });
    expect((await devices.signIn(deviceProof(key), FROM)).name).toBe('laptop');
    await restoreFolder();
  });
});

/** The folder that the test took away, for the clean-up after it. */
async function restoreFolder(): Promise<void> {
  await mkdir(folder);
}

describe('the file', () => {
  test('holds no secret: not of a ticket, not of a device', async () => {
    const { secret } = await devices.invite({ role: 'rw', forMs: MINUTE });
    const key = await enrolled('laptop');
    const text = await readFile(file, 'utf8');
    const secrets = [secret.reveal(), keyFromSecret(secret, 'invite').export({ type: 'pkcs8', format: 'der' }).subarray(-32), key.export({ type: 'pkcs8', format: 'der' }).subarray(-32)];
    for (const bytes of secrets) {
      for (const encoding of ['hex', 'base64', 'base64url', 'latin1'] as const) expect(text).not.toContain(Buffer.from(bytes).toString(encoding).replace(/=+$/, ''));
    }
  });

  test('is for its owner only, and nothing else is left beside it', async () => {
    await enrolled('laptop');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['accounts.json']);
  });

  test.skipIf(process.platform === 'win32')('is refused when others may read it, and the message says what to type', async () => {
    await enrolled('laptop');
    await chmod(file, 0o640);
    expect((await refusal(open())).hint).toContain('chmod 600');
  });

  test.each([
    ['not JSON', '{'], ['nothing', 'null'], ['another version', '{"version":3,"devices":[],"invites":[]}'], ['a list missing', '{"version":1,"devices":[]}'],
    ['a device without a key', '{"version":1,"devices":[{"name":"a","role":"rw","added":"2030-01-01"}],"invites":[]}'],
    ['a role nobody knows', `{"version":1,"devices":[{"name":"a","key":"${'A'.repeat(43)}","role":"toString","added":"2030-01-01"}],"invites":[]}`],
    ['an invite that never ends', `{"version":1,"devices":[],"invites":[{"key":"${'A'.repeat(43)}","role":"rw","expires":"never"}]}`],
  ])('with %s is refused whole, by name, and left as it is', async (_, text) => {
    await writeFile(file, text, { mode: 0o600 });
    const failure = await refusal(open());
    expect(failure).toMatchObject({ code: 'IO', path: file });
    expect(await readFile(file, 'utf8')).toBe(text);
  });

  test('that cannot be written changes nothing in memory either', async () => {
    const { secret } = await devices.invite({ role: 'rw', forMs: MINUTE });
    const proof = inviteProof(secret, createKey(), 'laptop');
    await rm(folder, { recursive: true });
    await expect(devices.signIn(proof, FROM)).rejects.toBeInstanceOf(Failure);
    expect(devices.list()).toEqual([]);
    await restoreFolder();
    expect((await devices.signIn(proof, FROM)).name).toBe('laptop');
  });
});

test('who signed in at a process before this one, when nobody had a quota, comes again when somebody gets one, to be counted', async () => {
  const key = Buffer.from(publicBytes(await enrolled('laptop'))).toString('base64url');
  const before = devices.endOf(key, 'laptop');
  expect(before()).toBe(undefined);
  await addAccount(devices.register, 'ann', { rights: ROLES.rw, quota: { bytes: 100 } });
  expect([before(), devices.endOf(key, 'laptop')()]).toEqual(['changed', undefined]);
  await addAccount(devices.register, 'bob', { rights: ROLES.rw, quota: { bytes: 100 } });
  expect(devices.endOf(key, 'laptop')()).toBe(undefined);
});
