/** Digests agree with `b3sum`, the reference implementation's own program. Skipped where it is not installed. */
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BLOCK_BYTES, createHasher, digestOf, hex, ready } from '../../src/digest.ts';

const missing = spawnSync('b3sum', ['--version']).error !== undefined;

/** What b3sum says of these bytes, read from a file as a person would. */
function b3sum(folder: string, bytes: Uint8Array): string {
  const file = join(folder, 'random.bin');
  writeFileSync(file, bytes);
  return execFileSync('b3sum', ['--no-names', file], { encoding: 'utf8' }).trim();
}

describe.skipIf(missing)('BLAKE3 as b3sum computes it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wherry-b3sum-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  for (const engine of ['native', 'wasm'] as const) {
    describe(`by the ${engine} implementation`, () => {
      beforeAll(async () => {
        expect(await ready(engine === 'wasm' ? 'wasm' : undefined)).toBe(engine);
      });

      // Around the sizes at which the algorithm, or our blocks, change their shape.
      test.each([0, 1, 1023, 1024, 1025, 65_536, BLOCK_BYTES - 1, BLOCK_BYTES, 3 * BLOCK_BYTES + 7])('a random file of %i bytes has the same digest', (size) => {
        const bytes = randomBytes(size);
        expect(hex(digestOf(bytes))).toBe(b3sum(folder, bytes));
      });

      test('a file that arrives in pieces of uneven length has the digest of the whole', () => {
        const bytes = randomBytes(2 * BLOCK_BYTES + 12_345);
        const hasher = createHasher();
        for (let at = 0, step = 1; at < bytes.length; at += step, step = (step * 3) % 99_991) hasher.update(bytes.subarray(at, at + step));
        expect(hex(hasher.digest())).toBe(b3sum(folder, bytes));
      });
    });
  }
});
