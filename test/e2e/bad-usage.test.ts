/** What makes no sense is refused before anything is done: exit code 2, the usage where it helps, one object with --json. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { finished, MAIN, Rig, type Ran } from './rig.ts';
import { failureOf } from './traces.ts';

let rig: Rig;
beforeAll(async () => { rig = await Rig.start(); });
afterAll(async () => { await rig[Symbol.asyncDispose](); });

type Row = [words: string[], message: RegExp, hint?: RegExp];

describe('a command line that makes no sense', () => {
  test.concurrent.each<Row>([
    [['pit', 'x', ':'], /^there is no command pit/, /did you mean wherry put\?/],
    [['frobnicate'], /^there is no command frobnicate/, /wherry help lists all of them/],
    [['bye'], /^bye is a word of the prompt$/, /^wherry alone opens it$/],
    [['cd', 'x'], /^cd is a word of the prompt$/, /./],
    [['--json', 'frobnicate'], /^there is no command frobnicate/, /wherry help lists all of them/],
    [['esc\u001b[2J'], /^there is no command esc\\x1b\[2J/, /./],
    [['put'], /^put needs to know what/],
    [['get'], /^get needs to know what/],
    [['change', ':a'], /^change needs 2 words, not 1/],
    [['change', ':a', 'b', 'c'], /^change takes at most 2 words, not 3/, /quotes/],
    [['put', ':a'], /^there is nothing to send/, /name the file first/],
    [['get', 'a', 'b'], /^a is not a place on the server/, /write :a/],
    [['rm', 'a'], /^a is not a place on the server/, /write :a/],
    [['ls', 'one:', 'two:'], /^all words of one command must name the same server/],
    [['put', '--exclud', 'x', 'a', ':'], /^there is no flag --exclud$/, /did you mean --exclude\?/],
    [['ls', '-Z', ':'], /^there is no flag -Z/],
    [['put', 'a', ':', '--exclude'], /^--exclude needs a value: GLOB/, /--exclude GLOB/],
    [['put', 'a', ':', '--no-sync=yes'], /^--no-sync takes no value/],
    [['put', 'a', ':', '--deadline', 'soon'], /not a length of time/, /--deadline/],
    [['put', '-', ':'], /^standard input has no name of its own/, /wherry put - :NAME/],
    [['serve', '.', '--ro', '--rw'], /./],
    [['serve', '.', '--listen', 'nonsense:port'], /is not an address to listen at/, /--listen/],
    [[''], /^an empty word is no command$/, /^wherry help lists all of them$/],
    [['account', 'lst'], /^account cannot lst$/, /account list/],
    [['account', 'show'], /^account show needs one name$/],
    [['put', '-', ':x', '--exclude', 'a'], /^--exclude is about files, and standard input is none$/, /leave it out/],
    [['put', '-', ':x', '--failed', 'list'], /^--failed is about files, and standard input is none$/],
    [['get', ':x', '-', '--update'], /^--update is about a file here, and standard output is none$/],
    [['get', ':x', '-', '--if-absent'], /^--if-absent is about a file here, and standard output is none$/],
    [['get', ':x', '-', '--exclude', 'a'], /^--exclude is about a file here/],
    [['put', 'a', '-O', ':b', '-t', ':c'], /^-O and -t both name the folder/, /give one/],
    [['queue', 'put', 'a', '-O', ':b', '-t', ':c'], /^-O and -t both name the folder/, /give one/],
    [['undo', ':a'], /^undo reverses the whole of the last command, and takes no path$/, /wherry undo -n : says/],
    [['jobs', '3', '--clear'], /^--clear is about all jobs, and takes no numbers$/, /leave them out/],
    [['jobs', '3', '--watch'], /^--watch is about all jobs/, /wherry fg N/],
    [['jobs', '--clear', '--install'], /^--clear and --install cannot be done at once$/],
    [['queue', '--yes'], /^--yes is not for queue alone$/, /it is for queue put and queue get/],
    [['queue', 'put', 'a', ':', '--failed', 'list'], /^--failed does not go with a job$/, /^leave out the word queue$/],
    [['audit', 'verify', '--since', '1h'], /^--since is not for audit verify$/, /it is for audit show/],
    [['config', 'example', '--ro'], /^--ro is not for config example$/, /config check and config show/],
    [['devices', 'explode'], /^devices cannot explode/, /devices revoke NAME/],
  ])('%j is refused with 2', async (words, message, hint) => {
    const json = await rig.run([...words, '--json']);
    const told = failureOf(json);
    expect([json.code, json.stderr, Object.keys(told)]).toEqual([2, '', ['event', 'code', 'path', 'who', 'retry', 'message', 'hint', 'exit']]);
    expect(told).toMatchObject({ code: 'USAGE', retry: false, exit: 2 });
    expect(told.message).toMatch(message);
    if (hint !== undefined) expect(told.hint).toMatch(hint);
  });

  test.each([
    [['put'], /^put: put needs to know what\nusage: wherry put LOCAL\.\.\. /],
    [['ls', '--json=yes'], /^ls: --json takes no value\nusage: wherry ls /],
    [['put', '--exclud', 'x', 'a', ':'], /^put: there is no flag --exclud; did you mean --exclude\?\nusage: wherry put /],
    [['pit', 'x', ':'], /^there is no command pit; did you mean wherry put\?\n$/],
  ])('%j is told on standard error, with the usage of a command that is known', async (words, expected) => {
    const ran = await rig.run(words);
    expect([ran.code, ran.stdout, ran.stderr]).toEqual([2, '', expect.stringMatching(expected)]);
  });

  test('a server that is not known, or that no longer listens, has its own code', async () => {
    const unknown = failureOf(await rig.run(['ls', 'nowhere:', '--json']));
    expect(unknown).toMatchObject({ code: 'NOTFOUND', exit: 6, message: 'this device knows no server named nowhere', hint: 'it knows: test; another is added by: wherry join' });
    const none = failureOf(await rig.run(['ls', ':', '--json'], { env: { WHERRY_HOME: `${rig.folder}/empty` } }));
    expect(none).toMatchObject({ exit: 6, hint: expect.stringContaining('wherry join') as string });
  });

  test('advice names the server that was named, and is for the prompt at the prompt', async () => {
    expect(failureOf(await rig.run(['stat', 'test:none', '--json'])).hint).toBe('wherry ls test:FOLDER lists what is there');
    expect(failureOf(await rig.run(['stat', ':none', '--server', 'test', '--json'])).hint).toBe('wherry ls test:FOLDER lists what is there');
    expect(failureOf(await rig.run(['stat', ':none', '--json'])).hint).toBe('wherry ls :FOLDER lists what is there');
    expect((await rig.run([], { input: 'stat none\n' })).stderr).toBe('stat: none: no such file or folder on the server; ls FOLDER lists what is there\nstopped at line 1 (exit code 6): stat none\n');
  });

  test.each(['', 'ls ', 'put ', 'help ', 'ls --', 'alias ', 'source ', 'open ', "ls '"])('a line of thousands of letters is not echoed whole: %s…', async (before) => {
    const { code, stderr } = await rig.run(['--no-rc'], { input: `${before}${'a'.repeat(5_000)}\n` });
    expect([[2, 6].includes(code!), stderr.length < 1_000]).toEqual([true, true]);
    expect(stderr).toMatch(/a{50,200}…|is opened and not closed/);
  });

  test('a batch that ends because of a command of this machine says with what that ended', async () => {
    expect(await rig.run([], { input: 'ls | false\n' })).toMatchObject({ code: 1, stderr: 'stopped at line 1 (exit code 1): ls | false\n' });
  });

  test('a stray letter is not taken for a sign', async () => {
    expect((await rig.run([], { input: 'y\n' })).stderr).toContain('there is no command y; help lists all of them');
    expect((await rig.run([], { input: 'l\n' })).stderr).toContain('did you mean ls?');
  });

  test('what the server makes of a request comes without the usage of the command', async () => {
    expect(await rig.run(['account', 'add', 'no good', '--state', rig.state])).toMatchObject({ code: 2, stderr: expect.not.stringContaining('usage:') as string });
  });

  test('an empty word is no name: an unset variable sends nothing', async () => {
  await using rig = await Rig.start();
  const put = await rig.run(['put', '', ':']);
  expect(put).toMatchObject({ code: 2, stdout: '' });
  expect(put.stderr).toMatch(/an empty name/);
  expect((await rig.run(['ls', ':'])).stdout).toBe('');
});

test('a folder that cannot be served is said to be so', async () => {
    expect(failureOf(await rig.run(['serve', 'nope', '--json']))).toMatchObject({ code: 'NOTFOUND', exit: 6, message: 'cannot serve nope: no such file or folder', hint: expect.stringContaining('wherry serve DIR') as string });
    expect(failureOf(await rig.run(['serve', rig.served, '--state', `${rig.served}/state`, '--json']))).toMatchObject({ code: 'USAGE', exit: 2, hint: expect.stringContaining('--state') as string });
    const twice = failureOf(await rig.run(['serve', rig.served, '--state', rig.state, '--listen', '127.0.0.1:0', '--json']));
    expect(twice).toMatchObject({ code: 'BUSY', exit: 11, hint: expect.stringContaining('stop it first') as string });
    const taken = failureOf(await rig.run(['serve', rig.local, '--state', `${rig.folder}/other`, '--listen', rig.listening.address, '--json']));
    expect(taken).toMatchObject({ code: 'CONNECT', exit: 3, hint: expect.stringContaining('--listen') as string });
  });
});

test('of several running servers the folders are named, each with the words that choose it', async () => {
  await using own = await Rig.start();
  const other = own.spawn(['serve', own.local, '--listen', '127.0.0.1:0', '--state', join(own.folder, "other's state"), '--json']);
  await once(other.stdout!, 'data');
  const told = failureOf(await own.run(['invite', '--json']));
  expect(told).toMatchObject({ code: 'USAGE', exit: 2, hint: `add for ${own.local}: --state '${own.folder}/other'\\''s state'; for ${own.served}: --state ${own.state}` });
  expect((await own.run(['invite', '--state', own.state])).code).toBe(0);
});

describe('in a folder that was removed', () => {
  /** Runs the command where nothing is any more. */
  async function nowhere(words: readonly string[], input = ''): Promise<Ran> {
    const cwd = join(rig.folder, 'gone');
    await mkdir(cwd);
    const child = spawn('sh', ['-c', 'rmdir "$PWD" && exec "$@"', 'sh', process.execPath, MAIN, ...words], { cwd, env: { PATH: process.env['PATH'], WHERRY_HOME: rig.home } });
    child.stdin.end(input);
    return finished(child);
  }

  test('what does not need it works', async () => {
    await writeFile(join(rig.served, 'there'), 'words');
    await writeFile(join(rig.local, 'sent'), 'by its full name');
    expect(await nowhere(['cat', ':there'])).toMatchObject({ code: 0, stdout: 'words', stderr: '' });
    expect(await nowhere(['put', join(rig.local, 'sent'), ':'])).toMatchObject({ code: 0, stderr: '' });
    expect((await nowhere(['get', ':sent', join(rig.local, 'back')])).code).toBe(0);
    expect(await readFile(join(rig.local, 'back'), 'utf8')).toBe('by its full name');
    expect(await nowhere([], `cat there\nlcd ${rig.local}\nlpwd\n`)).toMatchObject({ code: 0, stdout: `words${rig.local}\n${rig.local}\n`, stderr: '' });
  });

  test.each([['put', 'x', ':'], ['get', ':there'], ['ls', ':', '--home', 'relative']])('%s %s says that it is gone', async (...words) => {
    const ran = await nowhere(words);
    expect([ran.code, ran.stdout, ran.stderr]).toEqual([6, '', `${words[0]}: the current folder here was removed; go to another folder first\n`]);
  });
});
