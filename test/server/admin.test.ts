import { link, mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { askServer, openAdmin } from '../../src/server/admin.ts';
import type { AdminRequest } from '../../src/server/requests.ts';
import { closed } from '../closed.ts';

const containing = (part: string): unknown => expect.stringContaining(part);

let folder: string;
let state: string;
let open: AsyncDisposable[];
let asked: AdminRequest[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-admin-'));
  state = join(folder, 'servers/one');
  await mkdir(state, { recursive: true });
  [open, asked] = [[], []];
});

afterEach(async () => {
  for (const one of open) await one[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function start(where = state): Promise<AsyncDisposable> {
  const admin = await openAdmin(where, async (request) => {
    asked.push(request);
    if (request.verb === 'devices revoke') throw new Failure('NOTFOUND', `no device is named ${request.name}`, { hint: 'look' });
    return request.verb === 'devices list' ? { devices: [{ name: where, account: where, rights: 'rw', added: '2030-01-01' }] } : { ticket: 'wherry1-x', id: '0123456789ab', role: 'ro', expires: '2030-01-01' };
  });
  open.push(admin);
  return admin;
}

const env = (): NodeJS.ProcessEnv => ({ WHERRY_HOME: folder });

/** What the socket answers to these bytes. */
async function raw(bytes: string): Promise<string> {
  const socket = connect(join(state, 'admin.sock'));
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => undefined); // the server hangs up on what is too long
  socket.write(bytes);
  await new Promise((resolve) => { socket.on('close', resolve); });
  return Buffer.concat(chunks).toString();
}

describe('asking a running server', () => {
  test('gives its answer, and its failure as a failure', async () => {
    await start();
    expect(await askServer(state, { verb: 'invite', role: 'ro', forMs: 5 })).toEqual({ ticket: 'wherry1-x', id: '0123456789ab', role: 'ro', expires: '2030-01-01' });
    expect(asked).toEqual([{ verb: 'invite', role: 'ro', forMs: 5 }]);
    await expect(askServer(state, { verb: 'devices revoke', name: 'x' })).rejects.toMatchObject({ code: 'NOTFOUND', message: 'no device is named x', hint: 'look' });
  });

  test('needs no name when one is running', async () => {
    await mkdir(join(folder, 'servers/stopped'));
    await start();
    expect((await askServer(undefined, { verb: 'devices list' }, env())).devices[0]!.name).toBe(state);
  });

  test('asks for one when several are running', async () => {
    const other = join(folder, 'servers/two');
    await mkdir(other);
    await start();
    await start(other);
    const failure = await askServer(undefined, { verb: 'devices list' }, env()).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'USAGE', hint: containing('--state') });
    expect((failure as Failure).hint).toContain(other);
  });

  test('says when none is running, also where none ever was', async () => {
    await expect(askServer(undefined, { verb: 'devices list' }, env())).rejects.toMatchObject({ code: 'CONNECT' });
    await expect(askServer(undefined, { verb: 'devices list' }, { WHERRY_HOME: join(folder, 'none') })).rejects.toMatchObject({ code: 'CONNECT' });
    await expect(askServer(state, { verb: 'devices list' })).rejects.toMatchObject({ code: 'CONNECT', message: containing(state) });
  });
});

describe('the socket', () => {
  test('is for its owner only, and is gone when the server has stopped', async () => {
    const admin = await start();
    expect((await stat(join(state, 'admin.sock'))).mode & 0o777).toBe(0o600);
    expect(await readdir(state)).toEqual(['admin.sock']);
    await admin[Symbol.asyncDispose]();
    expect(await readdir(state)).toEqual([]);
  });

  test('belongs to one server: a second one is refused, and the first goes on', async () => {
    await start();
    await expect(start()).rejects.toMatchObject({ code: 'BUSY', retry: false });
    expect((await askServer(state, { verb: 'devices list' })).devices).toHaveLength(1);
  });

  test('of several that start at once belongs to one', async () => {
    const starts = await Promise.allSettled(Array.from({ length: 8 }, () => start()));
    expect(starts.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
    expect((await askServer(state, { verb: 'devices list' })).devices).toHaveLength(1);
  });

  test('left behind by a server that was killed is taken over', async () => {
    const left = createServer();
    left.listen(join(state, 'left.sock'));
    await once(left, 'listening');
    await link(join(state, 'left.sock'), join(state, 'admin.sock'));
    left.close();
    await once(left, 'close');
    await start();
    expect((await askServer(state, { verb: 'devices list' })).devices).toHaveLength(1);
  });

  test('is not kept from the next start by one that was killed while it started', async () => {
    await mkdir(join(state, 'starting'));
    await expect(start()).rejects.toMatchObject({ code: 'BUSY' });
    await utimes(join(state, 'starting'), 0, 0);
    await start();
  });

  test('under a path that is too long is refused with what to do', async () => {
    const long = join(folder, 'x'.repeat(100));
    await mkdir(long);
    await expect(start(long)).rejects.toMatchObject({ code: 'USAGE', hint: containing('--state') });
  });

  test.each<[string, string]>([
    ['nonsense', 'PROTOCOL'], ['null', 'PROTOCOL'], ['[]', 'PROTOCOL'], ['{"verb":"shutdown"}', 'PROTOCOL'], ['{"verb":"devices revoke"}', 'PROTOCOL'],
    ['{"verb":"invite","role":"root"}', 'USAGE'], ['{"verb":"invite","forMs":1e99}', 'USAGE'], ['{"verb":"invite","forMs":"1"}', 'USAGE'], ['{"verb":"invite","name":1}', 'USAGE'],
  ])('answers %s with a failure and does not ask the server', async (line, code) => {
    await start();
    expect(JSON.parse(await raw(`${line}\n`))).toMatchObject({ ok: false, code });
    expect(asked).toEqual([]);
  });

  test('does not keep a line without an end', async () => {
    await start();
    expect(await raw('x'.repeat(1 << 20))).not.toContain('"ok":true');
    expect(asked).toEqual([]);
    expect((await askServer(state, { verb: 'devices list' })).devices).toHaveLength(1);
  });

  test('goes with everyone on it when the server stops', async () => {
    const admin = await start();
    const socket = connect(join(state, 'admin.sock'));
    await once(socket, 'connect');
    socket.on('error', () => undefined);
    const end = closed(socket);
    await admin[Symbol.asyncDispose]();
    await end;
  });

  test('that is an ordinary file is replaced', async () => {
    await writeFile(join(state, 'admin.sock'), '');
    await start();
    expect((await askServer(state, { verb: 'devices list' })).devices).toHaveLength(1);
  });
});
