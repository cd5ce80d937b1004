/** What the rights do not allow is refused for every command, with the ticket to ask for; the same for the permissions of disks. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { MAIN, Rig } from './rig.ts';
import { contents, events, expectAlive, failureOf, nothingStaged, staged } from './traces.ts';
import { plant } from './trees.ts';

async function start(...serve: string[]): Promise<Rig> {
  const rig = await Rig.start({ serve });
  await mkdir(join(rig.served, 'folder'));
  await writeFile(join(rig.served, 'old.txt'), 'old');
  await mkdir(join(rig.local, 'dir'));
  for (const name of ['new.txt', 'dir/in.txt']) await writeFile(join(rig.local, name), 'new');
  return rig;
}

const WRITE = '--rw';
const ADD = '--rw or --drop';
const READ = '--ro or --rw';

/** Commands with the tickets that would allow what each of the two roles may not; undefined: it works. */
const TABLE: readonly [words: string[], ro: string | undefined, drop: string | undefined][] = [
  [['put', 'new.txt', ':'], ADD, undefined],
  [['put', 'dir', ':'], ADD, undefined],
  [['put', '-', ':piped'], ADD, undefined],
  [['mkdir', ':made'], ADD, undefined],
  [['rm', ':old.txt'], WRITE, WRITE],
  [['rm', '-r', ':folder'], WRITE, WRITE],
  [['rmdir', ':folder'], WRITE, WRITE],
  [['change', ':old.txt', 'x'], WRITE, WRITE],
  [['change', '-f', ':old.txt', 'x'], WRITE, WRITE],
  [['get', ':old.txt', 'x'], undefined, READ],
  [['get', ':folder', 'y'], undefined, READ],
  [['get', ':old.txt', '-'], undefined, READ],
  [['cat', ':old.txt'], undefined, READ],
  [['hash', ':old.txt'], undefined, READ],
  [['ls', ':'], undefined, READ],
  [['stat', ':old.txt'], undefined, READ],
  [['du', ':'], undefined, READ],
  [['df', ':'], undefined, READ],
  [['find', ':'], undefined, READ],
];

describe.each(['--ro', '--drop'])('an account of a server with %s', (role) => {
  test('is refused what its role does not have, and keeps the rest', async () => {
    await using rig = await start(role);
    for (const [words, ...lacks] of TABLE) {
      const tickets = lacks[role === '--ro' ? 0 : 1];
      const before = await contents(rig.served);
      const ran = await rig.run([...words, '--json'], { input: 'piped' });
      if (tickets === undefined) {
        expect([words, ran.code, ran.stderr]).toEqual([words, 0, '']);
        continue;
      }
      const told = words.at(-1) === '-' ? (JSON.parse(ran.stdout || ran.stderr) as ReturnType<typeof failureOf>) : failureOf(ran);
      expect([words, ran.code]).toEqual([words, 5]);
      expect(told).toMatchObject({ code: 'DENIED', who: 'rule', retry: false, exit: 5 });
      expect(told.message, words.join(' ')).toMatch(/^this account may not /);
      expect(told.hint, words.join(' ')).toBe(`ask the owner of the server for a ticket made with ${tickets} (wherry invite), then: wherry join`);
      expect(await contents(rig.served)).toEqual(before);
    }
    await nothingStaged(rig.served);
    expect([rig.server!.exitCode, rig.server!.signalCode]).toEqual([null, null]);
  });
});

test('an account of a drop box replaces nothing, and learns nothing of what is there', async () => {
  await using rig = await start('--drop');
  const before = await contents(rig.served);
  const file = failureOf(await rig.run(['put', 'new.txt', ':old.txt', '--json']));
  expect(file).toMatchObject({ code: 'EXISTS', exit: 7, message: 'this name is taken, and the rights of this account do not allow to replace it', hint: 'choose another name' });
  const alike = failureOf(await rig.run(['put', 'new.txt', ':OLD.txt', '--json']));
  expect(alike).toMatchObject({ code: 'EXISTS', exit: 7, hint: 'choose another name' });
  expect(alike.message).not.toContain('old.txt');
  expect(await contents(rig.served)).toEqual(before);
});

describe('an account of a drop box that sends again', () => {
  const tree = { 'tree/small': 'small', 'tree/sub/other': 'other', 'tree/large': 'large'.repeat(100_000) };

  /** A drop box in which a folder of it has arrived. */
  async function given(...serve: string[]): Promise<Rig> {
    const rig = await start('--drop', ...serve);
    plant(rig.local, tree);
    expect((await rig.run(['put', 'tree', ':'])).code).toBe(0);
    return rig;
  }
  const failed = async (rig: Rig, words: readonly string[], env: Record<string, string> = {}): Promise<string[]> => events(await rig.run([...words, '--json'], { env }), 'error').map(({ code, path }) => `${code} ${path!.split('/').at(-1)!}`).sort();

  test('what it put there itself is told that it is there, small and large, alone and in a folder', async () => {
    await using rig = await given();
    const ran = await rig.run(['put', 'tree', ':', '--json']);
    expect([ran.code, events<Record<string, unknown>>(ran, 'item')[0]]).toEqual([0, expect.objectContaining({ files: 3, bytes: 500_010, kept: 500_010, failed: 0 })]);
    expect((await rig.run(['put', 'tree/small', ':tree/small'])).code).toBe(0);
    expect((await rig.run(['put', 'tree/large', ':tree/large'])).code).toBe(0);
    expect(await failed(rig, ['put', 'tree', ':', '--if-absent'])).toEqual(['EXISTS large', 'EXISTS other', 'EXISTS small']);
  });

  test.each([['one process', []], ['two workers', ['--workers', '2']]])('is told so after a restart of %s too, and when the server was killed', async (_, words) => {
    await using rig = await given(...words);
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      await rig.stop(signal);
      await rig.serve();
      const ran = await rig.run(['put', 'tree', ':', '--json']);
      expect([ran.code, events<Record<string, unknown>>(ran, 'item')[0]]).toEqual([0, expect.objectContaining({ files: 3, kept: 500_010, failed: 0 })]);
    }
  });

  test('what somebody else put in its place learns nothing, not even when it guesses the bytes', async () => {
    await using rig = await given();
    plant(rig.served, { 'tree/small': 'guess', 'tree/large': 'guess'.repeat(100_000), 'secret': 'known' });
    for (const guess of ['small', 'guess']) {
      plant(rig.local, { 'tree/small': guess, 'tree/large': (guess === 'small' ? 'large' : guess).repeat(100_000), known: 'known' });
      expect(await failed(rig, ['put', 'tree', ':'])).toEqual(['EXISTS large', 'EXISTS small']);
    }
    expect(await failed(rig, ['put', 'known', ':secret'])).toEqual(['EXISTS known']);
  });

  test('what another account put there learns nothing', async () => {
    await using rig = await given();
    const env = { WHERRY_HOME: join(rig.folder, 'another') };
    await rig.run(['account', 'add', 'another', '--rights', 'drop', '--state', rig.state]);
    expect((await rig.run(['join'], { env, input: (await rig.run(['invite', '--account', 'another', '--state', rig.state])).stdout })).code).toBe(0);
    expect(await failed(rig, ['put', 'tree', ':'], env)).toEqual(['EXISTS large', 'EXISTS other', 'EXISTS small']);
  });
});

test('a device that may only read is not told to put something when it has joined', async () => {
  await using rig = await Rig.start({ serve: ['--ro'], join: false });
  const joined = await rig.run(['join'], { input: `${rig.listening.ticket}\n` });
  expect(joined.code).toBe(0);
  expect(joined.stdout).toMatch(/^next: wherry, or wherry get :FILE$/m);
});

const root = process.getuid?.() === 0;
const canDrop = root && spawnable();
function spawnable(): boolean {
  try {
    execFileSync(process.execPath, [MAIN, '--version'], { uid: 65534, gid: 65534, stdio: 'ignore', timeout: 20_000 });
    return true;
  } catch {
    return false;
  }
}
const reason = root && !canDrop ? ' [skipped: root is above permissions, and no other user may run this build]' : '';

describe(`files whose permissions forbid it${reason}`, () => {
  test.skipIf(reason !== '')('are refused on the server, and the others still come', async () => {
    await using rig = await Rig.start({ as: root ? 65534 : undefined });
    for (const name of ['open.txt', 'shut.txt']) await writeFile(join(rig.served, name), name);
    await mkdir(join(rig.served, 'locked'));
    for (const [name, mode] of [['shut.txt', 0], ['locked', 0o500]] as const) {
      if (root) await chown(join(rig.served, name), 65534, 65534);
      await chmod(join(rig.served, name), mode);
    }
    const told = failureOf(await rig.run(['get', ':shut.txt', '--json']));
    expect(told).toMatchObject({ code: 'DENIED', who: 'server', exit: 5, message: 'permission denied', hint: 'ask the owner of the server' });
    const both = await rig.run(['get', ':shut.txt', ':open.txt', './', '--json']);
    expect([both.code, events(both, 'item').length, failureOf(both).code]).toEqual([1, 1, 'DENIED']);
    await writeFile(join(rig.local, 'new.txt'), 'new');
    const put = failureOf(await rig.run(['put', 'new.txt', ':locked/', '--json']));
    expect(put).toMatchObject({ code: 'DENIED', exit: 5 });
    const tree = await rig.run(['get', ':', 'all', '--json']);
    expect([tree.code, failureOf(tree).path, Object.keys(await contents(join(rig.local, 'all')))]).toEqual([1, expect.stringContaining('shut.txt'), expect.arrayContaining(['open.txt'])]);
    // The bytes that went to the locked folder rest, for when its owner opens it.
    expect(await staged(rig.served)).toEqual([expect.stringMatching(/\.part$/)]);
    await expectAlive(rig);
  });

  test.skipIf(reason !== '')('are refused here, and the others still go', async () => {
    await using rig = await Rig.start({ as: root ? 65534 : undefined });
    await mkdir(join(rig.local, 'dir'));
    for (const name of ['open.txt', 'shut.txt', 'dir/open.txt', 'dir/shut.txt']) {
      await writeFile(join(rig.local, name), name);
      if (name.endsWith('shut.txt')) await chmod(join(rig.local, name), 0);
    }
    const ran = await rig.run(['put', 'shut.txt', 'open.txt', 'dir', ':', '--json']);
    expect(ran.code).toBe(1);
    expect(events(ran, 'error').map(({ code, path }) => [code, path])).toEqual([['DENIED', 'shut.txt'], ['DENIED', 'dir/shut.txt']]);
    expect(events(ran, 'error')[0]!.hint).toMatch(/ls -ld/);
    expect(Object.keys(await contents(rig.served)).sort()).toEqual(['dir', 'dir/open.txt', 'open.txt']);
    await nothingStaged(rig.served);
    await expectAlive(rig);
  });
});

describe(`the owner's commands of another user${reason}`, () => {
  test.skipIf(reason !== '')('say that permission is what is missing, and what to type', async () => {
    await using rig = await Rig.start();
    await chmod(join(rig.state, 'admin.sock'), 0);
    const words = ['devices', '--state', rig.state, '--json'];
    const ran = root ? spawnSync(process.execPath, [MAIN, ...words], { uid: 65534, gid: 65534, encoding: 'utf8', cwd: '/' }) : await rig.run(words);
    expect(failureOf({ code: 5, signal: null, stdout: ran.stdout, stderr: ran.stderr })).toMatchObject({ code: 'DENIED', exit: 5, message: expect.stringContaining('this user may not speak to the server at') as string, hint: expect.stringContaining('sudo -u NAME wherry') as string });
  });
});
