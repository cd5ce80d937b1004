/** A large file far away goes over several connections, and over fewer again when some of them break. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { getFile, putFile, type FileOptions } from '../../src/client/file.ts';
import { openSource, openTarget } from '../../src/client/local.ts';
import { Requester } from '../../src/client/requester.ts';
import { parsePath } from '../../src/path.ts';
import { Proxy } from './proxy.ts';
import { dialAs } from './raw.ts';
import { Rig } from './rig.ts';
import { noise, plant, sameBytes } from './trees.ts';

const MIB = 1 << 20;
const SIZE = 96 * MIB + 12_345;
/** 17 MB/s a connection. */
const LINE = { ms: 15, window: MIB / 2 };
const OPTIONS: FileOptions = { level: 'visible', ifAbsent: false, signal: undefined, waits: undefined, onBytes: () => {}, onLanes: () => {} };

let rig: Rig;
let proxy: Proxy;
beforeEach(async () => {
  rig = await Rig.start();
  proxy = await Proxy.before(rig, LINE);
});
afterEach(async () => {
  await proxy[Symbol.asyncDispose]();
  await rig[Symbol.asyncDispose]();
});

/** Moves `big` that way, as a client that is a round trip of 30 ms away; how many connections were opened for it. */
async function moves(way: 'put' | 'get', signedIn?: () => void): Promise<number> {
  const { connection, closed } = await dialAs(rig);
  const requester = new Requester(connection, closed, { distance: { leastMs: 2 * LINE.ms }, again: (signal) => dialAs(rig, signal), vain: new Set() });
  signedIn?.();
  const before = proxy.made;
  if (way === 'put') {
    await using local = await openSource(join(rig.local, 'big'));
    await using file = await local.vault.read(local.path);
    await putFile(requester, file, parsePath('big'), OPTIONS);
  } else {
    const { entry } = await requester.ask({ kind: 'stat', path: 'big' }, 'entry', undefined);
    await using local = await openTarget(join(rig.local, 'big'), 'file', false);
    await getFile(requester, parsePath('big'), entry!, local.vault, local.path, OPTIONS);
  }
  await connection.drain(0);
  await closed;
  return proxy.made - before;
}

describe.each(['put', 'get'] as const)('a %s', (way) => {
  beforeEach(() => { plant(way === 'put' ? rig.local : rig.served, { big: noise(SIZE) }); });

  test('uses several connections, and closes them', async () => {
    expect(await moves(way)).toBeGreaterThanOrEqual(3);
    expect(sameBytes(join(rig.local, 'big'), join(rig.served, 'big'))).toBe(true);
    // The log ties each of them to the connection that the transfer began on, and to its file.
    const lanes = rig.log.filter((line) => line.startsWith('{"event":"lane"')).map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lanes.length).toBeGreaterThanOrEqual(2);
    const began = (JSON.parse(rig.log.findLast((line) => line.startsWith('{"event":"action"') && line.includes('"big"'))!) as { session: number }).session;
    for (const lane of lanes) expect(lane).toMatchObject({ of: began, way, path: 'big' });
    expect(new Set(lanes.map(({ session }) => session)).size).toBe(lanes.length);
    expect(await rig.stop()).toBe(0); // nothing is left that the server would have to wait for
  });

  test('arrives whole when all further connections break', async () => {
    await moves(way, () => { proxy.cutAfter({ [way === 'put' ? 'up' : 'down']: 3 * MIB }); });
    expect(proxy.broken).toBeGreaterThanOrEqual(3);
    expect(sameBytes(join(rig.local, 'big'), join(rig.served, 'big'))).toBe(true);
  });
});
