/** Who gets in, and for how long: rights that end while they are used, keys without a proof, weaker encryption, another server's key, and words that claim another address. */
import { once } from 'node:events';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Client, connect, join as enrol, serve, type ServeOptions } from '../../src/index.ts';
import { askServer } from '../../src/server/admin.ts';
import { createKey, EXPORTER_BYTES, EXPORTER_LABEL, pinOf, publicBytes, signProof } from '../../src/identity.ts';
import { openHome } from '../../src/client/trust.ts';
import { FrameDecoder, GREASE, MAX_BODY } from '../../src/wire/frame.ts';
import { decodeMessage, encodeMessage, kindOf, VERSION, type Message } from '../../src/wire/messages.ts';
import { placeOf, shake } from './raw.ts';
import { OWN_HOST, Rig } from './rig.ts';
import { contents, events, expectAlive, failureOf, staged, until } from './traces.ts';
import { noise } from './trees.ts';
import { closed } from '../closed.ts';

const MIB = 1 << 20;

describe.each([['one process', []], ['two workers', ['--workers', '2']]])('E7: at a server of %s, a download', (_, words) => {
  let rig: Rig;
  beforeAll(async () => {
    // At this rate it would go on for half a minute: it never ends by itself before it is ended.
    rig = await Rig.start({ serve: [...words, '--rate', `${8 * MIB}`] });
    await writeFile(join(rig.served, 'large'), noise(256 * MIB));
    for (const account of ['ann', 'bob', 'cat']) await owner('account', 'add', account, '--rights', 'rw');
  });
  afterAll(() => rig[Symbol.asyncDispose]());

  const owner = async (...all: string[]): Promise<string> => {
    const ran = await rig.run([...all, '--state', rig.state]);
    expect(ran.code, ran.stderr).toBe(0);
    return ran.stdout.trim();
  };
  const byToken = async (account: string, ...more: string[]): Promise<Client> =>
    connect({ server: `${rig.listening.address}#${rig.listening.fingerprint}`, token: await owner('token', 'create', '--account', account, '--name', `of-${account}`, ...more) });
  const device = async (): Promise<string> => events<{ name: string }>(await rig.run(['devices', '--state', rig.state, '--json']), 'device')[0]!.name;

  test.each<[string, () => Promise<Client>, () => Promise<unknown>, { code: string; message?: unknown }?]>([
    ['its token is revoked', () => byToken('ann'), () => owner('token', 'revoke', 'of-ann')],
    ['its account gets other rights', () => byToken('bob'), () => owner('account', 'change', 'bob', '--rights', 'drop'), { code: 'SHUTDOWN' }],
    ['its account is removed', () => byToken('cat'), () => owner('account', 'remove', 'cat')],
    // Of workers, looked at every 10 s.
    ['the time of its token is over', () => byToken('ann', '--name', 'short', '--for', '4s'), () => Promise.resolve(), { code: 'AUTH', message: 'this token has expired' }],
    ['its device is revoked', () => connect({ home: rig.home }), async () => owner('devices', 'revoke', await device())],
  ])('ends with what it has when %s, and nothing has the name', async (_what, enter, end, said = { code: 'AUTH' }) => {
    await using client = await enter();
    const target = join(rig.local, 'large');
    let moved!: () => void;
    const begun = new Promise<void>((resolve) => { moved = resolve; });
    const got = client.get('large', target, { onProgress: ({ bytes }) => { if (bytes > 0) moved(); } });
    await Promise.race([begun, got]); // those before may have used up what may come at once: a short time may be over first
    await end();
    const { items: [item] } = await got;
    expect(item!.failure).toMatchObject(said);
    expect(item!.bytes).toBeLessThan(256 * MIB);
    await expect(stat(target)).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(client.stat('large')).rejects.toBeInstanceOf(Error);
    await rm(join(rig.local, '.wherry'), { recursive: true, force: true });
  });

  test.each(['token', 'account'])('ends when its %s is taken away, where nothing is asked for and where a transfer waits for its input', async (what) => {
    if (what === 'account') await owner('account', 'add', 'eve', '--rights', 'rw');
    const account = what === 'account' ? 'eve' : 'ann';
    await using idle = await byToken(account, '--name', `waits-${what}`);
    await using busy = await connect({ server: `${rig.listening.address}#${rig.listening.fingerprint}`, token: await owner('token', 'create', '--account', account, '--name', `feeds-${what}`) });
    let stop!: () => void;
    const stopped = new Promise<void>((resolve) => { stop = resolve; });
    const refused = expect(busy.putStream((async function* () { yield Buffer.from('a'); await stopped; })(), 'fed')).rejects.toMatchObject({ code: 'AUTH', message: 'the access of this device was revoked' });
    const left = (): number => rig.log.join('\n').split('\n').filter((line) => line.includes('"disconnected"') && line.includes(`"account":"${account}"`)).length;
    rig.log.splice(0);
    await owner(...(what === 'account' ? ['account', 'remove', account] : ['token', 'revoke', `waits-${what}`, `feeds-${what}`]));
    await until(() => left() >= 2, () => rig.log.join('\n'));
    await refused;
    stop();
    await expect(idle.stat('large')).rejects.toMatchObject({ code: 'AUTH' });
  });

  test('goes on by itself with --retry when its account is changed', async () => {
    const data = noise(8 * MIB);
    await writeFile(join(rig.served, 'middle'), data);
    await owner('account', 'add', 'dan', '--rights', 'ro', '--rate', '64K');
    const env = { WHERRY_TOKEN: await owner('token', 'create', '--account', 'dan'), WHERRY_SERVER: `${rig.listening.address}#${rig.listening.fingerprint}` };
    rig.log.splice(0);
    const over = rig.run(['get', ':middle', join(rig.local, 'middle'), '--retry', '1m'], { env });
    await until(() => rig.log.some((lines) => lines.includes('"signed-in"')));
    await owner('account', 'change', 'dan', '--rate', 'none');
    const ran = await over;
    expect(ran.code, ran.stderr).toBe(0);
    expect((await readFile(join(rig.local, 'middle'))).equals(data)).toBe(true);
  });
});

test.each([1, 2])('E7: a download that waits for its turn at a low rate ends too, in a server of %i process(es)', async (workers) => {
  const folder = await mkdtemp(join(tmpdir(), 'wherry-trust-'));
  try {
    await mkdir(join(folder, 'share'));
    await writeFile(join(folder, 'share/large'), noise(64 * MIB));
    let options: ServeOptions = { listen: ['127.0.0.1:0'], state: join(folder, 'state'), workers, rate: 1024 * MIB };
    await using server = await serve(join(folder, 'share'), { ...options, reread: async () => ({ dir: join(folder, 'share'), options }) });
    const { account } = await enrol({ ticket: server.ticket, home: join(folder, 'home') });
    await using client = await connect({ home: join(folder, 'home') });
    const stream = client.getStream('large')[Symbol.asyncIterator]();
    await stream.next();
    options = { ...options, rate: 1024 }; // the next piece takes a quarter of an hour
    expect(await server.reload()).toEqual(['rates.server']);
    const rest = (async () => { while ((await stream.next()).done !== true); })();
    const failed = expect(rest).rejects.toMatchObject({ code: 'AUTH' });
    await askServer(server.state, { verb: 'devices revoke', name: account });
    await failed;
    await server.stop({ graceMs: 0 });
  } finally {
    await rm(folder, { recursive: true });
  }
});

/** What the server says to a proof, in words, until it hangs up. */
async function said(rig: Rig, prove: (exporter: Uint8Array, pin: Uint8Array) => Message<'auth'> | Promise<Message<'auth'>>): Promise<string[]> {
  const socket = await shake(rig);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  const exporter = new Uint8Array(socket.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, Buffer.alloc(0)));
  socket.write(encodeMessage(0, { kind: 'hello', version: VERSION, agent: 'trust', maxBody: MIB, credit: 0 }));
  socket.write(encodeMessage(0, await prove(exporter, pinOf(socket.getPeerX509Certificate()!))));
  socket.write(encodeMessage(1, { kind: 'stat', path: '' }));
  await closed(socket);
  const decoder = new FrameDecoder();
  decoder.limit = MAX_BODY;
  return decoder.push(Buffer.concat(chunks)).flatMap((event) => {
    if (event.kind !== 'frame' || event.header.type === GREASE) return [];
    const message = decodeMessage(kindOf(event.header.type)!, event.body);
    return message.kind === 'hello' ? [] : [message.kind === 'error' ? `${message.code}: ${message.message}` : message.kind];
  });
}

describe('E2, E4: a key without its proof', () => {
  let rig: Rig;
  beforeAll(async () => { rig = await Rig.start(); });
  afterAll(() => rig[Symbol.asyncDispose]());

  test('is refused, one that is known in the same words as one that is not', async () => {
    const known = await (await openHome(rig.home)).deviceKey();
    const other = createKey();
    const auth = { kind: 'auth', method: 'device' } as const;
    const by = (key: typeof known, signer: typeof known, kind: 'device' | 'token' = 'device', about?: Uint8Array) => (exporter: Uint8Array, serverPin: Uint8Array): Message<'auth'> =>
      ({ ...auth, key: publicBytes(key), signature: signProof(signer, { kind, exporter: about ?? exporter, serverPin }) });
    const tried = [
      await said(rig, by(other, other)), // nobody knows it, and its proof is right
      await said(rig, by(known, other)), // that of another key
      await said(rig, by(known, known, 'token')), // for another way in
      await said(rig, by(known, known, 'device', new Uint8Array(EXPORTER_BYTES))), // for another connection
      await said(rig, () => ({ ...auth, key: publicBytes(known), signature: new Uint8Array(64) })),
    ];
    expect(new Set(tried.map((words) => words.join()))).toEqual(new Set([tried[0]!.join()]));
    expect(tried[0]).toEqual([expect.stringMatching(/^AUTH: /)]);
    expect(rig.log.join('\n')).not.toMatch(/"event":"action"/);
    // The same key with its proof comes in: it was the proof that was missing.
    await expectAlive(rig);
  });
});

describe('E5: encryption', () => {
  test.each([['TLS 1.2', { maxVersion: 'TLSv1.2' }], ['a cipher that has no secrets ahead', { maxVersion: 'TLSv1.2', ciphers: 'AES256-SHA' }], ['no encryption at all', undefined]] as const)('of less than TLS 1.3 is refused before anything is said: %s', async (_, weaker) => {
    await using rig = await Rig.start();
    const chunks: Buffer[] = [];
    const socket = weaker === undefined ? connectTcp(placeOf(rig)) : connectTls({ ...placeOf(rig), ...weaker, ALPNProtocols: ['wherry/1'], rejectUnauthorized: false });
    socket.on('error', () => undefined).on('data', (chunk: Buffer) => chunks.push(chunk));
    const end = closed(socket);
    socket.write(encodeMessage(0, { kind: 'hello', version: VERSION, agent: 'weak', maxBody: MIB, credit: 0 }));
    await end;
    expect(Buffer.concat(chunks)).toHaveLength(0);
    await expectAlive(rig);
  });

  test('by another key than the one that is known is a hard stop: exit code 4, and no proof is made', async () => {
    await using rig = await Rig.start();
    await writeFile(join(rig.local, 'note'), 'note');
    await rig.stop();
    await using other = await Rig.start({ join: false });
    await other.stop();
    await copyFile(join(other.state, 'server.key'), join(rig.state, 'server.key'));
    await rig.serve();
    rig.log.splice(0);
    for (const words of [['ls', ':'], ['put', 'note', ':'], ['get', ':note']]) expect(failureOf(await rig.run([...words, '--json']))).toMatchObject({ code: 'IDENTITY', exit: 4 });
    expect(rig.log.join('\n')).not.toMatch(/"event":"(?:signed-in|action)"/);
    expect(await contents(rig.served)).toEqual({});
  });
});

describe('E8: what a stranger says of where they come from', () => {
  test('is not believed: a line of a proxy is no TLS, and the log and the ban have the address of the socket', async () => {
    await using rig = await Rig.start();
    const words = ['PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n', '\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0C', 'GET / HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 192.0.2.1\r\nForwarded: for=192.0.2.1\r\n\r\n'];
    for (const text of words) {
      const socket = connectTcp(placeOf(rig));
      socket.on('error', () => undefined).resume();
      socket.write(text, 'latin1');
      await closed(socket);
    }
    const refused = (): { address: string }[] => rig.log.flatMap((lines) => lines.split('\n')).filter((line) => line.includes('"refused"')).map((line) => JSON.parse(line) as { address: string });
    await until(() => refused().length > 0);
    for (const { address } of refused()) expect(address).toMatch(/^(?:::ffff:)?127\.0\.0\.1$/);
    expect(rig.log.join('\n')).not.toContain('192.0.2.1');
    await expectAlive(rig);
  });

  test('does not open the numbers of a server by a name that leads there', async () => {
    await using rig = await Rig.start({ serve: ['--metrics', '127.0.0.1:0'] });
    const { address } = rig.log.map((line) => JSON.parse(line) as { event: string; address: string }).find(({ event }) => event === 'metrics') ?? { address: '' };
    for (const headers of [{ 'Host': 'evil.example' }, { 'Host': 'evil.example', 'X-Forwarded-Host': 'localhost', 'Forwarded': 'host=localhost' }]) {
      const asked = request({ host: '127.0.0.1', port: Number(address.split(':')[1]), path: '/metrics', headers, agent: false });
      asked.end();
      const [response] = await once(asked, 'response') as [import('node:http').IncomingMessage];
      response.resume();
      expect(response.statusCode).toBe(421);
    }
  });
});

test('E9: a book of accounts that cannot be read, is broken or is open to others lets nobody in: the server does not start', async () => {
  await using rig = await Rig.start({ host: OWN_HOST });
  await rig.stop();
  const book = join(rig.state, 'accounts.json');
  await copyFile(book, `${book}.kept`);
  const text = async (broken: string): Promise<void> => writeFile(book, broken);
  const ways: [string, () => Promise<void>, RegExp][] = [
    ...['', '{', '{}', '[]', 'null', '{"version":99}'].map((broken): [string, () => Promise<void>, RegExp] => [`with "${broken}"`, () => text(broken), /cannot be understood/]),
    // Also root may not read it then.
    ['that is a folder', async () => { await rm(book); await mkdir(book, { mode: 0o700 }); }, /is not a file of Wherry/],
    ...[0o604, 0o640, 0o602].map((mode): [string, () => Promise<void>, RegExp] => [`of mode ${mode.toString(8)}`, () => chmod(book, mode), /can be read by other users of this machine.*chmod 600/s]),
  ];
  for (const [what, spoil, why] of ways) {
    await spoil();
    await expect(rig.serve(), what).rejects.toThrow(why);
    expect(rig.server!.exitCode, what).not.toBe(0);
    await rm(book, { recursive: true });
    await copyFile(`${book}.kept`, book);
  }
  expect((await rig.run(['ls', ':'])).code).toBe(3);
  await rig.serve();
  await expectAlive(rig);
});

test('E10: a new server has no account, no device and no password, and a key of nobody gets nothing', async () => {
  await using rig = await Rig.start({ join: false });
  for (const words of [['account', 'list'], ['devices', 'list'], ['token', 'list']]) {
    const ran = await rig.run([...words, '--state', rig.state, '--json']);
    expect([ran.code, ran.stdout]).toEqual([0, '']);
  }
  const key = createKey();
  for (const method of ['device', 'token', 'invite'] as const) {
    const words = await said(rig, (exporter, serverPin) => ({ kind: 'auth', method, key: publicBytes(key), signature: signProof(key, { kind: method, exporter, serverPin }) }));
    expect(words, method).toEqual([expect.stringMatching(/^(?:AUTH|PROTOCOL): /)]);
  }
  expect(await staged(rig.served)).toEqual([]);
});
