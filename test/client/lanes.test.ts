/** When further connections are opened for a file, and when not. What then happens to them: `test/e2e/good-far.test.ts`, `good-threads.test.ts`. */
import { expect, test } from 'vitest';
import { dial } from '../../src/client/dial.ts';
import { lanesFor, type Redial } from '../../src/client/lanes.ts';
import { createKey, publicBytes, signProof } from '../../src/identity.ts';
import { Hostile } from '../e2e/hostile.ts';

const MIB = 1 << 20;

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

test('a server that never says whether it takes a lane does not hold up the end of the transfer', { timeout: 20_000 }, async () => {
  await using hostile = await Hostile.start();
  let asked = 0;
  const all = new Promise<void>((resolve) => {
    hostile.script = (_exchange, message) => { if (message.kind === 'putLane' && (asked += 1) === 3) resolve(); };
  });
  const key = createKey();
  const again: Redial['again'] = (signal) => dial({
    addresses: [hostile.address], pin: hostile.pin, signal,
    prove: (exporter, serverPin) => ({ kind: 'auth', method: 'device', key: publicBytes(key), signature: signProof(key, { kind: 'device', exporter, serverPin }) }),
  });
  const lanes = lanesFor('put', 64 * MIB, { distance: { leastMs: 30 }, cores: 1, vain: new Set(), again }, () => {})!;
  lanes.begin();
  await all;
  await lanes[Symbol.asyncDispose]();
});
