/** chmod -R: all in a folder, the X of chmod, links passed over; what is closed is opened first, and what is closing is closed last. */
import { chmodSync, chownSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MAIN, Rig } from './rig.ts';
import { events } from './traces.ts';
import { plant } from './trees.ts';

const NOBODY = 65534;
const root = process.getuid?.() === 0;

describe('of a whole folder', () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.start();
    plant(rig.served, { 'tree/run': '1', 'tree/sub/note': '2', 'outside': '3' });
    symlinkSync('../outside', join(rig.served, 'tree/link'));
    for (const [name, mode] of [['tree', 0o700], ['tree/sub', 0o700], ['tree/run', 0o700], ['tree/sub/note', 0o600], ['outside', 0o600]] as const) chmodSync(join(rig.served, name), mode);
  });
  afterEach(() => rig[Symbol.asyncDispose]());

  const modes = (): string[] => ['tree', 'tree/sub', 'tree/run', 'tree/sub/note', 'outside'].map((name) => (lstatSync(join(rig.served, name)).mode & 0o777).toString(8));

  test('X makes folders and programs run, and not notes; links lead nowhere', async () => {
    const ran = await rig.run(['chmod', '-R', 'go+rX', ':tree']);
    expect(ran).toMatchObject({ code: 0, stderr: '', stdout: 'changed 4 modes in tree, 1 passed over (links and the like)\n' });
    expect(modes()).toEqual(['755', '755', '755', '644', '600']);
    const again = await rig.run(['chmod', '-R', 'go+rX', ':tree', '--json']);
    expect(events(again)[0]).toEqual({ event: 'changed', path: '/tree', modes: 0, same: 4, skipped: 1, failed: 0 });
  });

  test('--dry-run counts, and changes nothing', async () => {
    const before = modes();
    expect((await rig.run(['chmod', '-Rn', 'go+rX', ':tree/'])).stdout).toBe('would change 4 modes in tree/, 1 passed over (links and the like)\n');
    expect(modes()).toEqual(before);
  });

  test('a file is changed as without -R, and what is not there is told', async () => {
    expect((await rig.run(['chmod', '-R', '644', ':outside'])).stdout).toBe('changed the mode of outside to 644\n');
    expect((await rig.run(['chmod', '-R', '644', ':none'])).code).toBe(6);
  });

  test('of the served folder itself, below which all is changed', async () => {
    expect((await rig.run(['chmod', '-R', 'g+r', ':'])).code).toBe(0);
    expect(modes()).toEqual(['740', '740', '740', '640', '640']);
  });
});

const canDrop = root && spawnable();
function spawnable(): boolean {
  try {
    execFileSync(process.execPath, [MAIN, '--version'], { uid: NOBODY, gid: NOBODY, stdio: 'ignore', timeout: 20_000 });
    return true;
  } catch {
    return false;
  }
}
const reason = root && !canDrop ? ' [skipped: root is above permissions, and no other user may run this build]' : '';

describe(`a server that is not above permissions${reason}`, () => {
  test.skipIf(reason !== '')('opens what is closed before it enters, and closes it when all in it is done', async () => {
    await using rig = await Rig.start({ as: root ? NOBODY : undefined });
    mkdirSync(join(rig.served, 'tree/sub'), { recursive: true });
    writeFileSync(join(rig.served, 'tree/sub/file'), '');
    const names = ['tree', 'tree/sub', 'tree/sub/file'];
    if (root) for (const name of names) chownSync(join(rig.served, name), NOBODY, NOBODY);
    for (const name of ['tree', 'tree/sub']) chmodSync(join(rig.served, name), 0o755);
    const modes = (): string[] => names.map((name) => (lstatSync(join(rig.served, name)).mode & 0o777).toString(8));
    expect((await rig.run(['chmod', '-R', 'a=', ':tree'])).code).toBe(0);
    expect(modes()).toEqual(['0', '0', '0']);
    expect((await rig.run(['chmod', '-R', 'u+rwX', ':tree'])).code).toBe(0);
    expect(modes()).toEqual(['700', '700', '600']);
  });

  test.skipIf(reason !== '' || !root)('tells what it may not change, and changes the rest', async () => {
    await using rig = await Rig.start({ as: NOBODY });
    plant(rig.served, { 'tree/mine': '', 'tree/theirs': '' });
    chownSync(join(rig.served, 'tree'), NOBODY, NOBODY);
    chownSync(join(rig.served, 'tree/mine'), NOBODY, NOBODY);
    const ran = await rig.run(['chmod', '-R', '--json', '700', ':tree']);
    expect(ran.code).toBe(1);
    expect(events(ran, 'error')[0]).toMatchObject({ code: 'DENIED', path: 'tree/theirs' });
    expect(events<object>(ran, 'changed')[0]).toMatchObject({ modes: 2, failed: 1 });
    expect(lstatSync(join(rig.served, 'tree/mine')).mode & 0o777).toBe(0o700);
  });
});
