import { expect, test } from 'vitest';
import { Arrivals } from '../../src/doors/arrivals.ts';

function arrivals() {
  let now = 0;
  const all = new Arrivals(() => now);
  const come = (address: string, times: number): number => Array.from({ length: times }, () => all.take(address)).filter(Boolean).length;
  return { come, pass: (seconds: number) => { now += seconds * 1000; } };
}

test('a lecture hall may come at once; who goes on like that may make a few connections a second', () => {
  const { come, pass } = arrivals();
  expect(come('192.0.2.1', 1000)).toBe(220);
  pass(10);
  expect(come('192.0.2.1', 1000)).toBe(50);
});

test('what one network does is not counted against another, and the half of IPv6 is one network', () => {
  const { come } = arrivals();
  expect(come('2001:db8::1', 200)).toBe(200);
  expect(come('2001:db8::2', 200)).toBe(20);
  expect(come('192.0.2.1', 10)).toBe(10);
});

test('however many networks come, a bounded number is remembered', () => {
  const { come } = arrivals();
  expect(come('192.0.2.1', 300)).toBe(220);
  for (let number = 0; number < 1000; number += 1) come(`10.0.${number >> 8}.${number & 255}`, 1);
  expect(come('192.0.2.1', 1)).toBe(1);
});
