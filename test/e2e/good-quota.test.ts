/** Quotas, paces and tokens that are used up, with real servers of one process and of two, and real clients. */
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { connect, type Client } from '../../src/index.ts';
import { parsePath } from '../../src/path.ts';
import { partKey } from '../../src/store/disk/stage.ts';
import { Rig, type Ran } from './rig.ts';
import { failureOf, until } from './traces.ts';
import { noise } from './trees.ts';

const KIB = 1 << 10;
const MIB = 1 << 20;

describe.each([['one process', []], ['two workers', ['--workers', '2']]])('a server of %s', (_, serve) => {
  let rig: Rig;
  beforeAll(async () => { rig = await Rig.start({ serve }); });
  afterAll(() => rig[Symbol.asyncDispose]());

  const admin = (...words: string[]): Promise<Ran> => rig.run([...words, '--state', rig.state]);
  const tokenFor = async (account: string, ...words: string[]): Promise<string> => (await admin('token', 'create', '--account', account, ...words)).stdout.trim();
  const enter = (token: string): Promise<Client> => connect({ server: `${rig.listening.address}#${rig.listening.fingerprint}`, token });

  /** Bytes that are in place. */
  async function committed(folder: string): Promise<number> {
    const names = await readdir(folder, { recursive: true, withFileTypes: true });
    const sizes = await Promise.all(names.filter((name) => name.isFile()).map(async (name) => (await stat(join(name.parentPath, name.name))).size));
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  test('from the first quota on everybody counts, also who came before: with one folder for several, and with another folder', async () => {
    const enterAs = async (account: string): Promise<Client> => enter(await tokenFor(account));
    /** A stream that does not end before `goOn`. */
    const slow = (client: Client, path: string, bytes: number): { put: Promise<string>; goOn(): void } => {
      let goOn!: () => void;
      const going = new Promise<void>((resolve) => { goOn = resolve; });
      async function* part(): AsyncGenerator<Uint8Array> {
        yield noise(bytes, 8);
        await going;
      }
      return { put: client.putStream(part(), path).then(({ failure }) => failure?.code ?? 'ok', (error: unknown) => Failure.from(error).code), goOn };
    };
    const put = async (client: Client, path: string, bytes: number): Promise<string> => {
      const stream = slow(client, path, bytes);
      stream.goOn();
      return stream.put;
    };
    await admin('account', 'add', 'team', '--rights', 'rw', '--root', 'teams');
    await mkdir(join(rig.served, 'teams/a'), { recursive: true });
    const early = await enterAs('team');
    const uncounted = slow(early, 'a/uncounted', 30 * KIB);
    await until(async () => (await readdir(join(rig.served, '.wherry')).catch(() => [])).length > 0);
    await admin('account', 'add', 'one', '--rights', 'rw', '--root', 'teams/a', '--quota', '50K');
    uncounted.goOn();
    expect(await uncounted.put).toMatch(/^(?:SHUTDOWN|LOST)$/);
    const [team, one] = [await enterAs('team'), await enterAs('one')];
    expect(await put(team, 'a/counted', 30 * KIB)).toBe('ok');
    expect([await put(one, 'more', 21 * KIB), await put(one, 'more', 20 * KIB)]).toEqual(['QUOTA', 'ok']);
    expect(await committed(join(rig.served, 'teams/a'))).toBe(50 * KIB);
    await admin('account', 'add', 'two', '--rights', 'rw', '--root', 'teams/b', '--quota', '9M');
    await admin('account', 'change', 'one', '--root', 'teams/b', '--quota', '9M');
    const [both, other] = [await enterAs('one'), await enterAs('two')];
    const streams = [slow(both, 'x', 6 * MIB), slow(other, 'y', 6 * MIB)]; // more than is gathered before anything is written
    expect(await Promise.race(streams.map((stream) => stream.put))).toBe('QUOTA');
    for (const stream of streams) stream.goOn();
    expect((await Promise.all(streams.map((stream) => stream.put))).toSorted()).toEqual(['QUOTA', 'ok']);
    expect(await committed(join(rig.served, 'teams/b'))).toBe(6 * MIB);
    await admin('account', 'change', 'two', '--root', 'teams/a');
    const moved = await enterAs('two');
    expect((await moved.space()).free).toBe(9 * MIB - 50 * KIB);
    for (const client of [early, team, one, both, other, moved]) await client.close();
  });

  test('D10: 50 uploads of 10 MiB at once into 100 MiB leave exactly as many as fit, and the count is what is there', async () => {
    await admin('account', 'add', 'ann', '--rights', 'rw', '--root', 'home/ann', '--quota', '100M');
    await writeFile(join(rig.local, 'ten'), noise(10 * MIB, 1));
    const token = await tokenFor('ann');
    const clients = await Promise.all(Array.from({ length: 5 }, () => enter(token)));
    const puts = await Promise.all(Array.from({ length: 50 }, (__, index) => clients[index % 5]!.put(join(rig.local, 'ten'), `file-${index}`)));
    const failures = puts.flatMap(({ items }) => items.flatMap(({ failure }) => (failure === undefined ? [] : [failure.code])));
    const home = join(rig.served, 'home/ann');
    expect(new Set(failures)).toEqual(new Set(['QUOTA']));
    expect(await committed(home)).toBe(100 * MIB);
    expect(await clients[0]!.space()).toMatchObject({ free: 0, total: 100 * MIB });
    // What is removed can be used again, to the byte.
    await clients[0]!.remove('file-0').catch(() => undefined);
    const [gone] = (await readdir(home)).filter((name) => name.startsWith('file-'));
    await clients[1]!.remove(gone!);
    expect((await clients[2]!.space()).free).toBe(100 * MIB - (await committed(home)));
    for (const client of clients) await client.close();
  });

  test('a quota is known before a byte is sent, for files, folders and streams, and told with exit code 8', async () => {
    await admin('account', 'add', 'bob', '--rights', 'rw', '--root', 'home/bob', '--quota', '1M', '--quota-files', '2');
    const env = { WHERRY_TOKEN: await tokenFor('bob'), WHERRY_SERVER: `${rig.listening.address}#${rig.listening.fingerprint}` };
    await writeFile(join(rig.local, 'two'), noise(2 * MIB, 2));
    const big = await rig.run(['put', 'two', ':', '--json'], { env });
    expect(failureOf(big)).toMatchObject({ code: 'QUOTA', exit: 8, who: 'rule', hint: expect.stringContaining('account change bob --quota SIZE') as string });
    expect(failureOf(await rig.run(['put', '-', ':piped', '--json'], { env, input: noise(2 * MIB, 3) }))).toMatchObject({ code: 'QUOTA', exit: 8 });
    for (const name of ['a', 'b', 'c']) await writeFile(join(rig.local, name), name);
    expect((await rig.run(['put', 'a', 'b', ':'], { env })).code).toBe(0);
    expect(failureOf(await rig.run(['put', 'c', ':', '--json'], { env }))).toMatchObject({ code: 'QUOTA', message: expect.stringContaining('2 files') as string, hint: expect.stringContaining('account change bob --quota-files N') as string });
    // A file that is replaced is not one more.
    expect((await rig.run(['put', 'c', ':a'], { env })).code).toBe(0);
    expect((await readdir(join(rig.served, 'home/bob'))).sort()).toEqual(['a', 'b']);
  });

  test('folders count as files of a quota, made alone or with a tree', async () => {
    await admin('account', 'add', 'gil', '--rights', 'rw', '--root', 'home/gil', '--quota-files', '3');
    const client = await enter(await tokenFor('gil'));
    await client.makeFolder('a');
    const tree = join(rig.local, 'folders');
    for (const name of ['b', 'c']) await mkdir(join(tree, name), { recursive: true });
    await client.put(tree, 'tree').catch(() => undefined);
    expect(await readdir(join(rig.served, 'home/gil'))).toEqual(['a']);
    await client.makeFolder('a/b');
    await client.makeFolder('a/b/c');
    await expect(client.makeFolder('d')).rejects.toMatchObject({ code: 'QUOTA' });
    await client.remove('a/b/c');
    await client.makeFolder('d');
    await client.close();
  });

  test('a token for one file is used up by one, and one that broke off has used nothing', async () => {
    await admin('account', 'add', 'cat', '--rights', 'rw', '--root', 'home/cat');
    await writeFile(join(rig.local, 'small'), 'small');
    const once = await tokenFor('cat', '--files', '1');
    const client = await enter(once);
    expect((await client.put(join(rig.local, 'missing'))).failed).toBe(1);
    expect((await client.put(join(rig.local, 'small'), 'one')).failed).toBe(0);
    expect((await client.put(join(rig.local, 'small'), 'two')).items[0]!.failure).toMatchObject({ code: 'QUOTA' });
    await client.close();
    await expect(enter(once)).rejects.toMatchObject({ code: 'AUTH', message: 'this token is used up' });
  });

  test('a token for so many bytes ends with them, and what it has spent is known after a restart', async () => {
    await admin('account', 'add', 'dan', '--rights', 'rw', '--root', 'home/dan');
    await writeFile(join(rig.local, 'mib'), noise(MIB, 4));
    const token = await tokenFor('dan', '--bytes', '3M');
    const client = await enter(token);
    expect((await client.put(join(rig.local, 'mib'), 'one')).failed).toBe(0);
    expect((await client.get('one', join(rig.local, 'back'))).failed).toBe(0);
    await client.close();
    await rig.stop();
    await rig.serve();
    const again = await enter(token);
    expect((await again.put(join(rig.local, 'ten'), 'ten')).items[0]!.failure).toMatchObject({ code: 'QUOTA', message: expect.stringContaining(`${MIB} are left`) });
    await again.close();
  });

  test('what rests of an upload from before a restart counts from the first file on, and is what its next try needs no further room for', async () => {
    await admin('account', 'add', 'fay', '--rights', 'rw', '--root', 'home/fay', '--quota', '10M');
    const token = await tokenFor('fay');
    const bytes = noise(7 * MIB, 6);
    await writeFile(join(rig.local, 'seven'), bytes);
    const client = await enter(token);
    let cut!: () => void;
    const waits = new Promise<void>((resolve) => { cut = resolve; });
    async function* part(): AsyncGenerator<Uint8Array> {
      yield bytes;
      await waits;
    }
    const put = client.putStream(part(), 'seven').catch(() => undefined);
    /** Bytes of it that are staged. */
    const staged = async (): Promise<number> => {
      const stage = join(rig.served, '.wherry');
      const [name] = (await readdir(stage).catch(() => [])).filter((one) => one.startsWith(partKey('fay', parsePath('home/fay/seven'))));
      return name === undefined ? 0 : (await stat(join(stage, name))).size;
    };
    await until(async () => (await staged()) >= 6 * MIB);
    await rig.stop('SIGKILL');
    await put; // a worker may take a moment to notice, and would give a file that ends meanwhile its name
    cut();
    await client.close();
    await rig.serve();
    // A worker that outlives the process before it may be about to put the part to rest.
    await until(async () => (await readdir(join(rig.served, '.wherry'))).every((name) => name.endsWith('.part') || name === 'kept') && (await staged()) >= 6 * MIB, async () => (await readdir(join(rig.served, '.wherry'))).join());
    const rests = await staged();
    const again = await enter(token);
    await writeFile(join(rig.local, 'five'), noise(5 * MIB, 7));
    expect((await again.put(join(rig.local, 'five'), 'five')).items[0]!.failure).toMatchObject({ code: 'QUOTA', message: expect.stringContaining(`${10 * MIB - rests} of ${10 * MIB}`) as string });
    expect((await again.put(join(rig.local, 'seven'), 'seven')).failed).toBe(0);
    expect((await again.space()).free).toBe(3 * MIB);
    await again.close();
  });

  test('a rate holds for all transfers of an account together', async () => {
    await admin('account', 'add', 'eve', '--rights', 'rw', '--root', 'home/eve', '--rate', '8M');
    const client = await enter(await tokenFor('eve'));
    await writeFile(join(rig.local, 'six'), noise(6 * MIB, 5));
    const began = performance.now();
    await Promise.all(['x', 'y'].map((name) => client.put(join(rig.local, 'six'), name)));
    // 12 MiB at 8 MiB a second, less what may come at once: never sooner, however fast the machine is.
    expect(performance.now() - began).toBeGreaterThan(1000);
    await client.close();
  });
});

test('a rate at which one step takes longer than a wait may last is no lack of progress', async () => {
  const settings = await mkdtemp(join(tmpdir(), 'wherry-rate-'));
  const file = join(settings, 'wherry.toml');
  await writeFile(file, 'ticket = "rw"\n[limits]\nprogress = "1s"\n');
  await using slow = await Rig.start({ serve: ['--config', file, '--rate', '400K'] });
  const client = await connect({ home: slow.home });
  // What came takes more than two seconds, and the server wants to hear more after one; the client has credit, and says nothing for two.
  async function* pausing(): AsyncGenerator<Uint8Array> {
    yield noise(MIB, 6);
    await pause(2000);
  }
  expect(await client.putStream(pausing(), 'a')).toMatchObject({ bytes: MIB });
  await client.close();
  await rm(settings, { recursive: true });
});
