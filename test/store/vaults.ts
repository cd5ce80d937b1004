/** Words with which tests speak about vaults: what to put in, what came out. */
import { expect } from 'vitest';
import { digestOf } from '../../src/digest.ts';
import type { Entry } from '../../src/entry.ts';
import { Failure, type Code } from '../../src/errors.ts';
import { PackWriter, readPack } from '../../src/pack.ts';
import { parsePath } from '../../src/path.ts';
import type { PackOptions, PackStep, Problem, Vault, Want } from '../../src/store/vault.ts';

/** Declares one test of the contract, run on a vault of its own. */
export type Check = (title: string, body: (vault: Vault) => Promise<void>) => void;

export const at = parsePath;
export const MTIME = 1_600_000_000_123_457;

export function wanting(more: Partial<Want> = {}): Want {
  return { size: undefined, mtime: MTIME, mode: 0o644, level: 'visible', condition: 'any', owner: 'ann', reuseOld: false, ...more };
}

export async function codeOf(action: Promise<unknown>): Promise<Code | 'done'> {
  try {
    await action;
    return 'done';
  } catch (error) {
    if (error instanceof Failure) return error.code;
    throw error;
  }
}

/** Bytes that differ from block to block, so that a block in the wrong place is seen. */
export function bytesOf(size: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i += 1) bytes[i] = (i * 31 + (i >>> 10) * 7 + seed) & 0xff;
  return bytes;
}

export async function put(vault: Vault, path: string, content: Uint8Array | string, more: Partial<Want> = {}): Promise<void> {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  await using upload = await vault.receive(at(path), wanting({ size: bytes.length, ...more }));
  await upload.write([bytes], 0);
  await upload.commit(bytes.length);
}

export async function contentOf(vault: Vault, path: string): Promise<Buffer> {
  await using source = await vault.read(at(path));
  const bytes = Buffer.alloc(source.entry.size);
  expect(await source.read(bytes, 0)).toBe(bytes.length);
  return bytes;
}

export async function namesIn(vault: Vault, path: string, deep = false): Promise<string[]> {
  const entries: Entry[] = [];
  for await (const page of vault.list(at(path), { deep })) entries.push(...page.entries);
  return entries.map(({ name }) => name);
}

export async function stepsOf(vault: Vault, top: string, options?: PackOptions): Promise<PackStep[]> {
  const steps: PackStep[] = [];
  for await (const step of vault.pack(at(top), options)) steps.push(step);
  return steps;
}

/** Paths in packs, large files and finished folders, each with a mark of its kind. */
export function told(steps: readonly PackStep[]): string[] {
  return steps.flatMap((step) => {
    const words: string[] = [];
    let folder = '';
    for (const record of readPack(step.pack)) {
      if (record.kind === 'folder') folder = record.path;
      else words.push(`file ${folder === '' ? '' : `${folder}/`}${record.name}`);
    }
    return [...words, ...step.large.map(({ path }) => `large ${path}`), ...step.folders.map(({ path }) => `folder ${path}`)];
  });
}

export interface Small { name: string; data: string | Uint8Array; mode?: number; mtime?: number; digest?: Uint8Array }

/** A pack of folders, each with its files. */
export function packOf(folders: Record<string, readonly Small[]>): Uint8Array {
  const writer = new PackWriter();
  for (const [path, files] of Object.entries(folders)) {
    writer.folder(at(path), 0o755);
    for (const { name, data, mode = 0o644, mtime = MTIME, digest } of files) {
      const bytes = Buffer.from(data);
      writer.space(name, bytes.length).set(bytes);
      writer.file(name, mode, mtime, digest ?? digestOf(bytes), bytes.length);
    }
  }
  return writer.finish().slice();
}

/** Problems as `path CODE`, sorted. */
export function codesOf(problems: readonly Problem[]): string[] {
  return problems.map(({ path, code }) => `${path} ${code}`).sort();
}

export const visible = { level: 'visible', condition: 'any' } as const;
