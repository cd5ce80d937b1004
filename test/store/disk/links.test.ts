/** A walk that follows links: what it sends, and where it refuses to go. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openDisk } from '../../../src/store/disk/disk.ts';
import { createMemoryVault } from '../../../src/store/memory.ts';
import { at, contentOf, namesIn, stepsOf } from '../vaults.ts';
import { newRoot, onLinux } from './roots.ts';

/** What a walk of `root/top` sends, unpacked: its names, and how many were passed over. */
async function sent(root: string, follow: boolean): Promise<{ names: string[]; skipped: number; vault: ReturnType<typeof createMemoryVault> }> {
  await using disk = await openDisk(root);
  const vault = createMemoryVault();
  let skipped = 0;
  for (const step of await stepsOf(disk, 'top', { follow })) {
    if (step.pack.byteLength > 0) await vault.receiveBatch(at('got'), step.pack, { level: 'visible', condition: 'any' });
    for (const { path } of step.large) await vault.makeFolder(at(`large/${path}`), { parents: true });
    skipped += step.skipped;
  }
  return { names: (await namesIn(vault, 'got', true)).sort(), skipped, vault };
}

describe.skipIf(!onLinux)('links in a tree that is sent', () => {
  function tree(): string {
    const root = newRoot();
    mkdirSync(join(root, 'top/lib/deep'), { recursive: true });
    mkdirSync(join(root, 'outside'));
    writeFileSync(join(root, 'outside/secret'), 'secret');
    writeFileSync(join(root, 'top/lib/tool.js'), 'tool');
    writeFileSync(join(root, 'top/lib/deep/leaf'), 'leaf');
    mkdirSync(join(root, 'top/bin'));
    return root;
  }

  test('are passed over and counted unless they are to be followed', async () => {
    const root = tree();
    symlinkSync('../lib/tool.js', join(root, 'top/bin/tool'));
    const { names, skipped } = await sent(root, false);
    expect(names).toEqual(['bin', 'lib', 'lib/deep', 'lib/deep/leaf', 'lib/tool.js']);
    expect(skipped).toBe(1);
  });

  test('are sent as what they lead to, files and folders, through other links too', async () => {
    const root = tree();
    symlinkSync('../lib/tool.js', join(root, 'top/bin/tool'));
    symlinkSync('tool', join(root, 'top/bin/alias'));
    symlinkSync('lib/deep', join(root, 'top/short'));
    symlinkSync('../short/leaf', join(root, 'top/bin/leaf'));
    const { names, skipped, vault } = await sent(root, true);
    expect(names).toEqual(['bin', 'bin/alias', 'bin/leaf', 'bin/tool', 'lib', 'lib/deep', 'lib/deep/leaf', 'lib/tool.js', 'short', 'short/leaf']);
    expect(skipped).toBe(0);
    expect((await contentOf(vault, 'got/bin/alias')).toString()).toBe('tool');
    expect((await contentOf(vault, 'got/bin/leaf')).toString()).toBe('leaf');
  });

  test.each([
    ['above the top', '../../outside/secret'], ['above the top and back', '../../top/lib/tool.js'], ['an absolute target', '/etc/hostname'],
    ['nothing', 'missing'], ['itself', 'bad'], ['something below a file', '../lib/tool.js/x'], ['the reserved folder', '../.wherry/x'],
  ])('that lead to %s are passed over', async (_, target) => {
    const root = tree();
    symlinkSync(target, join(root, 'top/bin/bad'));
    const { names, skipped } = await sent(root, true);
    expect(names).not.toContain('bin/bad');
    expect(skipped).toBe(1);
  });

  test('to a folder that is being walked end the walk there, so that it ends', async () => {
    const root = tree();
    symlinkSync('..', join(root, 'top/lib/up'));
    symlinkSync('.', join(root, 'top/lib/self'));
    symlinkSync('../bin', join(root, 'top/lib/across'));
    symlinkSync('../lib', join(root, 'top/bin/back'));
    const { names, skipped } = await sent(root, true);
    expect(names).toContain('lib/across');
    expect(names).toContain('bin/back/deep/leaf');
    expect(names).not.toContain('lib/across/back');
    expect(skipped).toBeGreaterThanOrEqual(3);
  });
});
