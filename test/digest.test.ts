import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { createHasher, digestOf, hex, ready, sameDigest } from '../src/digest.ts';

/** By input length; byte i of the input is i % 251, the pattern of the official test vectors. Made with `b3sum`. */
const vectors = Object.entries(JSON.parse(readFileSync(new URL('./digest.vectors.json', import.meta.url), 'utf8')) as Record<string, string>);

function inputOf(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i % 251);
}

/** The implementation cannot be put back once replaced, so the native one goes first. */
const engines = [undefined, 'wasm'] as const;

afterAll(async () => { await ready(); });

for (const prefer of engines) {
  describe(`BLAKE3, ${prefer ?? 'the implementation of this machine'}`, () => {
    test.each(vectors)('of %s bytes is what b3sum prints, in one piece and in many', async (length, expected) => {
      expect(await ready(prefer)).toBe(prefer ?? 'native');
      const input = inputOf(Number(length));
      expect(hex(digestOf(input))).toBe(expected);
      const hasher = createHasher();
      for (let at = 0; at < input.length; at += 1000) hasher.update(input.subarray(at, at + 1000));
      expect(hex(hasher.digest())).toBe(expected);
      hasher.reset();
      hasher.update(input);
      expect(hex(hasher.digest())).toBe(expected);
    });

    test('two streams do not disturb each other', async () => {
      await ready(prefer);
      const [one, two] = [createHasher(), createHasher()];
      const input = inputOf(5000);
      for (let at = 0; at < input.length; at += 700) {
        one.update(input.subarray(at, at + 700));
        two.update(input.subarray(at, at + 700).slice().reverse());
      }
      expect(sameDigest(one.digest(), digestOf(input))).toBe(true);
      expect(sameDigest(two.digest(), digestOf(input))).toBe(false);
    });
  });
}

test('digests of different lengths are never the same', () => {
  expect(sameDigest(new Uint8Array(32), new Uint8Array(31))).toBe(false);
});
