/** Spoken codes against people who mistype them, and against others on the way who would like to be let in. */
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startAgreement } from '../../src/agreement.ts';
import { meet } from '../../src/client/meet.ts';
import { createNativeDoor } from '../../src/doors/native.ts';
import { createEntrance, openPort } from '../../src/doors/port.ts';
import { Turnstile } from '../../src/doors/turnstile.ts';
import { Drive } from '../../src/drive.ts';
import { Failure } from '../../src/errors.ts';
import { createKey } from '../../src/identity.ts';
import { everywhere, ROLES } from '../../src/rights.ts';
import { askServer } from '../../src/server/admin.ts';
import { createLog } from '../../src/server/log.ts';
import { selfSigned } from '../../src/server/certificate.ts';
import { parseCode, type SpokenCode } from '../../src/spoken.ts';
import { createMemoryVault } from '../../src/store/memory.ts';
import { ALPN, encodeMessage, VERSION } from '../../src/wire/messages.ts';
import { placeOf, shake } from './raw.ts';
import { Rig } from './rig.ts';
import { expectAlive, failureOf, until } from './traces.ts';

let rig: Rig;
beforeAll(async () => { rig = await Rig.start({ serve: ['--workers', '2'] }); });
afterAll(async () => { await rig[Symbol.asyncDispose](); });

let homes = 0;
/** A join from a device of its own. */
async function join_(words: readonly string[], input = '') {
  const folder = join(rig.folder, `device-${homes += 1}`);
  const ran = await rig.run(['join', '--json', ...words], { input, env: { WHERRY_HOME: folder } });
  return { ran, folder };
}

async function open(role?: 'ro'): Promise<string> {
  return (await askServer(rig.state, { verb: 'code', role })).code;
}

/** Another code than this one, with the same number. */
function wrong(code: string): SpokenCode {
  const { number, words } = parseCode(code).code;
  return { number, words: words[0] === 'acorn' ? ['zebra', 'acorn'] : ['acorn', 'zebra'] };
}
const events = (): Record<string, unknown>[] => rig.log.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Record<string, unknown>);
/** An attempt by a device that is new, without the command line around it. */
function attempt(code: SpokenCode, at = placeOf(rig)): Promise<Failure> {
  return meet({ code, at }, createKey(), undefined).then(() => { throw new Error('was let in'); }, (error: unknown) => Failure.from(error));
}

describe('a code that is right', () => {
  test('joins by address, however it is typed, with the rights it was opened with', async () => {
    const [number, first, second] = (await open('ro')).split('-');
    const { ran, folder } = await join_([number!, first!.toUpperCase(), `${second!}@${rig.listening.address}`]);
    expect(ran).toMatchObject({ code: 0 });
    expect(JSON.parse(ran.stdout)).toMatchObject({ event: 'joined', fingerprint: rig.listening.fingerprint, rights: ROLES.ro, default: true });
    const listed = await rig.run(['ls', ':'], { env: { WHERRY_HOME: folder } });
    expect(listed.code).toBe(0);
    const refused = await rig.run(['mkdir', ':new', '--json'], { env: { WHERRY_HOME: folder } });
    expect(failureOf(refused)).toMatchObject({ code: 'DENIED' });
  });

  test('comes by standard input as well', async () => {
    const invited = await rig.run(['invite', '--code', '--state', rig.state]);
    const [, code] = /on this machine: wherry join (\S+); works once/.exec(invited.stderr)!;
    expect(code).toBe(`${invited.stdout.trim()}@${rig.listening.address}`);
    expect((await join_([], `${code}\n`)).ran.code).toBe(0);
  });

  test('works once', async () => {
    const code = await open();
    expect((await join_([`${code}@${rig.listening.address}`])).ran.code).toBe(0);
    const { ran } = await join_([`${code}@${rig.listening.address}`]);
    expect(failureOf(ran)).toMatchObject({ code: 'AUTH', exit: 5, message: expect.stringContaining('no code is open') as string });
  });
});

test('a word that is in no code is named with the one that was meant, and nothing is dialled', async () => {
  const { ran, folder } = await join_(['7-crater-lantrn@127.0.0.1:1']);
  expect(failureOf(ran)).toMatchObject({ code: 'USAGE', exit: 2, message: '"lantrn" is not a word of a code', hint: 'did you mean lantern?' });
  expect(await readdir(folder).catch(() => [])).toEqual([]);
});

describe('guessing', () => {
  test('three times ends the code, also for who knows it, and the server prints another', async () => {
    const code = await open();
    const tries = [await attempt(wrong(code)), await attempt(wrong(code)), await attempt(wrong(code))];
    expect(tries.map(({ code: why }) => why)).toEqual(['AUTH', 'AUTH', 'AUTH']);
    expect(tries.map(({ hint }) => hint)).toEqual([expect.stringContaining('2 tries are left'), expect.stringContaining('1 try is left'), expect.stringContaining('the server shows a new one')]);
    const { ran } = await join_([`${code}@${rig.listening.address}`]);
    expect(failureOf(ran)).toMatchObject({ code: 'AUTH' });
    const latest = () => events().filter(({ event }) => event === 'code').at(-1);
    await until(() => latest()?.['spoken'] !== code, () => 'no other code was printed');
    // As people are shown it: where no network reaches the server, with its address.
    const shown: string[] = [];
    createLog({ format: 'text', write: (line) => shown.push(line) })({ ...latest(), event: 'code' });
    const [, next] = /new code, on this machine: wherry join (\S+) /.exec(shown[0]!)!;
    expect((await join_([next!])).ran.code).toBe(0);
  });

  test('with many connections at once gives three tries for each code', async () => {
    const code = await open();
    const guessed = (): number => events().filter(({ event, reason }) => event === 'code-closed' && reason === 'guessed').length;
    const before = guessed();
    const failures = await Promise.all(Array.from({ length: 15 }, () => attempt(wrong(code))));
    const told = failures.filter(({ message }) => message.startsWith('the server does not know this code'));
    expect(failures.every(({ code: why }) => why === 'AUTH')).toBe(true);
    await open(); // its answer comes behind all that was told of the others
    // Who began behind the third has found the code that came after it, which has three tries of its own.
    const burnt = guessed() - before;
    expect(burnt).toBeGreaterThan(0);
    expect(Math.floor(told.length / 3)).toBe(burnt);
  });
});

describe('on the way', () => {
  test('somebody who takes the connection apart and relays what both say gets neither in', async () => {
    const code = await open();
    const key = createKey();
    const between = createTlsServer({ key: key.export({ type: 'pkcs8', format: 'pem' }), cert: selfSigned(key, { name: 'between', hosts: ['localhost'] }), ALPNProtocols: [ALPN], minVersion: 'TLSv1.3' });
    between.on('secureConnection', (near) => {
      const far = connectTls({ ...placeOf(rig), ALPNProtocols: [ALPN], rejectUnauthorized: false, minVersion: 'TLSv1.3' });
      for (const socket of [near, far]) socket.on('error', () => {});
      near.pipe(far).pipe(near);
    });
    between.listen(0, '127.0.0.1');
    await once(between, 'listening');
    const { ran, folder } = await join_([`${code}@127.0.0.1:${(between.address() as AddressInfo).port}`]);
    // Already its signature is for another connection and another server; that the code's own proof is as well, `test/access/codes.test.ts` shows.
    expect(failureOf(ran)).toMatchObject({ code: 'AUTH', message: 'the server did not accept the key of this device' });
    expect(await readdir(folder)).not.toContain('servers.json');
    between.close();
    expect((await join_([`${code}@${rig.listening.address}`])).ran.code).toBe(0);
  });

  test.each([
    ['a confirmation of its own', new Uint8Array(64).fill(1)],
    ['none', undefined],
  ])('somebody who says yes to every code, with %s, is not taken for the server', async (_what, confirmation) => {
    const key = createKey();
    const native = createNativeDoor({
      key: key.export({ type: 'pkcs8', format: 'pem' }) as string, certificate: selfSigned(key, { name: 'impostor', hosts: ['localhost'] }), agent: 'test', name: 'impostor',
      answerCode: async () => startAgreement({ code: parseCode('7-acorn-zebra').code, exporter: new Uint8Array(32), serverPin: new Uint8Array(32) }).point,
      driveFor: async () => ({ drive: new Drive({ vault: createMemoryVault(), principal: { name: 'ann', grants: everywhere(ROLES.rw) } }), account: 'ann', device: 'ann', rights: ROLES.rw, confirmation }),
      onEvent: () => {},
    });
    const enter = createEntrance({ native, onEvent: () => {} });
    await using port = await openPort({ host: '127.0.0.1', port: 0, take: (socket, gone) => { socket.once('close', gone); enter(socket); }, onEvent: () => {}, turnstile: new Turnstile({ connections: 10, connectionsPerAddress: 10 }) });
    const { ran, folder } = await join_([`7-crater-lantern@127.0.0.1:${port.port}`]);
    expect(failureOf(ran)).toMatchObject({ code: 'IDENTITY', exit: 4 });
    expect(await readdir(folder)).not.toContain('servers.json');
    await native.drain(0);
  });
});

describe('a start that is no start', () => {
  const hello = encodeMessage(0, { kind: 'hello', version: VERSION, agent: 'attacker', maxBody: 1 << 20, credit: 0 });
  const start = encodeMessage(0, { kind: 'codeStart', point: new Uint8Array(32) });

  test.each([
    ['the neutral element', Buffer.concat([hello, start])],
    ['no canonical point', Buffer.concat([hello, encodeMessage(0, { kind: 'codeStart', point: new Uint8Array(32).fill(0xff) })])],
    ['a second start', Buffer.concat([hello, encodeMessage(0, { kind: 'codeStart', point: startAgreement({ code: parseCode('7-acorn-zebra').code, exporter: new Uint8Array(32), serverPin: new Uint8Array(32) }).point }), start])],
    ['a proof by code without one', Buffer.concat([hello, encodeMessage(0, { kind: 'auth', method: 'code', key: new Uint8Array(32), signature: new Uint8Array(64), confirmation: new Uint8Array(64) })])],
  ])('with %s is put out, and takes no try', async (_what, bytes) => {
    const code = await open();
    for (let time = 0; time < 4; time += 1) {
      const socket = await shake(rig);
      const closed = once(socket.resume(), 'close');
      socket.write(bytes);
      await closed;
    }
    expect((await join_([`${code}@${rig.listening.address}`])).ran.code).toBe(0);
  });

  test('that is cut anywhere takes no try', async () => {
    const code = await open();
    const whole = Buffer.concat([hello, start]);
    for (const length of [1, hello.byteLength, hello.byteLength + 5, whole.byteLength - 1]) {
      const socket = await shake(rig);
      const closed = once(socket.resume(), 'close');
      socket.end(whole.subarray(0, length));
      await closed;
    }
    expect((await join_([`${code}@${rig.listening.address}`])).ran.code).toBe(0);
    await expectAlive(rig);
  });
});
