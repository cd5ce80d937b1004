/** Workers that are killed, workers that cannot stay alive, and a server that is killed before them. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { connect as connectTcp, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fed, FIRST, REST, resting, WHOLE } from './feed.ts';
import { logged, Neighbour, workerPid } from './neighbour.ts';
import { placeOf } from './raw.ts';
import { Rig } from './rig.ts';
import { contents, events, expectAlive, failureOf, staged, until } from './traces.ts';
import { plant } from './trees.ts';

let rig: Rig;
let neighbours: Neighbour[];
beforeEach(async () => {
  neighbours = [];
  rig = await Rig.start({ serve: ['--workers', '2', '--grace', '300ms'] });
});
afterEach(async () => {
  for (const neighbour of neighbours) await neighbour[Symbol.asyncDispose]();
  await rig.stop();
  await rig[Symbol.asyncDispose]();
});

/** Two devices at two addresses that are served by different workers: of the first, a put is under way at each. */
async function twoPuts() {
  for (const address of ['127.0.0.2', '127.0.0.3']) neighbours.push(await Neighbour.joined(rig, address));
  const [one, other] = neighbours as [Neighbour, Neighbour];
  const puts = [await fed(one, ':one', FIRST), await fed(other, ':other', FIRST)] as const;
  expect(one.worker).not.toBe(other.worker);
  return { one, other, puts };
}

async function goesOn(device: Neighbour, name: string): Promise<void> {
  const ran = await device.run(['put', '-', `:${name}`, '--json'], { input: WHOLE });
  expect([ran.code, ran.stderr]).toEqual([0, '']);
  const { kept } = events<{ kept: number }>(ran, 'item')[0]!;
  expect(kept).toBeGreaterThan(0);
  expect(kept).toBeLessThanOrEqual(FIRST.byteLength);
  expect((await readFile(join(rig.served, name))).equals(WHOLE)).toBe(true);
}

/** Kills a worker and waits until another one has taken its place. */
async function kill(worker: number): Promise<void> {
  const before = logged(rig, 'worker-started').length;
  process.kill(workerPid(rig, worker), 'SIGKILL');
  await until(() => logged(rig, 'worker-started').length > before);
}

describe('a worker that is killed', () => {
  test('takes only its own connections with it, and its clients go on at once where they were', async () => {
    const { one, puts: [cut, whole] } = await twoPuts();
    const before = workerPid(rig, one.worker);
    process.kill(before, 'SIGKILL');
    const ran = await cut.over;
    expect([ran.code, failureOf(ran)]).toEqual([11, expect.objectContaining({ code: 'LOST', retry: true })]);
    await goesOn(one, 'one');
    whole.child.stdin!.end(REST);
    expect((await whole.over).code).toBe(0);
    expect((await readFile(join(rig.served, 'other'))).equals(WHOLE)).toBe(true);
    expect(await staged(rig.served)).toEqual([]);
    expect(logged(rig, 'worker-ended')).toEqual([expect.objectContaining({ pid: before, worker: one.worker, reason: 'SIGKILL' })]);
    expect(logged(rig, 'disconnected').filter(({ reason }) => reason === 'its worker ended')).toEqual([expect.objectContaining({ address: one.address, code: 'LOST' })]);
    const sessions = logged(rig, 'connected').map(({ session }) => session);
    expect(new Set(sessions).size).toBe(sessions.length);
    await until(() => logged(rig, 'disconnected').at(-1)?.active === 0);
    await expectAlive(rig);
  });

  test('is found by a client whose address has gone to another worker', async () => {
    await using twin = await Neighbour.twin(rig, '127.0.0.9');
    await using client = await twin.connect();
    await writeFile(join(rig.local, 'small'), 'x');
    await client.put(join(rig.local, 'small'), ''); // it has looked into the staging folder, and will not again
    const { over } = await fed(rig, ':one', FIRST);
    expect(await client.stat('nothing')).toBe(undefined);
    const first = logged(rig, 'connected').findLast(({ address }) => address === '127.0.0.1')!.worker!;
    expect(twin.worker).not.toBe(first);
    process.kill(workerPid(rig, first), 'SIGKILL');
    await over;
    await goesOn(twin, 'one');
    expect(await staged(rig.served)).toEqual([]);
  });

  test('leaves nothing of the folders that were on their way, and the same command again makes them whole', async () => {
    const files = Object.fromEntries(Array.from({ length: 3000 }, (_, index) => [`many/${index % 30}/file ${index}`, String(index)]));
    plant(rig.local, files);
    const put = rig.spawn(['put', 'many', ':', '--json', '--no-sync']);
    const ended = once(put, 'exit');
    await until(async () => (await staged(rig.served)).length > 0 || Object.keys(await contents(rig.served)).length > 0 || put.exitCode !== null);
    await kill(logged(rig, 'connected').at(-1)!.worker!);
    await ended;
    expect(await rig.run(['put', 'many', ':'])).toMatchObject({ code: 0 });
    expect(await contents(join(rig.served, 'many'))).toEqual(await contents(join(rig.local, 'many')));
    expect(await staged(rig.served)).toEqual([]);
  });

  test('again and again, is a reason for the server to end, and to say so', async () => {
    const { puts } = await twoPuts();
    const exit = once(rig.server!, 'exit');
    for (let time = 1; time <= 5; time += 1) await kill(1);
    expect(rig.server!.exitCode).toBe(null);
    process.kill(workerPid(rig, 1), 'SIGKILL');
    expect((await exit)[0]).toBe(1);
    expect(rig.log.join('\n')).toContain('6 workers ended within a minute, the last one with SIGKILL');
    expect(logged(rig, 'stopped')).toHaveLength(1);
    for (const { over } of puts) expect((await over).code).toBe(11);
    await resting(rig.served);
    await rig.serve();
    for (const [index, name] of ['one', 'other'].entries()) await goesOn(neighbours[index]!, name);
  });
});

test('a worker that hangs is ended when a device of it is locked out, and another one takes its place', async () => {
  const { one, puts: [hanging, going] } = await twoPuts();
  const devices = events<{ name: string }>(await rig.run(['devices', '--state', rig.state, '--json']), 'device');
  process.kill(workerPid(rig, one.worker), 'SIGSTOP');
  expect(await rig.run(['devices', 'revoke', '--state', rig.state, devices[1]!.name])).toMatchObject({ code: 0 });
  expect((await hanging.over).code).toBe(11);
  await until(() => logged(rig, 'worker-started').length === 3);
  expect((await one.run(['ls', ':'])).code).toBe(5);
  going.child.stdin!.end(REST);
  expect((await going.over).code).toBe(0);
});

test('a server that is killed takes its workers with it, and leaves what was under way to be continued', async () => {
  const { one, other, puts } = await twoPuts();
  const pids = [1, 2].map((worker) => workerPid(rig, worker));
  await rig.stop('SIGKILL');
  for (const { over } of puts) expect((await over).code).toBe(11);
  await until(() => pids.every((pid) => !isRunning(pid)));
  await rig.serve();
  await goesOn(one, 'one');
  await goesOn(other, 'other');
  expect(await staged(rig.served)).toEqual([]);
});

test('a worker does not keep what a server that does not listen has no room for', async () => {
  await writeFile(join(rig.served, 'file'), 'x');
  await using neighbour = await Neighbour.joined(rig, '127.0.0.2');
  await using client = await neighbour.connect();
  await client.stat('file');
  rig.server!.kill('SIGSTOP');
  const asked = 14_000; // more than may wait, and what the channel itself holds
  const again = async (): Promise<void> => { for (let count = 0; count < asked / 100; count += 1) await client.stat('file'); };
  await Promise.all(Array.from({ length: 100 }, again));
  rig.server!.kill('SIGCONT');
  await until(() => logged(rig, 'warning').some(({ message }) => /^\d+ lines are missing in the log/.test(String(message))));
  expect(logged(rig, 'action').length).toBeLessThan(asked);
  await expectAlive(rig);
});

describe('connections that no worker gets', () => {
  /** One after the other, each gone as soon as it is there. */
  async function comeAndGo(count: number): Promise<void> {
    for (let one = 0; one < count; one += 1) {
      const socket = connectTcp(placeOf(rig)).on('error', () => {});
      await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
      socket.resetAndDestroy();
    }
  }

  /** Files that the first process has open. */
  const openFiles = async (): Promise<number> => (await readdir(`/proc/${rig.server!.pid}/fd`)).length;

  test('because they are gone before, are forgotten: more of them than a server takes at a time', async () => {
    const before = await openFiles();
    for (let round = 0; round < 3; round += 1) {
      await comeAndGo(400);
      await expectAlive(rig);
    }
    expect(logged(rig, 'refused').filter(({ code }) => code === 'LIMIT')).toEqual([]);
    await until(async () => (await openFiles()) <= before);
  });

  test('because it may open no more files, are refused, and it takes others when it may again', async () => {
    const before = await openFiles();
    const { worker } = logged(rig, 'connected').at(-1)!; // of this address
    // Not fewer: a disk thread that starts later reads all its modules at once, and there are some 25 of them.
    execFileSync('prlimit', ['--pid', String(workerPid(rig, worker!)), '--nofile=44']);
    const held: Socket[] = [];
    for (let count = 0; count < 44; count += 1) {
      const socket = connectTcp(placeOf(rig)).on('error', () => {});
      held.push(socket);
      await once(socket, 'connect');
    }
    await until(() => logged(rig, 'refused').length > 0); // the others are counted
    expect(logged(rig, 'refused')[0]).toMatchObject({ address: '127.0.0.1', code: 'LIMIT', reason: 'the worker may open no more files', worker });
    for (const socket of held) socket.destroy();
    await until(async () => (await rig.run(['ls', ':'])).code === 0);
    expect(logged(rig, 'worker-ended')).toEqual([]);
    await until(async () => (await openFiles()) <= before);
  });
});

test.each(['0', '33', '1.5', 'many', ''])('--workers %j is refused', async (workers) => {
  const ran = await rig.run(['serve', rig.local, '--workers', workers, '--state', join(rig.folder, 'other')]);
  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain('a server has 1 to 32 workers');
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
