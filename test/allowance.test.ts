import { expect, test } from 'vitest';
import { Allowance } from '../src/allowance.ts';

test('so many at once, and so many a second after that; what is not used is saved up to as many', () => {
  let now = 0;
  const allowance = new Allowance(3, 2, () => now);
  const taken = (): number => [1, 2, 3, 4, 5].filter(() => allowance.take()).length;
  expect([taken(), allowance.waitMs]).toEqual([3, 500]);
  now += 499;
  expect(taken()).toBe(0);
  now += 1;
  expect(taken()).toBe(1);
  now += 1000;
  expect(taken()).toBe(2);
  now += 3_600_000;
  expect(taken()).toBe(3);
});
