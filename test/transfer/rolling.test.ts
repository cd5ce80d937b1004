import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { startHash, START_BYTES, Starts } from '../../src/transfer/rolling.ts';
import { noise } from './bytes.ts';

interface Vector { readonly title: string; readonly bytes: string; readonly hash: string }
const vectors = JSON.parse(readFileSync(new URL('rolling.vectors.json', import.meta.url), 'utf8')) as Vector[];

/** Scans for those hashes alone. */
function scan(bytes: Uint8Array, from: number, to: number, hashes: readonly number[]): number {
  const starts = new Starts(10);
  for (const hash of hashes) starts.add(hash);
  return starts.scan(bytes, from, to, (hash) => hashes.includes(hash));
}

describe('the hash of a start', () => {
  test.each(vectors)('is that of the specification: $title', ({ bytes, hash }) => {
    expect((startHash(Buffer.from(bytes, 'hex'), 0) >>> 0).toString(16).padStart(8, '0')).toBe(hash);
  });

  test('depends on 32 bytes, wherever they are, and is 0 where there are fewer', () => {
    const bytes = noise(100);
    expect(startHash(bytes, 7)).toBe(startHash(bytes.slice(7, 39), 0));
    expect(startHash(bytes, 68)).not.toBe(0);
    expect(startHash(bytes, 69)).toBe(0);
  });
});

describe('a scan', () => {
  test('finds every start at its place, however far it has rolled', () => {
    const bytes = noise(3000);
    fc.assert(fc.property(fc.nat(3000 - START_BYTES), fc.nat(3000 - START_BYTES), (place, from) => {
      const found = scan(bytes, Math.min(from, place), bytes.byteLength - START_BYTES + 1, [startHash(bytes, place)]);
      expect(found).toBe(place);
    }));
  });

  test('finds the first of several, and nothing where it is told to end', () => {
    const bytes = noise(3000);
    const starts = [startHash(bytes, 500), startHash(bytes, 501), startHash(bytes, 2000)];
    expect([scan(bytes, 0, 2900, starts), scan(bytes, 501, 2900, starts), scan(bytes, 502, 2900, starts), scan(bytes, 502, 2000, starts), scan(bytes, 502, 2001, starts)]).toEqual([500, 501, 2000, 2000, 2000]);
    expect([scan(bytes, 0, 500, starts), scan(bytes, 3, 4, starts), scan(bytes, 4, 4, starts)]).toEqual([500, 4, 4]);
  });

  test('asks only for hashes that pass the sieves', () => {
    const bytes = noise(3000);
    const starts = new Starts(10);
    starts.add(startHash(bytes, 2950));
    let asked = 0;
    expect(starts.scan(bytes, 0, 2900, () => { asked += 1; return false; })).toBe(2900);
    expect(asked).toBeLessThan(10);
  });
});
