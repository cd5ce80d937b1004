import { expect, test } from 'vitest';
import { Budget } from '../../src/session/budget.ts';

test('a budget gives what fits, and one frame to whoever holds nothing', () => {
  const budget = new Budget(100);
  expect(budget.reserve(100, 0, () => {})).toBe(true);
  expect(budget.reserve(1, 100, () => {})).toBe(false);
  expect(budget.reserve(50, 0, () => {})).toBe(true);
  expect(budget.used).toBe(150);
});

test('whoever did not get anything is told once when there is room, and not when there is none', () => {
  const budget = new Budget(100);
  let told = 0;
  const retry = (): void => { told += 1; };
  budget.reserve(100, 0, () => {});
  budget.reserve(60, 0, () => {});
  budget.reserve(1, 1, retry);
  budget.release(60);
  expect(told).toBe(0);
  budget.release(50);
  budget.release(50);
  expect([told, budget.used]).toEqual([1, 0]);
});

test('whoever is gone is not told', () => {
  const budget = new Budget(10);
  let told = 0;
  const retry = (): void => { told += 1; };
  budget.reserve(10, 0, () => {});
  budget.reserve(1, 1, retry);
  budget.forget(retry);
  budget.release(10);
  expect(told).toBe(0);
});
