/** Names that are not there, are something else, or must not be: each gets one clear answer, and nothing changes. */
import { execFileSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MAX_DEPTH } from '../../src/path.ts';
import type { Connection } from '../../src/session/connection.ts';
import type { Request } from '../../src/session/rules.ts';
import type { Message } from '../../src/wire/messages.ts';
import { signIn } from './raw.ts';
import { Rig } from './rig.ts';
import { contents, events, expectAlive, failureOf, nothingStaged } from './traces.ts';

let rig: Rig;
let before: { served: Record<string, string>; local: Record<string, string> };

beforeAll(async () => {
  rig = await Rig.start();
  await mkdir(join(rig.served, 'folder/below'), { recursive: true });
  await mkdir(join(rig.local, 'dir'));
  await writeFile(join(rig.served, 'old.txt'), 'old');
  await writeFile(join(rig.served, 'folder/in.txt'), 'in');
  await symlink('..', join(rig.served, 'link'));
  for (const name of ['a.txt', 'dir/b.txt', 'new\nline', 'turned\u202etxt', 'esc\u001b[2Jape']) await writeFile(join(rig.local, name), name);
  execFileSync('mkfifo', [join(rig.local, 'pipe')]);
  before = { served: await contents(rig.served), local: await contents(rig.local) };
});
afterAll(async () => { await rig[Symbol.asyncDispose](); });

/** Runs a command that must fail, looks at what it says, and that nothing has changed on either side. */
async function refused(words: readonly string[]) {
  const ran = await rig.run([...words, '--json']);
  expect(await contents(rig.served)).toEqual(before.served);
  expect(await contents(rig.local)).toEqual(before.local);
  await nothingStaged(rig.served);
  await nothingStaged(rig.local);
  const told = failureOf(ran);
  expect(ran.code).toBe(told.exit);
  expect(told.message).not.toMatch(/internal|[\u0000-\u001f\u202e]/);
  return told;
}

type Row = [words: string[], exit: number, code: string, message: RegExp, hint: RegExp];

describe('what is not there', () => {
  test.concurrent.each<Row>([
    [['put', 'nope', ':'], 6, 'NOTFOUND', /no such file or folder here/, /^check the name; ls lists the folder here$/],
    [['put', 'a.txt', ':none/'], 6, 'NOTFOUND', /no such folder on the server/, /mkdir/],
    [['put', 'a.txt', ':none/x'], 6, 'NOTFOUND', /no such folder/, /^make it first: wherry mkdir -p :\/none$/],
    [['put', 'a.txt', ':none/b/x'], 6, 'NOTFOUND', /no such folder/, /^make it first: wherry mkdir -p :\/none\/b$/],
    [['put', '-', ':none/b/x'], 6, 'NOTFOUND', /no such folder/, /^make it first: wherry mkdir -p :\/none\/b$/],
    [['put', 'dir', ':none/b/x'], 6, 'NOTFOUND', /no such folder/, /wherry mkdir -p :\/none\/b$/],
    [['get', ':nope'], 6, 'NOTFOUND', /no such file or folder on the server/, /ls/],
    [['get', ':old.txt', 'none/'], 6, 'NOTFOUND', /no such folder here/, /mkdir/],
    [['get', ':old.txt', 'none/x'], 6, 'NOTFOUND', /no such folder here/, /mkdir/],
    [['cat', ':nope'], 6, 'NOTFOUND', /no such file or folder/, /ls/],
    [['rm', ':nope'], 6, 'NOTFOUND', /no such file or folder/, /ls/],
    [['rm', '-r', ':nope'], 6, 'NOTFOUND', /no such file or folder/, /ls/],
    [['rmdir', ':nope'], 6, 'NOTFOUND', /no such/, /ls/],
    [['mkdir', ':none/b/c'], 6, 'NOTFOUND', /^there is no folder \/none$/, /^wherry mkdir -p makes those above too$/],
    [['ls', ':nope'], 6, 'NOTFOUND', /no such/, /ls/],
    [['stat', ':nope'], 6, 'NOTFOUND', /no such/, /ls/],
    [['du', ':nope'], 6, 'NOTFOUND', /no such/, /ls/],
    [['find', ':nope'], 6, 'NOTFOUND', /no such/, /ls/],
    [['hash', ':nope'], 6, 'NOTFOUND', /no such/, /ls/],
    [['change', ':nope', 'x'], 6, 'NOTFOUND', /no such file or folder/, /ls/],
    [['change', ':old.txt', 'none/x'], 6, 'NOTFOUND', /no such folder/, /ls|mkdir/],
  ])('%j ends with %i', async (words, exit, code, message, hint) => {
    const told = await refused(words);
    expect(told).toMatchObject({ exit, code, retry: false });
    expect(told.message).toMatch(message);
    expect(told.hint).toMatch(hint);
    expect(told.path).toBeTruthy();
  });

  test('one of several does not stop the others, and the exit code is 1', async () => {
    const put = await rig.run(['put', 'nope', 'a.txt', ':folder', '--json']);
    expect([put.code, failureOf(put).code, events(put, 'item').length]).toEqual([1, 'NOTFOUND', 1]);
    const get = await rig.run(['get', ':nope', ':folder/a.txt', 'dir', '--json']);
    expect([get.code, failureOf(get).code, events(get, 'item').length]).toEqual([1, 'NOTFOUND', 1]);
    const none = await rig.run(['put', 'nope', 'nope2', ':']);
    expect([none.code, none.stderr.match(/^put: nope2?: no such file or folder here; /gm)?.length]).toEqual([1, 2]);
    const removed = await rig.run(['rm', ':nope', ':folder/a.txt']);
    expect([removed.code, removed.stderr]).toEqual([1, expect.stringMatching(/^rm: nope: no such file or folder on the server; .+\n$/)]);
    execFileSync('rm', [join(rig.local, 'dir/a.txt')]);
    await expectAlive(rig);
  });
});

describe('a folder where a file is meant, and the reverse', () => {
  test.concurrent.each<Row>([
    [['put', 'a.txt', ':old.txt/'], 7, 'NOTDIR', /not a folder/, /name a folder/],
    [['put', 'a.txt', ':old.txt/x'], 7, 'NOTDIR', /not a folder/, /name a folder/],
    [['put', 'dir', ':old.txt'], 7, 'NOTDIR', /is a file, and a folder is to arrive there/, /another target/],
    [['put', 'pipe', ':'], 7, 'UNSUPPORTED', /neither a file nor a folder/, /wherry put -/],
    [['put', 'a.txt', 'dir', ':old.txt'], 7, 'NOTDIR', /not a folder/, /name a folder/],
    [['get', ':folder', 'a.txt'], 7, 'NOTDIR', /is a file, and a folder is to arrive there/, /another target/],
    [['get', ':old.txt', 'a.txt/x'], 7, 'NOTDIR', /not a folder/, /name a folder/],
    [['get', ':link'], 7, 'UNSUPPORTED', /neither a file nor a folder/, /only files and folders/],
    [['cat', ':folder'], 7, 'ISDIR', /is a folder/, /wherry get/],
    [['cat', ':link'], 7, 'UNSUPPORTED', /link|neither/, /only files and folders/],
    [['cat', ':link/served/old.txt'], 5, 'DENIED', /symbolic link, which is never followed/, /ask the owner/],
    [['hash', ':folder'], 7, 'ISDIR', /is a folder/, /wherry get/],
    [['rm', ':folder'], 7, 'ISDIR', /is a folder/, /rm -r/],
    [['rmdir', ':old.txt'], 7, 'NOTDIR', /not a folder/, /name a folder/],
    [['rmdir', ':folder'], 7, 'NOTEMPTY', /not empty/, /rm -r/],
    [['change', ':', 'x'], 7, 'ISDIR', /the served folder itself/, /name a file or folder in it/],
    [['mkdir', ':'], 7, 'EXISTS', /the served folder itself is there already/, /name the folder to be made/],
    [['mkdir', '-n', ':/'], 7, 'EXISTS', /the served folder itself is there already/, /name the folder to be made/],
    [['mkdir', ':folder'], 7, 'EXISTS', /already exists/, /another name/],
    [['mkdir', ':old.txt'], 7, 'EXISTS', /already exists/, /another name/],
    [['mkdir', '-p', ':old.txt/x'], 7, 'NOTDIR', /not a folder/, /name a folder/],
    [['change', ':old.txt', 'folder'], 7, 'EXISTS', /^already exists/, /change -f/],
    [['change', '-f', ':old.txt', 'folder'], 7, 'ISDIR', /folder/, /./],
    [['change', ':folder', 'folder/below/x'], 2, 'USAGE', /a folder cannot be moved into itself/, /outside of it/],
    [['find', ':old.txt'], 7, 'NOTDIR', /not a folder/, /name a folder/],
  ])('%j ends with %i', async (words, exit, code, message, hint) => {
    const told = await refused(words);
    expect(told).toMatchObject({ exit, code });
    expect(told.message).toMatch(message);
    expect(told.hint).toMatch(hint);
  });

  test.each([
    ['old.txt', 'folder', 'folder: already exists on the server; '], ['old.txt', 'folder/in.txt', 'folder/in.txt: already exists on the server; '], ['old.txt', 'none/x', 'none/x: no such folder on the server; '],
    ['old.txt', 'old.txt/x', 'old.txt: not a folder; '], ['old.txt', 'x\ny', 'the name "x\\ny" contains a control character; choose another name\n'], ['old.txt', '.wherry', 'the name ".wherry" is reserved'],
    ['none', 'x', 'none: no such file or folder on the server; '], ['none/x', 'y', 'none/x: no such folder on the server; '], ['folder', 'folder/x', 'folder/x: a folder cannot be moved into itself; '],
    ['x\ny', 'z', 'the name "x\\ny" contains a control character; rename it first'],
  ])('change %j %j names the path at fault', async (from, to, line) => {
    expect((await rig.run(['change', `:${from}`, to])).stderr).toMatch(new RegExp(`^change: ${line.replace(/[\\"().]/g, '\\$&')}`));
  });

  test('is told on one line that names it', async () => {
    const ran = await rig.run(['cat', ':folder']);
    expect(ran.stderr).toMatch(/^cat: folder: is a folder; [^\n]+\n$/);
  });
});

describe('A1, A9: names that must not be', () => {
  test.concurrent.each<Row>([
    [['put', 'new\nline', ':'], 2, 'BADNAME', /"new\\nline" contains a control character/, /rename it/],
    [['put', 'turned\u202etxt', ':'], 2, 'BADNAME', /"turned\\u202etxt" contains a text-direction/, /rename it/],
    [['put', 'esc\u001b[2Jape', ':'], 2, 'BADNAME', /"esc\\x1b\[2Jape" contains a control character/, /rename it/],
    [['put', 'a.txt', ':x\ny'], 2, 'BADNAME', /control character/, /rename it|another/],
    [['put', 'a.txt', ':../x'], 2, 'BADNAME', /leads above the served folder/, /start at the served folder/],
    [['get', ':folder/../../x'], 2, 'BADNAME', /leads above the served folder/, /start at the served folder/],
    [['put', 'a.txt', ':.wherry'], 2, 'BADNAME', /reserved/, /another name/],
    [['put', 'a.txt', ':.WHERRY/x'], 2, 'BADNAME', /reserved/, /another name/],
    [['mkdir', ':.ｗherry'], 2, 'BADNAME', /reserved/, /another name/],
    [['mkdir', ':folder/.wh\u200cerry'], 2, 'BADNAME', /reserved/, /another name/],
    [['mkdir', ':WHERRY~1'], 2, 'BADNAME', /reserved/, /another name/],
    [['rm', '-r', ':.wherry. '], 2, 'BADNAME', /reserved/, /another name/],
    [['change', ':old.txt', ':.Wherry:x'], 2, 'BADNAME', /reserved/, /another name/],
    [['put', 'a.txt', `:${'x'.repeat(256)}`], 2, 'BADNAME', /longer than 255 bytes/, /another name/],
    [['mkdir', `:${'é'.repeat(128)}`], 2, 'BADNAME', /longer than 255 bytes/, /another name/],
    [['ls', `:${'x/'.repeat(32_768)}`], 2, 'BADNAME', /longer than 4096 bytes/, /another name/],
    [['mkdir', '-p', `:${'d/'.repeat(MAX_DEPTH + 1)}`], 2, 'BADNAME', /deeper than 64 folders/, /another name/],
  ])('%# are refused by the command line', async (words, exit, code, message, hint) => {
    const told = await refused(words);
    expect(told).toMatchObject({ exit, code });
    expect(told.message).toMatch(message);
    expect(told.hint).toMatch(hint);
  });

  const NAMES = ['..', '../x', '/etc/passwd', 'folder/../../x', 'a//b', './a', 'a/', 'x\0y', 'x\ny', 'x\u001b[2J', 'x\u202ey', '.wherry', '.WHERRY/x', 'folder/.wherry', 'wherry~1', '\u200b.wherry', 'n'.repeat(256), 'd/'.repeat(64) + 'd'];
  const REQUESTS: readonly ((path: string) => Message<Request>)[] = [
    (path) => ({ kind: 'stat', path }),
    (path) => ({ kind: 'list', path, deep: true }),
    (path) => ({ kind: 'makeFolder', path, parents: true }),
    (path) => ({ kind: 'remove', path, deep: true }),
    (path) => ({ kind: 'move', from: path, to: 'x', replace: true }),
    (path) => ({ kind: 'move', from: 'old.txt', to: path, replace: true }),
    (path) => ({ kind: 'usage', path }),
    (path) => ({ kind: 'hash', path, algorithm: 'blake3' }),
    (path) => ({ kind: 'put', path, mtime: 0, mode: 0o6777, level: 'durable', ifAbsent: false }),
    (path) => ({ kind: 'get', path, basis: 0 }),
    (path) => ({ kind: 'getTree', path, exclude: [] }),
  ];

  test('are refused by the server for every request, when a client sends them all the same', async () => {
    const connection: Connection = await signIn(rig);
    for (const name of NAMES) {
      for (const request of REQUESTS) {
        using exchange = connection.request(request(name));
        await expect(exchange.next(), `${exchange.id} ${JSON.stringify(request(name))}`).rejects.toMatchObject({ code: 'BADNAME' });
      }
    }
    await connection.drain(0);
    expect(await contents(rig.served)).toEqual(before.served);
    await nothingStaged(rig.served);
    await expectAlive(rig);
  });
});

describe('A7: names that differ only in letter case or Unicode form', () => {
  const PAIRS = [['Report.txt', 'report.TXT'], ['caf\u00e9', 'cafe\u0301'], ['stra\u00dfe', 'STRASSE']] as const;

  test('are refused with both names, unless the server was started to accept them', async () => {
    await using strict = await Rig.start();
    await using lax = await Rig.start({ serve: ['--allow-similar-names'] });
    for (const [one, two] of PAIRS) {
      for (const { served } of [strict, lax]) await writeFile(join(served, one), one);
      const told = failureOf(await strict.run(['put', '-', `:${two}`, '--json'], { input: 'two' }));
      expect(told).toMatchObject({ code: 'EXISTS', exit: 7, hint: expect.stringMatching(/another name|--allow-similar-names/) as string });
      expect(told.message).toContain(`"${one}"`);
      expect(told.message).toContain(`"${two}"`);
      expect((await lax.run(['put', '-', `:${two}`], { input: 'two' })).code).toBe(0);
    }
    const same = failureOf(await strict.run(['mkdir', ':REPORT.txt', '--json']));
    expect([same.code, same.exit]).toEqual(['EXISTS', 7]);
    expect(Object.keys(await contents(strict.served))).toHaveLength(PAIRS.length);
    expect(Object.keys(await contents(lax.served))).toHaveLength(2 * PAIRS.length);
    await nothingStaged(strict.served);
  });
});
