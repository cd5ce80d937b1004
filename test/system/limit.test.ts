/** A server whose disk is slow, seen from the client: it is named as the limit. Skipped where strace, which slows the disk, is not installed. */
import { expect, test } from 'vitest';
import { connect, type Limit } from '../../src/index.ts';
import { Rig } from '../e2e/rig.ts';
import { noise } from '../e2e/trees.ts';
import { missing } from './strace.ts';

/** Each write of a file waits for a fifth of a second. */
const SLOW = ['strace', '-D', '-f', '--seccomp-bpf', '-e', 'trace=pwrite64,pwritev', '-e', 'signal=none', '-e', 'inject=pwrite64,pwritev:delay_enter=200000', '-o', '/dev/null'];

test.skipIf(missing)('a server that waits for its disk is the limit of a put', async () => {
  await using rig = await Rig.start();
  await rig.stop();
  await rig.serve(SLOW);
  await using client = await connect({ home: rig.home });
  const limits = new Set<Limit | undefined>();
  async function* untilSeen(): AsyncGenerator<Uint8Array> {
    const block = noise(1 << 20);
    while (!limits.has('server')) yield block;
  }
  const item = await client.putStream(untilSeen(), 'file', { onProgress: ({ limit }) => { limits.add(limit); } });
  expect(item.failure).toBeUndefined();
  expect(limits).not.toContain('input');
});
