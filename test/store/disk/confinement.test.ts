/**
 * Nothing outside the root is reached, also while a local attacker swaps folders for links. The same attacker is shown to
 * succeed against the usual way (resolve the path, compare it, open it), so that a quiet run proves something.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../../src/digest.ts';
import { openDisk } from '../../../src/store/disk/disk.ts';
import type { Vault } from '../../../src/store/vault.ts';
import { at, codeOf, codesOf, contentOf, namesIn, packOf, put, stepsOf, told, visible, wanting } from '../vaults.ts';
import { newRoot, onLinux } from './roots.ts';

const SECONDS = Number(process.env['WHERRY_RACE_SECONDS'] ?? 10);

describe('A3: a link', () => {
  test('in the tree is listed as one, and never followed, replaced only by a file', async () => {
    const [root, outside] = [newRoot(), newRoot()];
    writeFileSync(join(outside, 'secret'), 'secret');
    symlinkSync(outside, join(root, 'folder'));
    symlinkSync(join(outside, 'secret'), join(root, 'file'));
    await using vault = await openDisk(root);
    expect(await vault.stat(at('file'))).toMatchObject({ kind: 'link', size: 0 });
    expect((await namesIn(vault, '', true)).sort()).toEqual(['file', 'folder']);
    expect(await codeOf(vault.read(at('file')))).toBe('UNSUPPORTED');
    const before = statSync(join(outside, 'secret'));
    expect(await codeOf(vault.setAttributes(at('file'), { mode: 0, mtime: 0 }))).toBe('UNSUPPORTED');
    expect(await codeOf(vault.setAttributes(at('folder/secret'), { mode: 0, mtime: 0 }))).toBe('DENIED');
    expect(await codeOf(vault.remove(at('file'), { match: digestOf(Buffer.from('secret')) }))).toBe('UNSUPPORTED');
    expect(statSync(join(outside, 'secret'))).toMatchObject({ mode: before.mode, mtimeMs: before.mtimeMs });
    const refused = [
      vault.read(at('folder/secret')), vault.stat(at('folder/secret')), namesIn(vault, 'folder'), stepsOf(vault, 'folder'),
      vault.receive(at('folder/new'), wanting()), vault.makeFolder(at('folder/new')), vault.makeFolder(at('folder/new'), { parents: true }),
      vault.move(at('folder/secret'), at('x')), vault.move(at('file'), at('folder/x')), vault.remove(at('folder/secret')), vault.usage(at('folder/secret')),
    ];
    expect(await Promise.all(refused.map(codeOf))).toEqual(Array(refused.length).fill('DENIED'));
    const batch = await vault.receiveBatch(at('folder'), packOf({ '': [{ name: 'new', data: 'x' }] }), visible);
    expect(codesOf(batch.problems)).toEqual([' DENIED', 'new DENIED']);
    expect(await vault.finishFolders(at(''), [{ path: at('folder'), mode: 0, mtime: 0 }], 'visible')).toMatchObject([{ code: 'DENIED' }]);
    const steps = await stepsOf(vault, '');
    expect([told(steps), steps[0]?.skipped]).toEqual([['folder '], 2]);
    await put(vault, 'file', 'mine');
    await vault.remove(at('folder'), { deep: true });
    expect(readdirSync(outside)).toEqual(['secret']);
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('secret');
  });

  test('on the way to the root is the operator’s own, and followed', async () => {
    const [root, links] = [newRoot(), newRoot()];
    symlinkSync(root, join(links, 'link'));
    await using vault = await openDisk(join(links, 'link'));
    await put(vault, 'a', 'x');
    expect(existsSync(join(root, 'a'))).toBe(true);
  });
});

/** Runs `attempt` again and again while the attacker flips `d`, until `enough`; each answer of `attempt` is a leak or undefined. */
async function underAttack(root: string, outside: string, attempt: () => Promise<string | undefined>, enough: (leaks: readonly string[]) => boolean): Promise<string[]> {
  const attacker = spawn(process.execPath, [fileURLToPath(new URL('./flipper.mjs', import.meta.url)), join(root, 'd'), outside], { stdio: ['ignore', 'pipe', 'inherit'] });
  const leaks: string[] = [];
  try {
    await once(attacker.stdout, 'data');
    while (!enough(leaks)) {
      const leak = await attempt();
      if (leak !== undefined) leaks.push(leak);
    }
  } finally {
    const gone = once(attacker, 'exit');
    attacker.kill('SIGKILL');
    await gone;
  }
  return leaks;
}

function playground(): { root: string; outside: string } {
  const [root, outside] = [newRoot(), newRoot()];
  mkdirSync(join(root, 'd'));
  mkdirSync(join(root, 'aside'));
  writeFileSync(join(root, 'd/canary'), 'inside');
  writeFileSync(join(outside, 'canary'), 'OUTSIDE');
  return { root, outside };
}

/** Every operation once; a leak is what was read or listed from outside. Failures are expected: the folder comes and goes. */
async function everything(vault: Vault, turn: number): Promise<string | undefined> {
  const leaks: string[] = [];
  const attempts = [
    contentOf(vault, 'd/canary').then((bytes) => { if (bytes.includes('OUTSIDE')) leaks.push('read'); }),
    namesIn(vault, 'd').then((names) => { if (names.includes('only-outside')) leaks.push('list'); }),
    namesIn(vault, '', true).then((names) => { if (names.some((name) => name.includes('only-outside'))) leaks.push('deep list'); }),
    stepsOf(vault, '').then((steps) => { if (steps.some((step) => Buffer.from(step.pack).includes('OUTSIDE'))) leaks.push('pack'); }),
    vault.stat(at('d/only-outside')).then((entry) => { if (entry !== undefined) leaks.push('stat'); }),
    put(vault, 'd/canary', 'inside', { owner: `o${turn % 5}` }),
    put(vault, `d/put${turn % 7}`, 'planted', { condition: 'absent' }),
    vault.receiveBatch(at(''), packOf({ d: [{ name: 'canary', data: 'inside' }, { name: `batch${turn % 7}`, data: 'planted' }], 'd/made': [] }), visible),
    vault.finishFolders(at(''), [{ path: at('d'), mode: 0o755, mtime: turn }], 'visible'),
    vault.setAttributes(at('d/canary'), { mode: turn % 2 === 0 ? 0o600 : 0o640, mtime: turn }),
    put(vault, 'd/canary', 'inside', { match: digestOf(Buffer.from('inside')), owner: 'matching' }),
    vault.makeFolder(at(`d/folder${turn % 7}`)),
    vault.move(at('d/canary'), at('aside/canary'), { replace: true }).then(() => vault.move(at('aside/canary'), at('d/canary'), { replace: true })),
    vault.remove(at(`d/put${(turn + 3) % 7}`)),
    vault.remove(at('d/made'), { deep: true }),
    vault.usage(at('d')).then(({ bytes }) => { if (bytes > 1 << 20) leaks.push('usage'); }),
  ];
  await Promise.allSettled(attempts);
  return leaks[0];
}

describe.skipIf(!onLinux)('against a folder that is swapped for a link all the time (only Linux promises this)', () => {
  test.each([0, 2])('A3: no operation reads, lists, makes, changes or removes anything outside (%i workers)', async (workers) => {
    const { root, outside } = playground();
    writeFileSync(join(outside, 'only-outside'), 'OUTSIDE'.repeat(200_000));
    const before = readdirSync(outside).sort();
    const untouched = statSync(join(outside, 'canary'));
    await using vault = await openDisk(root, { workers });
    const end = Date.now() + (SECONDS * 1000) / 2;
    let turns = 0;
    const leaks = await underAttack(root, outside, () => everything(vault, (turns += 1)), () => Date.now() > end);
    expect(leaks).toEqual([]);
    expect(readdirSync(outside).sort()).toEqual(before);
    expect(readFileSync(join(outside, 'canary'), 'utf8')).toBe('OUTSIDE');
    expect(statSync(join(outside, 'canary'))).toMatchObject({ mode: untouched.mode, mtimeMs: untouched.mtimeMs });
    expect(turns).toBeGreaterThan(10);
  }, SECONDS * 1000 + 30_000);

  test('A3: the usual way, resolving and comparing before opening, is escaped from', async () => {
    const { root, outside } = playground();
    const naive = async (): Promise<string | undefined> => {
      try {
        const path = join(root, 'd/canary');
        if (!realpathSync(path).startsWith(`${root}/`)) return undefined;
        return readFileSync(path, 'utf8') === 'OUTSIDE' ? 'read' : undefined;
      } catch {
        return undefined;
      }
    };
    const end = Date.now() + 30_000;
    const leaks = await underAttack(root, outside, naive, (found) => found.length > 0 || Date.now() > end);
    expect(leaks.length).toBeGreaterThan(0);
  }, 60_000);
});
