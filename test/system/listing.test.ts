/** A12: a folder of a million names is listed page by page, and the server does not grow with it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pages, signIn } from '../e2e/raw.ts';
import { Rig } from '../e2e/rig.ts';

const MIB = 1 << 20;
const NAMES = 1_000_000;
/** What a listing may take besides what one of a few names does: pages on their way, and the garbage of those that went. */
const MOST = 64 * MIB;

/** The most memory the process ever had resident, in bytes (proc(5)). */
function peak(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))![1]) * 1024;
}

test('A12: a folder of 1,000,000 names is listed whole, within 64 MiB', { timeout: 600_000 }, async () => {
  await using rig = await Rig.start();
  for (const folder of ['few', 'many']) mkdirSync(join(rig.served, folder));
  execFileSync('bash', ['-c', 'touch few/{1..1000}; seq -f many/file-%.0f 1000000 | xargs touch'], { cwd: rig.served });
  const connection = await signIn(rig);
  const count = async (path: string): Promise<{ names: number; firstMs: number }> => {
    using exchange = connection.request({ kind: 'list', path, deep: false });
    const began = performance.now();
    let [names, firstMs] = [0, 0];
    for await (const page of pages(exchange)) {
      if (names === 0) firstMs = performance.now() - began;
      names += page.length;
    }
    return { names, firstMs };
  };
  expect((await count('few')).names).toBe(1000);
  const before = peak(rig.server!.pid!);
  const { names, firstMs } = await count('many');
  const more = peak(rig.server!.pid!) - before;
  process.stdout.write(`listing: ${NAMES} names took ${Math.round(more / MIB)} MiB more than 1000 did; the first page came after ${Math.round(firstMs)} ms\n`);
  expect(names).toBe(NAMES);
  expect(more).toBeLessThan(MOST);
  await connection.drain(0);
});
