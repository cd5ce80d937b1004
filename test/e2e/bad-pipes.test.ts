/** Standard output that nobody takes: a transfer goes on and its exit code tells the truth, an answer ends as by SIGPIPE. */
import { closeSync, openSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bytes, MIB } from './feed.ts';
import { finished, MAIN, Rig, type Ran } from './rig.ts';
import { contents, nothingStaged } from './traces.ts';

let rig: Rig;
beforeEach(async () => { rig = await Rig.start(); });
afterEach(async () => { await rig[Symbol.asyncDispose](); });

/** Runs a command whose standard output was closed before it could say anything. */
function unread(words: readonly string[]): Promise<Ran> {
  const child = rig.spawn(words);
  child.stdout!.destroy();
  child.stdin!.end();
  return finished(child);
}

describe('a transfer whose words nobody reads', () => {
  beforeEach(async () => {
    await writeFile(join(rig.local, 'a'), 'first');
    await writeFile(join(rig.local, 'b'), bytes(24 * MIB));
    await writeFile(join(rig.local, 'c'), 'last');
  });

  test.each([['--verbose'], ['--json']])('goes on to its end, with %s too', async (flag) => {
    const ran = await unread(['put', 'a', 'b', 'c', ':', flag]);
    expect([ran.code, ran.stderr]).toEqual([0, '']);
    expect(await contents(rig.served)).toEqual(await contents(rig.local));
    await nothingStaged(rig.served);
  });

  test('fails when one of its files failed', async () => {
    const ran = await unread(['put', 'a', 'missing', 'c', ':']);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatch(/^put: missing: no such file or folder here/);
    expect(await readFile(join(rig.served, 'c'), 'utf8')).toBe('last');
  });

  test('fetches all the same', async () => {
    await mkdir(join(rig.local, 'into'));
    for (const name of ['a', 'b', 'c']) await writeFile(join(rig.served, name), await readFile(join(rig.local, name)));
    expect(await unread(['get', ':a', ':b', ':c', 'into'])).toMatchObject({ code: 0, stderr: '' });
    expect(await contents(join(rig.local, 'into'))).toEqual(await contents(rig.served));
  });
});

describe('an answer that nobody reads', () => {
  test.each([['ls', ':'], ['find', ':'], ['stat', ':log'], ['hash', ':log'], ['cat', ':log', ':log'], ['get', ':log', '-']])('of %s ends it quietly with 141', async (...words) => {
    await writeFile(join(rig.served, 'log'), bytes(20 * MIB));
    expect(await unread(words)).toMatchObject({ code: 141, stderr: '' });
  });

  test('keeps none of the deeds of a command from being done', async () => {
    await writeFile(join(rig.served, 'a'), '');
    await writeFile(join(rig.served, 'b'), '');
    expect((await unread(['rm', ':a', ':b'])).code).toBe(0);
    expect(await contents(rig.served)).toEqual({});
  });
});

test('a server whose first line alone is read goes on', async () => {
  const other = rig.spawn(['serve', rig.local, '--listen', '127.0.0.1:0', '--state', join(rig.folder, 'other'), '--json']);
  const [first] = (await once(other.stdout!, 'data')) as [Buffer];
  other.stdout!.destroy();
  const { ticket } = JSON.parse(first.toString().split('\n', 1)[0]!) as { ticket: string };
  expect((await rig.run(['join', '--as', 'other'], { input: ticket })).code).toBe(0);
  expect((await rig.run(['ls', 'other:'])).code).toBe(0);
});

test.skipIf(process.platform !== 'linux')('a disk that is full under standard output is told, and the exit code says so', async () => {
  await writeFile(join(rig.served, 'log'), 'words');
  const full = openSync('/dev/full', 'w');
  try {
    for (const words of [['ls', ':'], ['cat', ':log']]) {
      const child = spawn(process.execPath, [MAIN, ...words], { cwd: rig.local, env: { PATH: process.env['PATH'], WHERRY_HOME: rig.home }, stdio: ['ignore', full, 'pipe'] });
      const errors: Buffer[] = [];
      child.stderr!.on('data', (chunk: Buffer) => errors.push(chunk));
      const [code] = (await once(child, 'close')) as [number];
      expect([code, Buffer.concat(errors).toString()]).toEqual([8, expect.stringMatching(/^\w+: standard output: no space left on the disk here; /)]);
    }
  } finally {
    closeSync(full);
  }
});
