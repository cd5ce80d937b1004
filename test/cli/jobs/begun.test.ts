/** What is asked and looked at before a job starts: what is in its way, what is not there, and a server that does not answer. */
import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { until } from '../../e2e/traces.ts';
import { noise, plant } from '../../e2e/trees.ts';
import { proxied } from '../proxied.ts';
import type { Screen } from '../screen.ts';

const MIB = 1 << 20;
const place = proxied();
const here = (path: string): string => readFileSync(join(place.rig.local, path), 'utf8');
const there = (path: string): string => readFileSync(join(place.rig.served, path), 'utf8');

async function prompt(): Promise<Screen> {
  const screen = place.open(['--no-rc']);
  await screen.see('wherry test:/> ');
  return screen;
}

/** What became of a job, when it is over. */
async function over(number: number): Promise<{ exit: number; state: string; said: string }> {
  const { code, stdout } = await place.rig.run(['wait', String(number), '--json']);
  const { state } = JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as { state: string };
  return { exit: code!, state, said: (await place.rig.run(['jobs', '-l', String(number)])).stdout };
}

describe('at a terminal, what is in the way of a job is asked about before it starts', () => {
  test.each(['get p.txt &', 'queue get p.txt', 'get --background p.txt'])('%s: no leaves it, and starts nothing', async (line) => {
    plant(place.rig.local, { 'p.txt': 'precious' });
    plant(place.rig.served, { 'p.txt': 'theirs' });
    await using screen = await prompt();
    screen.enter(line);
    await screen.see(/replace p\.txt here, 8 B of [^]*with 6 B\? \[y\/N\/a\/q\] $/);
    screen.enter('n');
    await screen.see(/p\.txt {2}left as it is\n.*> $/);
    expect(screen.lines.join('\n')).not.toMatch(/started|queued/);
    expect(here('p.txt')).toBe('precious');
    screen.enter(line);
    await screen.see(/(replace p\.txt here[^]*){2}\] $/);
    screen.enter('y');
    await screen.see(/\[1\] get p\.txt {2}(started|queued); jobs shows it\n/);
    expect(await over(1)).toMatchObject({ exit: 0, state: 'done' });
    expect(here('p.txt')).toBe('theirs');
  });

  test('in the shell too, of get --background and of queue', async () => {
    plant(place.rig.local, { 'p.txt': 'precious' });
    plant(place.rig.served, { 'p.txt': 'theirs' });
    for (const words of [['get', '--background', ':p.txt'], ['queue', 'get', ':p.txt']]) {
      await using screen = place.open(words);
      await screen.see('replace p.txt here');
      screen.enter('n');
      expect(await screen.exit).toBe(0);
      expect(screen.lines.join('\n')).toContain('left as it is');
    }
    expect(here('p.txt')).toBe('precious');
  });

  test('put: of several and of folders each, and the job does as it was told', async () => {
    plant(place.rig.local, { a: 'new a', b: 'new b', 'tree/one': 'new 1', 'tree/two': 'new 22', 'tree/fresh': 'f' });
    plant(place.rig.served, { a: 'old', b: 'old', 'tree/one': 'old', 'tree/two': 'old' });
    await using screen = await prompt();
    screen.enter('put a b tree . &');
    await screen.see(/replace \/?a on the server, 3 B/);
    screen.enter('n');
    await screen.see(/replace \/?b on/);
    screen.enter('y');
    await screen.see(/replace \/?tree\/(one|two)/);
    const first = /replace \/?tree\/(one|two)/.exec(screen.lines.join('\n'))![1]!;
    screen.enter('y');
    await screen.see(/(replace \/?tree\/(one|two)[^]*){2}/);
    screen.enter('q');
    await screen.see(/\[1\] put a b tree \. {2}started; jobs shows it\n/);
    expect(await over(1)).toMatchObject({ exit: 0, state: 'done', said: expect.stringContaining('1 file left as it is') });
    const second = first === 'one' ? 'two' : 'one';
    expect([there('a'), there('b'), there('tree/fresh'), there(`tree/${first}`), there(`tree/${second}`)]).toEqual(['old', 'new b', 'f', here(`tree/${first}`), 'old']);
  });

  test('with -y nobody is asked, and neither is a script', async () => {
    plant(place.rig.local, { 'p.txt': 'precious' });
    plant(place.rig.served, { 'p.txt': 'theirs' });
    await using screen = await prompt();
    screen.enter('get -y p.txt &');
    await screen.see(/\[1\] get p\.txt {2}started/);
    expect(await over(1)).toMatchObject({ exit: 0 });
    expect(here('p.txt')).toBe('theirs');
    plant(place.rig.local, { 'p.txt': 'precious again' });
    expect((await place.rig.run(['put', '--background', 'p.txt', ':'])).code).toBe(0);
    expect(await over(2)).toMatchObject({ exit: 0 });
    expect(there('p.txt')).toBe('precious again');
  });

  test('^C at the question starts nothing', async () => {
    plant(place.rig.local, { 'p.txt': 'precious' });
    plant(place.rig.served, { 'p.txt': 'theirs' });
    await using screen = await prompt();
    screen.enter('get p.txt &');
    await screen.see(/\] $/);
    screen.type('\u0003');
    await screen.see(/interrupted[^]*> $/);
    screen.enter('jobs');
    await screen.see('there are no jobs');
  });

  test('-n says what would be replaced', async () => {
    plant(place.rig.local, { 'p.txt': 'precious' });
    plant(place.rig.served, { 'p.txt': 'theirs' });
    await using screen = await prompt();
    screen.enter('get -n p.txt &');
    await screen.see(/would start as a job: get p\.txt\nwould fetch p\.txt to [^]*p\.txt: 6 B \(1 file\s+replaced\)\n.*> $/);
    expect((await place.rig.run(['queue', '-n', 'get', ':p.txt'])).stdout).toMatch(/^would queue: get :p\.txt\nwould fetch p\.txt to .*\(1 file replaced\)\n$/);
  });
});

describe('what comes into the way later, when nobody can be asked', () => {
  test('stays, and the job says so by its exit code', async () => {
    plant(place.rig.local, { f: 'mine', 'tree/one': '1' });
    await using screen = await prompt();
    await place.rig.stop('SIGKILL');
    await screen.see(/lost\)> $/);
    screen.enter('put f tree . &');
    await screen.see(/what is there is left as it is; -y replaces it\n\[1\] put f tree \. {2}starts when the server answers; jobs shows it\n/);
    plant(place.rig.served, { f: 'theirs', 'tree/one': 'theirs' });
    await place.rig.serve();
    const { exit, state, said } = await over(1);
    expect([exit, state, there('f'), there('tree/one')]).toEqual([1, 'failed', 'theirs', 'theirs']);
    expect(said).toMatch(/put: f: already exists.*nobody could be asked about it: it is left as it is; .* -y replaces it/);
    screen.enter('put -y f &');
    await screen.see(/\[2\] put f {2}started/);
    expect(await over(2)).toMatchObject({ exit: 0 });
    expect(there('f')).toBe('mine');
  });

  test('of a folder of which some were agreed to, those are replaced and no others', async () => {
    plant(place.rig.local, { 'big.iso': noise(24 * MIB), 'tree/one': 'new 1', 'tree/late': 'mine' });
    plant(place.rig.served, { 'tree/one': 'old' });
    await using screen = await prompt();
    place.proxy.cutAfter({ up: 12 * MIB, hold: true });
    expect((await place.rig.run(['queue', 'put', 'big.iso', ':'])).code).toBe(0);
    await place.proxy.held();
    screen.enter('queue put tree');
    await screen.see('replace /tree/one');
    screen.enter('y');
    await screen.see(/\[2\] put tree {2}queued/);
    plant(place.rig.served, { 'tree/late': 'theirs' });
    await place.proxy.release();
    expect(await over(2)).toMatchObject({ exit: 1, state: 'failed', said: expect.stringContaining('put: tree/late: already exists') });
    expect([there('tree/one'), there('tree/late')]).toEqual(['new 1', 'theirs']);
  });

  test('and what an earlier try has brought is in nobody\'s way', async () => {
    plant(place.rig.local, { 'tree/small': 'small', 'tree/big.iso': noise(48 * MIB), 'tree/one': 'new' });
    plant(place.rig.served, { 'tree/one': 'old', 'tree/small': 'old small' });
    await using screen = await prompt();
    place.proxy.cutAfter({ up: 36 * MIB });
    screen.enter('put tree &');
    await screen.see('replace /tree/');
    screen.enter('a');
    await screen.see(/\[1\] put tree {2}started/);
    await until(async () => JSON.parse((await place.rig.run(['jobs', '1', '--json'])).stdout).tries > 1);
    place.proxy.cutAfter();
    expect(await over(1)).toMatchObject({ exit: 0, state: 'done' });
    expect([there('tree/one'), there('tree/small')]).toEqual(['new', 'small']);
  });
});

test('^Z keeps the answers that were given, also of what was not begun', async () => {
  plant(place.rig.local, { 'big.iso': noise(48 * MIB), 'tree/one': 'new 1', 'tree/two': 'new 2', 'tree/fresh': 'f' });
  plant(place.rig.served, { 'tree/one': 'old', 'tree/two': 'old' });
  place.proxy.cutAfter({ up: 12 * MIB, hold: true });
  await using screen = await prompt();
  screen.enter('put big.iso tree .');
  await screen.see(/replace \/?tree\/(one|two)/);
  const first = /replace \/?tree\/(one|two)/.exec(screen.lines.join('\n'))![1]!;
  screen.enter('n');
  await screen.see(/(replace \/?tree\/(one|two)[^]*){2}/);
  screen.enter('y');
  await place.proxy.held();
  screen.type('\u001a');
  await screen.see(/\[1\] put big\.iso tree \. {2}goes on as a job/);
  place.proxy.cutAfter();
  expect(await over(1)).toMatchObject({ exit: 0, state: 'done' });
  const second = first === 'one' ? 'two' : 'one';
  expect([there(`tree/${first}`), there(`tree/${second}`), there('tree/fresh')]).toEqual(['old', here(`tree/${second}`), 'f']);
  expect(readFileSync(join(place.rig.served, 'big.iso')).length).toBe(48 * MIB);
});

describe('what is not there', () => {
  test.each([
    ['put', '--background', 'nope', ':'], ['queue', 'put', 'nope', ':'], ['get', '--background', ':nope'],
  ])('is told at once, as without a job: %s %s %s', async (...words) => {
    const plain = await place.rig.run(words.filter((word) => word !== '--background' && word !== 'queue'));
    const ran = await place.rig.run(words);
    expect([ran.code, ran.stdout, ran.stderr]).toEqual([6, '', plain.stderr]);
    expect((await place.rig.run(['jobs'])).stderr).toBe('there are no jobs\n');
  });

  test('the others go on, and the exit code says that some did not', async () => {
    plant(place.rig.local, { a: 'a' });
    const ran = await place.rig.run(['put', '--background', 'nope', 'a', ':']);
    expect([ran.code, ran.stderr]).toEqual([1, 'put: nope: no such file or folder here; check the name; ls lists the folder here\n']);
    expect(await over(1)).toMatchObject({ exit: 0 });
    expect(there('a')).toBe('a');
  });

  test('at the prompt: put nope & and get nope &', async () => {
    await using screen = await prompt();
    screen.enter('put nope &');
    await screen.see(/put: nope: no such file or folder here; [^]*> $/);
    screen.enter('get nope &');
    await screen.see(/get: nope: no such file or folder on the server; [^]*> $/);
    screen.enter('jobs');
    await screen.see('there are no jobs');
  });
});

describe('with the server away', () => {
  test('put --background starts, and says when it goes on', async () => {
    plant(place.rig.local, { a: 'a' });
    await place.rig.stop();
    const ran = await place.rig.run(['put', '--background', 'a', ':']);
    expect([ran.code, ran.stdout, ran.stderr]).toEqual([0, '[1] put a :  starts when the server answers; wherry jobs shows it\n', '']);
    await place.rig.serve();
    expect(await over(1)).toMatchObject({ exit: 0 });
    expect(there('a')).toBe('a');
  });

  test('not for a server that is known by its address alone, nor for names that it alone knows, nor without --background', async () => {
    plant(place.rig.local, { a: 'a' });
    const { address, fingerprint } = place.rig.listening;
    await place.rig.stop();
    expect((await place.rig.run(['put', '--background', 'a', ':', '--server', `${address}#${fingerprint}`])).code).not.toBe(0);
    expect((await place.rig.run(['get', '--background', ':*.txt'])).code).toBe(3);
    expect((await place.rig.run(['put', 'a', ':'])).code).toBe(3);
    expect((await place.rig.run(['put', '--background', 'nope', ':'])).code).toBe(6);
  });
});

test('what holds the same bytes is not asked about', async () => {
  plant(place.rig.local, { same: 'same' });
  plant(place.rig.served, { same: 'same' });
  writeFileSync(join(place.rig.served, 'same'), 'same');
  utimesSync(join(place.rig.served, 'same'), 1, 1);
  await using screen = await prompt();
  screen.enter('put same &');
  await screen.see(/\[1\] put same {2}started/);
  expect(await over(1)).toMatchObject({ exit: 0 });
});
