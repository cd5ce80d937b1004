import { once } from 'node:events';
import { chmod, link, mkdir, mkdtemp, readdir, realpath, rm, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { askServer, openAdmin } from '../../src/server/admin.ts';
import { announce, runningServers } from '../../src/server/running.ts';

let folder: string;
let servers: string;
let open: AsyncDisposable[];

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'wherry-running-')));
  servers = join(folder, 'home/servers');
  open = [];
});

afterEach(async () => {
  for (const one of open.reverse()) await one[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** A server's socket in a state folder, announced as a server does. */
async function start(name: string): Promise<{ state: string; stop(): Promise<void> }> {
  const state = join(folder, name);
  await mkdir(state, { recursive: true });
  const parts = [await openAdmin(state, async () => ({ devices: [] })), await announce(servers, state)];
  open.push(...parts);
  return { state, async stop() { for (const part of parts.toReversed()) await part[Symbol.asyncDispose](); } };
}

/** A socket's name without a listener: what is left of a server that was killed. */
async function killed(name: string): Promise<void> {
  const state = join(folder, name);
  await mkdir(state, { recursive: true });
  const left = createServer();
  left.listen(join(state, 'left.sock'));
  await once(left, 'listening');
  await link(join(state, 'left.sock'), join(state, 'admin.sock'));
  left.close();
  await once(left, 'close');
  await announce(servers, state);
}

const ask = (): Promise<unknown> => askServer(undefined, { verb: 'devices list' }, { WHERRY_HOME: join(folder, 'home') });

describe('a server with a state folder of its own choice', () => {
  test('is found while it runs, and leaves nothing when it has stopped', async () => {
    const server = await start('elsewhere');
    expect(await runningServers(servers)).toEqual([server.state]);
    expect(await ask()).toEqual({ devices: [] });
    await server.stop();
    expect(await readdir(servers)).toEqual([]);
    await expect(ask()).rejects.toMatchObject({ code: 'CONNECT' });
  });

  test('is named beside others, with what to type', async () => {
    const [one, two] = [await start('one'), await start('home/servers/two')];
    await expect(ask()).rejects.toMatchObject({ code: 'USAGE', message: '2 servers of yours are running on this machine', hint: `add ${[one, two].map(({ state }) => `--state ${state}`).toSorted().join('; ')}` });
    expect((await runningServers(servers)).toSorted()).toEqual([two.state, one.state].toSorted());
  });

  test('that was killed is not found, and its link goes; those that run keep theirs', async () => {
    const server = await start('alive');
    await killed('dead');
    await symlink(join(folder, 'never'), join(servers, '0000.gone.at'));
    expect(await readdir(servers)).toHaveLength(3);
    expect(await runningServers(servers)).toEqual([server.state]);
    expect(await readdir(servers)).toHaveLength(1);
    expect(await runningServers(servers)).toEqual([server.state]);
  });

  test('that was killed and started again is found once', async () => {
    await killed('again');
    const server = await start('again');
    expect(await readdir(servers)).toHaveLength(1);
    expect(await runningServers(servers)).toEqual([server.state]);
  });
});

test('a server in the usual place needs no link', async () => {
  const server = await start('home/servers/usual');
  expect(await readdir(servers)).toEqual(['usual']);
  expect(await runningServers(servers)).toEqual([server.state]);
});

test('a folder in which others could leave links is refused', async () => {
  await mkdir(servers, { recursive: true });
  await mkdir(join(folder, 'state'));
  await chmod(servers, 0o777);
  await expect(announce(servers, join(folder, 'state'))).rejects.toMatchObject({ code: 'IO' });
});
