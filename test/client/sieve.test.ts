/** What is not wanted of a folder is asked not to come, and is taken out of what comes nevertheless. */
import { beforeAll, expect, test } from 'vitest';
import { filesIn, Sieve } from '../../src/client/sieve.ts';
import { ready } from '../../src/digest.ts';
import { readLeft } from '../../src/left.ts';
import { readPack } from '../../src/pack.ts';
import { packOf } from '../store/vaults.ts';

beforeAll(async () => ready());

const PACK = (): Uint8Array => packOf({ '': [{ name: 'a', data: 'aa' }, { name: 'b', data: 'bb' }], sub: [{ name: 'a', data: 'in sub' }] });

test('of a pack what is left, or came before, is taken out, and the rest stays as it was', () => {
  const sieve = new Sieve(new Set(['b']), new Map([['sub/a', 6]]));
  const sifted = sieve.sift(PACK());
  expect(filesIn(sifted)).toEqual([{ path: 'a', size: 2 }]);
  expect([...readPack(sifted)].map(({ kind }) => kind)).toEqual(['folder', 'file', 'folder']);
  expect([...readPack(sifted)][1]).toEqual([...readPack(PACK())][1]);
});

test('a pack in which nothing is to be left passes untouched', () => {
  const pack = PACK();
  expect(new Sieve(new Set(), undefined).sift(pack)).toBe(pack);
  expect(new Sieve(new Set(['c', 'sub']), new Map()).sift(pack)).toBe(pack);
});

test('the server is asked to leave out what was there when the try began, not what came with it', () => {
  const fetched = new Map([['old', 1]]);
  const sieve = new Sieve(new Set(['left']), fetched);
  sieve.note('new', 1);
  const isLeft = readLeft(sieve.marks());
  expect(['old', 'left', 'new'].map((path) => [isLeft(path), sieve.holds(path)])).toEqual([[true, true], [true, true], [false, false]]);
  expect([...fetched.keys()]).toEqual(['old', 'new']);
});

test('no more files are noted than one request can name', () => {
  const fetched = new Map<string, number>();
  const sieve = new Sieve(new Set(), fetched);
  for (let index = 0; index < 40_000; index += 1) sieve.note(`file ${index}`, 1);
  expect(fetched.size).toBe(32_768);
});
