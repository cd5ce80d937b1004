/** The server as a program uses it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, join as enrol, serve, type ServerEvent } from '../../src/index.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'wherry-serve-'));
  mkdirSync(join(folder, 'served'));
  writeFileSync(join(folder, 'served/file'), 'content');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const options = (name: string) => ({ listen: ['127.0.0.1:0'], state: join(folder, name) });

test('a program serves a folder, invites with fewer rights, and is told what happens', async () => {
  const events: ServerEvent[] = [];
  await using server = await serve(join(folder, 'served'), { ...options('told'), onEvent: (event) => events.push(event) });
  expect(server.addresses[0]).toMatch(/^127\.0\.0\.1:\d+$/);
  expect(server.fingerprint).toMatch(/^sha256:/);
  const joined = await enrol({ ticket: await server.invite({ role: 'ro', forMs: 60_000 }), home: join(folder, 'reader'), as: 'told' });
  expect(joined).toMatchObject({ name: 'told', fingerprint: server.fingerprint, rights: ['list', 'read'], isDefault: true });
  {
    await using client = await connect({ home: join(folder, 'reader') });
    await expect(client.remove('file')).rejects.toMatchObject({ code: 'DENIED', who: 'rule' });
    expect((await client.stat('file'))?.size).toBe(7);
  }
  const names = events.map(({ event }) => event);
  for (const name of ['listening', 'invited', 'enrolled', 'signed-in', 'action'] as const) expect(names).toContain(name);
  expect(events.find(({ event, outcome }) => event === 'action' && outcome === 'DENIED')).toMatchObject({ verb: 'remove', path: 'file' });
});

test('the role of the first ticket can be chosen', async () => {
  await using server = await serve(join(folder, 'served'), { ...options('drop'), role: 'drop' });
  const { rights } = await enrol({ ticket: server.ticket, home: join(folder, 'dropper') });
  expect(rights).toEqual(['create', 'mkdir']);
});

test('an aborted signal stops it, and stop can be called again', async () => {
  const controller = new AbortController();
  const stopped: string[] = [];
  const server = await serve(join(folder, 'served'), { ...options('aborted'), signal: controller.signal, onEvent: ({ event }) => stopped.push(event) });
  controller.abort();
  await server.stop();
  expect(stopped.at(-1)).toBe('stopped');
});

test('two servers of one process stand side by side, and one state folder belongs to one of them', async () => {
  await using first = await serve(join(folder, 'served'), options('first'));
  await using second = await serve(join(folder, 'served'), options('second'));
  expect(first.addresses).not.toEqual(second.addresses);
  expect(first.fingerprint).not.toBe(second.fingerprint);
  await expect(serve(join(folder, 'served'), options('first'))).rejects.toMatchObject({ name: 'Failure' });
});

test('workers serve for it, and end with it', async () => {
  const events: ServerEvent[] = [];
  const server = await serve(join(folder, 'served'), { ...options('workers'), workers: 2, onEvent: (event) => events.push(event) });
  await enrol({ ticket: server.ticket, home: join(folder, 'worked for') });
  {
    await using client = await connect({ home: join(folder, 'worked for') });
    expect((await client.stat('file'))?.size).toBe(7);
  }
  await server.stop();
  await server.ended;
  const pids = events.filter(({ event }) => event === 'worker-started').map(({ pid }) => pid as number);
  expect(pids).toHaveLength(2);
  for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

test('a folder that is not there cannot be served', async () => {
  await expect(serve(join(folder, 'nothing'), options('none'))).rejects.toMatchObject({ code: 'NOTFOUND', who: 'here' });
});
