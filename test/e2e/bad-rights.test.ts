/** What the rights do not allow is refused for every command, with the ticket to ask for; the same for the permissions of disks. */
import { execFileSync } from 'node:child_process';
import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { MAIN, Rig } from './rig.ts';
import { contents, events, expectAlive, failureOf, nothingStaged, staged } from './traces.ts';

async function start(role: string): Promise<Rig> {
  const rig = await Rig.start({ serve: [role] });
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
