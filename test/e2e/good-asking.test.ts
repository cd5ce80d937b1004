/** Overwriting and removing: who is asked, what is asked, and that a dry run changes nothing. */
import { readFileSync } from 'node:fs';
import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { keep } from '../cli/kept.ts';
import { Screen } from '../cli/screen.ts';
import { Rig } from './rig.ts';
import { contents, events, failureOf } from './traces.ts';
import { plant } from './trees.ts';

let rig: Rig | undefined;
beforeEach(async () => {
  await rig?.[Symbol.asyncDispose]();
  rig = await Rig.start();
  plant(rig.local, { 'a.txt': 'new a', 'b.txt': 'new b', 'tree/one': 'new 1', 'tree/two': 'new 2', 'tree/sub/three': 'new 3', 'tree/sub/fresh': 'f' });
  plant(rig.served, { 'a.txt': 'old', 'b.txt': 'old', 'tree/one': 'old', 'tree/two': 'old', 'tree/sub/three': 'old', 'big/x': 'xx', 'big/y': 'y' });
});
afterAll(() => rig?.[Symbol.asyncDispose]());

const served = (path: string) => readFileSync(join(rig!.served, path), 'utf8');

function open(columns = 80, rows = 24): Screen {
  return new Screen([], { cwd: rig!.local, columns, rows, env: { WHERRY_HOME: rig!.home, HOME: rig!.folder } });
}

describe.each([[80, 24], [40, 10]])('at a terminal of %d columns and %d rows', (columns, rows) => {
  test('put asks about each file that would be replaced, and what was not agreed to stays', async () => {
    await using screen = open(columns, rows);
    await screen.see('wherry test:/> ');
    screen.enter('put a.txt b.txt tree .');
    await screen.see(/replace \/?a\.txt on the server, 3 B/);
    screen.enter('n');
    await screen.see(/replace \/?b\.txt/);
    screen.enter('y');
    await screen.see(/replace \/?tree\/(one|two)/);
    screen.enter('y');
    await screen.see(/(replace \/?tree\/(one|two)[^]*){2}/);
    screen.enter('q');
    await screen.see(/tree\/(one|two) {2}5 B in[^]*> $/);
    expect([served('a.txt'), served('b.txt'), served('tree/sub/three'), served('tree/sub/fresh')]).toEqual(['old', 'new b', 'old', 'f']);
    expect([served('tree/one'), served('tree/two')].toSorted()).toEqual([expect.stringMatching(/^new [12]$/), 'old']);
    expect(screen.lines.join('\n')).not.toMatch(/already exists|failed/);
    screen.enter('bye');
    expect(await screen.exit).toBe(0);
  });

  test('get asks as well, and rm -r tells what goes', async () => {
    await using screen = open(columns, rows);
    await screen.see('wherry test:/> ');
    screen.enter('get a.txt');
    await screen.see('replace a.txt here, 5 B');
    screen.enter('');
    await screen.see(/left as it is[^]*> $/);
    screen.enter('rm a.txt');
    await screen.see('remove a.txt, 3 B? [y/N/a/q]');
    screen.enter('');
    await screen.see(/a\.txt, 3 B\? \[y\/N\/a\/q\] *\nwherry test:\/> $/);
    expect(served('a.txt')).toBe('old');
    screen.enter('rm -r big a.txt');
    await screen.see('remove the folder big with 2 files, 3 B? [y/N/a/q]');
    screen.enter('what');
    await screen.see('q none of the rest');
    await screen.see(/([^]*big with 2 files){2}/);
    screen.enter('y');
    await screen.see(/removed big[^]*remove a\.txt, 3 B\?/);
    keep(screen, 'asking', columns, rows);
    screen.type('\u0003');
    await screen.see(/interrupted[^]*> $/);
    expect([served('a.txt'), readFileSync(join(rig!.local, 'a.txt'), 'utf8')]).toEqual(['old', 'new a']);
    screen.enter('bye');
    expect(await screen.exit).toBe(0);
  });
});

test('what holds the same bytes is not asked about, and neither is anything with -y, -a or --if-absent', async () => {
  await writeFile(join(rig!.served, 'a.txt'), 'new a');
  await utimes(join(rig!.served, 'a.txt'), 1, 1);
  await using screen = open();
  await screen.see('wherry test:/> ');
  screen.enter('put a.txt');
  await screen.see(/a\.txt {2}5 B in[^]*> $/);
  screen.enter('put -y b.txt');
  await screen.see(/b\.txt {2}5 B in[^]*> $/);
  screen.enter('put -R -p -a tree');
  await screen.see(/tree\/ {2}4 files[^]*> $/);
  screen.enter('put --if-absent b.txt');
  await screen.see(/already exists[^]*> $/);
  expect(screen.lines.join('\n')).not.toContain('replace ');
  screen.enter('bye');
  expect(await screen.exit).toBe(0);
});

test('rm asks too who may not see what is there, by its name alone, and with -f nobody', async () => {
  const run = (...words: string[]) => rig!.run([...words, '--state', rig!.state]);
  await run('account', 'add', 'remover', '--rights', 'delete,create');
  const ticket = (await run('invite', '--account', 'remover')).stdout.trim();
  const env = { WHERRY_HOME: join(rig!.folder, 'remover'), HOME: rig!.folder };
  expect((await rig!.run(['join', '--as', 'remover'], { env: { ...env, WHERRY_TICKET: ticket } })).code).toBe(0);
  await using screen = new Screen(['rm', ':a.txt'], { cwd: rig!.local, env });
  await screen.see('remove a.txt? [y/N/a/q]');
  screen.enter('y');
  await screen.see('removed a.txt');
  await using unasked = new Screen(['rm', '-f', ':b.txt'], { cwd: rig!.local, env });
  await unasked.see('removed b.txt');
  expect(unasked.lines.join('')).not.toContain('[y/N');
});

test('without a terminal nobody is asked', async () => {
  const ran = await rig!.run(['put', 'a.txt', 'tree', ':']);
  expect([ran.code, ran.stderr, served('a.txt'), served('tree/one')]).toEqual([0, '', 'new a', 'new 1']);
});

describe('a dry run', () => {
  test('B5: says how many new dot-files there would be, and names the first', async () => {
    plant(rig!.served, { 'home/.ssh/authorized_keys': 'theirs', 'home/.profile': 'theirs', 'home/plain': '', 'home/deep/.cfg': '' });
    plant(rig!.local, { 'home/.profile': 'mine' });
    const fetched = ['get', ':home', './', '--dry-run'];
    expect(events(await rig!.run([...fetched, '--json']), 'planned')).toMatchObject([{ files: 4, replaced: 1, newDotFiles: 2, firstDotFiles: expect.arrayContaining(['.ssh/authorized_keys', 'deep/.cfg']) as unknown }]);
    expect((await rig!.run(fetched)).stdout).toMatch(/^would fetch home to \S+home: 4 files, 12 B \(1 file replaced, 2 new dot-files: (?:\.ssh\/authorized_keys, deep\/\.cfg|deep\/\.cfg, \.ssh\/authorized_keys)\)$/m);
    // The name that a single file gets counts too, and the way to it does not.
    const told = await rig!.run(['put', 'a.txt', ':.bashrc', '--dry-run', '--json']);
    expect([...events(told, 'planned'), ...events(await rig!.run(['put', 'a.txt', ':home/.ssh/', '--dry-run', '--json']), 'planned')]).toMatchObject([{ newDotFiles: 1, firstDotFiles: [''] }, { newDotFiles: 0 }]);
  });

  test.each([
    [['put', 'a.txt', 'tree', ':'], 0, { verb: 'put', source: 'tree', target: '/tree', kind: 'folder', files: 4, bytes: 16, replaced: 3, same: 0 }],
    [['put', 'tree', ':other'], 0, { verb: 'put', files: 4, bytes: 16, replaced: 0, target: '/other' }],
    [['put', '-', ':new'], 0, { verb: 'put', source: '-', target: '/new', replaced: 0 }],
    [['get', ':big', ':tree', './'], 0, { verb: 'get', source: 'tree', files: 3, bytes: 9, replaced: 3 }],
    [['rm', '-r', ':big'], 0, { verb: 'rm', path: '/big', files: 2, bytes: 3 }],
    [['rm', ':a.txt'], 0, { verb: 'rm', files: 1, bytes: 3 }],
    [['mkdir', ':made'], 0, { verb: 'mkdir', path: '/made' }],
    [['mkdir', '-p', ':made/deep'], 0, { verb: 'mkdir' }],
    [['change', ':a.txt', 'c.txt'], 0, { verb: 'change', path: '/a.txt', to: '/c.txt' }],
    [['chmod', '600', ':a.txt'], 0, { verb: 'chmod', path: '/a.txt', mode: '600' }],
    [['chmod', '-R', 'u+x', ':big'], 0, { verb: 'chmod', path: '/big', modes: 2 }],
    [['edit', ':a.txt'], 0, { verb: 'edit', path: '/a.txt', bytes: 3, replaced: 1 }],
    [['edit', ':new'], 0, { verb: 'edit', path: '/new', replaced: 0 }],
  ] as const)('of %j says what would be done', async (words, code, told) => {
    const before = [await contents(rig!.served), await contents(rig!.local)];
    const ran = await rig!.run([...words, '--dry-run', '--json']);
    expect(ran.code, ran.stdout).toBe(code);
    expect(events(ran, 'planned').at(-1)).toMatchObject(told);
    expect([await contents(rig!.served), await contents(rig!.local)]).toEqual(before);
  });

  test.each([
    [['put', 'nothing', ':'], 6, 'NOTFOUND'], [['put', 'a.txt', ':none/'], 6, 'NOTFOUND'], [['put', '--if-absent', 'a.txt', ':'], 7, 'EXISTS'], [['put', '--if-match', '0'.repeat(64), 'a.txt', ':'], 7, 'PRECONDITION'],
    [['get', '--if-match', '0'.repeat(64), ':a.txt'], 7, 'PRECONDITION'], [['get', '--if-match', '0'.repeat(64), ':big/x'], 7, 'PRECONDITION'], [['get', ':nothing'], 6, 'NOTFOUND'], [['rm', ':big'], 7, 'ISDIR'], [['rm', ':nothing'], 6, 'NOTFOUND'], [['rmdir', ':big'], 7, 'NOTEMPTY'], [['mkdir', ':big'], 7, 'EXISTS'], [['mkdir', ':no/way'], 6, 'NOTFOUND'],
    [['change', ':a.txt', 'b.txt'], 7, 'EXISTS'], [['change', ':none', 'b'], 6, 'NOTFOUND'], [['chmod', '600', ':none'], 6, 'NOTFOUND'], [['chmod', '-R', '600', ':none'], 6, 'NOTFOUND'],
  ] as const)('of %j fails as it would', async (words, code, name) => {
    const before = await contents(rig!.served);
    const dry = await rig!.run([...words, '--dry-run', '--json']);
    expect([dry.code, failureOf(dry).code]).toEqual([code, name]);
    const real = await rig!.run([...words, '--json']);
    expect([real.code, failureOf(real).code]).toEqual([code, name]);
    expect(await contents(rig!.served)).toEqual(before);
  });

  test.each([[':big', 7, 'ISDIR'], [':no/way', 6, 'NOTFOUND']])('of edit %s fails as it would, and so without a terminal', async (word, code, name) => {
    const dry = await rig!.run(['edit', '-n', '--json', word]);
    expect([dry.code, failureOf(dry).code]).toEqual([code, name]);
  });

  test('is told in words', async () => {
    expect((await rig!.run(['edit', '-n', ':a.txt'], { env: { EDITOR: 'nano -w' } })).stdout).toBe('would fetch a.txt, 3 B, open a copy with nano -w, and replace it, if it is changed\n');
    expect((await rig!.run(['put', '-n', 'tree', ':'])).stdout).toBe('would send tree to /tree: 4 files, 16 B (3 files replaced)\n');
    expect((await rig!.run(['rm', '-n', '-r', ':big'])).stdout).toBe('would remove the folder big with 2 files, 3 B\n');
  });
});

describe.each(['put', 'get'] as const)('what appears after %s has asked', (verb) => {
  const ends = (): [from: string, to: string] => (verb === 'put' ? [rig!.local, rig!.served] : [rig!.served, rig!.local]);

  test('is not replaced, in a folder and beside it, and is told with what to do', async () => {
    const [from, to] = ends();
    plant(from, { 'late/asked': 'new', 'late/same': 'same', 'late/after': 'new', 'late/large-asked': Buffer.alloc(300_000, 1), 'late/large-after': Buffer.alloc(300_000, 1), single: 'new' });
    plant(to, { 'late/asked': 'old', 'late/same': 'sane', 'late/large-asked': 'old' });
    await using screen = open();
    await screen.see('wherry test:/> ');
    screen.enter(`${verb} late single .`);
    await screen.see(/replace .*asked/);
    plant(to, { 'late/after': 'theirs', 'late/large-after': 'theirs', single: 'theirs' });
    screen.enter('a');
    await screen.see(/2 sources: [^]*> $/);
    const text = screen.lines.join('\n').replaceAll('\n', '');
    for (const name of ['late/after', 'late/large-after', 'single']) expect(text).toContain(`${verb}: ${name}: already exists ${verb === 'put' ? 'on the server' : 'here'}; it came after you were asked; run the same command again, which asks about it`);
    const now = (name: string): string => readFileSync(join(to, name), 'utf8').slice(0, 6);
    expect(['late/asked', 'late/same', 'late/after', 'late/large-after', 'single'].map(now)).toEqual(['new', 'same', 'theirs', 'theirs', 'theirs']);
    expect(now('late/large-asked')).toBe('\u0001'.repeat(6));
  });
});

describe('--if-match', () => {
  test('replaces only the file with that digest, and names the one that is there', async () => {
    const { digest } = events<{ event: string; digest: string }>(await rig!.run(['hash', '--json', ':a.txt']))[0]!;
    const refused = await rig!.run(['put', '--json', '--if-match', digest, 'b.txt', ':tree/one-more']);
    expect([refused.code, failureOf(refused).code]).toEqual([7, 'PRECONDITION']);
    expect((await rig!.run(['put', '--if-match', digest, 'b.txt', ':a.txt'])).code).toBe(0);
    expect(served('a.txt')).toBe('new b');
    const again = await rig!.run(['put', '--json', '--if-match', digest, 'a.txt', ':a.txt']);
    const now = events<{ event: string; digest: string }>(await rig!.run(['hash', '--json', ':a.txt']))[0]!;
    expect([again.code, failureOf(again).message]).toEqual([7, `the file that is there is another one: its digest is blake3 ${now.digest}`]);
    expect(served('a.txt')).toBe('new b');
  });

  test('of get replaces only the file here with that digest, and names the one that is here', async () => {
    const here = (path: string) => readFileSync(join(rig!.local, path), 'utf8');
    expect((await rig!.run(['get', ':a.txt', 'before'])).code).toBe(0);
    const { digest } = events<{ event: string; digest: string }>(await rig!.run(['hash', '--json', ':a.txt']))[0]!;
    const refused = await rig!.run(['get', '--json', '--if-match', digest, ':b.txt', 'a.txt']);
    expect([refused.code, failureOf(refused)]).toEqual([7, expect.objectContaining({ code: 'PRECONDITION', who: 'here', message: expect.stringMatching(/^the file that is there is another one: its digest is blake3 [0-9a-f]{64}$/) as string })]);
    expect(here('a.txt')).toBe('new a');
    const none = await rig!.run(['get', '--json', '--if-match', digest, ':b.txt', 'none']);
    expect([none.code, failureOf(none).code]).toEqual([7, 'PRECONDITION']);
    plant(rig!.served, { 'b.txt': 'newer' });
    expect((await rig!.run(['get', '--if-match', digest, ':b.txt', 'before'])).code).toBe(0);
    expect(here('before')).toBe('newer');
  });

  test.each([[['get', '--if-match', '0'.repeat(64), ':big'], 'only one file has a digest'], [['get', '--if-match', '0'.repeat(64), ':a.txt', ':b.txt', '.'], 'is about one file'], [['get', '--if-match', '0'.repeat(64), ':a.txt', '-'], 'standard output']])('%j is a usage error too', async (words, message) => {
    const ran = await rig!.run(words);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining(message)]);
  });

  test.each([[['--if-match', 'abc', 'a.txt', ':'], 'is not a BLAKE3 digest'], [['--if-match', '0'.repeat(64), 'a.txt', 'b.txt', ':'], 'is about one file'], [['--if-match', '0'.repeat(64), '--if-absent', 'a.txt', ':'], 'contradict']])('%j is a usage error', async (words, message) => {
    const ran = await rig!.run(['put', ...words]);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});

test('chmod changes modes as they are written, and never sets others', async () => {
  expect((await rig!.run(['chmod', 'u=rw,go=', ':a.txt', ':b.txt'])).stdout).toBe('changed the mode of a.txt to 600\nchanged the mode of b.txt to 600\n');
  expect((await contents(rig!.served))['a.txt']).toMatch(/^600 /);
  const refused = await rig!.run(['chmod', '4755', ':a.txt']);
  expect([refused.code, (await contents(rig!.served))['a.txt']?.slice(0, 3)]).toEqual([2, '600']);
});
