import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Home, type KnownServer, openHome } from '../../src/client/trust.ts';
import { createKey, pinOf, publicBytes } from '../../src/identity.ts';

const containing = (part: string): unknown => expect.stringContaining(part);

let folder: string;
let home: Home;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-trust-'));
  home = await openHome(join(folder, 'home'));
});
afterEach(() => rm(folder, { recursive: true }));

const file = (): string => join(folder, 'home', 'servers.json');

function server(name: string, pin = pinOf(createKey())): KnownServer {
  return { name, pin, addresses: [{ host: '192.0.2.1', port: 9437 }], account: 'laptop', joined: '2030-01-01T00:00:00.000Z' };
}

describe('the home of a device', () => {
  test('has one key, for its owner only', async () => {
    const key = await home.deviceKey();
    expect(publicBytes(await (await openHome(home.path)).deviceKey())).toEqual(publicBytes(key));
    const modes = [home.path, join(home.path, 'device.key')].map(async (path) => (await stat(path)).mode & 0o777);
    expect(await Promise.all(modes)).toEqual([0o700, 0o600]);
  });

  test.each([
    ['$WHERRY_HOME', { WHERRY_HOME: 'a' }, 'a'],
    ['the XDG config folder', { WHERRY_HOME: '', XDG_CONFIG_HOME: 'b' }, 'b/wherry'],
    ['.config', { WHERRY_HOME: '', XDG_CONFIG_HOME: '', HOME: 'c' }, 'c/.config/wherry'],
  ])('is below %s when nothing else is said', async (_, variables, expected) => {
    const before = { ...process.env };
    try {
      for (const [name, value] of Object.entries(variables)) process.env[name] = value && join(folder, value);
      expect((await openHome()).path).toBe(join(folder, expected));
    } finally {
      for (const name of Object.keys(variables)) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
    }
  });
});

describe('a known server', () => {
  test('is found by its name, with what was stored', async () => {
    const nas = server('nas');
    await home.remember(nas);
    await home.remember(server('office'));
    expect(await (await openHome(home.path)).find('nas')).toEqual(nas);
  });

  test('is the default when it was the first', async () => {
    expect(await home.remember(server('nas'))).toEqual({ name: 'nas', isDefault: true });
    expect(await home.remember(server('office'))).toEqual({ name: 'office', isDefault: false });
    expect((await home.find()).name).toBe('nas');
    expect((await home.servers()).map(({ name, isDefault }) => [name, isDefault])).toEqual([['nas', true], ['office', false]]);
  });

  test('with a name that another one has gets a number', async () => {
    await home.remember(server('nas'));
    expect((await home.remember(server('nas'))).name).toBe('nas-2');
    expect((await home.remember(server('nas'))).name).toBe('nas-3');
    const long = 'n'.repeat(64);
    await home.remember(server(long));
    expect((await home.remember(server(long))).name).toBe(`${'n'.repeat(62)}-2`);
  });

  test('with the same key is the same server, updated in its place', async () => {
    const first = server('nas');
    await home.remember(first);
    await home.remember(server('office'));
    expect(await home.remember({ ...first, name: 'attic', account: 'phone' })).toEqual({ name: 'attic', isDefault: true, before: 'nas' });
    expect((await home.servers()).map(({ name, account }) => [name, account])).toEqual([['attic', 'phone'], ['office', 'laptop']]);
  });

  test('keeps its name when none was chosen, also one that another server would have', async () => {
    const first = server('nas');
    await home.remember(first);
    await home.remember(server('vm'));
    expect(await home.remember({ ...first, name: 'vm', account: 'phone' }, { keepName: true })).toEqual({ name: 'nas', isDefault: true, before: 'nas' });
    expect(await home.remember(server('vm'), { keepName: true })).toEqual({ name: 'vm-2', isDefault: false, before: undefined });
    expect((await home.servers()).map(({ name, account }) => [name, account])).toEqual([['nas', 'phone'], ['vm', 'laptop'], ['vm-2', 'laptop']]);
  });

  test('remembered with others at the same moment is not lost', async () => {
    await Promise.all(Array.from({ length: 20 }, () => home.remember(server('nas'))));
    expect(new Set((await home.servers()).map(({ name }) => name)).size).toBe(20);
  });

  test('that is forgotten gives the default to the next', async () => {
    await home.remember(server('nas'));
    await home.remember(server('office'));
    await home.forget('nas');
    expect((await home.find()).name).toBe('office');
    await home.forget('office');
    await expect(home.find()).rejects.toMatchObject({ code: 'NOTFOUND' });
    await expect(home.forget('office')).rejects.toMatchObject({ code: 'NOTFOUND' });
  });

  test('that is not known is told with what to type', async () => {
    await expect(home.find()).rejects.toMatchObject({ code: 'NOTFOUND', hint: containing('wherry join') });
    await home.remember(server('nas'));
    await expect(home.find('office')).rejects.toMatchObject({ code: 'NOTFOUND', hint: containing('nas') });
  });

  test.each(['', 'a b', '../x', 'a:b', 'x'.repeat(65), 'é', '\u001b[31m'])('cannot be named %j', async (name) => {
    await expect(home.remember(server(name))).rejects.toMatchObject({ code: 'USAGE' });
    await expect(home.find(name)).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('the file of known servers', () => {
  const entry = { name: 'nas', addresses: [{ host: 'a', port: 1 }], pin: Buffer.alloc(32).toString('base64url'), account: 'a', joined: 'b' };

  test('is for its owner only, and has pins as text', async () => {
    await home.remember({ ...server('nas'), pin: new Uint8Array(32) });
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(file(), 'utf8'))).toMatchObject({ default: 'nas', servers: [{ name: 'nas', pin: 'A'.repeat(43) }] });
  });

  test.each([
    ['not JSON', '{'], ['nothing', 'null'], ['no list', '{}'], ['a default that is missing', JSON.stringify({ default: 'x', servers: [entry] })],
    ['a short pin', JSON.stringify({ servers: [{ ...entry, pin: 'AAAA' }] })], ['a bad name', JSON.stringify({ servers: [{ ...entry, name: '../x' }] })],
    ['an address without a port', JSON.stringify({ servers: [{ ...entry, addresses: [{ host: 'a' }] }] })], ['an entry that is null', '{"servers":[null]}'],
  ])('with %s is reported by name and never overwritten', async (_, text) => {
    await writeFile(file(), text, { mode: 0o600 });
    await expect(home.remember(server('nas'))).rejects.toMatchObject({ code: 'IO', path: file() });
    await expect(home.find('nas')).rejects.toMatchObject({ code: 'IO', path: file() });
    expect(await readFile(file(), 'utf8')).toBe(text);
  });
});
