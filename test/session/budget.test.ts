import { expect, test } from 'vitest';
import { Budget, MAX_EXCEPTED } from '../../src/session/budget.ts';

test('a budget lets everybody hold as much as is left, and gives one piece to whoever holds nothing', () => {
  const budget = new Budget(100);
  expect(budget.reserve(50, 0, () => {})).toBe(true);
  expect([budget.offers(0, 50), budget.offers(1, 50), budget.offers(50, 0), budget.offers(51, 0)]).toEqual([true, false, true, false]);
  expect(budget.reserve(50, 0, () => {})).toBe(true);
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

test('of many who take what they can, each has an equal share, and a newcomer finds as much', () => {
  const budget = new Budget(1100);
  const held = Array.from({ length: 10 }, () => 0);
  for (let round = 0; round < 1000; round += 1) {
    for (const at of held.keys()) if (budget.reserve(1, held[at]!, () => {})) held[at]! += 1;
  }
  expect([Math.min(...held), Math.max(...held)]).toEqual([100, 100]);
  expect([budget.offers(100, 0), budget.offers(101, 0)]).toEqual([true, false]);
});

test('of those who wait, as many are asked as take what became free, each in turn', () => {
  const budget = new Budget(100);
  budget.reserve(100, 0, () => {});
  const asked: number[] = [];
  for (let at = 0; at < 10; at += 1) budget.reserve(1, 1, () => { asked.push(at); if (at < 2) budget.reserve(1, 0, () => {}); });
  budget.release(10);
  expect(asked).toEqual([0, 1, 2]);
  budget.release(10);
  expect(asked).toEqual([0, 1, 2, 3]);
});

test('what has to be whole is had beyond what is offered by a few, the others in turn, and by nobody twice', () => {
  const budget = new Budget(100);
  budget.reserve(100, 0, () => {});
  const asked: number[] = [];
  const ask = (at: number): unknown => budget.reserveWhole(10, 0, true, () => { asked.push(at); ask(at); });
  const outcomes = Array.from({ length: MAX_EXCEPTED + 2 }, (_, at) => ask(at));
  expect(outcomes).toEqual([...Array.from({ length: MAX_EXCEPTED }, () => 'excepted'), undefined, undefined]);
  expect(budget.reserveWhole(10, 10, false, () => { asked.push(-1); })).toBe(undefined);
  expect(budget.used).toBe(100 + MAX_EXCEPTED * 10);
  budget.settle();
  expect([asked, budget.used]).toEqual([[MAX_EXCEPTED], 110 + MAX_EXCEPTED * 10]);
  budget.settle();
  budget.settle();
  expect([asked, budget.used]).toEqual([[MAX_EXCEPTED, MAX_EXCEPTED + 1], 120 + MAX_EXCEPTED * 10]);
  expect(budget.reserveWhole(10, 0, true, () => {})).toBe('excepted');
  budget.release(260);
  expect(budget.reserveWhole(10, 10, false, () => {})).toBe('offered');
});

test('open connections have their part of it, and leave a quarter', () => {
  const budget = new Budget(1 << 20);
  budget.enter();
  expect(budget.offers(1 << 20, 0)).toBe(false);
  for (let more = 0; more < 1000; more += 1) budget.enter();
  expect([budget.offers((1 << 20) / 4, 0), budget.offers((1 << 20) / 4 + 1, 0)]).toEqual([true, false]);
  for (let less = 0; less <= 1000; less += 1) budget.part();
  expect(budget.offers(1 << 20, 0)).toBe(true);
});

test('what may be on the way is a bound of its own where it is given one, and what is held stays as it is', () => {
  const budget = new Budget(64 << 20, 128 << 20);
  expect(budget.windows.lend(Infinity)).toBe(128 << 20);
  expect([budget.offers(64 << 20, 0), budget.offers((64 << 20) + 1, 0)]).toEqual([true, false]);
});
