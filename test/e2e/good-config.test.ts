/** The configuration file as its owner uses it: checked by the command, read by a server, and read again at SIGHUP. */
import { chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Rig } from './rig.ts';
import { events } from './traces.ts';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-config-'));
  file = join(folder, 'wherry.toml');
});
afterEach(() => rm(folder, { recursive: true }));

test('config check names every mistake with its place, also what is wrong only together', async () => {
  await using rig = await Rig.start({ join: false });
  await writeFile(file, '[limits]\nmax_connections = "many"\n[bans]\nlength = "2d"\n');
  const wrong = await rig.run(['config', 'check', file]);
  expect([wrong.code, wrong.stderr.split('\n').filter((line) => line !== '')]).toEqual([2, [
    `${file}:2:1: limits.max_connections: "many" is not a whole number from 1 to 100000; for example: max_connections = 1000`,
    `${file}:4:1: bans.longest is below bans.length; raise bans.longest, or lower bans.length`,
  ]]);
  await writeFile(file, `folder = "${rig.served}"\nstate = "${rig.state}"\n\n[metrics]\nlisten = "0.0.0.0:9438"\n`);
  const open = await rig.run(['config', 'check', file]);
  expect([open.code, open.stderr]).toEqual([2, expect.stringMatching(/wherry\.toml:5:1: metrics on 0\.0\.0\.0 .*from_anywhere = true/)]);
  await writeFile(file, `folder = "${rig.served}"\nstate = "${rig.state}"\n\n[metrics]\nlisten = "0.0.0.0:9438"\nfrom_anywhere = true\n`);
  expect((await rig.run(['config', 'check', file])).code).toBe(0);
});

test.skipIf(process.geteuid?.() !== 0)('config check by root takes a state folder of the user that the server runs as, and nothing of a third one in it', async () => {
  await using rig = await Rig.start({ join: false });
  const state = join(folder, 'of-another');
  await mkdir(state, { mode: 0o700 });
  await chown(state, 65534, 65534);
  await writeFile(file, `folder = "${rig.served}"\nstate = "${state}"\n`);
  expect(await rig.run(['config', 'check', file])).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('of the user with number 65534: the server has to run as that one') as unknown });
  await writeFile(join(state, 'accounts.json'), '', { mode: 0o600 });
  await chown(join(state, 'accounts.json'), 65533, 65533);
  expect(await rig.run(['config', 'check', file])).toMatchObject({ code: 2, stderr: expect.stringContaining('type: chown 65534') as unknown });
});

test.skipIf(process.geteuid?.() !== 0)('root does not start a server on the state of another user, and hears how to become that user', async () => {
  const state = join(folder, 'of-another');
  await mkdir(state, { mode: 0o700 });
  await chown(state, 65534, 65534);
  await using rig = await Rig.start({ join: false });
  expect(await rig.run(['serve', rig.served, '--listen', '127.0.0.1:0', '--state', state])).toMatchObject({ code: 1, stderr: expect.stringContaining("sudo -u '#65534' wherry serve") as unknown });
});

test('flags go before the file, and what comes of both can be a file again', async () => {
  await using rig = await Rig.start({ join: false });
  await writeFile(file, '[rates]\nserver = "1MiB"\naccount = "2MiB"\n');
  const shown = await rig.run(['config', 'show', file, '--rate', '3M', '--no-audit', '--metrics', '9438', '--origin']);
  expect(shown.stdout).toContain(`server = "3145728"  # --rate\naccount = "2MiB"  # ${file}:3\n`);
  expect(shown.stdout).toContain('audit = false  # --no-audit');
  expect(shown.stdout).toContain('[metrics]\nlisten = "9438"  # --metrics');
  const again = join(folder, 'again.toml');
  await writeFile(again, `folder = "${rig.served}"\n${shown.stdout}`);
  expect((await rig.run(['config', 'check', again])).stderr).toBe('');
});

test('SIGHUP reads the file again, and says what changed or why nothing did', async () => {
  await writeFile(file, 'ticket = "rw"\n');
  await using rig = await Rig.start({ serve: ['--config', file] });
  /** The next line of the log about a reload. */
  const told = (): Promise<Record<string, unknown>> => new Promise((resolve) => {
    const hear = (chunk: Buffer): void => {
      for (const line of chunk.toString().split('\n').filter((text) => text.includes('"reloaded"') || text.includes('not taken over'))) {
        rig.server!.stdout!.off('data', hear);
        resolve(JSON.parse(line) as Record<string, unknown>);
      }
    };
    rig.server!.stdout!.on('data', hear);
  });
  const hangUp = (): Promise<Record<string, unknown>> => {
    const answer = told();
    rig.server!.kill('SIGHUP');
    return answer;
  };
  await writeFile(file, 'ticket = "rw"\n[limits]\nmax_connections = 20\n[rates]\naccount = "1MiB"\n');
  expect(await hangUp()).toMatchObject({ event: 'reloaded', changed: ['rates.account', 'limits.max_connections'] });
  await writeFile(file, 'ticket = "rw"\n[limits]\nmax_connections = 0\n');
  expect(await hangUp()).toMatchObject({ event: 'warning', message: expect.stringContaining('wherry.toml:3:1: limits.max_connections') });
  await writeFile(file, 'ticket = "rw"\n');
  const asked = await rig.run(['reload', '--state', rig.state, '--json']);
  expect(events<{ changed: string[] }>(asked, 'reloaded')).toMatchObject([{ changed: ['rates.account', 'limits.max_connections'] }]);
});

test('what cannot be taken over while the server runs is told with its line, and a check that is to be quiet says nothing of what is right', async () => {
  await writeFile(file, 'ticket = "rw"\n');
  await using rig = await Rig.start({ serve: ['--config', file] });
  const reload = async (text: string): Promise<string> => {
    await writeFile(file, text);
    const ran = await rig.run(['reload', '--state', rig.state]);
    expect(ran.code).not.toBe(0);
    return ran.stderr;
  };
  expect(await reload('ticket = "rw"\n\n[metrics]\nlisten = "127.0.0.1:0"\n')).toContain('wherry.toml:4: metrics.listen cannot change while the server runs');
  expect(await reload('ticket = "rw"\nworkers = 2\n\n[metrics]\nlisten = "127.0.0.1:0"\n')).toMatch(/wherry\.toml:2: workers, \S*wherry\.toml:5: metrics\.listen cannot change/);
  expect(await reload('ticket = "rw"\n\n[metrics]\nlisten = "0.0.0.0:0"\n')).toContain('wherry.toml:4: metrics on 0.0.0.0');
  await writeFile(file, `folder = "${rig.served}"\nstate = "${rig.state}"\n`);
  expect(await rig.run(['config', 'check', file, '-q'])).toMatchObject({ code: 0, stdout: '', stderr: '' });
  await writeFile(file, `folder = "${rig.served}"\nstate = "${rig.state}"\nlisten = ["-x"]\n`);
  expect(await rig.run(['config', 'check', file, '-q'])).toMatchObject({ code: 2, stderr: expect.stringContaining('wherry.toml:3:11: listen: this is no address to listen at') as unknown });
});

test.skipIf(process.geteuid?.() !== 0)('the unit of a service is that of the user who has the state folder, unless that is root or another one is asked for', async () => {
  await using rig = await Rig.start({ join: false });
  const state = join(folder, 'state');
  await mkdir(state, { mode: 0o700 });
  await writeFile(file, `folder = "${rig.served}"\nstate = "${state}"\n`);
  expect((await rig.run(['service', file])).stdout).toMatch(/# The state folder is that of root .*chown -R wherry .*\nUser=wherry\n/);
  await chown(state, 65_432, 65_432); // of no name
  expect((await rig.run(['service', file])).stdout).toMatch(/^# A user of its own.*\nUser=65432\n/m);
  expect((await rig.run(['service', file, '--user', 'files'])).stdout).toMatch(/that of 65432 .*\nUser=files\n/);
});
