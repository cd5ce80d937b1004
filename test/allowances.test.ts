import { expect, test } from 'vitest';
import { Allowances } from '../src/allowances.ts';

const PACE = { atOnce: 2, perSecond: 1 };

test('a network has so much at once and so much a second after that, for each thing its own', () => {
  let now = 0;
  const allowances = new Allowances(() => now);
  const take = (what: string, address: string): boolean => allowances.take(what, address, PACE);
  expect([take('a', '192.0.2.1'), take('a', '192.0.2.1'), take('a', '192.0.2.1')]).toEqual([true, true, false]);
  expect([take('b', '192.0.2.1'), take('a', '192.0.2.2')]).toEqual([true, true]);
  now = 1000;
  expect([take('a', '192.0.2.1'), take('a', '192.0.2.1')]).toEqual([true, false]);
});

test('another address of the same IPv6 network has no allowance of its own', () => {
  const allowances = new Allowances(() => 0);
  const taken = [1, 2, 3].map((host) => allowances.take('a', `2001:db8::${host}`, PACE));
  expect(taken).toEqual([true, true, false]);
});

test('a thousand networks are remembered, those that came last', () => {
  const allowances = new Allowances(() => 0);
  const spend = (address: string): boolean => [1, 2, 3].map(() => allowances.take('a', address, PACE)).at(-1)!;
  expect(spend('192.0.2.1')).toBe(false);
  for (let other = 0; other < 999; other += 1) allowances.take('a', `10.0.${other >> 8}.${other & 255}`, PACE);
  expect(allowances.take('a', '192.0.2.1', PACE)).toBe(false);
  for (let other = 0; other < 1000; other += 1) allowances.take('a', `10.1.${other >> 8}.${other & 255}`, PACE);
  expect(allowances.take('a', '192.0.2.1', PACE)).toBe(true);
});
