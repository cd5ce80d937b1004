/** What those who are not signed in may have of a server, whatever the number of its processes. */
import { EventEmitter, once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connect, join as joinServer } from '../../src/client/client.ts';
import { serve, type ServeOptions, type Server, type ServerEvent } from '../../src/server/server.ts';

let folder: string;
let server: Server;
let sockets: Socket[];
let events: ServerEvent[];
const heard = new EventEmitter();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-strangers-'));
  await mkdir(join(folder, 'share'));
  [sockets, events] = [[], []];
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await server.stop({ graceMs: 0 });
  await rm(folder, { recursive: true });
});

async function start(options: ServeOptions): Promise<void> {
  server = await serve(join(folder, 'share'), { listen: ['127.0.0.1:0'], state: join(folder, 'state'), ...options, onEvent: (event) => { events.push(event); heard.emit('event'); } });
}

/** Resolves when so many events were such. */
async function told(is: (event: ServerEvent) => boolean, count: number): Promise<void> {
  while (events.filter(is).length < count) await once(heard, 'event');
}

const at = (number: number): { host: string; port: number; localAddress: string } => ({ host: '127.0.0.1', port: Number(server.addresses[0]!.split(':')[1]), localAddress: `127.0.0.${number + 10}` });
const CROWD = Array.from({ length: 8 }, (_, index) => index);

const refused = (): number => events.filter(({ event, code }) => event === 'refused' && code === 'LIMIT').reduce((sum, { count }) => sum + (typeof count === 'number' ? count : 1), 0);

describe.each([1, 2])('of a server of %i process(es)', (workers) => {
  test('no more strangers than may come at once begin a handshake, from however many addresses', async () => {
    await start({ workers, limits: { strangersAtOnce: 3, strangersPerSecond: 0.0001, handshakeMs: 2000 } });
    const ends = await Promise.all(CROWD.map(async (number) => {
      const socket = connectTls({ ...at(number), ALPNProtocols: ['wherry/1'], minVersion: 'TLSv1.3', rejectUnauthorized: false });
      sockets.push(socket);
      return new Promise<string>((resolve) => {
        socket.on('error', () => resolve('closed')).once('close', () => resolve('closed')).once('secureConnect', () => resolve('in'));
      });
    }));
    expect(ends.filter((end) => end === 'in')).toHaveLength(3);
  });

  test('as many connections that say nothing stay as may be unauthenticated, and nobody who is signed in goes', async () => {
    await start({ workers, limits: { unauthenticated: { from: 4, percent: 100, full: 4 }, handshakeMs: 3_600_000 } });
    await joinServer({ ticket: server.ticket, home: join(folder, 'home'), as: 'test' });
    await using client = await connect({ home: join(folder, 'home') });
    await told(({ event }) => event === 'signed-in', 2); // by then this process knows too that they are no strangers
    let closed = 0;
    const four = new Promise<void>((resolve) => {
      for (const number of CROWD) {
        const socket = connectTcp(at(number)).on('error', () => undefined).resume();
        socket.once('close', () => { closed += 1; if (closed === 4) resolve(); });
        sockets.push(socket);
      }
    });
    await four;
    expect(refused()).toBeGreaterThan(0);
    expect(await client.stat('')).toMatchObject({ kind: 'folder' });
    expect(closed).toBe(4);
  });

  test('an address that makes more connections than strangers may is turned away before anything else, then banned; others are not', async () => {
    await start({ workers });
    const close = async (number: number): Promise<void> => {
      const socket = connectTcp(at(number)).on('error', () => undefined).resume();
      socket.end();
      await new Promise<void>((resolve) => { socket.once('close', () => resolve()); });
    };
    const banned = (): boolean => events.some(({ event }) => event === 'banned');
    for (let one = 0; one < 285 || (one < 2000 && !banned()); one += 1) await close(1); // more than 285 where they come slower than 100 a second
    expect(events.filter(({ event }) => event === 'banned')).toEqual([expect.objectContaining({ address: '127.0.0.11', offence: 'flood' })]);
    expect(events.find(({ event }) => event === 'refused')).toMatchObject({ address: '127.0.0.11', code: 'LIMIT', reason: expect.stringContaining('where nobody has signed in') as string });
    await joinServer({ ticket: server.ticket, home: join(folder, 'home'), as: 'test' });
  });
});
