/**
 * A crowd: hundreds of connections to one server, that send to a slow disk, fetch, stop reading, or only stay; and the memory of
 * the server stays within what its constants say. Each case prints what it took. The slow disk is skipped where strace,
 * which slows it, is not installed; what the process ever had resident is known on Linux alone.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { connect, type Client } from '../../src/index.ts';
import { MAX_PACK_BYTES } from '../../src/pack.ts';
import { DEFAULT_BUDGET, MAX_EXCEPTED } from '../../src/session/budget.ts';
import { FRAME_COST } from '../../src/session/machine.ts';
import { PIECE_BYTES } from '../../src/session/slabs.ts';
import { Rig } from '../e2e/rig.ts';
import { signIn } from '../e2e/raw.ts';
import { noise, sha256 } from '../e2e/trees.ts';
import { missing } from './strace.ts';

const MIB = 1 << 20;
const CONNECTIONS = 200;
/** What each of them fetches, or sends to a slow disk: together more than the server may hold. */
const [EACH, EACH_SLOWLY] = [3 * MIB, MIB];

/** Writes of files wait a twentieth of a second each; four threads make them. Nothing else is slowed or even seen. */
const SLOW = ['strace', '-D', '-f', '--seccomp-bpf', '-e', 'trace=pwrite64,pwritev', '-e', 'signal=none', '-e', 'inject=pwrite64,pwritev:delay_enter=50000', '-o', '/dev/null'];

/** The same where folders get their names, of small files: with one for each of them that is not yet there. */
const SLOW_NAMES = ['strace', '-D', '-f', '--seccomp-bpf', '-e', 'trace=mkdir', '-e', 'signal=none', '-e', 'inject=mkdir:delay_enter=20000', '-o', '/dev/null'];

/** The process itself, with everything that does not depend on who moves how much. */
const BASE = 128 * MIB;
/** What `budget.ts` enforces: the budget, and one piece for each connection that holds nothing else. */
const BOUND = BASE + DEFAULT_BUDGET + CONNECTIONS * (PIECE_BYTES + FRAME_COST);
/** With packs, which come whole, also those few that may be taken beyond it. */
const BOUND_PACKS = BOUND + MAX_EXCEPTED * MAX_PACK_BYTES;

/** The most memory the process ever had resident, in bytes. */
function peak(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;
}

/** How many descriptors it has open. */
function descriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Connections of the joined device, one after the other: it is not the handshakes that are looked at. */
async function crowd(rig: Rig, count: number): Promise<Client[]> {
  const clients: Client[] = [];
  while (clients.length < count) clients.push(await connect({ home: rig.home }));
  return clients;
}

async function leave(clients: readonly Client[]): Promise<void> {
  await Promise.all(clients.map((client) => client.close()));
}

async function* repeated(bytes: Buffer, times: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < times; at += 1) yield bytes;
}

function tell(what: string, idle: number, most: number, bound: number): void {
  process.stdout.write(`memory: ${Math.round(idle / MIB)} MiB with all connected, ${Math.round(most / MIB)} MiB when ${what}; the bound is ${Math.round(bound / MIB)} MiB\n`);
}

describe.skipIf(missing)('D2: 200 connections that send to a slow disk', () => {
  test('are all served, within the memory that the budget allows', async () => {
    await using rig = await Rig.start();
    await rig.stop();
    await rig.serve(SLOW);
    const pid = rig.server!.pid!;
    const clients = await crowd(rig, CONNECTIONS);
    const idle = peak(pid);
    const bytes = noise(MIB);
    const items = await Promise.all(clients.map((client, at) => client.putStream(repeated(bytes, EACH_SLOWLY / MIB), `file-${at}`)));
    const most = peak(pid);
    tell('all sent', idle, most, BOUND);
    // The disk was the slow part: what came had to wait for it.
    expect(most).toBeGreaterThan(idle + DEFAULT_BUDGET / 4);
    expect(most).toBeLessThanOrEqual(BOUND);
    expect(idle).toBeLessThanOrEqual(BASE);
    expect(items.filter(({ failure, bytes: sent }) => failure !== undefined || sent !== EACH_SLOWLY)).toEqual([]);
    const files = readdirSync(rig.served).filter((name) => name.startsWith('file-'));
    expect([files.length, new Set(files.map((name) => sha256(join(rig.served, name)))).size]).toEqual([CONNECTIONS, 1]);
    await leave(clients);
  });

  test('and folders of small files, are all served, within the memory that the budget allows', async () => {
    await using rig = await Rig.start();
    await rig.stop();
    await rig.serve(SLOW_NAMES);
    const pid = rig.server!.pid!;
    smallFiles(join(rig.local, 'many'), 2, 150);
    const clients = await crowd(rig, CONNECTIONS);
    const idle = peak(pid);
    const summaries = await Promise.all(clients.map((client, at) => client.put(join(rig.local, 'many'), `many-${at}`, { level: 'visible' })));
    tell('all had sent folders', idle, peak(pid), BOUND_PACKS);
    expect(summaries.filter(({ failed, files }) => failed > 0 || files !== 300)).toEqual([]);
    expect(peak(pid)).toBeLessThanOrEqual(BOUND_PACKS);
    expect(readdirSync(join(rig.served, `many-${CONNECTIONS - 1}`, '1')).length).toBe(150);
    await leave(clients);
  });
});

describe.skipIf(process.platform !== 'linux')('200 connections that fetch', () => {
  test('at once are all served, within the memory that the budget allows', async () => {
    await using rig = await Rig.start();
    const pid = rig.server!.pid!;
    writeFileSync(join(rig.served, 'file'), noise(EACH));
    const clients = await crowd(rig, CONNECTIONS);
    const idle = peak(pid);
    const sizes = await Promise.all(clients.map(async (client) => {
      let size = 0;
      for await (const chunk of client.getStream('file')) size += chunk.byteLength;
      return size;
    }));
    tell('all had fetched', idle, peak(pid), BOUND);
    expect(peak(pid)).toBeLessThanOrEqual(BOUND);
    expect(sizes).toEqual(clients.map(() => EACH));
    await leave(clients);
  });

  test('and stop reading hold no more than that, and somebody else is served meanwhile', async () => {
    await using rig = await Rig.start();
    const pid = rig.server!.pid!;
    // More than sockets and readers take by themselves.
    writeFileSync(join(rig.served, 'large'), noise(16 * MIB));
    const whole = noise(8 * MIB);
    writeFileSync(join(rig.served, 'other'), whole);
    const clients = await crowd(rig, CONNECTIONS);
    const idle = peak(pid);
    const streams = clients.map((client) => client.getStream('large')[Symbol.asyncIterator]());
    await Promise.all(streams.map((stream) => stream.next()));
    expect(await rig.run(['get', ':other', '.'])).toMatchObject({ code: 0 });
    expect(sha256(join(rig.local, 'other'))).toBe(sha256(join(rig.served, 'other')));
    expect(await rig.run(['put', 'other', ':back'])).toMatchObject({ code: 0 });
    tell('200 did not read', idle, peak(pid), BOUND);
    expect(peak(pid)).toBeLessThanOrEqual(BOUND);
    await Promise.all(streams.map(async (stream) => stream.return?.()));
    await leave(clients);
  });
});

/** Folders with small files of 4 KiB, so many in each. */
function smallFiles(folder: string, folders: number, files: number): void {
  const bytes = noise(4096);
  for (let at = 0; at < folders; at += 1) {
    mkdirSync(join(folder, `${at}`), { recursive: true });
    for (let file = 0; file < files; file += 1) writeFileSync(join(folder, `${at}`, `small-${file}`), bytes);
  }
}

describe.skipIf(process.platform !== 'linux')('200 connections that fetch a folder of small files', () => {
  test('and stop reading hold no more than that, and somebody else is served meanwhile', async () => {
    await using rig = await Rig.start();
    const pid = rig.server!.pid!;
    smallFiles(join(rig.served, 'many'), 16, 256);
    smallFiles(join(rig.served, 'other'), 2, 100);
    const connections = [];
    while (connections.length < CONNECTIONS) connections.push(await signIn(rig));
    const idle = peak(pid);
    await Promise.all(connections.map(async (connection) => {
      await connection.request({ kind: 'getTree', path: '', exclude: [] }).next();
      connection.hold();
    }));
    expect(await rig.run(['get', ':other', '.'])).toMatchObject({ code: 0 });
    expect(await rig.run(['put', 'other', ':back'])).toMatchObject({ code: 0 });
    expect(readdirSync(join(rig.served, 'back', '1')).length).toBe(100);
    tell('200 did not read packs', idle, peak(pid), BOUND);
    expect(peak(pid)).toBeLessThanOrEqual(BOUND);
    for (const connection of connections) connection.end(undefined);
  });
});

describe.skipIf(process.platform !== 'linux')('a thousand connections', () => {
  const MANY = 1000;
  /** Of the process itself, and one file for each connection while it is put. */
  const OTHERS = 100;

  test('list and put a small file each, within the budget and what the process takes, and leave no descriptor', async () => {
    const settings = mkdtempSync(join(tmpdir(), 'wherry-crowd-'));
    const file = join(settings, 'wherry.toml');
    writeFileSync(file, `ticket = "rw"\n[limits]\nmax_connections = ${MANY + OTHERS}\nmax_connections_per_address = ${MANY + OTHERS}\n`);
    try {
      await using rig = await Rig.start({ serve: ['--config', file] });
      const pid = rig.server!.pid!;
      const before = descriptors(pid);
      const clients = await crowd(rig, MANY);
      const idle = peak(pid);
      expect(descriptors(pid)).toBeLessThanOrEqual(before + MANY + OTHERS);
      await Promise.all(clients.map(async (client, at) => {
        for await (const _page of client.list('')) { /* that it comes is enough */ }
        await client.putStream(repeated(Buffer.from(`this is ${at}`), 1), `small-${at}`, { level: 'visible' });
      }));
      tell('each had listed and put', idle, peak(pid), BASE + DEFAULT_BUDGET);
      expect(peak(pid)).toBeLessThanOrEqual(BASE + DEFAULT_BUDGET);
      expect(readdirSync(rig.served).filter((name) => name.startsWith('small-')).length).toBe(MANY);
      await leave(clients);
      // The server hears of the last ones in its own time.
      while (descriptors(pid) > before + OTHERS) await rig.run(['ls', ':nothing']);
    } finally {
      rmSync(settings, { recursive: true });
    }
  });
});
