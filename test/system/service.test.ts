/** The systemd unit: judged by systemd's own tools, without a systemd that runs, and what a server does held against what it allows. */
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bytes, MIB } from '../e2e/feed.ts';
import { MAIN, Rig } from '../e2e/rig.ts';
import { until } from '../e2e/traces.ts';

const lacks = (program: string): boolean => spawnSync(program, ['--version']).error !== undefined;
const skipped = (programs: readonly string[]): string => (programs.some(lacks) ? ` (skipped: needs ${programs.filter(lacks).join(', ')})` : '');

let folder: string;
beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'wherry-unit-')); });
afterEach(async () => { await rm(folder, { recursive: true }); });

/** The unit that the command prints for a file of this text. */
async function printed(text: string, flags: readonly string[] = []): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const file = join(folder, 'wherry.toml');
  await writeFile(file, text, { mode: 0o600 });
  const ran = spawnSync(process.execPath, [MAIN, 'service', file, ...flags], { encoding: 'utf8' });
  return { code: ran.status, stdout: ran.stdout, stderr: ran.stderr };
}

const USUAL = 'folder = "/srv/files"\nstate = "/var/lib/wherry"\ngrace = "30s"\n';

describe('wherry service', () => {
  test('prints a unit for what the configuration file says', async () => {
    const { code, stdout } = await printed(USUAL, ['--user', 'files']);
    expect(code).toBe(0);
    expect(stdout).toContain(`\nExecStart=${process.execPath} ${MAIN} serve --config ${join(folder, 'wherry.toml')}\n`);
    for (const line of ['User=files', 'ReadWritePaths=/srv/files', 'StateDirectory=wherry', 'TimeoutStopSec=60']) expect(stdout).toContain(`\n${line}\n`);
  });

  test.each([
    ['no state folder', 'folder = "/srv/files"\n', [], 'state = '],
    ['no folder', 'state = "/var/lib/wherry"\n', [], 'folder = '],
    ['a mistake in the file', `${USUAL}grcae = "3s"\n`, [], 'grace'],
    ['a user that cannot be one', USUAL, ['--user', 'a b'], '--user wherry'],
  ])('prints nothing for %s, and says what to do', async (_, text, flags, hint) => {
    const { code, stdout, stderr } = await printed(text, flags);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(hint);
  });
});

describe.skipIf(lacks('systemd-analyze'))(`systemd${skipped(['systemd-analyze'])}`, () => {
  async function unitFile(): Promise<string> {
    const file = join(folder, 'wherry.service');
    await writeFile(file, (await printed(`${USUAL}listen = ["127.0.0.1:0"]\n`, ['--user', 'daemon'])).stdout);
    return file;
  }

  test('finds nothing wrong with the unit', async () => {
    const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', await unitFile()], { encoding: 'utf8' });
    // Of other units that are installed it may say something too.
    expect(`${stdout}${stderr}`.split('\n').filter((line) => line.includes('wherry'))).toEqual([]);
    expect(status).toBe(0);
  });

  test('finds little that could be taken away from it still', async () => {
    const { status, stdout, stderr } = spawnSync('systemd-analyze', ['security', '--offline=true', '--no-pager', '--threshold=25', await unitFile()], { encoding: 'utf8' });
    expect(status, `${stdout}${stderr}`).toBe(0); // an exposure of at most 2.5; systemd 252 says 1.8
  });

  test('is told the same sets of system calls as are held against a server below', async () => {
    const unit = await readFile(await unitFile(), 'utf8');
    expect(unit.split('\n').filter((line) => line.startsWith('SystemCallFilter='))).toEqual(['SystemCallFilter=@system-service @pkey', 'SystemCallFilter=~@privileged @resources']);
  });

  test.skipIf(lacks('strace'))(`a server with workers that is used asks the kernel for nothing that the unit denies it${skipped(['strace'])}`, async () => {
    const trace = join(folder, 'trace');
    const { stdout: listed } = spawnSync('systemd-analyze', ['syscall-filter', '--no-pager'], { encoding: 'utf8' });
    const sets = setsOf(listed);
    const all = (set: string): string[] => (sets.get(set) ?? []).flatMap((name) => (name.startsWith('@') ? all(name) : [name]));
    const denied = new Set([...all('@privileged'), ...all('@resources')]);
    const allowed = new Set([...all('@system-service'), ...all('@pkey'), ...all('@default')].filter((name) => !denied.has(name)));
    expect(allowed.size).toBeGreaterThan(100);
    await using rig = await Rig.start({ under: ['strace', '-D', '-f', '-e', 'signal=none', '-o', trace], serve: ['--workers', '2'] });
    await writeFile(join(rig.local, 'big'), bytes(3 * MIB));
    await mkdir(join(rig.local, 'tree', 'deep'), { recursive: true });
    for (const name of ['a', 'b', 'deep/c']) await writeFile(join(rig.local, 'tree', name), name);
    for (const words of [['put', 'big', ':'], ['put', 'tree', ':'], ['get', ':tree', 'back'], ['get', ':big', 'again'], ['change', ':big', 'other'], ['rm', '-r', ':tree'], ['df', ':'], ['hash', ':other'], ['account', 'add', 'ann', '--state', rig.state], ['invite', '--code', '--state', rig.state]]) {
      expect(await rig.run(words), words.join(' ')).toMatchObject({ code: 0 });
    }
    const { pid } = rig.server!;
    expect(await rig.stop()).toBe(0);
    let text = '';
    await until(async () => new RegExp(`^${pid} +\\+\\+\\+ exited`, 'm').test((text = await readFile(trace, 'latin1'))), () => 'strace did not see the end of the server');
    const used = new Set(text.split('\n').map((line) => /^\d+\s+(?:<\.\.\. )?([a-z_0-9]+)[( ]/.exec(line)?.[1]).filter((name) => name !== undefined));
    expect(used).toContain('openat');
    expect([...used].filter((name) => !allowed.has(name))).toEqual([]);
  });
});

/** The sets of system calls that systemd knows, from how it lists them. */
function setsOf(listed: string): Map<string, string[]> {
  const sets = new Map<string, string[]>();
  let into: string[] = [];
  for (const line of listed.split('\n')) {
    if (line.startsWith('@')) sets.set(line.trim(), (into = []));
    else if (line.startsWith('  ') && !line.trim().startsWith('#')) into.push(line.trim());
  }
  return sets;
}

/** By hand what the unit does, and of /proc even less: the disk read-only but for the folder of the test, nothing of other users to be seen, another user without any right. */
const SANDBOX = `
set -e
chown 65534:65534 "$HOME" "$HOME/served"
mount --make-rprivate /
mount --bind "$HOME" "$HOME"
mount -o remount,bind,ro /
mount -t proc -o hidepid=invisible,subset=pid proc /proc
exec setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all "$@"
`;
const canIsolate = process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'true']).status === 0 && !lacks('setpriv');

test.skipIf(!canIsolate)(`a server that may write nowhere else, has no right and sees little of /proc serves${canIsolate ? '' : ' (skipped: needs root, and namespaces)'}`, async () => {
  await using rig = await Rig.start({ under: ['unshare', '-m', 'sh', '-c', SANDBOX, 'sandbox'], serve: ['--workers', '2'] });
  const status = await readFile(`/proc/${rig.server!.pid}/status`, 'utf8');
  expect(status).toMatch(/^Uid:\t65534\t/m);
  expect(status).toMatch(/^CapBnd:\t0+$/m);
  expect(status).toMatch(/^NoNewPrivs:\t1$/m);
  expect(await readFile(`/proc/${rig.server!.pid}/mounts`, 'latin1')).toMatch(/^\S+ \/proc proc \S*subset=pid/m);
  const big = bytes(3 * MIB);
  await writeFile(join(rig.local, 'big'), big);
  expect(await rig.run(['put', 'big', ':'])).toMatchObject({ code: 0 });
  expect(await rig.run(['get', ':big', 'back'])).toMatchObject({ code: 0 });
  expect((await readFile(join(rig.local, 'back'))).equals(big)).toBe(true);
  expect(await rig.stop()).toBe(0);
  expect(rig.log.join('\n')).not.toContain('warning');
});
