import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { openDisk } from '../../src/store/disk/disk.ts';
import { vaultContract } from './contract.ts';

const base = mkdtempSync(join(tmpdir(), 'wherry-store-'));
afterAll(() => { rmSync(base, { recursive: true, force: true }); });

for (const workers of [0, 2]) {
  vaultContract(`disk with ${workers} workers`, () => openDisk(mkdtempSync(join(base, 'root-')), { workers }));
}
