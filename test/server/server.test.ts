import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connect as connectServer, join as joinServer } from '../../src/client/client.ts';
import { Failure } from '../../src/errors.ts';
import { fingerprint, keyFromSecret, parseFingerprint, pinOf, publicBytes } from '../../src/identity.ts';
import { askServer } from '../../src/server/admin.ts';
import { serve, type ServeOptions, type Server, type ServerEvent } from '../../src/server/server.ts';
import { decodeTicket } from '../../src/ticket.ts';

const containing = (part: string): unknown => expect.stringContaining(part);

let folder: string;
let share: string;
let running: Server[];
let events: ServerEvent[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-server-'));
  share = join(folder, 'share');
  await mkdir(share);
  [running, events] = [[], []];
});

afterEach(async () => {
  for (const server of running) await server.stop({ graceMs: 0 });
  await rm(folder, { recursive: true });
});

async function start(options: ServeOptions = {}): Promise<Server> {
  const server = await serve(share, { listen: ['127.0.0.1:0'], state: join(folder, 'state'), onEvent: (event) => events.push(event), ...options });
  running.push(server);
  return server;
}

const failureOf = (attempt: Promise<unknown>): Promise<Failure> =>
  attempt.then(() => { throw new Error('it started'); }, (error: unknown) => {
    if (error instanceof Failure) return error;
    throw error;
  });

const portOf = (address: string): number => Number(address.slice(address.lastIndexOf(':') + 1));

/** The pin of the key that answers a TLS 1.3 handshake there. */
async function pinAt(address: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port: portOf(address), ALPNProtocols: ['wherry/1'], minVersion: 'TLSv1.3', rejectUnauthorized: false });
  try {
    await once(socket, 'secureConnect');
    return fingerprint(pinOf(socket.getPeerX509Certificate()!));
  } finally {
    socket.destroy();
  }
}

describe('a server that starts', () => {
  test('says where it listens, who it is, and how to join', async () => {
    const server = await start();
    expect(server.addresses).toHaveLength(1);
    expect(server.addresses[0]).toMatch(/^127\.0\.0\.1:[1-9]\d+$/);
    expect(events.filter(({ event }) => event === 'listening')).toEqual([{ event: 'listening', address: server.addresses[0], fingerprint: server.fingerprint, ticket: server.ticket, reachable: server.reachable }]);
    expect(server.reachable.map(({ address, kind, inTicket }) => ({ address, kind, inTicket }))).toEqual([{ address: server.addresses[0], kind: 'loopback', inTicket: true }]);
  });

  test('gives a ticket with its address and the start of its pin', async () => {
    const server = await start();
    const { addresses, pin } = decodeTicket(server.ticket);
    expect(addresses).toEqual([{ host: '127.0.0.1', port: portOf(server.addresses[0]!) }]);
    expect(pin).toEqual(parseFingerprint(server.fingerprint).subarray(0, 16));
  });

  test('answers with the key that it says', async () => {
    const server = await start();
    expect(await pinAt(server.addresses[0]!)).toBe(server.fingerprint);
  });

  test('keeps its key and its devices for its owner only, and nothing of its own in the served folder but the staging folder', async () => {
    const server = await start();
    expect(server.state).toContain('state');
    expect((await stat(server.state)).mode & 0o777).toBe(0o700);
    for (const name of ['server.key', 'accounts.json', 'admin.sock']) expect((await stat(join(server.state, name))).mode & 0o777, name).toBe(0o600);
    expect((await readdir(share)).filter((name) => name !== '.wherry')).toEqual([]);
  });

  test('writes no secret of a ticket to its state', async () => {
    const server = await start();
    const { secret } = decodeTicket(server.ticket);
    const book = await readFile(join(server.state, 'accounts.json'), 'utf8');
    expect(book).toContain(Buffer.from(publicBytes(keyFromSecret(secret, 'invite'))).toString('base64url'));
    for (const encoding of ['hex', 'base64url', 'base64'] as const) expect(book).not.toContain(Buffer.from(secret.reveal()).toString(encoding).replace(/=+$/, ''));
  });

  test('is the same server after a restart', async () => {
    const first = await start();
    await first.stop();
    const second = await start();
    expect(second.fingerprint).toBe(first.fingerprint);
    expect(second.ticket).not.toBe(first.ticket);
  });

  test('listens at every address it was given', async () => {
    const server = await start({ listen: ['127.0.0.1:0', 'localhost:0'] });
    expect(server.addresses).toHaveLength(2);
    expect(decodeTicket(server.ticket).addresses.map(({ port }) => port)).toEqual(server.addresses.map(portOf));
    expect(events.find(({ event }) => event === 'listening')).toMatchObject({ addresses: server.addresses });
  });

  test('is not harmed by a listener that throws', async () => {
    const server = await start({ onEvent: () => { throw new Error('a bug of the caller'); } });
    expect(await pinAt(server.addresses[0]!)).toBe(server.fingerprint);
  });
});

describe('a server that cannot start says why, and leaves nothing open', () => {
  test('for a folder that is not there, or none', async () => {
    await writeFile(join(folder, 'file'), '');
    expect(await failureOf(serve(join(folder, 'none')))).toMatchObject({ code: 'NOTFOUND' });
    expect(await failureOf(serve(join(folder, 'file')))).toMatchObject({ code: 'NOTDIR' });
  });

  test('for a port in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const failure = await failureOf(start({ listen: [`127.0.0.1:${port}`] }));
    other.close();
    expect(failure).toMatchObject({ code: 'CONNECT', hint: containing('--listen') });
    await start({ listen: [`127.0.0.1:${port}`] });
  });

  test('for a state folder on which another one runs, which goes on', async () => {
    const first = await start();
    expect(await failureOf(start())).toMatchObject({ code: 'BUSY' });
    expect(await pinAt(first.addresses[0]!)).toBe(first.fingerprint);
  });

  test('for a book of devices that is broken', async () => {
    await mkdir(join(folder, 'state'), 0o700);
    await writeFile(join(folder, 'state/accounts.json'), '{', { mode: 0o600 });
    expect(await failureOf(start())).toMatchObject({ code: 'IO', path: containing('accounts.json') });
    await rm(join(folder, 'state/accounts.json'));
    await start();
  });

  test.skipIf(process.platform === 'win32')('for a state folder that others may look into, but an empty one, which is closed to them', async () => {
    const state = join(folder, 'state');
    await mkdir(state);
    await chmod(state, 0o755);
    const server = await start();
    expect((await stat(state)).mode & 0o777).toBe(0o700);
    await server.stop({ graceMs: 0 });
    await chmod(state, 0o755);
    expect(await failureOf(start())).toMatchObject({ code: 'IO', path: state, hint: `type: chmod 700 '${state}'` });
    await chmod(state, 0o700);
    await start();
  });

  test.skipIf(process.platform === 'win32')('for an audit that others may look into or change, in itself or in what it leads to', async () => {
    await (await start()).stop({ graceMs: 0 });
    const state = join(folder, 'state');
    const audit = join(state, 'audit');
    const file = join(audit, (await readdir(audit))[0]!);
    for (const [path, mode, right] of [[audit, 0o704, 0o700], [audit, 0o710, 0o700], [file, 0o666, 0o600], [file, 0o640, 0o600]] as const) {
      await chmod(path, mode);
      expect(await failureOf(start()), `${path} ${mode.toString(8)}`).toMatchObject({ code: 'IO', path, hint: `type: chmod ${right.toString(8)} '${path}'` });
      await chmod(path, right);
    }
    await rename(audit, join(folder, 'elsewhere'));
    await symlink(join(folder, 'elsewhere'), audit);
    await chmod(join(folder, 'elsewhere'), 0o755);
    expect(await failureOf(start())).toMatchObject({ code: 'IO', path: audit });
    await chmod(join(folder, 'elsewhere'), 0o700);
    await (await start()).stop({ graceMs: 0 });
    for (let index = 0; index < 1000; index += 1) await writeFile(join(audit, `${index}`), '', { mode: 0o600 });
    expect(await failureOf(start())).toMatchObject({ code: 'LIMIT', path: audit });
  });

  test.skipIf(process.geteuid?.() !== 0)('for an audit that belongs to somebody else, or has something of theirs in it', async () => {
    await (await start()).stop({ graceMs: 0 });
    const audit = join(folder, 'state', 'audit');
    for (const path of [audit, join(audit, (await readdir(audit))[0]!)]) {
      await chown(path, 12_345, 0);
      expect(await failureOf(start())).toMatchObject({ code: 'IO', path, hint: `type: chown 0 '${path}'` });
      await chown(path, 0, 0);
    }
    await start();
  });

  test('when it was cancelled before', async () => {
    expect((await failureOf(start({ signal: AbortSignal.abort() }))).code).toBe('CANCELLED');
  });
});

describe('the owner of a server', () => {
  test('gets further tickets, each another one', async () => {
    const server = await start();
    const tickets = [server.ticket, await server.invite(), await server.invite({ role: 'drop', forMs: 1000 }), (await askServer(server.state, { verb: 'invite', role: 'ro' })).ticket];
    expect(new Set(tickets.map((ticket) => Buffer.from(decodeTicket(ticket).secret.reveal()).toString('hex'))).size).toBe(4);
    await expect(server.invite({ forMs: 0 })).rejects.toMatchObject({ code: 'USAGE' });
  });

  test('gets tickets with the rights of the first one when nothing else is said', async () => {
    const server = await start({ role: 'drop' });
    expect((await askServer(server.state, { verb: 'invite' })).role).toBe('drop');
  });

  test('ends the open session of a device by revoking it, and the device does not come back', async () => {
    const server = await start();
    const home = join(folder, 'home');
    await writeFile(join(share, 'file'), 'text');
    const { account } = await joinServer({ ticket: server.ticket, home });
    await expect(joinServer({ ticket: server.ticket, home: join(folder, 'other') })).rejects.toMatchObject({ code: 'AUTH', message: containing('already used') });
    const { devices } = await askServer(server.state, { verb: 'devices list' });
    expect(devices.map(({ name, rights }) => [name, rights])).toEqual([[account, 'rw']]);

    await using client = await connectServer({ home });
    expect(await client.stat('file')).toMatchObject({ size: 4 });
    await askServer(server.state, { verb: 'devices revoke', name: account });
    await expect(client.stat('file')).rejects.toMatchObject({ code: 'AUTH' });
    await expect(connectServer({ home })).rejects.toMatchObject({ code: 'AUTH' });
  });

  test('sees the devices, and is told when one is not there', async () => {
    const server = await start();
    expect(await askServer(server.state, { verb: 'devices list' })).toEqual({ devices: [] });
    await expect(askServer(server.state, { verb: 'devices revoke', name: 'nobody' })).rejects.toMatchObject({ code: 'NOTFOUND' });
  });
});

describe('a server that stops', () => {
  test('closes its port and its socket, and says so once', async () => {
    const server = await start();
    await Promise.all([server.stop(), server.stop(), server[Symbol.asyncDispose]()]);
    expect(events.filter(({ event }) => event === 'stopping' || event === 'stopped').map(({ event }) => event)).toEqual(['stopping', 'stopped']);
    await expect(pinAt(server.addresses[0]!)).rejects.toThrow();
    await expect(askServer(server.state, { verb: 'devices list' })).rejects.toMatchObject({ code: 'CONNECT' });
  });

  test('does so when its signal is given', async () => {
    const stopping = new AbortController();
    const stopped = new Promise<void>((resolve) => {
      void start({ signal: stopping.signal, onEvent: ({ event }) => { if (event === 'stopped') resolve(); } }).then(() => stopping.abort());
    });
    await stopped;
  });
});

test.each([1, 2])('an address of IPv4 has the same form in every event, also where the server listens at every address, with %d process', async (workers) => {
  const server = await start({ listen: [':0'], workers });
  const port = portOf(server.addresses[0]!);
  const socket = connectTcp(port, '127.0.0.1').on('error', () => undefined);
  await once(socket, 'connect');
  socket.resume().write('no TLS at all\n');
  await once(socket, 'close');
  await joinServer({ ticket: server.ticket, home: join(folder, 'home'), as: 'test' });
  await server.stop();
  const told = events.filter(({ event }) => ['connected', 'refused', 'signed-in', 'disconnected'].includes(event)).map(({ event, address }) => `${event} ${address as string}`);
  expect(told.join('\n')).not.toContain('::ffff:');
  expect(told).toContain('refused 127.0.0.1');
});
