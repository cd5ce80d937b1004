/** A server that gets another configuration while it runs, with real connections, in one process and in two workers. */
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect as connectTcp, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Client } from '../../src/client/api.ts';
import { connect, join as joinServer } from '../../src/client/client.ts';
import { serve, type ServeOptions, type Server, type ServerEvent } from '../../src/server/server.ts';
import { closed } from '../closed.ts';

let folder: string;
let server: Server;
let events: ServerEvent[];
let clients: Client[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-reload-'));
  await mkdir(join(folder, 'share'));
  [events, clients] = [[], []];
});
afterEach(async () => {
  for (const client of clients) await client.close();
  await server.stop({ graceMs: 0 });
  await rm(folder, { recursive: true });
});

/** Starts a server with `first`, which a device knows; `next` is what each reload brings. */
async function start(first: ServeOptions): Promise<{ next(options: ServeOptions): Promise<readonly string[]> }> {
  const base = { listen: ['127.0.0.1:0'], state: join(folder, 'state'), workers: first.workers };
  let options: ServeOptions = { ...base, ...first };
  const reread = async () => ({ dir: join(folder, 'share'), options });
  server = await serve(join(folder, 'share'), { ...options, reread, onEvent: (event) => events.push(event) });
  await joinServer({ ticket: server.ticket, home: join(folder, 'home'), as: 'test' });
  return { next: (more) => { options = { ...base, ...more }; return server.reload(); } };
}

async function client(): Promise<Client> {
  const one = await connect({ home: join(folder, 'home') });
  clients.push(one);
  return one;
}

const port = (): number => Number(server.addresses[0]!.split(':').at(-1));

/** Resolves when the server has ended a connection that says nothing that the server understands; says what first. */
async function ended(first = ''): Promise<void> {
  const socket = connectTcp(port(), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.resume();
  if (first !== '') socket.write(first);
  await closed(socket);
}

describe.each([['one process', 1], ['two workers', 2]])('a reload of a server of %s', (_, workers) => {
  test('lets in more connections from then on, and a transfer that runs goes on through it', async () => {
    const { next } = await start({ workers });
    const first = await client();
    expect(await next({ limits: { connections: 1 } })).toEqual(['limits.max_connections']);
    let goOn!: () => void;
    const reloaded = new Promise<void>((resolve) => { goOn = resolve; });
    async function* slowly(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('one ');
      await reloaded;
      yield Buffer.from('two');
    }
    const put = first.putStream(slowly(), 'text');
    await expect(connect({ home: join(folder, 'home') })).rejects.toMatchObject({ code: expect.stringMatching(/^(?:CONNECT|LOST|LIMIT)$/) as string });
    expect(await next({ limits: { connections: 3 } })).toEqual(['limits.max_connections']);
    expect(await (await client()).stat('')).toMatchObject({ kind: 'folder' });
    goOn();
    expect(await put).toMatchObject({ bytes: 7, failure: undefined });
    expect(await next({ limits: { connections: 1 } })).toEqual(['limits.max_connections']);
    expect(await first.stat('text')).toMatchObject({ size: 7 }); // who is inside stays
  });

  test('shows who comes then the new certificate, with the same key, while a transfer runs on through it', async () => {
    const shown = async (localAddress = '127.0.0.1'): Promise<{ serialNumber: string; name: string; key: string }> => {
      const socket = connectTls({ socket: connectTcp({ host: '127.0.0.1', port: port(), localAddress }), ALPNProtocols: ['wherry/1'], minVersion: 'TLSv1.3', rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      const { serialNumber, subject, publicKey } = socket.getPeerX509Certificate()!;
      socket.destroy();
      return { serialNumber, name: subject, key: publicKey.export({ type: 'spki', format: 'pem' }) as string };
    };
    const { next } = await start({ workers, name: 'before' });
    const first = await client();
    const before = await shown();
    let goOn!: () => void;
    const reloaded = new Promise<void>((resolve) => { goOn = resolve; });
    async function* slowly(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('one ');
      await reloaded;
      yield Buffer.from('two');
    }
    const put = first.putStream(slowly(), 'text');
    expect(await next({ name: 'after' })).toEqual(['name']);
    // One address goes to one worker; elsewhere than on Linux a machine has only one of these.
    for (const from of process.platform === 'linux' ? ['127.0.0.1', '127.0.0.2'] : ['127.0.0.1']) {
      const after = await shown(from);
      expect(after).toMatchObject({ name: 'CN=after', key: before.key });
      expect(after.serialNumber).not.toBe(before.serialNumber);
    }
    goOn();
    expect([before.name, await put]).toMatchObject(['CN=before', { bytes: 7, failure: undefined }]);
  });

  test('gives who comes then the new time to sign in', async () => {
    const { next } = await start({ workers, limits: { signInMs: 3_600_000 } });
    expect(await next({ limits: { signInMs: 200 } })).toEqual(['limits.sign_in']);
    const socket = connectTls({ host: '127.0.0.1', port: port(), ALPNProtocols: ['wherry/1'], minVersion: 'TLSv1.3', rejectUnauthorized: false });
    socket.on('error', () => undefined);
    socket.resume();
    await closed(socket);
    await expect.poll(() => events, { timeout: 30_000 }).toContainEqual(expect.objectContaining({ event: 'disconnected', code: 'TIMEOUT' }));
  });

  test('gives who comes then the new time to say something at all', async () => {
    const { next } = await start({ workers, limits: { handshakeMs: 3_600_000 } });
    expect(await next({ limits: { handshakeMs: 200 } })).toEqual(['limits.handshake']);
    await ended();
    await expect.poll(() => events, { timeout: 30_000 }).toContainEqual(expect.objectContaining({ event: 'refused', code: 'TIMEOUT', reason: 'said nothing' }));
  });

  test('bans after fewer points, and lets in at once who is never banned now', async () => {
    const { next } = await start({ workers });
    expect(await next({ limits: { bans: { points: 3, pointsWhereKnown: 3 } } })).toEqual(['bans.points', 'bans.points_where_known']);
    await ended('no TLS at all\n');
    while (!events.some(({ event }) => event === 'banned')) await ended('no TLS at all\n'); // told by a worker a moment later
    await expect(client()).rejects.toMatchObject({ code: expect.stringMatching(/^(?:CONNECT|LOST|LIMIT)$/) as string });
    expect(await next({ limits: { bans: { points: 3, pointsWhereKnown: 3 }, neverBanned: ['127.0.0.0/8'] } })).toEqual(['bans.never']);
    expect(await (await client()).stat('')).toMatchObject({ kind: 'folder' });
  });

  test('sets the rate of accounts that have none of their own', async () => {
    const { next } = await start({ workers });
    expect(await next({ accountRate: 1 << 20 })).toEqual(['rates.account']);
    await writeFile(join(folder, 'two'), Buffer.alloc(2 << 20, 'x'));
    const slow = await client();
    const began = performance.now();
    expect(await slow.put(join(folder, 'two'), 'two')).toMatchObject({ failed: 0 });
    // 2 MiB at 1 MiB a second, less what may come at once: never sooner, however fast the machine is.
    expect(performance.now() - began).toBeGreaterThan(1000);
    expect(await next({})).toEqual(['rates.account']);
  });

  test('changes nothing when one key needs a start', async () => {
    const { next } = await start({ workers, limits: { connections: 5 } });
    await expect(next({ limits: { connections: 6 }, audit: false, memory: 64 << 20 })).rejects.toMatchObject({ code: 'USAGE', message: 'audit, limits.memory cannot change while the server runs: nothing was changed' });
    expect(events).toContainEqual(expect.objectContaining({ event: 'warning', message: expect.stringContaining('all is as before') as string }));
    expect(await next({ limits: { connections: 6 } })).toEqual(['limits.max_connections']);
  });
});

test('an address that cannot be had, and a key that cannot change, are told with their place in the file', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const mine = { listen: ['127.0.0.1:0'], state: join(folder, 'state') };
  let options: ServeOptions = { ...mine, listen: [`127.0.0.1:${(taken.address() as AddressInfo).port}`] };
  const reread = async () => ({ dir: join(folder, 'share'), options, place: (key: string) => `file of ${key}` });
  server = await serve(join(folder, 'share'), { ...mine, reread, onEvent: (event) => events.push(event) });
  await expect(server.reload()).rejects.toMatchObject({ code: 'CONNECT', message: expect.stringMatching(/^file of listen: cannot listen on 127\.0\.0\.1/) as string });
  expect(events.at(-1)).toMatchObject({ event: 'warning', message: expect.stringContaining(': file of listen: cannot') as string });
  taken.close();
  options = { ...mine, metrics: '127.0.0.1:0' };
  await expect(server.reload()).rejects.toMatchObject({ code: 'USAGE', message: 'file of metrics.listen: metrics.listen cannot change while the server runs: nothing was changed' });
});
