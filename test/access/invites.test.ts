/** Invites: which are open, what they are called, and that one that is withdrawn is none. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { addAccount } from '../../src/access/accounts.ts';
import { type Devices, openDevices } from '../../src/access/devices.ts';
import { inviteId, invitesTo, openInvites, revokeInvite } from '../../src/access/invites.ts';
import { type Credentials, createKey, keyFromSecret, pinOf, publicBytes, signProof } from '../../src/identity.ts';
import type { Secret } from '../../src/secret.ts';

const [serverPin, exporter] = [pinOf(createKey()), new Uint8Array(32).fill(1)];
let folder: string;
let clock: number;
let devices: Devices;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-invites-'));
  clock = Date.UTC(2030, 0, 1);
  devices = await openDevices({ file: join(folder, 'accounts.json'), serverPin, now: () => clock });
  await addAccount(devices.register, 'ann', { rights: ['list'] });
});
afterEach(async () => {
  await devices[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

function proof(secret: Secret<Uint8Array>): Credentials {
  const [invite, key] = [keyFromSecret(secret, 'invite'), createKey()];
  const claim = { kind: 'invite', exporter, serverPin, device: publicBytes(key) } as const;
  return { kind: 'invite', key: publicBytes(invite), device: publicBytes(key), exporter, signature: signProof(invite, claim), deviceSignature: signProof(key, claim) };
}
const ids = (): string[] => openInvites(devices.register).map(({ key }) => inviteId(key));

test('those that are used or expired are not open, and are not withdrawn', async () => {
  const [used, short, long] = [await devices.invite({ role: 'rw', forMs: 2000 }), await devices.invite({ role: 'rw', forMs: 1000 }), await devices.invite({ role: 'rw', forMs: 2000 })];
  expect(ids()).toEqual([used, short, long].map(({ key }) => inviteId(key)));
  await devices.signIn(proof(used.secret), '192.0.2.1');
  clock += 1000;
  expect(ids()).toEqual([inviteId(long.key)]);
  for (const { key } of [used, short]) await expect(revokeInvite(devices.register, inviteId(key))).rejects.toMatchObject({ code: 'NOTFOUND' });
  await expect(devices.signIn(proof(used.secret), '192.0.2.1')).rejects.toThrow('this ticket was already used');
});

test('one that is withdrawn lets nobody in, on the disk too, and others are as they were', async () => {
  const [one, other] = [await devices.invite({ role: 'rw', forMs: 1000 }), await devices.invite({ role: 'rw', forMs: 1000, account: 'ann', name: 'phone' })];
  const taken = await revokeInvite(devices.register, inviteId(one.key));
  expect(await taken.stored).toBeUndefined();
  expect(await readFile(join(folder, 'accounts.json'), 'utf8')).not.toContain(one.key);
  await expect(devices.signIn(proof(one.secret), '192.0.2.1')).rejects.toMatchObject({ code: 'AUTH' });
  expect(await devices.signIn(proof(other.secret), '192.0.2.1')).toMatchObject({ name: 'ann', device: 'phone' });
});

test('who was locked out could come again by those for the account, and for none where it had its own', async () => {
  for (const account of ['ann', 'ann', undefined]) await devices.invite({ role: 'rw', forMs: 1000, account });
  const to = (account: string, own: boolean): number => invitesTo(devices.register, account, own).length;
  expect([to('ann', false), to('laptop', true), to('bob', false)]).toEqual([2, 1, 0]);
});
