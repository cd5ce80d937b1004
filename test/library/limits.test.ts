/** What `onProgress` says of the limit, where it is known: a stream that waits for the test, and a network that holds everything. */
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { connect, type Limit, type Progress } from '../../src/index.ts';
import { Proxy } from '../e2e/proxy.ts';
import { Rig } from '../e2e/rig.ts';
import { noise } from '../e2e/trees.ts';

const MIB = 1 << 20;
/** More than the credit of one exchange. */
const LARGE = 32 * MIB;
/** In the middle of a block: what opens a connection, and what TLS adds, is far less than half of one. */
const HELD_AFTER = 3.5 * MIB;

/** A listener, and a promise that is kept when it hears of one of these limits; until then the transfer is held. */
function hear(...wanted: readonly Limit[]): { onProgress: (progress: Progress) => void; heard: Promise<void> } {
  let hears!: () => void;
  const heard = new Promise<void>((resolve) => { hears = resolve; });
  return { heard, onProgress: ({ limit }) => { if (limit !== undefined && wanted.includes(limit)) hears(); } };
}

test('a stream that has nothing to send is the limit: input', async () => {
  await using rig = await Rig.start();
  await using client = await connect({ home: rig.home });
  const { onProgress, heard } = hear('input');
  async function* slow(): AsyncGenerator<Uint8Array> {
    yield noise(MIB);
    await heard;
    yield noise(MIB);
  }
  const item = await client.putStream(slow(), 'slow', { onProgress });
  expect([item.failure, item.bytes]).toEqual([undefined, 2 * MIB]);
});

describe('a network that holds everything is the limit', () => {
  test('of large files that are sent', async () => {
    await using rig = await Rig.start();
    await using proxy = await Proxy.before(rig);
    await mkdir(join(rig.local, 'large'));
    // Several at once have more credit than any socket has room for.
    for (const name of ['a', 'b', 'c', 'd']) await writeFile(join(rig.local, 'large', name), noise(LARGE));
    proxy.cutAfter({ up: HELD_AFTER, hold: true });
    await using client = await connect({ home: rig.home });
    const { onProgress, heard } = hear('network');
    const put = client.put(join(rig.local, 'large'), '', { onProgress });
    await heard;
    await proxy.release();
    expect(await put).toMatchObject({ files: 4, failed: 0 });
  });

  test('of a large file that is fetched', async () => {
    await using rig = await Rig.start();
    await using proxy = await Proxy.before(rig);
    await writeFile(join(rig.served, 'large'), noise(LARGE));
    proxy.cutAfter({ down: HELD_AFTER, hold: true });
    await using client = await connect({ home: rig.home });
    const { onProgress, heard } = hear('network');
    const get = client.get('large', join(rig.local, 'large'), { onProgress });
    await heard;
    await proxy.release();
    expect(await get).toMatchObject({ files: 1, failed: 0 });
    expect(readFileSync(join(rig.local, 'large')).equals(noise(LARGE))).toBe(true);
  });

  test.each(['put', 'get'] as const)('of small files, with %s', async (verb) => {
    await using rig = await Rig.start();
    await using proxy = await Proxy.before(rig);
    const folder = join(verb === 'put' ? rig.local : rig.served, 'small');
    await mkdir(folder);
    const bytes = noise(32 << 10);
    for (let file = 0; file < LARGE / bytes.byteLength; file += 1) await writeFile(join(folder, `file-${file}`), bytes);
    proxy.cutAfter({ [verb === 'put' ? 'up' : 'down']: HELD_AFTER, hold: true });
    await using client = await connect({ home: rig.home });
    // Where a socket has room for all the credit, it is not known who does not take the bytes in it.
    const { onProgress, heard } = verb === 'put' ? hear('network', 'peer') : hear('network');
    const running = verb === 'put' ? client.put(folder, '', { onProgress }) : client.get('small', rig.local, { onProgress });
    await heard;
    await proxy.release();
    expect(await running).toMatchObject({ files: LARGE / bytes.byteLength, failed: 0 });
  });
});
