import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Rig } from '../e2e/rig.ts';
import { nextSignIn } from './screen.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start();
  await writeFile(join(rig.local, 'a.txt'), 'a');
  await writeFile(join(rig.local, 'b.txt'), 'bb');
  await mkdir(join(rig.served, 'docs'));
});
afterAll(async () => rig[Symbol.asyncDispose]());

function events(text: string): Record<string, unknown>[] {
  return text.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('a batch from standard input', () => {
  test('runs line by line, echoes nothing, and ends with 0', async () => {
    const { code, stdout, stderr } = await rig.run([], { input: '# a comment\n\npwd\ncd docs\npwd\nput a.txt\nls\nbye\nls nowhere\n' });
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^\/\n\/docs\na\.txt {2}1 B in .*\na\.txt\n$/);
    expect(code).toBe(0);
  });

  test.each([
    ['get nowhere\npwd\n', 6, 'get: nowhere: no such file or folder on the server'],
    ['frobnicate\npwd\n', 2, 'there is no command frobnicate'],
    ['put "a\npwd\n', 2, 'is opened and not closed'],
    ['!exit 7\npwd\n', 7, ''],
  ])('stops at the first line that fails, with its exit code: %j', async (input, exit, why) => {
    const { code, stdout, stderr } = await rig.run([], { input });
    expect(stdout).toBe('');
    expect(stderr).toContain(why);
    expect(code).toBe(exit);
  });

  test('goes on after a line that begins with -', async () => {
    const { code, stdout } = await rig.run(['connect', 'test'], { input: '-get nowhere\n-!false\npwd\n' });
    expect([code, stdout]).toEqual([0, '/\n']);
  });

  test('is not read by a command of this machine', async () => {
    expect((await rig.run([], { input: '!cat\npwd\n' })).stdout).toBe('/\n');
  });
});

describe('one command', () => {
  test('puts several, and ends with 1 when one is missing', async () => {
    const { code, stdout, stderr } = await rig.run(['put', 'a.txt', 'missing.txt', 'b.txt', ':docs/']);
    expect(stdout.split('\n').map((line) => line.split('  ')[0])).toEqual(['a.txt', 'b.txt', expect.stringMatching(/^3 sources: 2 files, 3 B in .*, 1 failed$/), '']);
    expect(stderr).toContain('put: missing.txt: no such file or folder here');
    expect(code).toBe(1);
    expect(await readFile(join(rig.served, 'docs', 'b.txt'), 'utf8')).toBe('bb');
  });

  test('puts standard input, and gets to standard output nothing but the data', async () => {
    const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 251));
    expect((await rig.run(['put', '-', ':piped.bin'], { input: bytes })).code).toBe(0);
    const { code, stdout, stderr } = await rig.run(['hash', '--sha256', ':piped.bin']);
    expect([code, stderr, stdout]).toEqual([0, '', `${createHash('sha256').update(bytes).digest('hex')}  piped.bin\n`]);
    const text = await rig.run(['get', ':docs/b.txt', '-']);
    expect([text.code, text.stdout, text.stderr]).toEqual([0, 'bb', '']);
  });

  test('with --json answers with objects only, the last one a summary', async () => {
    const { code, stdout, stderr } = await rig.run(['put', '--json', 'a.txt', 'missing.txt', ':docs/']);
    const all = events(stdout);
    expect(all.map(({ event }) => event)).toEqual(['item', 'error', 'summary']);
    expect(all[0]).toMatchObject({ source: 'a.txt', bytes: 1, verified: true, level: 'durable' });
    expect(all[1]).toMatchObject({ code: 'NOTFOUND', path: 'missing.txt', who: 'here', retry: false, exit: 6 });
    expect(all[2]).toMatchObject({ items: 2, failed: 1, exit: 1 });
    expect([code, stderr]).toEqual([1, '']);
  });

  test('with --no-sync says visible', async () => {
    expect(events((await rig.run(['put', '--json', '--no-sync', 'a.txt'])).stdout)[0]).toMatchObject({ level: 'visible' });
  });

  test.each<[words: string[], exit: number]>([
    [['get', ':nowhere'], 6],
    [['ls', ':nowhere'], 6],
    [['ls', ':docs/a.txt/'], 7],
    [['ls', ':docs/a.txt/.'], 7],
    [['put', '--if-absent', 'a.txt', ':docs/a.txt'], 7],
    [['rm', ':docs'], 7],
    [['rmdir', ':docs'], 7],
    [['change', ':docs/a.txt', ':docs/b.txt'], 7],
    [['mkdir', ':docs'], 7],
    [['get', ':../etc/passwd'], 2],
    [['put', 'a.txt', ':.wherry/x'], 2],
    [['rm', 'docs'], 2],
    [['ls', 'elsewhere:'], 6],
    [['frobnicate'], 2],
    [['put', '--frobnicate'], 2],
    [['serve', '--ro', '--drop'], 2],
  ])('wherry %j ends with its own code, one line, and nothing on standard output', async (words, exit) => {
    const { code, stdout, stderr } = await rig.run(words);
    expect(stdout).toBe('');
    expect(stderr.trim().split('\n').filter((line) => !line.startsWith('usage:'))).toHaveLength(1);
    expect(code).toBe(exit);
  });

  test.each([['help'], ['--help'], ['put', '--help'], ['help', 'get'], ['--version']])('wherry %s %s is answered without a server', async (...words) => {
    const { code, stdout, stderr } = await rig.run(words, { env: { WHERRY_HOME: join(rig.folder, 'nothing') } });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.length).toBeGreaterThan(5);
  });

  test('finds by name, lists for programs, and sums up', async () => {
    expect((await rig.run(['find', ':docs', '--name', 'b*'])).stdout).toBe('docs/b.txt\n');
    const entries = events((await rig.run(['ls', '--json', ':docs'])).stdout);
    expect(entries).toContainEqual(expect.objectContaining({ event: 'entry', path: '/docs/b.txt', kind: 'file', size: 2 }));
    expect((await rig.run(['du', ':docs'])).stdout).toMatch(/^ +3 B {2}2 files in \d folders? {2}docs\n$/);
  });

  test('whose reader went away ends quietly, with 141', async () => {
    const child = rig.spawn(['find', ':']);
    child.stdout!.destroy();
    let said = '';
    child.stderr!.on('data', (chunk: Buffer) => { said += chunk.toString(); });
    expect(await once(child, 'exit')).toEqual([141, null]);
    expect(said).toBe('');
  });

  test('removes only what it was told to', async () => {
    await rig.run(['mkdir', '-p', ':x/y']);
    expect((await rig.run(['rm', '-f', ':nowhere'])).code).toBe(0);
    expect((await rig.run(['rm', '-r', ':x'])).stdout).toBe('removed x\n');
    expect((await rig.run(['ls', ':x'])).code).toBe(6);
  });

  test('that passes its deadline ends with 12, and one that is terminated with 143', async () => {
    const late = rig.spawn(['put', '-', ':late.bin', '--deadline', '500ms']);
    const [lateCode] = await once(late, 'exit');
    expect(lateCode).toBe(12);
    const signedIn = nextSignIn(rig);
    const told = rig.spawn(['put', '-', ':told.bin', '--verbose']);
    told.stdin!.write('x');
    await signedIn;
    told.kill('SIGTERM');
    const [toldCode] = await once(told, 'exit');
    expect(toldCode).toBe(143);
  });
});

describe('serve --json', () => {
  test('first of all says where it listens, then one object a line, and ends with 0 when told to', async () => {
    const child = rig.spawn(['serve', rig.local, '--listen', '127.0.0.1:0', '--state', join(rig.folder, 'json-state'), '--json']);
    const lines: string[] = [];
    for await (const line of createInterface({ input: child.stdout! })) {
      lines.push(line);
      if (lines.length === 1) child.kill('SIGTERM');
    }
    // Root is warned, once it listens.
    const warned = process.geteuid?.() === 0 ? ['warning'] : [];
    expect(lines.map((line) => (JSON.parse(line) as { event: string }).event)).toEqual(['listening', ...warned, 'stopping', 'stopped']);
    expect(JSON.parse(lines[0]!)).toMatchObject({
      address: expect.stringMatching(/^127\.0\.0\.1:\d+$/), fingerprint: expect.stringMatching(/^sha256:[\w-]{43}$/), ticket: expect.stringMatching(/^wherry1-/),
    });
    expect(child.exitCode ?? (await once(child, 'exit'))[0]).toBe(0);
  });
});

describe('devices', () => {
  test('are listed, and locked out by name', async () => {
    const home = { WHERRY_HOME: join(rig.folder, 'lost-laptop') };
    const { stdout } = await rig.run(['invite', '--json', '--drop', '--for', '1h', '--state', rig.state]);
    const { ticket, role } = JSON.parse(stdout) as { ticket: string; role: string };
    expect(role).toBe('drop');
    const joined = await rig.run(['join', '--json'], { env: { ...home, WHERRY_TICKET: ticket } });
    const { account } = JSON.parse(joined.stdout) as { account: string };
    expect((await rig.run(['devices', '--state', rig.state])).stdout).toContain(`${account} `);
    expect((await rig.run(['devices', 'revoke', account, '--state', rig.state])).stdout).toBe(`revoked ${account}\n`);
    expect((await rig.run(['put', 'a.txt'], { env: home })).code).toBe(5);
    expect((await rig.run(['devices', 'revoke', account, '--state', rig.state])).code).toBe(6);
  });
});
