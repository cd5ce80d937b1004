/** D4: peers that begin something and hardly go on are put out in their time, and others do not notice. */
import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DoorEvent } from '../../src/doors/door.ts';
import { createNativeDoor, type NativeDoor } from '../../src/doors/native.ts';
import type { NativeLimits } from '../../src/doors/limits.ts';
import { createEntrance, openPort, type Port } from '../../src/doors/port.ts';
import { Turnstile } from '../../src/doors/turnstile.ts';
import { Drive } from '../../src/drive.ts';
import { createKey, publicBytes } from '../../src/identity.ts';
import { parsePath } from '../../src/path.ts';
import { everywhere, ROLES } from '../../src/rights.ts';
import { selfSigned } from '../../src/server/certificate.ts';
import { createMemoryVault } from '../../src/store/memory.ts';
import type { Vault } from '../../src/store/vault.ts';
import { HEADER_BYTES, writeDataHead } from '../../src/wire/frame.ts';
import { ALPN, encodeMessage, VERSION } from '../../src/wire/messages.ts';
import { closed } from '../closed.ts';

const MIB = 1 << 20;
const HELLO = encodeMessage(0, { kind: 'hello', version: VERSION, agent: 'slow', maxBody: MIB, credit: 0x7fff_ffff });
const AUTH = encodeMessage(0, { kind: 'auth', method: 'device', key: publicBytes(createKey()), signature: new Uint8Array(64) });
const put = (path: string): Buffer => encodeMessage(1, { kind: 'put', path, mtime: 0, mode: 0o644, level: 'visible', ifAbsent: false });

function dataFrame(offset: number, bytes: Uint8Array): Buffer {
  const frame = Buffer.concat([Buffer.alloc(HEADER_BYTES + 8), bytes]);
  writeDataHead(frame, 1, offset, bytes.byteLength);
  return frame;
}

let vault: Vault;
let native: NativeDoor;
let port: Port;
let events: DoorEvent[];
let heard: (() => void)[];
let sockets: Socket[];
let timers: NodeJS.Timeout[];

beforeEach(() => { [vault, events, heard, sockets, timers] = [createMemoryVault(), [], [], [], []]; });
afterEach(async () => {
  for (const timer of timers) clearInterval(timer);
  for (const socket of sockets) socket.destroy();
  await native.drain(0);
  await port[Symbol.asyncDispose]();
});

/** A door that lets everybody in, with these limits. */
async function open(limits: Partial<NativeLimits>, firstByteMs = 60_000): Promise<void> {
  const key = createKey();
  const onEvent = (event: DoorEvent): void => {
    events.push(event);
    for (const wake of heard.splice(0)) wake();
  };
  native = createNativeDoor({
    key: key.export({ type: 'pkcs8', format: 'pem' }) as string, certificate: selfSigned(key, { name: 'door', hosts: ['localhost'] }), agent: 'test', name: 'test', onEvent, limits,
    driveFor: () => Promise.resolve({ drive: new Drive({ vault, principal: { name: 'ann', grants: everywhere(ROLES.rw) } }), account: 'ann', device: 'ann', rights: ROLES.rw }),
  });
  const enter = createEntrance({ native, onEvent, firstByteMs: () => firstByteMs });
  port = await openPort({ host: '127.0.0.1', port: 0, take: (socket, gone) => { socket.once('close', gone); enter(socket); }, onEvent, turnstile: new Turnstile({ connections: 100, connectionsPerAddress: 100 }) });
}

/** The first event that is so, of those there were and those to come. */
async function told(is: (event: DoorEvent) => boolean): Promise<DoorEvent> {
  for (;;) {
    const found = events.find((event) => is(event));
    if (found !== undefined) return found;
    await new Promise<void>((resolve) => { heard.push(resolve); });
  }
}

function tcp(): Socket {
  const socket = connectTcp({ host: '127.0.0.1', port: port.port });
  sockets.push(socket.on('error', () => {}));
  return socket;
}

async function tls(): Promise<Socket> {
  const socket = connectTls({ socket: tcp(), ALPNProtocols: [ALPN], rejectUnauthorized: false }).on('error', () => {});
  await once(socket, 'secureConnect');
  return socket;
}

/** Somebody who is signed in. */
async function member(): Promise<{ socket: Socket; session: number }> {
  const before = events.filter(({ event }) => event === 'signed-in').length;
  const socket = await tls();
  socket.write(Buffer.concat([HELLO, AUTH]));
  await told(() => events.filter(({ event }) => event === 'signed-in').length > before);
  return { socket, session: events.findLast(({ event }) => event === 'signed-in')!['session'] as number };
}

/** A byte now and then, until the end of the socket. */
function drip(socket: Socket, bytes: Uint8Array): void {
  let at = 0;
  timers.push(setInterval(() => { if (at < bytes.byteLength) socket.write(bytes.subarray(at, at += 1)); }, 20));
}

const endOf = (session: number): Promise<DoorEvent> => told(({ event, session: of }) => event === 'disconnected' && of === session);

/** An honest client beside the slow one: it asks before and after, over the same connection. */
async function unharmed(socket: Socket, exchange: number): Promise<void> {
  const answer = once(socket, 'data');
  socket.write(encodeMessage(exchange, { kind: 'space' }));
  await answer;
}

describe('D4: a slow peer', () => {
  test('that says nothing at all is put out', async () => {
    await open({}, 100);
    tcp();
    expect(await told(({ event }) => event === 'refused')).toMatchObject({ code: 'TIMEOUT', reason: 'said nothing', offence: 'slow' });
  });

  test('that sends the beginning of TLS byte by byte is put out, however long it goes on', async () => {
    await open({ handshakeMs: 1500 });
    const { socket } = await member();
    const slow = tcp().resume();
    drip(slow, Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, ...Buffer.alloc(500)]));
    await closed(slow);
    expect(await told(({ event }) => event === 'refused')).toMatchObject({ code: 'PROTOCOL', reason: 'no TLS handshake (ERR_TLS_HANDSHAKE_TIMEOUT)', offence: 'slow' });
    await unharmed(socket, 1);
  });

  test.each([['one byte of TLS', Buffer.from([0x16])], ['half of its beginning', Buffer.from([0x16, 3, 1, 2, 0, ...Buffer.alloc(100)])]])('that says %s and leaves while it waits for its turn is gone at once, and takes no turn', async (_, bytes) => {
    await open({ handshakeMs: 60_000, pendingPerAddress: 1 });
    await tls(); // has the only place, since it does not sign in
    const gone = await Promise.all(Array.from({ length: 5 }, async () => {
      const socket = tcp().resume();
      socket.end(bytes);
      await closed(socket);
      return socket;
    }));
    expect(gone).toHaveLength(5);
    expect(events.filter(({ event }) => event === 'refused')).toEqual([]);
  });

  test.each([1, 100, 1_000_000])('that waits for its turn finds all that it said before, in pieces of %i', async (size) => {
    await open({ handshakeMs: 60_000, pendingPerAddress: 1 });
    const first = await tls();
    const relay = createServer((near) => {
      const far = tcp();
      far.on('data', (chunk) => near.write(chunk));
      near.on('error', () => {}).on('data', (chunk: Buffer) => { for (let at = 0; at < chunk.byteLength; at += size) far.write(chunk.subarray(at, at + size)); });
    }).listen(0, '127.0.0.1');
    await once(relay, 'listening');
    const secure = connectTls({ host: '127.0.0.1', port: (relay.address() as AddressInfo).port, ALPNProtocols: [ALPN], rejectUnauthorized: false }).on('error', () => {});
    sockets.push(secure);
    await once(secure, 'connect');
    const other = tcp(); // behind it in the line, and gone: its end is noticed when what came before it has been
    other.end(Buffer.from([0x16]));
    await closed(other.resume());
    first.destroy();
    await once(secure, 'secureConnect');
    relay.close();
  });

  test('that signs in byte by byte is put out', async () => {
    await open({ signInMs: 1500 });
    const { socket } = await member();
    const slow = (await tls()).resume();
    slow.write(HELLO);
    drip(slow, AUTH);
    await closed(slow);
    expect(events.find(({ event }) => event === 'disconnected')).toMatchObject({ code: 'TIMEOUT', reason: 'no sign-in in time', offence: 'slow' });
    await unharmed(socket, 1);
  });

  test('that sends a piece of a file byte by byte is put out, and no longer blamed for more than its line', async () => {
    await open({ slowAfterMs: 200, leastPerSecond: 1024 });
    const { socket, session } = await member();
    const other = await member();
    other.socket.write(put('slow'));
    drip(other.socket.resume(), dataFrame(0, Buffer.alloc(MIB, 1)));
    const end = await endOf(other.session);
    expect(end).toMatchObject({ code: 'TIMEOUT', reason: 'what the other side sends comes too slowly' });
    expect(end.offence).toBeUndefined();
    expect(session).not.toBe(other.session);
    await unharmed(socket, 1);
  });

  test('that sends any other frame byte by byte is put out', async () => {
    await open({ slowAfterMs: 200, leastPerSecond: 1024 });
    const { socket, session } = await member();
    drip(socket.resume(), encodeMessage(1, { kind: 'list', path: 'x'.repeat(2000), deep: false }));
    expect(await endOf(session)).toMatchObject({ code: 'TIMEOUT', reason: 'what the other side sends comes too slowly' });
  });

  test('that pauses between frames, as a pipe does, is not', async () => {
    await open({ slowAfterMs: 200, leastPerSecond: 1024 });
    const pipe = await member();
    pipe.socket.resume().write(put('pipe'));
    pipe.socket.write(dataFrame(0, Buffer.alloc(1000, 1)));
    const slow = await member();
    slow.socket.resume().write(put('other'));
    drip(slow.socket, dataFrame(0, Buffer.alloc(MIB, 1)));
    await endOf(slow.session); // later than the other one would have been
    expect(events.some(({ event, session }) => event === 'disconnected' && session === pipe.session)).toBe(false);
    await unharmed(pipe.socket, 3);
  });

  test('that asks for a file and does not read it is put out, and others are served', async () => {
    await open({ unreadMs: 200, progressMs: 3_600_000 });
    const upload = await vault.receive(parsePath('large'), { owner: 'ann', size: undefined, mtime: 0, mode: 0o644, level: 'visible', condition: 'any', reuseOld: false });
    for (let offset = 0; offset < 32; offset += 1) await upload.write([Buffer.alloc(MIB, 1)], offset * MIB);
    await upload.commit(32 * MIB);
    const { socket } = await member();
    const slow = await member();
    slow.socket.pause();
    for (let exchange = 1; exchange < 9; exchange += 2) slow.socket.write(encodeMessage(exchange, { kind: 'get', path: 'large', basis: 0 }));
    expect(await endOf(slow.session)).toMatchObject({ code: 'TIMEOUT', reason: 'the other side takes nothing any more' });
    await unharmed(socket, 1);
  });

  test('that asks for nothing for a long time is put out', async () => {
    await open({ idleMs: 200 });
    const { socket, session } = await member();
    socket.resume();
    expect(await endOf(session)).toMatchObject({ code: 'TIMEOUT', reason: 'nothing was asked for a long time' });
  });
});
