import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { columnsOf, fit, fitAll, loadWidths } from '../../src/cli/width.ts';

beforeAll(loadWidths);

describe('names cut to a width', () => {
  test('still differ where they would look the same', () => {
    const names = Array.from({ length: 8 }, (_, index) => `file with the number ${index} in a 長いファイル.dat`);
    for (const columns of [12, 20, 26]) {
      expect(new Set(names.map((name) => fit(name, columns))).size, 'cut one by one').toBeLessThan(8);
      const cut = fitAll(names, columns);
      expect(new Set(cut).size, cut.join('\n')).toBe(8);
      for (const one of cut) expect(columnsOf(one), one).toBeLessThanOrEqual(columns);
    }
  });

  test('are left as they are where there is room, and never take more, whatever they are', () => {
    fc.assert(fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 40 }), { maxLength: 8 }), fc.integer({ min: 1, max: 50 }), (names, columns) => {
      for (const [index, cut] of fitAll(names, columns).entries()) {
        expect(columnsOf(cut)).toBeLessThanOrEqual(columns);
        if (columnsOf(names[index]!) <= columns) expect(cut).toBe(names[index]);
      }
    }));
  });
});
