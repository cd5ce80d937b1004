/** The five words in a session fed by a pipe, and which server a command means. */
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Rig } from './rig.ts';
import { plant } from './trees.ts';

let rig: Rig;
beforeAll(async () => { rig = await Rig.start(); });
afterAll(() => rig[Symbol.asyncDispose]());

describe('the five words', () => {
  test('put, get, change, help and bye, in any letter case', async () => {
    plant(rig.local, { 'my file': 'text' });
    const ran = await rig.run([], { input: 'PUT "my file"\nChange \'my file\' renamed\nget renamed back\nHELP\nhelp change\nBYE\nput nothing\n' });
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(join(rig.local, 'back'), 'utf8')).toBe('text');
    expect(existsSync(join(rig.served, 'my file'))).toBe(false);
    expect(ran.stdout).toMatch(/^my file {2}4 B in .*verified \(blake3 /);
    expect(ran.stdout).toContain('renamed my file to renamed\n');
    for (const word of ['put', 'get', 'change', 'help', 'bye']) expect(ran.stdout).toMatch(new RegExp(`^${word}\\b.* {2}`, 'm'));
    expect(ran.stdout).toContain('usage: change OLD NEW\n');
    expect(ran.stdout).toContain('example:\n  change draft.txt final.txt\n');
  });

  test.each(['exit', 'quit', 'bye', 'Quit'])('%s ends the session', async (word) => {
    expect(await rig.run(['connect'], { input: `pwd\n${word}\npwd\n` })).toMatchObject({ code: 0, stdout: '/\n', stderr: '' });
  });

  test.each(['rename', 'mv', 'change'])('%s never replaces an existing name', async (word) => {
    plant(rig.served, { one: '1', two: '2' });
    const ran = await rig.run([], { input: `${word} one two\n` });
    expect(ran.code).toBe(7);
    expect(readFileSync(join(rig.served, 'two'), 'utf8')).toBe('2');
  });

  test('help tells what this person may not do', async () => {
    await using drop = await Rig.start({ serve: ['--ro'] });
    const ran = await drop.run([], { input: 'help\n' });
    expect(ran.stdout).toMatch(/^.*\bput\b.*not.*$/m);
  });
});

describe('a batch', () => {
  test('ends at the first command that fails, with its exit code', async () => {
    plant(rig.local, { first: '1', second: '2' });
    const ran = await rig.run([], { input: 'put first\nget nothing\nput second\n' });
    expect(ran.code).toBe(6);
    expect(existsSync(join(rig.served, 'first'))).toBe(true);
    expect(existsSync(join(rig.served, 'second'))).toBe(false);
  });

  test('goes on behind a command with a hyphen in front, and skips comments and empty lines', async () => {
    plant(rig.local, { third: '3' });
    const ran = await rig.run([], { input: '# comment\n\n-get nothing\n  put third # and more\n' });
    expect(ran.code).toBe(0);
    expect(ran.stderr).toContain('nothing');
    expect(existsSync(join(rig.served, 'third'))).toBe(true);
  });

  test('keeps its folders, here and there', async () => {
    plant(rig.local, { 'sub/inner': 'in' });
    const ran = await rig.run([], { input: 'mkdir deep\ncd deep\nlcd sub\nput inner\npwd\nlpwd\nls\ncd ..\nls deep\ncat deep/inner\n' });
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout).toContain('/deep\n');
    expect(ran.stdout).toContain(`${join(rig.local, 'sub')}\n`);
    expect(ran.stdout.endsWith('inner\ninner\nin')).toBe(true);
  });

  test('answers in JSON, line by line', async () => {
    const ran = await rig.run(['connect', '--json'], { input: 'mkdir json\nls json\nrmdir json\nfrobnicate\n' });
    expect(ran.code).toBe(2);
    expect(ran.stdout.trimEnd().split('\n').map((line) => (JSON.parse(line) as { event: string }).event)).toEqual(['made', 'removed', 'error', 'stopped']);
  });
});

describe('which server', () => {
  let second: Rig;
  beforeAll(async () => {
    second = await Rig.start({ join: false });
    expect((await rig.run(['join', '--as', 'second'], { env: { WHERRY_TICKET: second.listening.ticket } })).code).toBe(0);
    plant(rig.served, { which: 'first server' });
    plant(second.served, { which: 'second server' });
  });
  afterAll(() => second[Symbol.asyncDispose]());

  const cat = async (words: readonly string[], env: Record<string, string> = {}): Promise<string> => (await rig.run(['cat', ...words], { env })).stdout;

  test('is the first one joined, unless a name, --server or $WHERRY_SERVER says another', async () => {
    expect(await cat([':which'])).toBe('first server');
    expect(await cat(['test:which'])).toBe('first server');
    expect(await cat(['second:which'])).toBe('second server');
    expect(await cat(['--server', 'second', ':which'])).toBe('second server');
    expect(await cat([':which'], { WHERRY_SERVER: 'second' })).toBe('second server');
    expect(await cat(['--server', 'test', ':which'], { WHERRY_SERVER: 'second' })).toBe('first server');
    expect(await cat(['test:which'], { WHERRY_SERVER: 'second' })).toBe('first server');
    expect((await rig.run(['connect', 'second'], { input: 'cat which\n' })).stdout).toBe('second server');
    expect((await rig.run(['cat', 'third:which'])).code).toBe(6);
    expect((await rig.run(['cat', 'test:which', 'second:which'])).code).toBe(2);
  });

  test('is looked up in $WHERRY_HOME, or in --home', async () => {
    const empty = join(rig.folder, 'empty-home');
    mkdirSync(empty);
    const ran = await rig.run(['cat', ':which'], { env: { WHERRY_HOME: empty } });
    expect(ran.code).toBe(6);
    expect(ran.stderr).toContain('wherry join');
    expect(await cat([':which', '--home', rig.home], { WHERRY_HOME: empty })).toBe('first server');
  });
});

describe('devices', () => {
  test('a second device joins with a ticket from invite, and is locked out by revoke', async () => {
    await using server = await Rig.start();
    plant(server.served, { file: 'x' });
    const invited = await server.run(['invite', '--ro', '--state', server.state]);
    expect(invited.code).toBe(0);
    const env = { WHERRY_HOME: join(server.folder, 'other-home') };
    expect((await server.run(['join'], { env, input: invited.stdout })).code).toBe(0);
    expect((await server.run(['cat', ':file'], { env })).stdout).toBe('x');
    expect((await server.run(['rm', ':file'], { env })).code).toBe(5);
    // The same server, whatever it calls itself: what it is known as stays, unless another name is chosen.
    const again = async (words: string[]) => (await server.run(['join', ...words], { env: { ...env, WHERRY_TICKET: (await server.run(['invite', '--ro', '--state', server.state])).stdout } })).stdout.split('\n')[0];
    expect(await again(['--as', 'one'])).toMatch(/^joined one at \S+, known as \S+ until now$/);
    expect(await again([])).toMatch(/^joined one at \S+, already known as one$/);
    expect((await server.run(['cat', 'one:file'], { env })).stdout).toBe('x');
    // A ticket works once.
    expect((await server.run(['join'], { env: { WHERRY_HOME: join(server.folder, 'third') }, input: invited.stdout })).code).toBe(5);

    const listed = (await server.run(['devices', 'list', '--state', server.state, '--json'])).stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as { name: string; rights: string });
    expect(listed.map(({ rights }) => rights).sort()).toEqual(['ro', 'rw']);
    const other = listed.find(({ rights }) => rights === 'ro')!;
    expect((await server.run(['devices', 'revoke', other.name, '--state', server.state])).code).toBe(0);
    expect((await server.run(['cat', ':file'], { env })).code).toBe(5);
    expect((await server.run(['cat', ':file'])).stdout).toBe('x');
    expect((await server.run(['devices', 'revoke', 'nobody', '--state', server.state])).code).toBe(6);
  });

  test('are those of the only server that runs, wherever its state is; of two, one is to be named', async () => {
    await using server = await Rig.start();
    expect((await server.run(['devices'])).stdout).toContain('rw');
    expect((await server.run(['invite'])).code).toBe(0);
    const state = join(server.folder, 'second');
    const second = server.spawn(['serve', server.local, '--listen', '127.0.0.1:0', '--state', state, '--json']);
    await once(second.stdout!, 'data');
    const torn = await server.run(['devices']);
    expect([torn.code, torn.stderr]).toEqual([2, expect.stringMatching(/^devices: 2 servers of yours are running on this machine; add for \/.*: --state /)]);
    for (const each of [state, server.state]) expect(torn.stderr).toContain(each);
    // Killed: its link stays, and must not count.
    second.kill('SIGKILL');
    await once(second, 'exit');
    expect((await server.run(['devices', 'list'])).stdout).toContain('rw');
  });
});
