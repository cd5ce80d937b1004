/**
 * A crowd at a slow disk: 200 connections send at once, every write of the server is held up, and its memory stays
 * within the bound of its budget. Skipped where strace, which slows the disk, is not installed.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { connect, type Client } from '../../src/index.ts';
import { DEFAULT_BUDGET } from '../../src/session/budget.ts';
import { FRAME_COST } from '../../src/session/machine.ts';
import { MAX_BODY } from '../../src/wire/frame.ts';
import { Rig } from '../e2e/rig.ts';
import { noise, sha256 } from '../e2e/trees.ts';
import { missing } from './strace.ts';

const MIB = 1 << 20;
const CONNECTIONS = 200;
/** What each of them sends: together far more than the server may hold. */
const EACH = 3;

/** Writes of files wait a tenth of a second each; four threads make them. Nothing else is slowed or even seen. */
const SLOW = ['strace', '-D', '-f', '--seccomp-bpf', '-e', 'trace=pwrite64,pwritev', '-e', 'signal=none', '-e', 'inject=pwrite64,pwritev:delay_enter=100000', '-o', '/dev/null'];

/** The process itself, with everything that does not depend on who sends how much. */
const BASE = 128 * MIB;
/** What `budget.ts` enforces: the budget, and one frame for each connection that holds nothing else. */
const BOUND = BASE + DEFAULT_BUDGET + CONNECTIONS * (MAX_BODY + FRAME_COST);

/** The most memory the process ever had resident, in bytes. */
function peak(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;
}

async function* repeated(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < EACH; at += 1) yield bytes;
}

describe.skipIf(missing)('200 connections that send to a slow disk', () => {
  test('are all served, within the memory that the budget allows', async () => {
    await using rig = await Rig.start();
    await rig.stop();
    await rig.serve(SLOW);
    const pid = rig.server!.pid!;
    const clients: Client[] = [];
    for (let at = 0; at < CONNECTIONS; at += 1) clients.push(await connect({ home: rig.home }));
    const idle = peak(pid);
    const bytes = noise(MIB);
    const items = await Promise.all(clients.map((client, at) => client.putStream(repeated(bytes), `file-${at}`)));
    const most = peak(pid);
    process.stdout.write(`memory: ${Math.round(idle / MIB)} MiB with ${CONNECTIONS} connections, ${Math.round(most / MIB)} MiB when all sent; the bound is ${Math.round(BOUND / MIB)} MiB\n`);
    // The disk was the slow part: what came had to wait for it.
    expect(most).toBeGreaterThan(idle + DEFAULT_BUDGET / 2);
    expect(most).toBeLessThanOrEqual(BOUND);
    expect(idle).toBeLessThanOrEqual(BASE);
    expect(items.filter(({ failure, bytes: sent }) => failure !== undefined || sent !== EACH * MIB)).toEqual([]);
    const files = readdirSync(rig.served).filter((name) => name.startsWith('file-'));
    expect([files.length, new Set(files.map((name) => sha256(join(rig.served, name)))).size]).toEqual([CONNECTIONS, 1]);
    await Promise.all(clients.map((client) => client.close()));
  });
});
