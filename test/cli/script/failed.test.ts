/** What failed is listed, and just that is tried again, to the places it was meant for. */
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { plant } from '../../e2e/trees.ts';
import { Rig } from '../../e2e/rig.ts';

let rig: Rig;
beforeEach(async () => { rig = await Rig.start(); });
afterEach(async () => rig[Symbol.asyncDispose]());

const PHOTOS = { 'photos/one.jpg': 'one', 'photos/two.jpg': 'two', 'photos/2026/three.jpg': 'three' };
const list = () => readFileSync(join(rig.local, 'left'), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);

describe.each(['put', 'get'] as const)('%s', (way) => {
  const places = () => (way === 'put' ? [rig.local, rig.served] as const : [rig.served, rig.local] as const);
  const words = () => (way === 'put' ? ['photos', 'gone.txt', ':'] : [':photos', ':gone.txt', '.']);

  test('lists what failed, tries only that again, and removes the list when all is well', async () => {
    const [from, to] = places();
    plant(from, PHOTOS);
    // A folder where a file is to go.
    mkdirSync(join(to, 'photos', 'two.jpg'), { recursive: true });
    const first = await rig.run([way, '--failed', 'left', ...words()]);
    expect(first).toMatchObject({ code: 1, stderr: expect.stringContaining(`2 failures listed in left; to try just those again: wherry ${way} --retry-failed left\n`) });
    expect(list()).toEqual([
      { wherry: 1, way, server: 'test' },
      expect.objectContaining({ source: expect.stringMatching(/photos\/two\.jpg$/), target: expect.stringMatching(/photos\/two\.jpg$/) }),
      expect.objectContaining({ source: expect.stringMatching(/gone\.txt$/), code: 'NOTFOUND' }),
    ]);
    expect(statSync(join(rig.local, 'left')).mode & 0o777).toBe(0o600);

    // What arrived is not touched again, whatever becomes of its source.
    writeFileSync(join(from, 'photos', 'one.jpg'), 'changed');
    rmSync(join(to, 'photos', 'two.jpg'), { recursive: true });
    const second = await rig.run([way, '--retry-failed', 'left']);
    expect(second.code).toBe(1);
    expect(readFileSync(join(to, 'photos', 'two.jpg'), 'utf8')).toBe('two');
    expect(readFileSync(join(to, 'photos', 'one.jpg'), 'utf8')).toBe('one');
    expect(list().slice(1)).toEqual([expect.objectContaining({ source: expect.stringMatching(/gone\.txt$/) })]);

    writeFileSync(join(from, 'gone.txt'), 'here again');
    expect(await rig.run([way, '--retry-failed', 'left'])).toMatchObject({ code: 0 });
    expect(readFileSync(join(to, 'gone.txt'), 'utf8')).toBe('here again');
    expect(existsSync(join(rig.local, 'left'))).toBe(false);
  });
});

test('with --failed, what fails again goes into a list of its own, and the one that was read stays', async () => {
  plant(rig.local, { here: 'here' });
  expect((await rig.run(['put', '--failed', 'left', 'gone', 'lost', ':'])).code).toBe(1);
  const before = readFileSync(join(rig.local, 'left'), 'utf8');
  plant(rig.local, { lost: 'found' });
  const again = await rig.run(['put', '--retry-failed', 'left', '--failed', 'still']);
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('1 failure listed in still;') as string });
  expect(readFileSync(join(rig.local, 'left'), 'utf8')).toBe(before);
  expect(readFileSync(join(rig.local, 'still'), 'utf8').trimEnd().split('\n').slice(1).map((line) => JSON.parse(line) as unknown)).toEqual([{ source: join(rig.local, 'gone'), target: '/', code: 'NOTFOUND' }]);
});

test('a name that cannot be sent is listed as the disk has it, and keeps nothing else back', async () => {
  plant(rig.local, { 'tree/a\nb': 'x', 'tree/good': 'y' });
  mkdirSync(join(rig.served, 'tree', 'good'), { recursive: true });
  expect((await rig.run(['put', '--failed', 'left', 'tree/.', ':tree'])).stderr).toContain('tree/a\\nb');
  expect(list().slice(1).find(({ code }) => code === 'BADNAME')).toMatchObject({ source: join(rig.local, 'tree', 'a\nb'), target: '/tree/a\nb' });
  rmSync(join(rig.served, 'tree', 'good'), { recursive: true });
  const again = await rig.run(['put', '--retry-failed', 'left']);
  expect(again.stderr).toContain('tree/a\\nb');
  expect(readFileSync(join(rig.served, 'tree', 'good'), 'utf8')).toBe('y');
  expect(list().slice(1)).toEqual([expect.objectContaining({ source: join(rig.local, 'tree', 'a\nb') })]);
});

describe('a list', () => {
  // What is told is typed as it stands: the list is for one server, and names with spaces are quoted.
  test('is told with the command that tries it, for the server that was named', async () => {
    expect((await rig.run(['put', '--failed', 'the list', 'gone.txt', 'test:'])).stderr).toContain("to try just those again: wherry put --server test --retry-failed 'the list'\n");
    expect((await rig.run(['get', '--server', 'test', '--retry-failed', 'the list'])).stderr).toContain("this is a list of put; type: wherry put --server test --retry-failed 'the list'\n");
    expect((await rig.run([], { input: "put --failed 'the list' gone.txt\n" })).stderr).toContain("to try just those again: put --retry-failed 'the list'\n");
  });

  const head = { wherry: 1, way: 'put', server: 'test' };
  const lines = (...all: object[]) => all.map((one) => JSON.stringify(one)).join('\n');

  test.each([
    ['of nothing', 'not json', 'not a list of failed files'],
    ['of other words', lines({ a: 1 }), 'not a list of failed files'],
    ['of the other command', lines({ ...head, way: 'get' }), 'this is a list of get'],
    ['of another server', lines({ ...head, server: 'other' }), 'this is a list for the server other'],
    ['with a place that is not whole', lines(head, { source: 'a', target: '/a' }), 'not a list of failed files'],
    ['with a name that leads out', lines(head, { source: '/etc/hostname', target: '/../../out' }), '..'],
  ])('%s is refused, and nothing is sent', async (_, text, why) => {
    writeFileSync(join(rig.local, 'left'), text);
    const ran = await rig.run(['put', '--retry-failed', 'left']);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain(why);
    expect((await rig.run(['ls', ':'])).stdout).toBe('');
  });

  test('that is not there is told, and takes the place of all words', async () => {
    expect(await rig.run(['put', '--retry-failed', 'nothing'])).toMatchObject({ code: 6 });
    expect(await rig.run(['put', '--retry-failed', 'left', 'a.txt', ':'])).toMatchObject({ code: 2, stderr: expect.stringContaining('no further words are needed') });
    expect(await rig.run(['put', '--retry-failed', 'left', '--background'])).toMatchObject({ code: 2, stderr: expect.stringContaining('--retry-failed does not go with a job') });
  });
});
