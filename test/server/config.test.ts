import { chmod, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { resolveConfig, type ServeOptions, serversFolder } from '../../src/server/config.ts';
import { parseListen, parseListens } from '../../src/server/listen.ts';

const containing = (part: string): unknown => expect.stringContaining(part);

let folder: string;
let share: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'wherry-config-')));
  share = join(folder, 'share');
  await mkdir(share);
});
afterEach(() => rm(folder, { recursive: true }));

const resolved = (options?: ServeOptions, dir = share): ReturnType<typeof resolveConfig> => resolveConfig(dir, options, { WHERRY_HOME: join(folder, 'home') });

describe('an address to listen at', () => {
  test.each([
    ['127.0.0.1:0', '127.0.0.1', 0], ['[::1]:9000', '::1', 9000], ['::1', '::1', 9437], ['[::]', '::', 9437], [':9000', undefined, 9000],
    ['9000', undefined, 9000], ['*:9000', undefined, 9000], ['localhost', 'localhost', 9437], ['nas.example.org:1', 'nas.example.org', 1], ['0.0.0.0:9437', '0.0.0.0', 9437],
  ])('%j is host %j and port %j', (text, host, port) => {
    expect(parseListen(text)).toEqual({ host, port });
  });

  test.each(['', 'a:b', 'host:', 'host:65536', 'host:-1', '[::1', '::1]:1', '[nas]:1', '[]:1', 'a:1:2', 'host:1e3', '65536', 'foo bar', '-x', 'a-:1', 'a..b', '300.1.1.1', '1.2.3', `${'a'.repeat(64)}:1`])('%j is refused', (text) => {
    expect(() => parseListen(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });

  test.each<[string[], number]>([
    [['127.0.0.1:1', '127.0.0.1:1'], 1], [[':1', '127.0.0.1:1'], 1], [['127.0.0.1:1', ':1'], 0], [['[::1]:1', '[::]:1'], 0], [['0.0.0.0:1', 'h:2', '127.0.0.1:1'], 2], [[':1', '*:1'], 1], [['Nas:1', 'nas:1'], 1],
  ])('%j has one that another one takes in: that at %d', (texts, at) => {
    expect(() => parseListens(texts)).toThrow(expect.objectContaining({ code: 'USAGE', path: texts[at] }));
  });

  test.each([[['127.0.0.1:0', '127.0.0.1:0']], [['127.0.0.1:1', '[::1]:1', 'nas:1']], [[':1', '127.0.0.1:2']], [['0.0.0.0:1', '[::1]:1']]])('%j can all be listened at', (texts) => {
    expect(parseListens(texts)).toHaveLength(texts.length);
  });
});

describe('a configuration', () => {
  test('has a default for everything, and cannot be changed', async () => {
    const config = await resolved();
    expect(config).toMatchObject({ dir: share, listen: [{ host: undefined, port: 9437 }], role: 'rw', graceMs: 10_000, similarNames: false, ticketMs: 600_000, workers: 1 });
    expect(Object.isFrozen(config)).toBe(true);
  });

  test('gives every folder a state of its own, the same each time and by every name of the folder', async () => {
    await mkdir(join(folder, 'other'));
    await symlink(share, join(folder, 'link'));
    const { state } = await resolved();
    expect(state).toMatch(/\/home\/servers\/[0-9a-f]{16}$/);
    expect((await resolved({}, join(folder, 'link'))).state).toBe(state);
    expect((await resolved({}, join(folder, 'other'))).state).not.toBe(state);
  });

  test('keeps the state below the data folder of the user', () => {
    expect(serversFolder({ WHERRY_HOME: '/h', XDG_DATA_HOME: '/d' })).toBe('/h/servers');
    expect(serversFolder({ XDG_DATA_HOME: '/d' })).toBe('/d/wherry/servers');
    expect(serversFolder({})).toMatch(/\.local\/share\/wherry\/servers$/);
  });

  test.each(['share', 'share/state', 'share/a/../state', 'link/state'])('never keeps the key where it would be served: %s', async (state) => {
    await symlink(share, join(folder, 'link'));
    await expect(resolved({ state: join(folder, state) })).rejects.toMatchObject({ code: 'USAGE', hint: containing('--state') });
  });

  test('may keep the state beside the folder, also under a name that starts alike', async () => {
    expect((await resolved({ state: join(folder, 'share-state') })).state).toBe(join(folder, 'share-state'));
    expect((await resolved({ state: join(folder, '..share') })).state).toBe(join(folder, '..share'));
  });

  test('needs a folder to serve', async () => {
    await writeFile(join(folder, 'file'), '');
    await expect(resolved({}, join(folder, 'none'))).rejects.toMatchObject({ code: 'NOTFOUND', message: containing('none') });
    await expect(resolved({}, join(folder, 'file'))).rejects.toMatchObject({ code: 'NOTDIR' });
  });

  test.skipIf(process.getuid?.() === 0)('needs a folder it may read (skipped for root, who may read all)', async () => {
    await chmod(share, 0o300);
    await expect(resolved()).rejects.toMatchObject({ code: 'DENIED' });
    await chmod(share, 0o700);
  });

  test('has as many workers as are asked for, or one for each processor up to eight', async () => {
    expect((await resolved({ workers: 32 })).workers).toBe(32);
    expect((await resolved({ workers: 'auto' })).workers).toBe(Math.min(availableParallelism(), 8));
  });

  test.each<[string, ServeOptions]>([
    ['no workers', { workers: 0 }], ['more workers than 32', { workers: 33 }], ['half a worker', { workers: 1.5 }],
    ['a role nobody knows', { role: 'toString' as 'rw' }], ['a grace below nothing', { graceMs: -1 }], ['a grace that is no number', { graceMs: NaN }],
    ['too many addresses', { listen: Array<string>(17).fill(':0') }], ['an address that is none', { listen: ['a:b'] }],
  ])('refuses %s', async (_, options) => {
    await expect(resolved(options)).rejects.toMatchObject({ code: 'USAGE' });
  });
});
