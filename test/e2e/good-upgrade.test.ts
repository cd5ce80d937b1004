/** A server that is upgraded while it is used: nobody who comes is turned away, and nothing that runs is lost. */
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { HANDOVER } from '../../src/server/handover/words.ts';
import { Failure } from '../../src/errors.ts';
import type { Client } from '../../src/client/api.ts';
import { connect as connectServer } from '../../src/client/client.ts';
import { bytes, fed, FIRST, MIB, REST, WHOLE } from './feed.ts';
import { Manager, MISSING } from './manager.ts';
import { logged } from './neighbour.ts';
import { finished, MAIN } from './rig.ts';
import { contents, events, failureOf, nothingStaged, until } from './traces.ts';
import { holderOf, isRunning, Upgrades } from './upgrades.ts';

const portOf = (address: string): number => Number(address.slice(address.lastIndexOf(':') + 1));
/** More than all buffers between a server and a client that does not read. */
const LONG = bytes(48 * MIB, 7);

/** Each test has a server of its own: most of the time they wait for one that lingers, and can do that beside each other. More at once would be slow to start. */
vi.setConfig({ maxConcurrency: 3 });
const start = (...serve: string[]): Promise<Upgrades> => Upgrades.start({ serve });

describe.concurrent.each([['one process', []], ['two workers', ['--workers', '2']]])('an upgrade of %s', (_, words) => {

  test('lets a put and a get that run end with 0 at the old process, which ends with 0 after them', async () => {
    await using server = await start(...words);
    const { rig } = server;
    await writeFile(join(rig.served, 'long'), LONG);
    const put = await fed(rig, ':big', FIRST);
    const get = rig.spawn(['get', ':long', '-']);
    const got: Buffer[] = [];
    await once(get.stdout!, 'readable'); // and nothing more of it for now
    const old = server.pids[0]!;
    const exit = once(rig.server!, 'exit');
    const pid = await server.upgrade();
    expect(pid).not.toBe(old);
    expect(isRunning(old)).toBe(true);
    put.child.stdin!.end(REST);
    expect(await put.over).toMatchObject({ code: 0 });
    get.stdout!.on('data', (chunk: Buffer) => got.push(chunk));
    expect(await finished(get)).toMatchObject({ code: 0 });
    expect(Buffer.concat(got).equals(LONG)).toBe(true);
    expect((await readFile(join(rig.served, 'big'))).equals(WHOLE)).toBe(true);
    expect(await exit).toEqual([0, null]);
    await nothingStaged(rig.served);
    expect(await rig.run(['ls', ':'])).toMatchObject({ code: 0 });
    await server.stop();
  });

  test('keeps the port, the key and the devices, and hands out no ticket', async () => {
    await using server = await start(...words);
    const { rig } = server;
    await server.upgrade();
    await until(() => logged(rig, 'listening').length > 1);
    const listening = logged(rig, 'listening') as unknown as { address: string; fingerprint: string; ticket?: string }[];
    expect(listening).toHaveLength(2);
    expect(listening[1]).toMatchObject({ address: rig.listening.address, fingerprint: rig.listening.fingerprint });
    expect(listening[1]!.ticket).toBeUndefined();
    expect(await rig.run(['ls', ':'])).toMatchObject({ code: 0 });
    expect(await rig.run(['devices', '--state', rig.state])).toMatchObject({ code: 0 });
    await server.stop();
  });

  test('turns nobody away, three times over', async () => {
    await using server = await start(...words);
    const { rig } = server;
    const over = new AbortController();
    let served = 0;
    const coming = (async () => {
      while (!over.signal.aborted) {
        const socket = connectTcp({ port: portOf(rig.listening.address), host: '127.0.0.1' });
        await once(socket, 'connect');
        socket.destroy();
        await using client = await connectServer({ home: rig.home });
        await client.stat('/');
        served += 1;
      }
    })();
    const upgrading = (async () => {
      for (let time = 0; time < 3; time += 1) {
        const before = served;
        await server.upgrade();
        await until(() => served > before);
      }
      over.abort();
    })();
    await Promise.all([coming, upgrading]);
    expect(served).toBeGreaterThan(3);
    expect(new Set(server.pids).size).toBe(4);
    for (const pid of server.pids.slice(0, -1)) await server.ended(pid);
    await server.stop();
  });
});

describe.concurrent('after an upgrade', () => {

  test('new connections are served by the new process, while the old one has what it had', async () => {
    await using server = await start('--grace', '20s');
    const { rig } = server;
    const port = portOf(rig.listening.address);
    const knock = async (): Promise<Socket> => {
      const socket = connectTcp({ port, host: '127.0.0.1' });
      await once(socket, 'connect');
      return socket;
    };
    const put = await fed(rig, ':big', FIRST);
    await server.upgrade();
    const after = await knock();
    const from = after.localPort!;
    await until(async () => (await holderOf(from, port, server.pids)) === server.pids[1], async () => `held by ${await holderOf(from, port, server.pids)} of ${server.pids.join(', ')}`);
    after.destroy();
    put.child.stdin!.end(REST);
    expect(await put.over).toMatchObject({ code: 0 });
    await server.stop();
  });

  test.each([1, 2])('a device that is revoked is locked out of what runs at the oldest process too, after %i', async (times) => {
    await using server = await start('--grace', '20s');
    const { rig } = server;
    const put = await fed(rig, ':big', FIRST);
    for (let time = 0; time < times; time += 1) await server.upgrade();
    const [device] = events<{ name: string }>(await rig.run(['devices', '--json', '--state', rig.state]), 'device');
    expect(await rig.run(['devices', 'revoke', device!.name, '--state', rig.state])).toMatchObject({ code: 0 });
    put.child.stdin!.end(REST);
    expect((await put.over).code).toBe(5);
    expect(await contents(rig.served)).toEqual({});
    await server.stop();
  });

  test.each([[1, []], [2, []], [1, ['--workers', '2']]])('a quota and a token are worth no more at all processes together, after %i %j', async (times, words) => {
    await using server = await start('--grace', '20s', ...words);
    const { rig } = server;
    const run = async (...typed: string[]): Promise<string> => (await rig.run([...typed, '--state', rig.state])).stdout.trim();
    await run('account', 'add', 'team', '--rights', 'rw', '--root', 'team', '--quota', '50K');
    const [plain, limited] = [await run('token', 'create', '--account', 'team'), await run('token', 'create', '--account', 'team', '--bytes', '15K')];
    const enter = (token: string): Promise<Client> => connectServer({ server: `${rig.listening.address}#${rig.listening.fingerprint}`, token });
    const put = (client: Client, path: string, kib: number, wait = Promise.resolve()): Promise<string> => {
      async function* part(): AsyncGenerator<Uint8Array> { yield bytes(kib << 10, kib); await wait; }
      return client.putStream(part(), path).then(({ failure }) => failure?.code ?? 'ok', (error: unknown) => Failure.from(error).code);
    };
    const [old, oldLimited] = [await enter(plain), await enter(limited)];
    let goOn!: () => void;
    const going = new Promise<void>((resolve) => { goOn = resolve; });
    const open = [put(old, 'open', 0, going), put(oldLimited, 'open too', 0, going)];
    await until(async () => (await readdir(join(rig.served, '.wherry')).catch(() => [])).length > 0);
    for (let time = 0; time < times; time += 1) await server.upgrade();
    const [young, youngLimited] = [await enter(plain), await enter(limited)];
    expect(await put(youngLimited, 'limited', 6)).toBe('ok');
    expect([await put(oldLimited, 'more', 10), await put(oldLimited, 'more', 9), await put(youngLimited, 'further', 1)]).toEqual(['QUOTA', 'ok', 'QUOTA']);
    expect(await put(young, 'large', 20)).toBe('ok');
    expect([await put(old, 'more too', 16), await put(old, 'more too', 15), await put(young, 'further', 1)]).toEqual(['QUOTA', 'ok', 'QUOTA']);
    goOn();
    expect(await Promise.all(open)).toEqual(['ok', 'ok']);
    for (const client of [old, oldLimited, young, youngLimited]) await client.close();
    await server.stop();
  });

  test('a second one is made while the first still has something to finish', async () => {
    await using server = await start('--grace', '20s');
    const { rig } = server;
    const first = await fed(rig, ':one', FIRST);
    await server.upgrade();
    const second = await fed(rig, ':two', FIRST);
    await server.upgrade();
    for (const put of [first, second]) put.child.stdin!.end(REST);
    expect((await Promise.all([first.over, second.over])).map(({ code }) => code)).toEqual([0, 0]);
    for (const name of ['one', 'two']) expect((await readFile(join(rig.served, name))).equals(WHOLE)).toBe(true);
    for (const pid of server.pids.slice(0, 2)) await server.ended(pid);
    expect(isRunning(server.pids[2]!)).toBe(true);
    await server.stop();
    expect(await rig.run(['audit', 'verify', '--state', rig.state])).toMatchObject({ code: 0 });
  });

  test('what the old process does stands in the audit of the new one, in one chain', async () => {
    await using server = await start('--grace', '20s');
    const { rig } = server;
    const put = await fed(rig, ':big', FIRST);
    await server.upgrade();
    put.child.stdin!.end(REST);
    expect(await put.over).toMatchObject({ code: 0 });
    await server.ended(server.pids[0]!);
    await server.stop();
    expect(await rig.run(['audit', 'verify', '--state', rig.state])).toMatchObject({ code: 0 });
    const shown = await rig.run(['audit', 'show', '--json', '--state', rig.state]);
    const records = shown.stdout.trim().split('\n').map((line) => JSON.parse(line) as { event: string; session?: number; path?: string });
    expect(records.filter(({ event }) => event === 'started')).toHaveLength(2);
    expect(records.filter(({ event }) => event === 'handed-over')).toHaveLength(1);
    expect(records.filter(({ event, path }) => event === 'action' && path === 'big')).toHaveLength(1);
    const connected = records.filter(({ event }) => event === 'connected').map(({ session }) => session);
    expect(new Set(connected).size).toBe(connected.length);
  });

  test('a stop stops both, and cuts what runs resumably when its grace is over', async () => {
    await using server = await start('--grace', '20s');
    const { rig } = server;
    const put = await fed(rig, ':big', FIRST);
    await server.upgrade();
    process.kill(server.pids[1]!, 'SIGTERM');
    put.child.stdin!.end(REST); // within the grace
    expect(await put.over).toMatchObject({ code: 0 });
    for (const pid of server.pids) await server.ended(pid);
  });

  test('bans and who is known are the same, and can be lifted there', async () => {
    await using server = await start();
    const { rig } = server;
    const garbage = async (): Promise<void> => {
      const socket = connectTcp({ port: portOf(rig.listening.address), host: '127.0.0.1', localAddress: '127.0.0.7' }).on('error', () => {}).resume();
      socket.write('no TLS at all\r\n');
      await new Promise<void>((resolve) => { socket.once('close', () => resolve()); });
    };
    for (let one = 0; one < 5; one += 1) await garbage();
    await until(() => logged(rig, 'banned').length > 0);
    await server.upgrade();
    const listed = events(await rig.run(['bans', '--state', rig.state, '--json']), 'ban');
    expect(listed).toEqual([expect.objectContaining({ address: '127.0.0.7', count: 1, offence: 'garbage' })]);
    await garbage();
    await until(() => logged(rig, 'refused').some(({ reason }) => reason === 'the address is banned'));
    expect(await rig.run(['bans', 'lift', '127.0.0.7', '--state', rig.state])).toMatchObject({ code: 0 });
    await server.stop();
  });

  test('an old process that hangs is killed when its time is over, which is told, and a stop does not wait for it longer', async () => {
    await using server = await start('--grace', '0s');
    const { rig } = server;
    const put = await fed(rig, ':big', FIRST);
    await server.upgrade();
    process.kill(server.pids[0]!, 'SIGSTOP');
    process.kill(server.pids[1]!, 'SIGTERM');
    for (const pid of server.pids) await server.ended(pid);
    expect(logged(rig, 'warning').map(({ message }) => message)).toContainEqual(expect.stringContaining(`process ${server.pids[0]!}, did not end in its time and was killed`));
    put.child.kill('SIGKILL');
    await put.over;
  });

  test('a reload that is asked for meanwhile waits, and is the new one\'s', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'wherry-reloaded-'));
    const [file, gate] = [join(folder, 'wherry.toml'), join(folder, 'gate')];
    await writeFile(file, 'ticket = "rw"\n');
    await using server = await start('--config', file);
    const { rig } = server;
    const reloads = (): string[] => rig.log.filter((line) => line.includes('"handed-over"') || line.includes('"reloaded"'));
    // A new version that takes its time.
    await server.install(`import { existsSync, writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(`${gate}-reached`)}, ''); while (!existsSync(${JSON.stringify(gate)})) await new Promise((again) => setTimeout(again, 20)); await import(${JSON.stringify(MAIN)});`);
    const upgrading = server.upgrade();
    await until(() => existsSync(`${gate}-reached`));
    process.kill(server.pids[0]!, 'SIGHUP');
    expect((await rig.run(['bans', '--state', rig.state])).code).toBe(0); // so that it has had time to
    expect(reloads()).toEqual([]);
    await writeFile(gate, '');
    await upgrading;
    await until(() => reloads().length === 2);
    expect(reloads()[0]).toContain('"handed-over"');
    await server.stop();
    await rm(folder, { recursive: true });
  });

  test('the time for what runs can be bounded', async () => {
    await using server = await start('--upgrade-grace', '1s', '--grace', '1s');
    const { rig } = server;
    const put = await fed(rig, ':big', FIRST);
    await server.upgrade();
    expect(failureOf(await put.over)).toMatchObject({ code: 'SHUTDOWN', exit: 11 });
    await server.ended(server.pids[0]!);
    await writeFile(join(rig.local, 'big'), WHOLE);
    expect(await rig.run(['put', 'big', ':'])).toMatchObject({ code: 0 });
    await server.stop();
  });
});

describe.concurrent('a new version that does not come up', () => {

  /** All is as before: it serves, its owner is heard, the audit goes on, and it can be upgraded. */
  async function goesOn(server: Upgrades): Promise<void> {
    const { rig } = server;
    expect(isRunning(server.pids[0]!)).toBe(true);
    expect(await rig.run(['ls', ':'])).toMatchObject({ code: 0 });
    expect(await rig.run(['invite', '--state', rig.state])).toMatchObject({ code: 0 });
    expect(await rig.run(['account', 'add', 'ann', '--state', rig.state])).toMatchObject({ code: 0 });
    await server.install();
    await server.upgrade();
    expect((await rig.run(['account', 'list', '--state', rig.state])).stdout).toContain('ann');
    await server.stop();
    expect(await rig.run(['audit', 'verify', '--state', rig.state])).toMatchObject({ code: 0 });
  }

  /** Speaks as a new version does up to some point. */
  const speaking = (then: string): string => `
    const words = process.argv.slice(2);
    const state = words[words.indexOf('--state') + 1];
    process.on('message', (order) => { ${then} });
    process.send({ said: 'here', handover: HANDOVER, version: '9.9.9', folder: words[1], state });
  `.replace('HANDOVER', String(HANDOVER));

  test.each([
    ['ends at once', 'process.exit(3);', 'exit code 3'],
    ['cannot be read', 'this is no program', 'exit code 1'],
    ['is not there', undefined, 'exit code 1'],
    ['speaks another handover', speaking('').replace(`handover: ${HANDOVER}`, 'handover: 99'), '9.9.9'],
    ['serves another state folder', speaking('').replace(/state }/, "state: '/elsewhere' }"), '/elsewhere'],
    ['ends when everything was given to it', speaking("if (order.do === 'begin') process.exit(4);"), 'exit code 4'],
    ['says that it cannot serve', speaking("process.send({ said: 'failed', failure: { code: 'NOSPACE', message: 'the disk is full', retry: false } });"), 'the disk is full'],
    ['ends when it has the sockets', speaking("if (order.do === 'begin') process.send({ said: 'ports' }); if (order.do === 'listened') process.exit(5);"), 'exit code 5'],
  ])('that %s leaves the old one as it was, and says why', async (_, text, why) => {
    await using server = await start();
    await server.install(text ?? "import './nothing.mjs';");
    const put = await fed(server.rig, ':big', FIRST);
    const ran = await server.run();
    expect(ran.code).toBe(1);
    expect(failureOf(ran)).toMatchObject({ code: 'IO', message: expect.stringContaining(why) as unknown });
    put.child.stdin!.end(REST);
    expect(await put.over).toMatchObject({ code: 0 });
    await goesOn(server);
  });
});

describe.skipIf(MISSING.length > 0)(`a service manager${MISSING.length > 0 ? ` (skipped: needs ${MISSING.join(', ')})` : ''}`, () => {
  test('is told which process is the main one now, and nothing of the end of the other', async () => {
    await using manager = await Manager.start();
    await using server = await Upgrades.start({ under: ['env', `NOTIFY_SOCKET=${manager.socket}`, 'WATCHDOG_USEC=2000000'] });
    await manager.said({ READY: '1' });
    const pid = await server.upgrade();
    await manager.said({ READY: '1', MAINPID: String(pid) });
    await server.ended(server.pids[0]!);
    expect(manager.messages.filter((message) => 'STOPPING' in message)).toEqual([]);
    const before = manager.messages.length;
    await until(() => manager.messages.slice(before).some((message) => 'WATCHDOG' in message));
    await server.stop();
    await manager.said({ STOPPING: '1' });
  });
});

test('a server in another program says that it cannot be upgraded', async () => {
  await using server = await start();
  const { serve } = await import('../../src/server/server.ts');
  const { askServer } = await import('../../src/server/admin.ts');
  const state = join(server.rig.folder, 'other');
  const other = await serve(server.rig.served, { listen: ['127.0.0.1:0'], state });
  await expect(askServer(state, { verb: 'upgrade' })).rejects.toMatchObject({ code: 'USAGE' });
  await other.stop();
  await server.stop();
});
