/** A server of several processes: for its clients it is one, whatever happens to one of its workers. */
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ALPN } from '../../src/wire/messages.ts';
import { bytes, fed, FIRST, MIB, REST, WHOLE } from './feed.ts';
import { logged, Neighbour, ticketOf, workerPid } from './neighbour.ts';
import { placeOf } from './raw.ts';
import { Rig } from './rig.ts';
import { contents, events, expectAlive, failureOf, nothingStaged, staged, until } from './traces.ts';

let rig: Rig;
let neighbours: Neighbour[];
beforeEach(async () => {
  neighbours = [];
  rig = await Rig.start({ serve: ['--workers', '2', '--grace', '20s'] });
});
afterEach(async () => {
  for (const neighbour of neighbours) await neighbour[Symbol.asyncDispose]();
  await rig.stop('SIGINT');
  await rig[Symbol.asyncDispose]();
});

/** Two devices at two addresses that are served by different workers. */
async function two(how: 'joined' | 'twin' = 'joined'): Promise<[Neighbour, Neighbour]> {
  for (const address of ['127.0.0.2', '127.0.0.3']) neighbours.push(await Neighbour[how](rig, address));
  const [one, other] = neighbours as [Neighbour, Neighbour];
  // A new address goes to the worker with the fewest connections, so the second one not to that of the first.
  await using _held = await one.connect();
  await using _too = await other.connect();
  await until(() => logged(rig, 'signed-in').length >= 2);
  return [one, other];
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('two workers', () => {
  test('serve a client as one process does, and divide the memory for connections', async () => {
    await writeFile(join(rig.local, 'big'), WHOLE);
    expect(await rig.run(['put', 'big', ':'])).toMatchObject({ code: 0, stderr: '' });
    expect(await rig.run(['get', ':big', 'back'])).toMatchObject({ code: 0, stderr: '' });
    expect((await readFile(join(rig.local, 'back'))).equals(WHOLE)).toBe(true);
    expect(await rig.run(['hash', ':big'])).toMatchObject({ code: 0 });
    const started = logged(rig, 'worker-started');
    expect(started.map(({ worker }) => worker).toSorted((one, other) => one! - other!)).toEqual([1, 2]);
    expect(started.map(({ memory }) => memory)).toEqual([64 * MIB, 64 * MIB]);
    expect(new Set([rig.server!.pid, ...started.map(({ pid }) => pid)]).size).toBe(3);
    const connected = logged(rig, 'connected');
    expect(connected.length).toBeGreaterThanOrEqual(4);
    expect(new Set(connected.map(({ worker }) => worker)).size).toBe(1); // of one address
    expect(new Set(connected.map(({ session }) => session)).size).toBe(connected.length);
  });

  test('share the clients of eight addresses, and keep those of one address together', async () => {
    const sockets: TLSSocket[] = [];
    for (let host = 1; host <= 8; host += 1) {
      for (let again = 0; again < 2; again += 1) {
        sockets.push(connectTls({ socket: connectTcp({ ...placeOf(rig), localAddress: `127.0.0.${host}` }), ALPNProtocols: [ALPN], rejectUnauthorized: false }).on('error', () => {}));
      }
    }
    const ofThem = () => logged(rig, 'connected').slice(-16);
    await until(() => logged(rig, 'connected').length === 16 + 1); // and that of the join
    const workers = new Map<string, Set<number>>();
    for (const { address, worker } of ofThem()) workers.set(address!, (workers.get(address!) ?? new Set()).add(worker!));
    expect(workers.size).toBe(8);
    for (const of of workers.values()) expect(of.size).toBe(1);
    expect(new Set([...workers.values()].flatMap((of) => [...of]))).toEqual(new Set([1, 2]));
    expect(Math.max(...ofThem().map(({ active }) => active!))).toBe(16); // of all workers together
    for (const socket of sockets) socket.destroy();
    await until(() => logged(rig, 'disconnected').at(-1)?.active === 0);
  });

  test('let exactly one in of two that use the same ticket at the same moment', async () => {
    const [one, other] = await two();
    for (let round = 0; round < 5; round += 1) {
      const ticket = await ticketOf(rig);
      const tried = await Promise.allSettled([one.join(ticket), other.join(ticket)]);
      expect(one.worker).not.toBe(other.worker);
      expect(tried.map(({ status }) => status).toSorted((a, b) => a.localeCompare(b))).toEqual(['fulfilled', 'rejected']);
      expect(tried.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'AUTH', message: 'this ticket was already used' } });
    }
  });

  test('both lock out a device that is revoked, on connections that are open too', async () => {
    const [one, other] = await two();
    const devices = await rig.run(['devices', '--state', rig.state, '--json']);
    const names = events<{ name: string }>(devices, 'device').map(({ name }) => name).slice(1); // the first is the rig's own
    const { child, over } = await fed(one, ':cut', FIRST);
    await using first = await one.connect();
    await using second = await other.connect();
    expect(await rig.run(['devices', 'revoke', '--state', rig.state, names[0]!])).toMatchObject({ code: 0 });
    await expect(first.list('')[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'AUTH' });
    expect(await second.stat('nothing')).toBe(undefined);
    child.stdin!.end(REST);
    const cut = await over;
    expect([cut.code, failureOf(cut).code]).toEqual([5, 'AUTH']);
    expect(await rig.run(['devices', 'revoke', '--state', rig.state, names[1]!])).toMatchObject({ code: 0 });
    await expect(second.stat('nothing')).rejects.toMatchObject({ code: 'AUTH' });
    expect((await one.run(['ls', ':'])).code).toBe(5);
    expect((await other.run(['ls', ':'])).code).toBe(5);
    expect(await contents(rig.served)).toEqual({});
    await expectAlive(rig);
  });

  test('both change what a device may when it joins again with another ticket', async () => {
    const [one, other] = await two('twin');
    await using first = await one.connect();
    await using second = await other.connect();
    await first.makeFolder('made');
    const invited = await rig.run(['invite', '--ro', '--state', rig.state]);
    await other.join(invited.stdout.trim());
    await expect(first.makeFolder('more')).rejects.toMatchObject({ code: expect.stringMatching(/^(?:SHUTDOWN|LOST)$/) as unknown, retry: true });
    await expect(second.makeFolder('more')).rejects.toMatchObject({ code: expect.stringMatching(/^(?:SHUTDOWN|LOST)$/) as unknown, retry: true });
    await using again = await one.connect();
    await expect(again.makeFolder('more')).rejects.toMatchObject({ code: 'DENIED' });
  });

  test('let transfers of both end when the server is stopped, and are gone with it', async () => {
    const [one, other] = await two();
    const puts = [await fed(one, ':one', FIRST), await fed(other, ':other', FIRST)];
    expect(one.worker).not.toBe(other.worker);
    const exit = once(rig.server!, 'exit');
    rig.server!.kill('SIGTERM');
    await until(() => logged(rig, 'stopping').length === 1);
    for (const { child } of puts) child.stdin!.end(REST);
    for (const { over } of puts) expect((await over).code).toBe(0);
    expect((await exit)[0]).toBe(0);
    expect(logged(rig, 'stopped')).toHaveLength(1);
    for (const name of ['one', 'other']) expect((await readFile(join(rig.served, name))).equals(WHOLE)).toBe(true);
    for (const { pid } of logged(rig, 'worker-started')) expect(isRunning(pid!)).toBe(false);
    expect(await staged(rig.served)).toEqual([]);
  });

  test('do not stop when a terminal tells them to, which tells the server as well', async () => {
    const [one, other] = await two();
    const puts = [await fed(one, ':one', FIRST), await fed(other, ':other', FIRST)];
    for (const worker of [1, 2]) for (const signal of ['SIGINT', 'SIGTERM'] as const) process.kill(workerPid(rig, worker), signal);
    const exit = once(rig.server!, 'exit');
    rig.server!.kill('SIGINT');
    await until(() => logged(rig, 'stopping').length === 1);
    for (const { child } of puts) child.stdin!.end(REST);
    for (const { over } of puts) expect((await over).code).toBe(0);
    expect((await exit)[0]).toBe(0);
  });

  test('end what does not end by itself, resumably, when the grace is over', async () => {
    await rig.stop();
    await rig[Symbol.asyncDispose]();
    rig = await Rig.start({ serve: ['--workers', '2', '--grace', '300ms'] });
    const [one, other] = await two();
    const puts = [await fed(one, ':one', FIRST), await fed(other, ':other', FIRST)];
    expect(await rig.stop('SIGTERM')).toBe(0);
    for (const { over } of puts) {
      const ran = await over;
      expect([ran.code, failureOf(ran).code]).toEqual([11, 'SHUTDOWN']);
    }
    expect((await staged(rig.served)).map((name) => name.replace(/.*\./, ''))).toEqual(['part', 'part']);
    await rig.serve();
    for (const [device, name] of [[one, 'one'], [other, 'other']] as const) {
      const ran = await device.run(['put', '-', `:${name}`, '--json'], { input: WHOLE });
      expect(ran.code).toBe(0);
      expect(events<{ kept: number }>(ran, 'item')[0]!.kept).toBeGreaterThan(0);
    }
    expect(await staged(rig.served)).toEqual([]);
  });
});

describe('two devices of one account, at two workers', () => {
  const OTHER = bytes(24 * MIB, 7);

  test('that send the same file at once leave one of the two, whole', async () => {
    const [one, other] = await two('twin');
    const puts = [await fed(one, ':same', FIRST), await fed(other, ':same', OTHER.subarray(0, FIRST.byteLength))];
    expect(one.worker).not.toBe(other.worker);
    puts[0]!.child.stdin!.end(REST);
    puts[1]!.child.stdin!.end(OTHER.subarray(FIRST.byteLength));
    for (const { over } of puts) expect((await over).code).toBe(0);
    const left = await readFile(join(rig.served, 'same'));
    expect(left.equals(WHOLE) || left.equals(OTHER)).toBe(true);
    await nothingStaged(rig.served);
  });

  test('go on, one of them with the part that is there', async () => {
    const [one, other] = await two('twin');
    const { child, over } = await fed(one, ':same', FIRST);
    child.kill('SIGKILL');
    await over;
    await until(async () => (await staged(rig.served)).every((name) => name.endsWith('.part')));
    const ran = await Promise.all([one, other].map((device) => device.run(['put', '-', ':same', '--json'], { input: WHOLE })));
    expect(ran.map(({ code }) => code)).toEqual([0, 0]);
    expect(ran.some((each) => events<{ kept: number }>(each, 'item')[0]!.kept > 0)).toBe(true);
    expect((await readFile(join(rig.served, 'same'))).equals(WHOLE)).toBe(true);
    await nothingStaged(rig.served);
  });

  test('with --if-absent: exactly one of them has sent it', async () => {
    const [one, other] = await two('twin');
    const puts = [await fed(one, ':same', FIRST, ['--if-absent']), await fed(other, ':same', OTHER.subarray(0, FIRST.byteLength), ['--if-absent'])];
    puts[0]!.child.stdin!.end(REST);
    puts[1]!.child.stdin!.end(OTHER.subarray(FIRST.byteLength));
    const ran = await Promise.all(puts.map(({ over }) => over));
    expect(ran.map(({ code }) => code).toSorted((a, b) => a! - b!)).toEqual([0, 7]);
    expect((await readFile(join(rig.served, 'same'))).equals(ran[0]!.code === 0 ? WHOLE : OTHER)).toBe(true);
    // What came of the other can never get its name.
    await nothingStaged(rig.served);
  });
});
