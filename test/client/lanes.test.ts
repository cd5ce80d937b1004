/** When further connections are opened for a file, and when not. What then happens to them: `test/e2e/good-far.test.ts`, `good-threads.test.ts`. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { dial } from '../../src/client/dial.ts';
import { lanesFor, type Redial } from '../../src/client/lanes.ts';
import { createKey, publicBytes, signProof } from '../../src/identity.ts';
import { Hostile } from '../e2e/hostile.ts';

const MIB = 1 << 20;
/** Those of a first step far away. */
const LANES = 3;

function redial(leastMs: number, cores: number): Redial {
  return {
    distance: { leastMs }, cores, vain: new Set(), again: () => Promise.reject(new Error('nothing is dialled')),
    pass: { addresses: [], pin: new Uint8Array(32), method: 'device', key: createKey() },
  };
}

const opens = (size: number, how: Redial): boolean => lanesFor('put', size, how, () => {}) !== undefined;

test.each([
  ['far away, with one processor too', 30, 1, 32, true],
  ['not for less than 32 MiB', 30, 8, 31, false],
  ['near by with four processors, for 256 MiB', 1, 4, 256, true],
  ['not for less, near by', 1, 4, 255, false],
  ['not near by with two', 1, 2, 1024, false],
] as const)('they are: %s', (_when, ms, cores, size, opened) => {
  expect(opens(size * MIB, redial(ms, cores))).toBe(opened);
});

test('near by they are not opened by a client that could do so in this thread alone', () => {
  const { pass: _pass, ...here } = redial(1, 8);
  expect(opens(1024 * MIB, here)).toBe(false);
});

test('near by they are not tried again where that was in vain, but the other way', () => {
  const known = redial(1, 8);
  known.vain.add('put');
  expect(opens(1024 * MIB, known)).toBe(false);
  expect(lanesFor('get', 1024 * MIB, known, () => {})).toBeDefined();
});

/** Another connection to a server. */
function again({ address, pin }: Hostile, signal?: AbortSignal): ReturnType<typeof dial> {
  const key = createKey();
  return dial({
    addresses: [address], pin, signal,
    prove: (exporter, serverPin) => ({ kind: 'auth', method: 'device', key: publicBytes(key), signature: signProof(key, { kind: 'device', exporter, serverPin }) }),
  });
}

function far(server: Hostile): Redial {
  return { distance: { leastMs: 30 }, cores: 1, vain: new Set(), again: (signal) => again(server, signal) };
}

test('a lane that is there before its transfer may begin is used by it', async () => {
  await using hostile = await Hostile.start();
  let lent = 0;
  const all = new Promise<void>((resolve) => {
    hostile.script = (exchange, { kind }) => {
      if (kind !== 'putLane') return;
      exchange.say({ kind: 'lent' });
      if ((lent += 1) === LANES) resolve();
    };
  });
  const { connection } = await again(hostile);
  using exchange = connection.request({ kind: 'get', path: 'none', basis: 0 });
  let heard = 0;
  const wide = lanesFor('put', 64 * MIB, far(hostile), () => { heard += 1; })!;
  wide.begin();
  await all;
  await expect.poll(() => heard).toBeGreaterThanOrEqual(LANES); // all three are here
  let joined = 0;
  using _serving = wide.lanes.serve(exchange, () => { joined += 1; return Promise.resolve(); });
  await expect.poll(() => joined, { timeout: 5_000 }).toBe(LANES);
  await wide[Symbol.asyncDispose]();
});

describe('a server that says nothing does not hold up the end of a transfer', { timeout: 20_000 }, () => {
  let hostile: Hostile;
  beforeEach(async () => { hostile = await Hostile.start(); });
  afterEach(() => hostile[Symbol.asyncDispose]());

  test('when it was asked for a lane', async () => {
    let asked = 0;
    const all = new Promise<void>((resolve) => {
      hostile.script = (_exchange, { kind }) => { if (kind === 'putLane' && (asked += 1) === LANES) resolve(); };
    });
    const wide = lanesFor('put', 64 * MIB, far(hostile), () => {})!;
    wide.begin();
    await all;
    await wide[Symbol.asyncDispose]();
  });

  test('when it was told that all that came over a lane is here', async () => {
    let told = 0;
    const all = new Promise<void>((resolve) => {
      hostile.script = async (exchange, { kind }) => {
        if (kind !== 'getLane') return;
        exchange.say({ kind: 'lent' });
        exchange.say({ kind: 'finish' });
        await exchange.expect('landed');
        if ((told += 1) === LANES) resolve();
      };
    });
    const { connection } = await again(hostile);
    using exchange = connection.request({ kind: 'get', path: 'big', basis: 0 });
    const wide = lanesFor('get', 64 * MIB, far(hostile), () => {})!;
    using _serving = wide.lanes.serve(exchange, async (lane) => { await lane.next(); });
    wide.begin();
    await all;
    await wide[Symbol.asyncDispose]();
  });
});
