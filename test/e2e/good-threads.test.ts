/** The further connections of a large file in threads of their own: what goes over them, and what happens when one of them ends badly. */
import { randomBytes } from 'node:crypto';
import { appendFileSync, readFileSync, truncateSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { getFile, putFile, type FileOptions } from '../../src/client/file.ts';
import type { Redial } from '../../src/client/lanes.ts';
import { openSource, openTarget } from '../../src/client/local.ts';
import { Requester } from '../../src/client/requester.ts';
import { openHome } from '../../src/client/trust.ts';
import { Failure } from '../../src/errors.ts';
import { parsePath } from '../../src/path.ts';
import { Proxy } from './proxy.ts';
import { dialAs } from './raw.ts';
import { finished, Rig } from './rig.ts';
import { noise, plant, sameBytes } from './trees.ts';

const MIB = 1 << 20;
const SIZE = 48 * MIB + 12_345;
/** 17 MB/s a connection; and 4 MB/s, where a file must still be under way when a busy machine has started its threads. */
const LINE = { ms: 15, window: MIB / 2 };
const SLOW = { ms: 15, window: MIB / 8 };

let rig: Rig;
let proxy: Proxy;
/** Threads that were started, and those that have not ended. */
let started: Worker[];
const running = new Set<Worker>();
const onWorker = (worker: Worker): void => {
  started.push(worker);
  running.add(worker);
  worker.once('exit', () => running.delete(worker));
};

beforeEach(async () => {
  rig = await Rig.start();
  proxy = await Proxy.before(rig, LINE);
  started = [];
  process.on('worker', onWorker);
});
afterEach(async () => {
  process.off('worker', onWorker);
  await proxy[Symbol.asyncDispose]();
  await rig[Symbol.asyncDispose]();
  await expect.poll(() => running.size, { timeout: 10_000 }).toBe(0);
});

interface Moved { readonly kept: number; readonly lanes: number }

/** Moves `big` that way with four processors, a round trip of 30 ms away; `during` is called as it moves, with all bytes so far. */
async function moves(way: 'put' | 'get', during: (bytes: number) => void = () => {}, signal?: AbortSignal): Promise<Moved> {
  const { connection, closed, answered, serverPin } = await dialAs(rig);
  const redial: Redial = {
    distance: { leastMs: 2 * LINE.ms }, cores: 4, vain: new Set(),
    again: () => Promise.reject(new Error('dialled in this thread')),
    pass: { addresses: [answered], pin: serverPin, method: 'device', key: await (await openHome(rig.home)).deviceKey() },
  };
  const requester = new Requester(connection, closed, redial);
  during(0);
  let done = 0;
  let most = 0;
  const options: FileOptions = {
    level: 'visible', ifAbsent: false, signal, waits: undefined,
    onBytes: (bytes) => { done += bytes; during(done); },
    onLanes: (lanes) => { most = Math.max(most, lanes); },
  };
  try {
    if (way === 'put') {
      await using local = await openSource(join(rig.local, 'big'));
      await using file = await local.vault.read(local.path);
      return { kept: (await putFile(requester, file, parsePath('big'), options)).kept, lanes: most };
    }
    const { entry } = await requester.ask({ kind: 'stat', path: 'big' }, 'entry', undefined);
    await using local = await openTarget(join(rig.local, 'big'), 'file', false);
    return { kept: (await getFile(requester, parsePath('big'), entry!, local.vault, local.path, options)).kept, lanes: most };
  } finally {
    await connection.drain(0);
    await closed;
  }
}

/** Calls `action` once, when so many bytes have moved and threads run. */
function onceAt(bytes: number, action: () => void): (done: number) => void {
  let acted = false;
  return (done) => {
    if (acted || done < bytes || running.size === 0) return;
    acted = true;
    action();
  };
}

const isSame = (): boolean => sameBytes(join(rig.local, 'big'), join(rig.served, 'big'));
const lanesInLog = (): number => rig.log.filter((line) => line.startsWith('{"event":"lane"')).length;

describe.each(['put', 'get'] as const)('a %s', (way) => {
  beforeEach(() => { plant(way === 'put' ? rig.local : rig.served, { big: noise(SIZE) }); });

  test('goes over threads, fewer than connections, and leaves none behind', async () => {
    proxy.distance = SLOW;
    const { lanes } = await moves(way);
    expect(lanes).toBeGreaterThanOrEqual(2);
    expect(lanesInLog()).toBeGreaterThanOrEqual(2);
    expect(started.length).toBe(3); // of four processors
    expect(isSame()).toBe(true);
    expect(await rig.stop()).toBe(0); // nothing is left that the server would have to wait for
  });

  test('arrives whole when a thread is killed', async () => {
    await moves(way, onceAt(12 * MIB, () => { for (const worker of started.slice(0, 2)) void worker.terminate(); }));
    expect(started.length).toBeGreaterThanOrEqual(2);
    expect(isSame()).toBe(true);
  });

  test('arrives whole when bits change on the way over further connections', async () => {
    await moves(way, (done) => { if (done === 0) proxy.cutAfter({ [way === 'put' ? 'up' : 'down']: 3 * MIB, garble: true }); });
    expect(proxy.broken).toBeGreaterThanOrEqual(1); // a busy machine opens few
    expect(isSame()).toBe(true);
  });

  test('ends at once when it is cancelled, and goes on where it was', async () => {
    const stop = new AbortController();
    let stopped = 0;
    await expect(moves(way, onceAt(20 * MIB, () => {
      stopped = performance.now();
      stop.abort(new Failure('CANCELLED', 'cancelled', { who: 'here' }));
    }), stop.signal)).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(performance.now() - stopped).toBeLessThan(1_000); // of this machine, when it is busy
    const { kept } = await moves(way);
    expect(kept).toBeGreaterThan(4 * MIB);
    expect(isSame()).toBe(true);
  });
});

test('a put of a file that changes is refused', async () => {
  plant(rig.local, { big: noise(SIZE) });
  await expect(moves('put', onceAt(12 * MIB, () => appendFileSync(join(rig.local, 'big'), 'more')))).rejects.toMatchObject({ code: 'CHANGED' });
});

describe('a server with two workers', () => {
  beforeEach(async () => {
    await proxy[Symbol.asyncDispose]();
    await rig[Symbol.asyncDispose]();
    rig = await Rig.start({ serve: ['--workers', '2'] });
    proxy = await Proxy.before(rig, LINE);
  });

  test('has all connections of a file at one of them', async () => {
    plant(rig.local, { big: noise(SIZE) });
    expect((await moves('put')).lanes).toBeGreaterThanOrEqual(1);
    expect(isSame()).toBe(true);
  });

  test.each(['put', 'get'] as const)('finishes a %s without those that came to the other one', async (way) => {
    plant(way === 'put' ? rig.local : rig.served, { big: noise(SIZE) });
    const { lanes } = await moves(way, (done) => { if (done === 0) proxy.from = '127.0.0.2'; });
    expect(lanes).toBe(0);
    expect(proxy.made).toBeGreaterThanOrEqual(4);
    expect(isSame()).toBe(true);
  });
});

/** Of the whole process. From 24 on Node itself takes some 30 MiB more for what soon dies, where a machine is busy. */
const MOST_MIB = Number(process.versions.node.split('.')[0]) >= 24 ? 192 : 150;

describe('the command, with four processors, near by', () => {
  const peak = (): string => join(rig.folder, 'peak');
  const env = (): Record<string, string> => ({ NODE_OPTIONS: `--import=${resolve(import.meta.dirname, 'cores.mjs')}`, WHERRY_PEAK: peak() });
  beforeEach(async () => { await proxy.bypass(rig); });

  test.each(['put', 'get'] as const)('tries a thread for a %s of a very large file, in bounded memory', async (way) => {
    const some = randomBytes(16 * MIB); // no two blocks of it alike, and none to be compressed
    for (let part = 0; part < 24; part += 1) appendFileSync(join(way === 'put' ? rig.local : rig.served, 'big'), some);
    expect(await rig.run([way, ...(way === 'put' ? ['big', ':'] : [':big'])], { env: env() })).toMatchObject({ code: 0 });
    expect(isSame()).toBe(true);
    expect(lanesInLog()).toBeGreaterThanOrEqual(1);
    const [threads, kib] = readFileSync(peak(), 'utf8').split(' ').map(Number);
    expect(threads).toBeGreaterThanOrEqual(1);
    expect(kib! / 1024).toBeLessThan(MOST_MIB);
  });

  test('ends when it is interrupted', async () => {
    plant(rig.local, { big: '' });
    truncateSync(join(rig.local, 'big'), 2048 * MIB);
    const child = rig.spawn(['put', 'big', ':'], { env: env() });
    const words = finished(child);
    child.stdin!.end();
    await expect.poll(lanesInLog, { timeout: 20_000 }).toBeGreaterThanOrEqual(1);
    const asked = performance.now();
    child.kill('SIGINT');
    expect(await words).toMatchObject({ code: 130 });
    expect(performance.now() - asked).toBeLessThan(1_000); // of this machine, when it is busy
  });
});
