/** What a running server tells about itself: over HTTP, over its socket, and in its audit. Real servers, sockets and files. */
import { mkdir, mkdtemp, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect as connectTcp } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connect, join as joinServer } from '../../src/client/client.ts';
import type { Client } from '../../src/client/api.ts';
import { askServer } from '../../src/server/admin.ts';
import { filesOf } from '../../src/server/audit/folder.ts';
import type { AuditRecord } from '../../src/server/audit/record.ts';
import { recordsOf, verifyAudit } from '../../src/server/audit/verify.ts';
import { serve, type ServeOptions, type Server } from '../../src/server/server.ts';
import { parseMetrics } from './metrics/strict.ts';
import { closed } from '../closed.ts';

let folder: string;
let share: string;
let state: string;
let home: string;
let server: Server;
let clients: Client[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-watch-'));
  [share, state, home] = [join(folder, 'share'), join(folder, 'state'), join(folder, 'home')];
  await mkdir(share);
  await writeFile(join(share, 'old.txt'), 'old');
  clients = [];
});

afterEach(async () => {
  for (const client of clients) await client.close();
  await server?.stop({ graceMs: 0 });
  await rm(folder, { recursive: true });
});

async function start(options: ServeOptions = {}): Promise<void> {
  server = await serve(share, { listen: ['127.0.0.1:0'], state, metrics: '127.0.0.1:0', ...options });
}

async function joined(): Promise<Client> {
  await joinServer({ ticket: server.ticket, home, as: 'test' });
  const client = await connect({ home });
  clients.push(client);
  return client;
}

interface Got { readonly status: number; readonly type: string; readonly text: string }

async function get(path: string, { method = 'GET', host }: { method?: string; host?: string } = {}): Promise<Got> {
  const [, address, port] = /^(.*):(\d+)$/.exec(server.metricsAddress!)!;
  const asked = request({ host: address!, port: Number(port), path, method, agent: false, ...(host !== undefined && { headers: { Host: host } }) });
  asked.end();
  const [response] = await once(asked, 'response') as [import('node:http').IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return { status: response.statusCode!, type: response.headers['content-type'] ?? '', text: Buffer.concat(chunks).toString() };
}

async function valueOf(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number | undefined> {
  const samples = parseMetrics((await get('/metrics')).text).get(name)?.samples ?? [];
  return samples.find((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))?.value;
}

async function audited(): Promise<AuditRecord[]> {
  const all: AuditRecord[] = [];
  for await (const { record } of recordsOf(await filesOf(join(state, 'audit')))) all.push(record);
  return all;
}

describe('metrics', () => {
  test('count connections, sign-ins, actions and bytes, without a name of anybody or anything', async () => {
    await start();
    const client = await joined();
    await writeFile(join(folder, 'new-name.bin'), Buffer.alloc(100_000, 7));
    await client.put(join(folder, 'new-name.bin'));
    await client.get('old.txt', join(folder, 'fetched'));
    await expect(client.change('none', 'other')).rejects.toMatchObject({ code: 'NOTFOUND' });
    expect(await valueOf('wherry_connections')).toBe(1);
    expect(await valueOf('wherry_connections_total')).toBe(2);
    expect(await valueOf('wherry_enrolments_total')).toBe(1);
    expect(await valueOf('wherry_sign_ins_total', { outcome: 'ok' })).toBe(2);
    expect(await valueOf('wherry_file_bytes_total', { direction: 'in' })).toBe(100_000);
    expect(await valueOf('wherry_file_bytes_total', { direction: 'out' })).toBe(3);
    expect(await valueOf('wherry_transfers_total', { direction: 'in', outcome: 'ok' })).toBe(1);
    expect(await valueOf('wherry_actions_total', { verb: 'move', outcome: 'NOTFOUND' })).toBe(1);
    expect(await valueOf('wherry_audit_up')).toBe(1);
    expect(await valueOf('process_resident_memory_bytes')).toBeGreaterThan(1 << 20);
    const { text, type } = await get('/metrics');
    expect(type).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(text).not.toMatch(/new-name|old\.txt|127\.0\.0\.1/);
  });

  test('are the same over the socket of the owner', async () => {
    await start({ metrics: undefined });
    expect(server.metricsAddress).toBeUndefined();
    const { text } = await askServer(state, { verb: 'metrics' });
    expect(parseMetrics(text).get('wherry_build_info')!.samples).toHaveLength(1);
  });

  test('count each sign-in that was refused, by its code, though the log tells of many as one', async () => {
    await start();
    await joined();
    for (let tries = 1; tries <= 5; tries += 1) await expect(joinServer({ ticket: server.ticket, home: join(folder, 'other') })).rejects.toMatchObject({ code: 'AUTH' });
    expect(await valueOf('wherry_sign_ins_total', { outcome: 'AUTH' })).toBe(5);
    expect(await valueOf('wherry_connections_total')).toBe(2 + 5);
  });

  test('have the memory of each worker, and count what is done at all of them', async () => {
    await start({ workers: 2 });
    const client = await joined();
    await client.get('old.txt', join(folder, 'fetched'));
    // Workers tell in their own time what they have done and hold.
    await expect.poll(() => valueOf('wherry_file_bytes_total', { direction: 'out' }), { timeout: 30_000 }).toBe(3);
    await expect.poll(async () => parseMetrics((await get('/metrics')).text).get('wherry_worker_resident_memory_bytes')!.samples.map(({ labels }) => labels['worker']), { timeout: 30_000 }).toEqual(['1', '2']);
  });
});

describe('the listener', () => {
  test('says that the process lives and is ready, and what is in the way when it is not', async () => {
    await start();
    expect(await get('/healthz')).toMatchObject({ status: 200, text: 'ok\n' });
    expect(await get('/readyz')).toMatchObject({ status: 200 });
    await rename(share, `${share}.away`);
    const unready = await get('/readyz?verbose');
    expect(unready.status).toBe(503);
    expect(unready.text).toContain('not ok folder: the served folder is not the one that was there at the start: there is none now');
    expect(await askServer(state, { verb: 'health' })).toMatchObject({ ready: false });
    await mkdir(share);
    expect((await get('/readyz')).text).toMatch(/not ok folder: .*: another one stands in its place \(device and inode \d+:\d+, at the start \d+:\d+\)/);
    await rmdir(share);
    expect((await get('/healthz')).status).toBe(200);
    await rename(`${share}.away`, share);
    expect(await askServer(state, { verb: 'health' })).toMatchObject({ ready: true });
  });

  test('hears by itself that another folder stands there, and tells the log, once each time', async () => {
    const warnings: string[] = [];
    await start({ onEvent: ({ event, message }) => { if (event === 'warning') warnings.push(message as string); } });
    expect(await valueOf('wherry_folder_up')).toBe(1);
    warnings.length = 0;
    await rename(share, `${share}.away`);
    await mkdir(share);
    await expect.poll(() => valueOf('wherry_folder_up'), { timeout: 30_000 }).toBe(0);
    await get('/readyz');
    await rmdir(share);
    await rename(`${share}.away`, share);
    await expect.poll(() => valueOf('wherry_folder_up'), { timeout: 30_000 }).toBe(1);
    expect(warnings.filter((message) => message.includes('folder'))).toEqual([expect.stringMatching(/another one stands in its place .*requests fail until it is back/), 'the served folder is there again']);
  });

  test('does not take another folder for the right one after a reload', async () => {
    const options = { listen: ['127.0.0.1:0'], state, metrics: '127.0.0.1:0' };
    await start({ ...options, reread: async () => ({ dir: share, options: { ...options, name: 'renamed' } }) });
    await rename(share, `${share}.away`);
    await mkdir(share);
    expect(await server.reload()).toEqual(['name']);
    expect(await askServer(state, { verb: 'health' })).toMatchObject({ ready: false });
    await expect((await joined()).stat('old.txt')).rejects.toMatchObject({ code: 'IO', retry: true });
  });

  test.each([
    ['another method', '/metrics', { method: 'POST' }, 405],
    ['HEAD', '/metrics', { method: 'HEAD' }, 405],
    ['another path', '/', {}, 404],
    ['a name that somebody made to lead here', '/metrics', { host: 'evil.example' }, 421],
    ['such a name with a port', '/metrics', { host: 'evil.example:9438' }, 421],
    ['an address inside of a name', '/metrics', { host: '127.0.0.1.evil.example' }, 421],
  ])('refuses %s', async (_what, path, options, status) => {
    await start();
    const got = await get(path, options);
    expect(got.status).toBe(status);
    expect(got.text).not.toContain('wherry_');
  });

  test.each(['127.0.0.1', 'localhost', 'LOCALHOST:9438', '[::1]:9438'])('answers to %s', async (host) => {
    await start();
    expect((await get('/healthz', { host })).status).toBe(200);
  });

  test('closes what it was sent that is no HTTP, or far too long', async () => {
    await start();
    const [, host, port] = /^(.*):(\d+)$/.exec(server.metricsAddress!)!;
    for (const text of ['\u0016\u0003\u0001\r\n\r\n', `GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`]) {
      const socket = connectTcp({ host: host!, port: Number(port) });
      socket.on('error', () => {});
      socket.resume().write(text);
      await closed(socket);
    }
    expect((await get('/healthz')).status).toBe(200);
  });

  test.each(['0.0.0.0:0', ':::0', '[::]:0', '192.168.1.5', 'example.org:9438', '128.0.0.1:1'])('is not opened at %s, which others reach, unless that is asked for by its name', async (metrics) => {
    await expect(start({ metrics })).rejects.toMatchObject({ code: 'USAGE' });
  });

  test('listens for everybody when that is asked for, and is gone with the server', async () => {
    await start({ metrics: '0.0.0.0:0', metricsFromAnywhere: true });
    expect(server.metricsAddress).toMatch(/^0\.0\.0\.0:\d+$/);
    const port = Number(/\d+$/.exec(server.metricsAddress!)![0]);
    await server.stop({ graceMs: 0 });
    const socket = connectTcp({ host: '127.0.0.1', port });
    await expect(once(socket, 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe.each([1, 2])('the audit of a server with %i workers', (workers) => {
  test('has who did what, from the start to the stop, and verifies', async () => {
    await start({ workers });
    const client = await joined();
    await client.get('old.txt', join(folder, 'fetched'));
    await client.change('old.txt', 'new name.txt');
    await expect(client.remove('none')).rejects.toMatchObject({ code: 'NOTFOUND' });
    const [device] = (await askServer(state, { verb: 'devices list' })).devices;
    await askServer(state, { verb: 'invite', role: 'ro', forMs: 1000, name: 'other' });
    await expect(askServer(state, { verb: 'devices revoke', name: 'nobody' })).rejects.toMatchObject({ code: 'NOTFOUND' });
    await askServer(state, { verb: 'devices revoke', name: device!.name });
    await server.stop();
    const records = await audited();
    expect(records[0]).toMatchObject({ seq: 1, event: 'started', pid: process.pid });
    expect(records.at(-1)).toMatchObject({ event: 'stopped' });
    const account = device!.name;
    const peer = { account, address: '127.0.0.1', door: 'native', session: expect.any(Number) as number };
    expect(records).toContainEqual(expect.objectContaining({ event: 'enrolled', device: account, ...peer }));
    expect(records).toContainEqual(expect.objectContaining({ event: 'signed-in', method: 'device', ...peer }));
    const action = { event: 'action', ms: expect.any(Number) as number, ...peer };
    expect(records).toContainEqual(expect.objectContaining({ ...action, verb: 'read', path: 'old.txt', outcome: 'ok', bytes: 3 }));
    expect(records).toContainEqual(expect.objectContaining({ ...action, verb: 'move', path: 'old.txt', to: 'new name.txt', outcome: 'ok' }));
    expect(records).toContainEqual(expect.objectContaining({ ...action, verb: 'remove', path: 'none', outcome: 'NOTFOUND' }));
    expect(records).toContainEqual(expect.objectContaining({ event: 'asked', verb: 'invite', values: { role: 'ro', forMs: 1000, name: 'other' }, outcome: 'ok' }));
    expect(records).toContainEqual(expect.objectContaining({ event: 'asked', verb: 'devices revoke', values: { name: 'nobody' }, outcome: 'NOTFOUND' }));
    expect(records).toContainEqual(expect.objectContaining({ event: 'revoked', device: account }));
    expect(await verifyAudit(await filesOf(join(state, 'audit')))).toMatchObject({ records: records.length, torn: 0, lost: 0, unfinished: 0, broken: undefined });
  });
});

test('no audit is kept where none is wanted', async () => {
  await start({ audit: false });
  expect(await valueOf('wherry_audit_up')).toBe(0);
  expect((await get('/readyz')).text).toContain('ok audit: there is none');
  await expect(readFile(join(state, 'audit'))).rejects.toMatchObject({ code: 'ENOENT' });
});
