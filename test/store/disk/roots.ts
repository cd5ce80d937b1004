/** Folders for the tests of the disk: made in the system's temporary folder, removed after the file's tests. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const base = mkdtempSync(join(tmpdir(), 'wherry-disk-'));
afterAll(() => { rmSync(base, { recursive: true, force: true }); });

export function newRoot(): string {
  return mkdtempSync(join(base, 'root-'));
}

/** Descriptors this process has open. */
export function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

export const onLinux = process.platform === 'linux';
