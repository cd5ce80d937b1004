import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openDisk } from '../../src/store/disk/disk.ts';
import { ROOT } from '../../src/path.ts';
import { vaultContract } from './contract.ts';

const base = mkdtempSync(join(tmpdir(), 'wherry-store-'));
afterAll(() => { rmSync(base, { recursive: true, force: true }); });

for (const workers of [0, 2]) {
  vaultContract(`disk with ${workers} workers`, () => openDisk(mkdtempSync(join(base, 'root-')), { workers, keep: { ms: 3_600_000, bytes: 1 << 20 } }));
}

test('a page of long paths has fewer of them', async () => {
  const root = mkdtempSync(join(base, 'root-'));
  const deep = Array.from({ length: 5 }, () => 'd'.repeat(200)).join('/');
  mkdirSync(join(root, deep), { recursive: true });
  for (let at = 0; at < 150; at += 1) writeFileSync(join(root, deep, `${at}`), '');
  await using vault = await openDisk(root);
  const pages: number[] = [];
  for await (const { entries } of vault.list(ROOT, { deep: true })) pages.push(entries.reduce((sum, { name }) => sum + name.length, 0));
  expect(pages.length).toBeGreaterThan(2);
  expect(Math.max(...pages)).toBeLessThan((64 << 10) + 4096);
});
