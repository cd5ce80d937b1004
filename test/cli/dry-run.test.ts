/** --dry-run of every command that changes something: it is there, it says what would be done, and nothing is changed on either side. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { askServer } from '../../src/server/admin.ts';
import { Rig, type Ran } from '../e2e/rig.ts';
import { plant } from '../e2e/trees.ts';
import { contents, events, failureOf } from '../e2e/traces.ts';

/** Lines of the prompt, without the flag; each must succeed and say what it would do. */
const AT_PROMPT: Readonly<Record<string, readonly string[]>> = {
  put: ['put new', 'put old', 'put new &'], mput: ['mput -O . new old'], reput: ['reput old'], get: ['get there copy', 'get there -'], mget: ['mget -O . there kept'], reget: ['reget there old'],
  change: ['change there elsewhere'], undo: ['undo'], rm: ['rm there', 'rm -r folder'], rmdir: ['rmdir empty'], mkdir: ['mkdir -p a/b'], chmod: ['chmod 600 there'], edit: ['edit there'],
  queue: ['queue put new'], kill: ['kill 1'], pause: ['pause 1'], bg: ['bg 1'], jobs: ['jobs --clear', 'jobs --install'], bookmark: ['bookmark here', 'bookmark -d mark'],
};
/** Of the shell, for the owner of the server. */
const IN_SHELL: Readonly<Record<string, readonly string[]>> = {
  invite: ['invite --ro', 'invite revoke TICKET'], devices: ['devices revoke DEVICE'], account: ['account add ben --rights rw', 'account change ann --rights ro', 'account remove ann'],
  token: ['token create --account ann', 'token revoke mine'], bans: ['bans lift all'],
};
/** What only looks or says; what lasts as long as the prompt; and what is asked for to let somebody in, or to have a server run. */
const OTHERS = [
  'ls', 'cat', 'more', 'stat', 'du', 'df', 'find', 'hash', 'help', 'doctor', 'completion', '__complete', 'audit', 'metrics', 'health', 'config', 'service', 'wait', 'fg', 'version',
  'cd', 'pwd', 'lcd', 'lpwd', 'lls', 'progress', 'cache', 'alias', 'unalias', 'open', 'connect', 'bye', 'source', 'symlink',
  'join', 'serve', 'reload', 'upgrade', 'agent',
];

const root = process.getuid?.() === 0;
/** Root is above permissions; another user has to be able to run the build. */
const canDrop = root && spawnSync(process.execPath, ['dist/bin/wherry.js', '--version'], { uid: 65534, gid: 65534, stdio: 'ignore', timeout: 20_000 }).status === 0;

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start();
  plant(rig.local, { new: 'new', old: 'here' });
  plant(rig.served, { there: 'there', kept: 'kept', old: 'older', 'folder/one': 'one', 'empty/x': '' });
  expect(await rig.run([], { input: 'rm empty/x\nbookmark mark\nput new &\nwait 1\n' })).toMatchObject({ code: 0, stderr: expect.not.stringContaining(': ') });
  for (const words of [['account', 'add', 'ann', '--rights', 'rw'], ['token', 'create', '--account', 'ann', '--name', 'mine'], ['invite']]) expect((await rig.run([...words, '--state', rig.state])).code).toBe(0);
});
afterAll(async () => {
  await rig.run(['agent', '--stop']);
  await rig[Symbol.asyncDispose]();
});

test('every command is known to change something or not, and each that does takes -n', () => {
  const changing = [...Object.keys(AT_PROMPT), ...Object.keys(IN_SHELL)];
  expect(COMMANDS.map(({ name }) => name).toSorted()).toEqual([...changing, ...OTHERS].toSorted());
  for (const command of COMMANDS) if (changing.includes(command.name)) expect(command.flags['dry-run'], command.name).toMatchObject({ short: 'n' });
});

/** All that could have been changed. */
async function everything(): Promise<unknown> {
  const asked = await Promise.all(['account list', 'token list', 'devices list', 'invite list'].map((line) => rig.run([...line.split(' '), '--json', '--state', rig.state])));
  const { stdout } = await rig.run([], { input: 'bookmark\njobs\n' });
  return [await contents(rig.served), await contents(rig.local), asked.map((ran) => ran.stdout.replace(/"lastSeen":"[^"]*"/g, '')), stdout];
}

describe('with it, nothing changes', () => {
  test('and each says what it would do', async () => {
    const before = await everything();
    const lines = Object.values(AT_PROMPT).flat().map((line) => line.replace(/^\w+/, '$& -n'));
    const ran = await rig.run(['--keep-going', '--no-rc'], { input: `${lines.join('\n')}\n` });
    expect([ran.code, ran.stderr]).toEqual([0, '']);
    const told = ran.stdout.trimEnd().split('\n').filter((line) => line.startsWith('would '));
    expect(told.length, ran.stdout).toBeGreaterThanOrEqual(lines.length);
    const { invites: [ticket] } = await askServer(rig.state, { verb: 'invite list' });
    const { devices: [device] } = await askServer(rig.state, { verb: 'devices list' });
    for (const line of Object.values(IN_SHELL).flat().map((typed) => typed.replace('DEVICE', device!.name).replace('TICKET', ticket!.id))) {
      const one = await rig.run([...line.split(' '), '-n', '--state', rig.state]);
      expect([line, one.code, one.stderr]).toEqual([line, 0, '']);
      if (!line.startsWith('bans')) expect(one.stdout).toMatch(/^would /); // nobody is banned
    }
    expect(await everything()).toEqual(before);
  });

  test.each<[string, number]>([
    ['token create --account ann --for 0s', 2], ['token create --account ann --from foo', 2], ['token create --account ann --from 10.0.0.0/33', 2], ['token create --account ann --rights foo', 2],
    ['token create --account ann --path ../x', 2], ['token create --account ann --name a+b', 2], ['token create --account ann --name mine', 7], ['token create --account nobody', 6],
    ['account add ../x', 2], ['account add new --rights foo', 2], ['account add new --root ../x', 2], ['account add new --root m --rule pub=none', 2], ['account add new --ssh-key there', 6],
    ['account change ann --rule x', 2], ['account change ann --rate 1', 2], ['account change ann', 2], ['account remove nobody', 6],
    ['invite --account nobody', 6], ['invite --account ann --ro', 2], ['invite --for 0s', 2], ['invite --code --qr', 2], ['invite revoke 4f1c09a7be52', 6],
    ['devices revoke nobody', 6], ['token revoke nobody', 6], ['bans lift 192.0.2.1', 6],
  ])('and %s fails as it would, with exit code %d', async (line, code) => {
    const [before, words] = [await everything(), [...line.split(' '), '--state', rig.state]];
    const planned = await rig.run([...words, '-n']);
    expect(planned.code, planned.stderr).toBe(code);
    expect(planned).toEqual(await rig.run(words));
    expect(await everything()).toEqual(before);
  });

  test('and what could not be done fails as it would', async () => {
    for (const line of ['devices revoke nobody', 'invite revoke 4f1c09a7be52', 'account change nobody --rights ro', 'token revoke nobody']) expect((await rig.run([...line.split(' '), '-n', '--state', rig.state])).code, line).toBe(6);
    expect((await rig.run(['account', 'add', 'ann', '-n', '--state', rig.state])).code).toBe(7);
  });

  test('nor does a put below what is a file, or missing', async () => {
    for (const line of ['put new :kept/x', 'put folder-here :kept/x', 'put new :kept', 'put new :missing/x', 'put folder-here :missing/x', 'put new :kept/']) {
      plant(rig.local, { 'folder-here/one': 'one' });
      const [rehearsed, real] = [await rig.run([...line.split(' '), '-n', '--json']), await rig.run([...line.split(' '), '--if-absent', '--json'])];
      const told = (ran: Ran): unknown => events(ran, 'error').map(({ code, path, exit }) => ({ code, path: path?.replace(/^\//, ''), exit }));
      if (line === 'put new :kept') expect([rehearsed.code, real.code]).toEqual([0, 7]); // only because of the flag
      else expect([line, rehearsed.code, told(rehearsed)]).toEqual([line, real.code, told(real)]);
    }
  });

  test('nor does a get into a folder that takes no files', async () => {
    for (const target of ['/proc/', '/proc/new', '/proc']) {
      for (const source of [':kept', ':folder']) {
        for (const flags of [['-n'], []]) {
          const ran = await rig.run(['get', source, target, ...flags, '--json']);
          expect([target, source, flags, ran.code, failureOf(ran).code, failureOf(ran).who]).toEqual([target, source, flags, 5, 'DENIED', 'here']);
        }
      }
    }
  });

  test.skipIf(root && !canDrop)(`nor does a get into a folder that may not be written${root && !canDrop ? ' [skipped: no other user may run this build]' : ''}`, async () => {
    await using other = await Rig.start({ as: root ? 65534 : undefined });
    plant(other.served, { kept: 'kept', 'folder/one': 'one' });
    mkdirSync(join(other.local, 'read-only'), { mode: 0o555 });
    for (const source of [':kept', ':folder']) {
      for (const flags of [['-n'], []]) {
        const ran = await other.run(['get', source, 'read-only/', ...flags, '--json']);
        expect([source, flags, ran.code, failureOf(ran).code, failureOf(ran).who]).toEqual([source, flags, 5, 'DENIED', 'here']);
      }
    }
  });

  test('names that will be refused are told, and the exit code is that of the transfer', async () => {
    plant(rig.local, { 'odd/fine': 'fine', 'odd/sub/fine': 'fine' });
    for (const bytes of ['odd/bell\u0007', 'odd/new\nline', 'odd/sub/\u202etxt']) writeFileSync(join(rig.local, bytes), 'x');
    writeFileSync(Buffer.concat([Buffer.from(join(rig.local, 'odd/sub/')), Buffer.from([0x61, 0xff])]), 'x');
    const [rehearsed, real] = [await rig.run(['put', '-n', 'odd', ':zz', '--json']), await rig.run(['put', 'odd', ':zz', '--json'])];
    expect([rehearsed.code, real.code]).toEqual([1, 1]);
    const named = (ran: Ran): unknown => events(ran, 'error').filter(({ code }) => code === 'BADNAME').map(({ path }) => path ?? '').toSorted();
    expect(named(rehearsed)).toEqual(named(real));
    expect(events(rehearsed, 'planned')).toMatchObject([{ files: 2, refused: 4 }]);
    // And the other way round, where the server has such names, and the folder is there.
    const back = await rig.run(['put', '-n', 'odd', ':zz']);
    expect(back).toMatchObject({ code: 1, stderr: expect.stringContaining('odd: 4 names would be refused') as string });
  });
});
