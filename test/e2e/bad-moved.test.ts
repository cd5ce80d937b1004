/** A served folder that is not where it was: nothing goes into what stands there instead, clients and owner are told, and it goes on when the right one is back. */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Rig } from './rig.ts';
import { contents, failureOf } from './traces.ts';
import { Upgrades } from './upgrades.ts';

const AWAY = { code: 'IO', who: 'server', retry: true, exit: 1, message: expect.stringContaining('the folder of this server is not the one that was there at its start') as unknown };

async function expectRefused(rig: Rig): Promise<void> {
  for (const words of [['put', '-', ':new'], ['ls', ':'], ['rm', ':old'], ['mkdir', ':folder']]) expect(failureOf(await rig.run([...words, '--json'], { input: 'x' }))).toMatchObject(AWAY);
  const health = await rig.run(['health', '--state', rig.state]);
  expect([health.code, health.stdout]).toEqual([11, expect.stringContaining('not ok  folder: the served folder is not the one that was there at the start')]);
}

async function expectServed(rig: Rig, name: string): Promise<void> {
  expect((await rig.run(['put', '-', `:${name}`], { input: name })).code).toBe(0);
  expect((await contents(rig.served))[name]).toBeDefined();
  expect((await rig.run(['health', '--state', rig.state])).code).toBe(0);
}

describe.concurrent.each(['1', '2'])('a folder served by %s workers', (workers) => {
  test('that is moved before the first request, and another one made: that is left alone', async () => {
    await using rig = await Rig.start({ serve: ['--workers', workers] });
    await rename(rig.served, `${rig.served}.real`);
    await mkdir(rig.served);
    await expectRefused(rig);
    expect(await readdir(rig.served)).toEqual([]);
    await rename(rig.served, `${rig.served}.lower`);
    await rename(`${rig.served}.real`, rig.served);
    await expectServed(rig, 'one');
    await rmdir(`${rig.served}.lower`);
    await expectServed(rig, 'two');
  });

  test('that is gone is no mistake of Wherry, and one that is gone for good says so', async () => {
    await using rig = await Rig.start({ serve: ['--workers', workers] });
    await rename(rig.served, `${rig.served}.real`);
    await expectRefused(rig);
    await rename(`${rig.served}.real`, rig.served);
    await expectServed(rig, 'one');
    await rm(rig.served, { recursive: true });
    await expectRefused(rig);
    expect(rig.log.join('\n')).not.toMatch(/SuppressedError|a mistake in Wherry/);
  });
});

test('the new one is served after a start, and not after an upgrade', async () => {
  await using server = await Upgrades.start();
  const { rig } = server;
  await rename(rig.served, `${rig.served}.blue`);
  await mkdir(rig.served);
  const refused = await server.run();
  expect(failureOf(refused)).toMatchObject({ code: 'IO', message: expect.stringContaining('not upgraded, all is as before: the folder of this server is not the one') as unknown });
  await expectRefused(rig);
  await rig.stop();
  await rig.serve();
  await expectServed(rig, 'green');
});

/** A folder of this machine that is mounted at another place. */
const mounted = (from: string, at: string): void => { execFileSync('mount', ['--bind', from, at]); };
async function mountable(): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'wherry-bind-'));
  try {
    mounted(folder, folder);
    execFileSync('umount', [folder]);
    return true;
  } catch {
    return false;
  } finally {
    await rm(folder, { recursive: true });
  }
}
const reason = (await mountable()) ? '' : ' [skipped: only root can mount]';

describe.skipIf(reason !== '')(`a disk${reason}`, () => {
  test('that is unmounted and mounted again is served again, and nothing lies below it', async () => {
    await using rig = await Rig.start();
    await rig.stop();
    const disk = join(rig.folder, 'disk');
    await mkdir(disk);
    await writeFile(join(disk, 'old'), 'old');
    mounted(disk, rig.served);
    await rig.serve();
    execFileSync('umount', [rig.served]); // nothing was asked, so nothing is held
    await expectRefused(rig);
    expect(await readdir(rig.served)).toEqual([]);
    mounted(disk, rig.served);
    await expectServed(rig, 'one');
    execFileSync('umount', ['-l', rig.served]);
    await expectRefused(rig);
    expect(await readdir(rig.served)).toEqual([]);
    mounted(disk, rig.served);
    await expectServed(rig, 'two');
    await rig.stop();
    execFileSync('umount', [rig.served]);
    expect(Object.keys(await contents(disk)).toSorted()).toEqual(['old', 'one', 'two']);
    expect(await readdir(rig.served)).toEqual([]);
  });
});
