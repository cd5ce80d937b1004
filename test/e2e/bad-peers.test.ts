/** A server against peers that break every rule: they are put out, others do not notice, and memory stays bounded. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DoorEvent } from '../../src/doors/door.ts';
import { createNativeDoor } from '../../src/doors/native.ts';
import { createEntrance, openPort } from '../../src/doors/port.ts';
import { Turnstile } from '../../src/doors/turnstile.ts';
import { Failure } from '../../src/errors.ts';
import { selfSigned } from '../../src/server/certificate.ts';
import { createKey, publicBytes } from '../../src/identity.ts';
import { ALPN, encodeMessage, VERSION } from '../../src/wire/messages.ts';
import { BATCH, creditFrame, DATA, writeHeader } from '../../src/wire/frame.ts';
import { bomb } from './hostile/bomb.ts';
import { placeOf, shake, signIn } from './raw.ts';
import { Rig, finished } from './rig.ts';
import { expectAlive, staged, until } from './traces.ts';

let rig: Rig;
let memory: number;

beforeAll(async () => {
  rig = await Rig.start({ under: ['env', `NODE_OPTIONS=--import=${pathToFileURL(join(import.meta.dirname, 'collect.mjs')).href}`] });
  await rig.run(['put', '-', ':large'], { input: Buffer.alloc(64 << 20, 3) });
  await rig.run(['put', '-', ':warm'], { input: Buffer.alloc(1 << 20) });
  // What honest clients make it grow to is not the attackers' doing.
  await Promise.all([1, 2, 3, 4].map(async () => expect((await rig.run(['get', ':large', '-'])).code).toBe(0)));
  memory = await residentBytes();
});
afterAll(async () => { await rig[Symbol.asyncDispose](); });

/** Resident memory of the server (proc(5): VmRSS), its garbage collected: when it does that by itself is no matter of a leak. */
async function residentBytes(): Promise<number> {
  const said = () => rig.log.join('').split('garbage collected').length;
  const before = said();
  rig.server!.kill('SIGUSR2');
  await until(() => said() > before);
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${rig.server!.pid}/status`, 'latin1'))![1]) * 1024;
}

function header(type: number, exchange: number, length: number): Buffer {
  const bytes = Buffer.alloc(12);
  writeHeader(bytes, type, exchange, length);
  return bytes;
}

async function tcp(): Promise<Socket> {
  const socket = connectTcp(placeOf(rig));
  socket.on('error', () => {}).resume();
  await once(socket, 'connect');
  return socket;
}

const tls = async (): Promise<Socket> => (await shake(rig)).resume();
const hello = encodeMessage(0, { kind: 'hello', version: VERSION, agent: 'attacker', maxBody: 1 << 20, credit: 0x7fff_ffff });
const auth = encodeMessage(0, { kind: 'auth', method: 'device', key: publicBytes(createKey()), signature: new Uint8Array(64) });

/** Writes until the socket is closed, waiting for it to drain; resolves when the server has hung up. */
async function flood(socket: Socket, chunk: Uint8Array, most = 512): Promise<void> {
  const closed = new Promise<void>((resolve) => { socket.once('close', () => resolve()); });
  for (let sent = 0; sent < most && !socket.destroyed; sent += 1) {
    if (!socket.write(chunk)) await Promise.race([new Promise<void>((resolve) => { socket.once('drain', resolve); }), closed]);
  }
  await closed;
}

const garbage = Buffer.alloc(64 << 10, 0xa5);

const before: readonly [string, () => Promise<Socket>, Buffer][] = [
  ['garbage before TLS', tcp, garbage],
  ['a TLS record of nonsense', tcp, Buffer.concat([Buffer.from([0x16, 3, 1, 0xff, 0xff]), garbage])],
  ['an HTTP request', tcp, Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
  ['garbage after TLS', tls, garbage],
  ['a length of 4 GiB', tls, header(0x00, 0, 0xffff_ffff)],
  ['a length of 4 GiB after a greeting', tls, Buffer.concat([hello, header(0x01, 0, 0xffff_ffff)])],
  ['half a greeting, then something else', tls, Buffer.concat([hello.subarray(0, 20), garbage])],
  ['a million tiny frames without a greeting', tls, Buffer.concat(Array.from({ length: 1000 }, () => header(0x04, 0, 0)))],
  ['a greeting said twice', tls, Buffer.concat([hello, hello])],
  ['a request before signing in', tls, Buffer.concat([hello, encodeMessage(1, { kind: 'remove', path: 'warm', deep: true })])],
  ['requests behind a wrong proof', tls, Buffer.concat([hello, auth, encodeMessage(1, { kind: 'remove', path: 'warm', deep: true }), encodeMessage(3, { kind: 'put', path: 'x', mtime: 0, mode: 0, level: 'visible', ifAbsent: false })])],
  ['data before signing in', tls, Buffer.concat([hello, header(DATA, 1, 1 << 20), garbage])],
];

const after: readonly [string, Buffer][] = [
  ['garbage', garbage],
  ['a length of 4 GiB', header(BATCH, 1, 0xffff_ffff)],
  ['data on an exchange that was never opened', Buffer.concat([header(DATA, 99, 1 << 16), Buffer.alloc(1 << 16)])],
  ['an exchange with an even number', encodeMessage(2, { kind: 'space' })],
  ['an unknown frame that is critical', header(0x7f, 0, 0)],
  ['an answer instead of a request', encodeMessage(1, { kind: 'done' })],
  ['a reserved field', Buffer.from([0, 0, 0, 0, 4, 1, 1, 1, 0, 0, 0, 0])],
  ['a request that cannot be read', Buffer.concat([header(0x10, 1, 3), Buffer.from([0xff, 0xff, 0xff])])],
  ['credit beyond all bounds', Buffer.concat([encodeMessage(1, { kind: 'putTree', path: 'x', level: 'visible', ifAbsent: false }), header(0x07, 1, 5), Buffer.alloc(5)])],
  ['more requests at once than allowed', Buffer.concat(Array.from({ length: 400 }, (_, index) => encodeMessage(2 * index + 1, { kind: 'putTree', path: 'x', level: 'visible', ifAbsent: false })))],
];

/** A transfer that runs while `attack` does, and must come whole. */
async function meanwhile(attack: () => Promise<void>): Promise<void> {
  const put = rig.spawn(['put', '-', ':during', '--json']);
  const over = finished(put);
  const chunk = Buffer.alloc(1 << 20, 7);
  put.stdin!.write(chunk);
  await until(() => rig.log.some((line) => line.includes('"signed-in"')));
  await attack();
  put.stdin!.end(chunk);
  const ran = await over;
  expect([ran.code, ran.stdout, ran.stderr]).toEqual([0, expect.stringContaining('"bytes":2097152'), '']);
}

describe('D1, D11: a peer that breaks the protocol is put out, and nobody else notices', () => {
  test('before it has signed in', async () => {
    await meanwhile(async () => {
      for (const [name, open, bytes] of before) {
        const socket = await open();
        await Promise.race([flood(socket, bytes), new Promise((_, failed) => { setTimeout(() => failed(new Error(`${name}: still connected`)), 15_000).unref(); })]);
      }
    });
    expect((await rig.run(['stat', ':warm'])).code).toBe(0);
  });

  test('after it has signed in', async () => {
    await meanwhile(async () => {
      for (const [name, bytes] of after) {
        const connection = await signIn(rig);
        connection.write(bytes);
        await until(() => connection.over, () => `${name}: still connected`);
      }
    });
  });

  test('by a million tiny frames, which are taken for what they are', async () => {
    const connection = await signIn(rig);
    const frames = Buffer.concat(Array.from({ length: 10_000 }, () => header(0x1a, 0, 0).fill(0, 5, 6)));
    for (let round = 0; round < 100; round += 1) await new Promise<void>((written) => { connection.write(frames, written); });
    const entry = connection.request({ kind: 'stat', path: 'warm' });
    await entry.expect('entry');
    await connection.drain(0);
  });

  test('by tiny pieces of a file, which cost the sender as much as the server', async () => {
    const connection = await signIn(rig);
    using exchange = connection.request({ kind: 'put', path: 'tiny', mtime: 0, mode: 0, level: 'visible', ifAbsent: false });
    await exchange.expect('accept');
    const tiny = Buffer.concat(Array.from({ length: 1000 }, () => Buffer.concat([header(DATA, exchange.id, 9), Buffer.alloc(9)])));
    for (let round = 0; round < 200 && !connection.over; round += 1) connection.write(tiny);
    await until(() => connection.over || exchange.failure !== undefined);
    expect(exchange.failure?.code).toBe('PROTOCOL');
  });

  test('by asking for everything and reading nothing', async () => {
    const socket = await shake(rig);
    socket.pause();
    socket.write(hello);
    const reader = await signIn(rig);
    const asks = Array.from({ length: 250 }, () => reader.request({ kind: 'get', path: 'warm', basis: 0 }));
    await asks[0]!.expect('offer');
    await expectAlive(rig);
    await reader.drain(0);
    socket.destroy();
  });

  test('and credit for an exchange that is over does no harm', async () => {
    const connection = await signIn(rig);
    await connection.request({ kind: 'space' }).expect('room');
    connection.write(creditFrame(1, 1 << 20));
    await connection.request({ kind: 'space' }).expect('room');
    await connection.drain(0);
  });
});

describe('D7: compressed bytes that', () => {
  const put = { kind: 'put', path: 'bomb', mtime: 0, mode: 0, level: 'visible', ifAbsent: false } as const;
  const putTree = { kind: 'putTree', path: 'bombs', level: 'visible', ifAbsent: false } as const;

  test.each([
    ['expand to 2 GiB, of a file', put, { kind: 'compressedData', offset: 0, size: 1 << 20, bytes: bomb() }, 'compressed bytes that do not expand to what they should'],
    ['expand to 2 GiB, of a pack', putTree, { kind: 'compressedBatch', size: 1 << 20, bytes: bomb() }, 'compressed bytes that do not expand to what they should'],
    ['say that they are larger than any frame, of a file', put, { kind: 'compressedData', offset: 0, size: 15 << 20, bytes: bomb() }, 'more compressed bytes than fit a frame'],
    ['say that they are larger than any frame, of a pack', putTree, { kind: 'compressedBatch', size: 15 << 20, bytes: bomb() }, 'more compressed bytes than fit a frame'],
    ['say that they are larger than all credit', put, { kind: 'compressedData', offset: 0, size: Number.MAX_SAFE_INTEGER - 8, bytes: bomb() }, 'more bytes than there was credit for'],
  ] as const)('%s, put their sender out', async (_, request, message, reason) => {
    const said = (): string[] => rig.log.filter((line) => line.includes('"disconnected"') && line.includes(reason));
    const before = said().length;
    const connection = await signIn(rig);
    using exchange = connection.request(request);
    if (request.kind === 'put') await exchange.expect('accept');
    connection.write(encodeMessage(exchange.id, message));
    await until(() => connection.over && said().length > before, () => rig.log.slice(-3).join('\n'));
    expect((await rig.run(['ls', ':'])).stdout).not.toContain('bomb');
  });
});

test('D11: the server is the same process, holds nothing of them, and has not grown by 64 MiB', async () => {
  await expectAlive(rig);
  for (const name of await staged(rig.served)) expect(name).toMatch(/\.part$/);
  expect(await residentBytes() - memory).toBeLessThan(64 << 20);
});

test('D4: peers that never finish a handshake are put out when they are too many, and signed-in clients do not notice', async () => {
  await using other = await Rig.start();
  const client = await signIn(other);
  const sockets = Array.from({ length: 300 }, () => connectTcp(placeOf(other)).on('error', () => {}).resume());
  // The beginning of a handshake that never comes.
  for (const socket of sockets) socket.once('connect', () => socket.write(Buffer.from([0x16])));
  await until(() => other.log.some((line) => line.includes('"LIMIT"')));
  await client.request({ kind: 'space' }).expect('room');
  for (const socket of sockets) socket.destroy();
  await expectAlive(other);
  await client.drain(0);
});

test('D4: peers that say nothing are put out after a while, whatever they have begun', async () => {
  const said: string[] = [];
  const key = createKey();
  const native = createNativeDoor({
    key: key.export({ type: 'pkcs8', format: 'pem' }) as string, certificate: selfSigned(key, { name: 'door', hosts: ['localhost'] }), agent: 'test', name: 'test',
    driveFor: () => Promise.reject(new Failure('AUTH', 'nobody')), onEvent: ({ code }) => { if (typeof code === 'string') said.push(code); },
    limits: { handshakeMs: 200, signInMs: 200 },
  });
  const onEvent = ({ code }: DoorEvent): void => { if (typeof code === 'string') said.push(code); };
  const enter = createEntrance({ native, onEvent, firstByteMs: () => 200 });
  await using port = await openPort({ host: '127.0.0.1', port: 0, take: (socket, gone) => { socket.once('close', gone); enter(socket); }, onEvent, turnstile: new Turnstile({ connections: 10, connectionsPerAddress: 10 }) });
  const at = { host: '127.0.0.1', port: port.port };
  const silent = connectTcp(at).resume();
  const halfShaken = connectTcp(at).resume();
  halfShaken.write(Buffer.from([0x16, 3, 1]));
  const shaken = connectTls({ ...at, ALPNProtocols: [ALPN], rejectUnauthorized: false }).resume();
  const greeted = connectTls({ ...at, ALPNProtocols: [ALPN], rejectUnauthorized: false }).resume();
  greeted.write(hello);
  const sockets = [silent, halfShaken, shaken, greeted].map((socket) => socket.on('error', () => {}));
  await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => { socket.once('close', () => resolve()); })));
  await until(() => said.length >= 4);
  expect(new Set(said)).toEqual(new Set(['TIMEOUT', 'PROTOCOL']));
});
