/** A service manager is told what becomes of a server, over a real socket; a server without one says nothing. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Manager, MISSING } from './manager.ts';
import { logged } from './neighbour.ts';
import { Rig } from './rig.ts';
import { until } from './traces.ts';

const containing = (part: string): unknown => expect.stringContaining(part);

describe.skipIf(MISSING.length > 0)(`a server with a service manager${MISSING.length > 0 ? ` (skipped: needs ${MISSING.join(', ')})` : ''}`, () => {
  let manager: Manager;
  let rig: Rig | undefined;
  beforeEach(async () => { manager = await Manager.start(); });
  afterEach(async () => {
    await rig?.[Symbol.asyncDispose]();
    rig = undefined;
    await manager[Symbol.asyncDispose]();
  });

  const start = async (env: readonly string[] = [], serve: readonly string[] = []): Promise<Rig> => (rig = await Rig.start({ under: ['env', `NOTIFY_SOCKET=${manager.socket}`, ...env], serve }));

  test('says that it is ready, and that it stops', async () => {
    const { served, log } = await start();
    expect(await manager.said({ READY: '1' })).toEqual([{ READY: '1', STATUS: `serving ${served}, 0 connections` }]);
    expect(await rig!.stop()).toBe(0);
    expect(await manager.said({ STOPPING: '1' })).toEqual([{ STOPPING: '1', STATUS: containing('stopping') }]);
    expect(manager.messages).toHaveLength(2);
    expect(log.join('\n')).not.toContain('service manager');
  });

  test('says when it reads its configuration again, and when that is over, also in vain', async () => {
    const file = join(await folderOf(manager), 'wherry.toml');
    await writeFile(file, 'grace = "5s"\n', { mode: 0o600 });
    await start([], ['--config', file, '--rw']);
    await manager.said({ READY: '1' });
    await writeFile(file, 'grace = "6s"\n');
    rig!.server!.kill('SIGHUP');
    const [reloading] = await manager.said({ RELOADING: '1' });
    // Of the clock that systemd compares with: since the machine was started.
    const now = Number(process.hrtime.bigint() / 1000n);
    expect(Number(reloading!['MONOTONIC_USEC'])).toBeGreaterThan(now - 60_000_000);
    expect(Number(reloading!['MONOTONIC_USEC'])).toBeLessThanOrEqual(now);
    await manager.said({ READY: '1' }, 2);
    expect(logged(rig!, 'reloaded')).toMatchObject([{ changed: ['grace'] }]);
    await writeFile(file, 'grace = 6\n');
    expect((await rig!.run(['reload', '--state', rig!.state])).code).not.toBe(0);
    await manager.said({ READY: '1' }, 3);
    expect(manager.messages.map((message) => Object.keys(message)[0])).toEqual(['READY', 'RELOADING', 'READY', 'RELOADING', 'READY']);
  });

  test('says that it lives at half of the time it is given, with how many connections it has', async () => {
    await start(['WATCHDOG_USEC=400000']);
    const living = await manager.said({ WATCHDOG: '1' }, 3);
    expect(living[0]).toEqual({ WATCHDOG: '1', STATUS: containing('serving') });
  });

  test('says nothing of a watchdog that is another process\'s', async () => {
    await start(['WATCHDOG_USEC=20000', 'WATCHDOG_PID=1']);
    await manager.said({ READY: '1' });
    await rig!.run(['ls', ':']);
    await rig!.stop();
    await manager.said({ STOPPING: '1' });
    expect(manager.messages.filter((message) => 'WATCHDOG' in message)).toEqual([]);
  });

  test('keeps what the manager gave it from the processes it starts', async () => {
    await start(['WATCHDOG_USEC=60000000'], ['--workers', '2']);
    const workers = logged(rig!, 'worker-started');
    expect(workers).toHaveLength(2);
    for (const { pid } of workers) {
      const env = await readFile(`/proc/${pid!}/environ`, 'utf8');
      expect(env).toContain('PATH=');
      expect(env).not.toContain('NOTIFY_SOCKET');
      expect(env).not.toContain('WATCHDOG');
    }
  });
});

/** A folder that belongs to the test alone. */
async function folderOf(manager: Manager): Promise<string> {
  const folder = `${manager.socket}.files`;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return folder;
}

test('a server whose manager cannot be told warns once, and serves', async () => {
  await using rig = await Rig.start({ under: ['env', 'NOTIFY_SOCKET=/nowhere/notify', 'WATCHDOG_USEC=40000', 'PATH=/nowhere'] });
  await until(() => logged(rig, 'warning').some(({ message }) => message?.includes('service manager') === true));
  expect(await rig.run(['ls', ':'])).toMatchObject({ code: 0 });
  expect(await rig.stop()).toBe(0);
  expect(logged(rig, 'warning').filter(({ message }) => message?.includes('service manager') === true)).toMatchObject([{ message: containing('there is no program systemd-notify, which is part of systemd') }]);
});
