/** Folders that arrive whole: they appear with all their files at once, or go into what somebody else made meanwhile. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { digestOf, ready } from '../../../src/digest.ts';
import type { PackedFile } from '../../../src/pack.ts';
import { openDisk } from '../../../src/store/disk/disk.ts';
import { Fresh } from '../../../src/store/disk/fresh.ts';
import { SimilarNames } from '../../../src/store/disk/similar.ts';
import { Stage } from '../../../src/store/disk/stage.ts';
import { Root } from '../../../src/store/disk/walk.ts';
import { at, codesOf, MTIME, packOf, visible } from '../vaults.ts';
import { newRoot, openDescriptors } from './roots.ts';

await ready();

function file(name: string, text: string): PackedFile {
  const data = Buffer.from(text);
  return { kind: 'file', name, mode: 0o640, mtime: MTIME, digest: digestOf(data), data };
}

/** A fresh folder `d` at the top of `root`, with these files. */
function filled(root: string, files: readonly PackedFile[]): { fresh: Fresh; close: () => void } {
  const opened = Root.open(root);
  const stage = new Stage(opened);
  const fresh = new Fresh({ stage, similar: new SimilarNames(false, false) }, opened.enter(at('')), 'd', 0o755, at('d'));
  for (const one of files) expect(fresh.write(one)).toBe(true);
  return { fresh, close: () => { fresh[Symbol.dispose](); stage.close(); opened[Symbol.dispose](); } };
}

function outcomes(fresh: Fresh, absent = false): string[] {
  const told: string[] = [];
  fresh.publish(absent, ({ name }, error) => { told.push(`${name} ${error === undefined ? 'stored' : (error as NodeJS.ErrnoException).code}`); });
  return told;
}

describe('a fresh folder', () => {
  test('is nowhere to be seen until it has its name, and then it has all its files, their modes and times', () => {
    const root = newRoot();
    const { fresh, close } = filled(root, [file('a', 'aa'), file('b', 'bb')]);
    expect(readdirSync(root)).toEqual(['.wherry']);
    expect(outcomes(fresh)).toEqual(['a stored', 'b stored']);
    close();
    expect(readdirSync(root)).toEqual(['d']);
    expect(readdirSync(join(root, 'd')).map((name) => readFileSync(join(root, 'd', name), 'utf8'))).toEqual(['aa', 'bb']);
    const { mode, mtimeMs } = statSync(join(root, 'd', 'a'));
    expect([mode & 0o777, Math.round(mtimeMs)]).toEqual([0o640 & ~process.umask(), Math.round(MTIME / 1000)]);
  });

  test('that is given up leaves nothing, not even an open descriptor', () => {
    const root = newRoot();
    const before = openDescriptors();
    filled(root, [file('a', 'aa')]).close();
    expect([readdirSync(root), openDescriptors()]).toEqual([[], before]);
  });

  test.each([[false, ['a stored', 'b stored', 'C EXISTS'], 'new'], [true, ['a EEXIST', 'b stored', 'C EXISTS'], 'old']])(
    'goes into a folder that somebody else made meanwhile, file by file (only where nothing is: %s)', (absent, told, content) => {
      const root = newRoot();
      const { fresh, close } = filled(root, [file('a', 'new'), file('b', 'bb'), file('C', 'too like c')]);
      mkdirSync(join(root, 'd'));
      writeFileSync(join(root, 'd', 'a'), 'old');
      writeFileSync(join(root, 'd', 'c'), '');
      expect(outcomes(fresh, absent)).toEqual(told);
      close();
      expect(readdirSync(root)).toEqual(['d']);
      expect(readdirSync(join(root, 'd')).sort()).toEqual(['a', 'b', 'c']);
      expect(readFileSync(join(root, 'd', 'a'), 'utf8')).toBe(content);
    });

  test('does not replace a file that somebody else made meanwhile', () => {
    const root = newRoot();
    const { fresh, close } = filled(root, [file('a', 'aa')]);
    writeFileSync(join(root, 'd'), 'a file');
    expect(() => outcomes(fresh)).toThrow(/not a directory/);
    close();
    expect(readdirSync(root)).toEqual(['d']);
    expect(readFileSync(join(root, 'd'), 'utf8')).toBe('a file');
  });
});

describe('a pack', () => {
  test('with a new folder shows all of its files or none, whenever one looks', async () => {
    const root = newRoot();
    await using vault = await openDisk(root, { workers: 1 });
    for (let round = 0; round < 10; round += 1) {
      const folder = join(root, `t${round}`);
      const pack = packOf({ '': Array.from({ length: 100 }, (_, i) => ({ name: `f${i}`, data: 'x' })) });
      const state = { over: false };
      const storing = vault.receiveBatch(at(`t${round}`), pack, visible).finally(() => { state.over = true; });
      const seen = new Set<number>();
      while (!state.over) {
        seen.add(existsSync(folder) ? readdirSync(folder).length : 0);
        await new Promise((resolve) => { setImmediate(resolve); });
      }
      await storing;
      expect([...seen].filter((count) => count !== 0 && count !== 100)).toEqual([]);
      expect(readdirSync(folder)).toHaveLength(100);
    }
  });

  test('may hold a name of a new folder twice; the later one stays', async () => {
    const root = newRoot();
    await using vault = await openDisk(root);
    const twice = packOf({ d: [{ name: 'a', data: 'one' }, { name: 'a', data: 'two' }] });
    expect(await vault.receiveBatch(at(''), twice, visible)).toEqual({ files: 2, bytes: 6, problems: [] });
    expect(readFileSync(join(root, 'd', 'a'), 'utf8')).toBe('two');
  });

  test('names the new folder that cannot have its name, and every file in it', async () => {
    const root = newRoot();
    writeFileSync(join(root, 'D'), '');
    await using vault = await openDisk(root);
    const { files, problems } = await vault.receiveBatch(at(''), packOf({ d: [{ name: 'a', data: 'x' }] }), visible);
    expect([files, codesOf(problems)]).toEqual([0, ['d EXISTS', 'd/a EXISTS']]);
    expect(readdirSync(root)).toEqual(['D']);
  });

  test('that a dead process left half stored is removed', async () => {
    const root = newRoot();
    {
      await using vault = await openDisk(root);
      await vault.receiveBatch(at(''), packOf({ d: [{ name: 'a', data: 'x' }] }), visible);
    }
    mkdirSync(join(root, '.wherry', 'ffffffff-1-1.1.new'), { recursive: true });
    writeFileSync(join(root, '.wherry', 'ffffffff-1-1.1.new', 'f'), 'half');
    utimesSync(join(root, '.wherry', 'ffffffff-1-1.1.new'), 1e9, 1e9);
    await using vault = await openDisk(root);
    await vault.sweep(0);
    expect(existsSync(join(root, '.wherry', 'ffffffff-1-1.1.new'))).toBe(false);
  });
});
