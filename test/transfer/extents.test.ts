import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { Extents } from '../../src/transfer/extents.ts';

describe('extents', () => {
  test('reach as far as there is no gap', () => {
    const extents = new Extents();
    expect(extents.reach(0)).toBe(0);
    extents.add(10, 5);
    expect([extents.reach(0), extents.reach(10), extents.reach(12), extents.reach(15)]).toEqual([0, 15, 15, 15]);
    extents.add(0, 10);
    expect(extents.reach(0)).toBe(15);
  });

  test('say what is there already, and refuse what is there in part', () => {
    const extents = new Extents();
    expect(extents.add(10, 10)).toBe(true);
    expect(extents.add(12, 5)).toBe(false);
    expect(extents.add(10, 10)).toBe(false);
    for (const [start, size] of [[9, 2], [5, 20], [19, 2], [10, 11], [9, 11]] as const) {
      expect(() => extents.add(start, size), `${start}+${size}`).toThrow(expect.objectContaining({ code: 'PROTOCOL' }));
    }
    expect(extents.add(9, 1)).toBe(true);
    expect(extents.add(20, 1)).toBe(true);
  });

  test('say how much of what comes is alike', () => {
    const extents = new Extents();
    extents.add(10, 10);
    expect([[0, 5], [0, 30], [10, 10], [12, 30], [20, 7]].map(([start, size]) => extents.alike(start!, size!))).toEqual([5, 10, 10, 8, 7]);
  });

  test('forget what is behind', () => {
    const extents = new Extents();
    extents.add(0, 10);
    extents.add(20, 10);
    extents.forget(5);
    expect([extents.reach(0), extents.reach(5), extents.reach(20)]).toEqual([0, 10, 30]);
    extents.forget(25);
    expect([extents.reach(5), extents.reach(25)]).toEqual([5, 30]);
  });

  test('hold a bounded number of gaps, and as many neighbours as come', () => {
    const extents = new Extents();
    for (let at = 0; at < 100_000; at += 1) extents.add(at, 1);
    expect(extents.reach(0)).toBe(100_000);
    expect(() => { for (let at = 0; at < 40_000; at += 1) extents.add(200_000 + at * 2, 1); }).toThrow(Failure);
  });

  test('are the same in whatever order they come', () => {
    const pieces = fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { maxLength: 50 });
    fc.assert(fc.property(pieces, (starts) => {
      const extents = new Extents();
      for (const start of starts) expect(extents.add(start * 3, 3)).toBe(true);
      const there = new Set(starts);
      for (let start = 0; start <= 61; start += 1) {
        let end = start;
        while (there.has(end)) end += 1;
        expect(extents.reach(start * 3)).toBe(end * 3);
      }
      for (const start of starts) expect(extents.add(start * 3, 3)).toBe(false);
    }));
  });
});
