/** Whoever has a token, and a client that says what it likes: it gets no further than what the token is good for. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { drain } from '../../src/transfer/measure.ts';
import { signInWith } from './raw.ts';
import { finished, type Ran, Rig } from './rig.ts';
import { expectAlive, failureOf, staged, until } from './traces.ts';

const MIB = 1 << 20;
let rig: Rig;

beforeAll(async () => {
  rig = await Rig.start({ serve: ['--workers', '2'] });
  await admin('account', 'add', 'ann', '--rights', 'rw');
});
afterAll(async () => { await rig[Symbol.asyncDispose](); });

const admin = (...words: string[]): Promise<Ran> => rig.run([...words, '--state', rig.state]);

async function tokenFor(account: string, ...words: string[]): Promise<string> {
  return (await admin('token', 'create', '--account', account, ...words)).stdout.trim();
}

/** What a program needs to sign in by a new token of the account. */
async function envFor(account: string, ...words: string[]): Promise<Record<string, string>> {
  return { WHERRY_TOKEN: await tokenFor(account, ...words), WHERRY_SERVER: `${rig.listening.address}#${rig.listening.fingerprint}` };
}

const PUT = { kind: 'put', path: 'victim', size: undefined, mtime: 0, mode: 0o644, level: 'visible', ifAbsent: false } as const;

describe('a token that may only add', () => {
  test('learns nothing of what a device of its account is sending, ends it not, and goes on with its own', async () => {
    const put = rig.spawn(['put', '-', ':victim', '--json'], { env: await envFor('ann') });
    const over = finished(put);
    put.stdin!.write(Buffer.alloc(4 * MIB, 7));
    await until(async () => (await staged(rig.served)).length === 1);
    const connections = await Promise.all([1, 2].map(async () => signInWith(rig, await tokenFor('ann', '--rights', 'create'))));
    for (const connection of connections) expect(await connection.request(PUT).expect('accept')).toMatchObject({ holds: 'none', basis: 0 });
    // One of the device, and one of each token.
    expect(await staged(rig.served)).toHaveLength(3);
    put.stdin!.end(Buffer.alloc(MIB, 7));
    expect(await over).toMatchObject({ code: 0, stdout: expect.stringContaining(`"bytes":${5 * MIB}`), stderr: '' });
    for (const connection of connections) await connection.drain(0);
    await expectAlive(rig);
  });
});

describe('measuring', () => {
  const measure = (what: 'up' | 'down' | 'disk', bytes: number) => ({ kind: 'measure', what, bytes, milliseconds: 2000 }) as const;
  const spent = async (name: string): Promise<string> => (await admin('token', 'list')).stdout.split('\n').find((line) => line.includes(name)) ?? '';

  test('is held to the rate of the account, the quota, and the bytes and uses of the token', async () => {
    await admin('account', 'add', 'slow', '--rights', 'rw', '--rate', '1M', '--quota', '1K');
    const slow = await signInWith(rig, await tokenFor('slow'));
    const down = await drain(slow.request(measure('down', 40 * MIB)), { bytes: Infinity, milliseconds: 60_000 });
    // Two seconds at 1 MiB a second, a burst, and what was begun: never the 40 MiB that were asked for.
    expect(down.bytes).toBeLessThan(4 * MIB);
    await expect(slow.request(measure('disk', 1e8)).expect('measured')).rejects.toMatchObject({ code: 'QUOTA' });

    const token = await tokenFor('ann', '--name', 'ten', '--bytes', '10', '--uses', '2');
    const ten = await signInWith(rig, token);
    for (const what of ['down', 'disk'] as const) await expect(ten.request(measure(what, 11)).expect('measured')).rejects.toMatchObject({ code: 'QUOTA' });
    await drain(ten.request(measure('down', 10)), { bytes: Infinity, milliseconds: 60_000 });
    expect(await spent('ten')).toMatch(/10 B of 10 B {2}1 use of 2 uses/);
    for (const connection of [slow, ten]) await connection.drain(0);
  });

  test('of the disk is for one at a time of the whole server', async () => {
    const connections = await Promise.all([1, 2].map(async () => signInWith(rig, await tokenFor('ann'))));
    const codes = await Promise.all(connections.map((one) => one.request(measure('disk', 256 * MIB)).expect('measured').then(() => 'ok', (error: unknown) => Failure.from(error).code)));
    expect(codes.toSorted()).toEqual(['BUSY', 'ok']);
    expect(await connections[0]!.request(measure('disk', 1)).expect('measured')).toMatchObject({ bytes: 1 });
    for (const connection of connections) await connection.drain(0);
  });
});

describe('a token for so many connections', () => {
  test('is used by whatever is done in one, and by no failed sign-in', async () => {
    const env = await envFor('ann', '--uses', '3');
    for (const words of [['ls', ':'], ['mkdir', ':made'], ['rmdir', ':made']]) expect([words, (await rig.run(words, { env })).code]).toEqual([words, 0]);
    expect(failureOf(await rig.run(['ls', ':', '--json'], { env }))).toMatchObject({ code: 'AUTH', message: 'this token is used up' });
  });

  test('is still good for further connections of one that is open, in which nothing else can be done', async () => {
    const token = await tokenFor('ann', '--uses', '1');
    const first = await signInWith(rig, token);
    await first.request({ kind: 'stat', path: '' }).expect('entry');
    const further = await signInWith(rig, token);
    await expect(further.request({ kind: 'stat', path: '' }).expect('entry')).rejects.toMatchObject({ code: 'QUOTA' });
    await expect(further.request({ kind: 'getLane', key: new Uint8Array(16) }).expect('lent')).rejects.toMatchObject({ code: 'NOTFOUND' });
    await first.request({ kind: 'stat', path: '' }).expect('entry');
    for (const connection of [first, further]) await connection.drain(0);
  });
});
