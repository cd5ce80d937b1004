/** Addresses that try what is wrong again and again are banned, at all workers alike, and others do not notice. */
import { connect as connectTcp, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startAgreement } from '../../src/agreement.ts';
import { createKey, publicBytes } from '../../src/identity.ts';
import { askServer } from '../../src/server/admin.ts';
import { parseCode } from '../../src/spoken.ts';
import { ALPN, encodeMessage, VERSION } from '../../src/wire/messages.ts';
import { logged } from './neighbour.ts';
import { placeOf, signIn } from './raw.ts';
import { Rig } from './rig.ts';
import { events, expectAlive, failureOf, until } from './traces.ts';

const HELLO = encodeMessage(0, { kind: 'hello', version: VERSION, agent: 'guest', maxBody: 1 << 20, credit: 0 });
const WRONG = encodeMessage(0, { kind: 'auth', method: 'device', key: publicBytes(createKey()), signature: new Uint8Array(64) });
const STRANGER = '127.0.0.7';

let rig: Rig;
afterEach(async () => { await rig[Symbol.asyncDispose](); });

function dial(address: string): Socket {
  return connectTcp({ ...placeOf(rig), localAddress: address }).on('error', () => {});
}

/** One attempt with a wrong key; whether it came as far as TLS. */
async function attempt(address = STRANGER): Promise<boolean> {
  const secure = connectTls({ socket: dial(address), ALPNProtocols: [ALPN], rejectUnauthorized: false }).on('error', () => {}).resume();
  let shaken = false;
  secure.once('secureConnect', () => { shaken = true; secure.write(Buffer.concat([HELLO, WRONG])); });
  await new Promise<void>((resolve) => { secure.once('close', () => resolve()); });
  return shaken;
}

async function attempts(count: number): Promise<boolean[]> {
  const all: boolean[] = [];
  for (let one = 0; one < count; one += 1) all.push(await attempt());
  return all;
}

describe.each([['one process', []], ['two workers', ['--workers', '2']]])('in %s, an address with wrong keys', (_, serve) => {
  beforeEach(async () => { rig = await Rig.start({ serve }); });

  test('is banned with the eighth, hung up on before TLS, told once, and does not fill the log', async () => {
    const client = await signIn(rig);
    expect(await attempts(8)).toEqual(Array.from({ length: 8 }, () => true));
    await until(() => logged(rig, 'banned').length > 0);
    expect(await attempts(20)).toEqual(Array.from({ length: 20 }, () => false));
    expect(logged(rig, 'banned')).toEqual([expect.objectContaining({ address: STRANGER, count: 1, offence: 'credentials', until: expect.any(String) as string })]);
    // The first of each kind; the others are counted.
    expect(logged(rig, 'refused').filter(({ address }) => address === STRANGER).map(({ code, reason }) => [code, reason])).toEqual([
      ['AUTH', 'the server did not accept the key of this device'], ['DENIED', 'the address is banned'],
    ]);
    expect(logged(rig, 'connected').filter(({ address }) => address === STRANGER)).toHaveLength(1);
    await client.request({ kind: 'space' }).expect('room');
    await expectAlive(rig);
    await client.drain(0);
  });

  test('is listed, and comes in again when its ban is lifted', async () => {
    await attempts(8);
    await until(() => logged(rig, 'banned').length > 0);
    const listed = events(await rig.run(['bans', '--state', rig.state, '--json']), 'ban');
    expect(listed).toEqual([expect.objectContaining({ address: STRANGER, count: 1, offence: 'credentials' })]);
    expect((await rig.run(['bans', 'list', '--state', rig.state])).stdout).toMatch(/^127\.0\.0\.7 {2}until \d{4}-\d\d-\d\d \d\d:\d\d UTC {2}first time {2}wrong keys or tickets\n$/);
    expect(await rig.run(['bans', 'lift', STRANGER, '--state', rig.state])).toMatchObject({ code: 0, stdout: `lifted the ban of ${STRANGER}\n` });
    expect(logged(rig, 'ban-lifted')).toEqual([expect.objectContaining({ address: STRANGER })]);
    expect(await attempt()).toBe(true);
  });

  test('is not banned where somebody has signed in, until it is a flood', async () => {
    for (let one = 0; one < 20; one += 1) expect(await attempt('127.0.0.1')).toBe(true);
    expect(logged(rig, 'banned')).toEqual([]);
    await expectAlive(rig);
  });
});

describe('bans', () => {
  beforeEach(async () => { rig = await Rig.start(); });

  test('come of garbage as well, and all are lifted at once', async () => {
    for (const address of ['127.0.0.7', '127.0.0.8']) {
      for (let one = 0; one < 5; one += 1) {
        const socket = dial(address).resume();
        socket.write('SSH-2.0-scanner\r\n');
        await new Promise<void>((resolve) => { socket.once('close', () => resolve()); });
      }
    }
    await until(() => logged(rig, 'banned').length === 2);
    expect((await rig.run(['bans', 'lift', 'all', '--state', rig.state])).stdout).toBe('lifted the ban of 127.0.0.7\nlifted the ban of 127.0.0.8\n');
    expect(await rig.run(['bans', '--state', rig.state])).toMatchObject({ code: 0, stdout: '', stderr: 'nobody is banned\n' });
    expect(await rig.run(['bans', 'lift', 'all', '--state', rig.state])).toMatchObject({ code: 0, stderr: 'nobody is banned\n' });
  });

  test('that are not there are not lifted', async () => {
    expect(failureOf(await rig.run(['bans', 'lift', '192.0.2.1', '--state', rig.state, '--json']))).toMatchObject({ code: 'NOTFOUND', exit: 6, message: '192.0.2.1 is not banned' });
    expect((await rig.run(['bans', 'explode', '--state', rig.state])).code).toBe(2);
    expect((await rig.run(['bans', 'lift', '--state', rig.state])).code).toBe(2);
  });
});

test.each([['one process', []], ['two workers', ['--workers', '2']]])('in %s, who begins exchanges about a code and leaves them is told to wait, and banned', async (_, serve) => {
  rig = await Rig.start({ serve });
  const code = (await askServer(rig.state, { verb: 'code' })).code;
  const { point } = startAgreement({ code: parseCode(code).code, exporter: new Uint8Array(32), serverPin: new Uint8Array(32) });
  /** Leaves with the first byte after so many; what is returned is how many there were. */
  const begin = async (after: number): Promise<number> => {
    const secure = connectTls({ socket: dial(STRANGER), ALPNProtocols: [ALPN], rejectUnauthorized: false }).on('error', () => {});
    let size = 0;
    secure.once('secureConnect', () => secure.write(Buffer.concat([HELLO, encodeMessage(0, { kind: 'codeStart', point })])));
    secure.on('data', (chunk: Buffer) => { if ((size += chunk.byteLength) > after) secure.destroy(); });
    await new Promise<void>((resolve) => { secure.once('close', () => resolve()); });
    return size;
  };
  const greeting = await begin(0); // the server greets by itself
  for (let one = 0; one < 15; one += 1) await begin(greeting);
  await until(() => logged(rig, 'banned').length > 0);
  expect(logged(rig, 'banned')).toEqual([expect.objectContaining({ address: STRANGER })]);
  expect(logged(rig, 'refused').filter(({ address }) => address === STRANGER).map((event) => event['reason'])).toContain('the code is tried too often from this address');
  // Nothing of that took a try, and others come in by the code.
  expect((await rig.run(['join', `${code}@${rig.listening.address}`], { env: { WHERRY_HOME: join(rig.folder, 'joins') } })).code).toBe(0);
});
