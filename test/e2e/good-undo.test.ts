/** undo, with a real server and real clients: what was replaced, removed and renamed is as before, by one command, also after a restart and a kill. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect, newAction, type UndoStep } from '../../src/index.ts';
import { Rig, type Ran } from './rig.ts';
import { contents, events, failureOf } from './traces.ts';
import { plant } from './trees.ts';

let rig: Rig;
beforeAll(async () => { rig = await Rig.start(); });
afterAll(() => rig[Symbol.asyncDispose]());

const served = (name = ''): string => join(rig.served, name);
const text = (name: string): string => readFileSync(served(name), 'utf8');
async function run(...words: string[]): Promise<Ran> {
  const ran = await rig.run(words);
  expect(ran, `${words.join(' ')}: ${ran.stderr}`).toMatchObject({ code: 0 });
  return ran;
}

test('a put over a file, and another before it, are undone one after the other, with bytes and modes; --redo takes it back', async () => {
  for (const content of ['one', 'second', 'the third']) {
    writeFileSync(join(rig.local, 'a.txt'), content);
    await run('put', 'a.txt', ':');
  }
  expect((await run('undo', '-n', ':')).stdout).toMatch(/^would put back \/a\.txt, 6 B\n1 name would be undone, done .* ago\n$/);
  expect(text('a.txt')).toBe('the third');
  expect((await run('undo', ':')).stdout).toMatch(/^put back \/a\.txt, 6 B\nundone: 1 name, done .* ago\n$/);
  expect(text('a.txt')).toBe('second');
  await run('undo');
  expect(text('a.txt')).toBe('one');
  await run('undo', '--redo');
  expect(text('a.txt')).toBe('second');
});

test('a folder of many packs, of which some files replaced others, is one action; what was there before it is there again', async () => {
  const files = Object.fromEntries(Array.from({ length: 700 }, (_, n) => [`deep/d${n % 7}/f${n}`, `old ${n}`.repeat(n % 50)]));
  plant(rig.local, { ...Object.fromEntries(Object.entries(files).map(([name, content]) => [`tree/${name}`, content])) });
  await run('put', 'tree', ':');
  const before = await contents(served('tree'));
  for (const name of Object.keys(files).filter((_, n) => n % 3 === 0)) writeFileSync(join(rig.local, 'tree', name), `new ${name}`);
  plant(rig.local, { ...Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`tree/new/f${n}`, `${n}`])), 'tree/large': Buffer.alloc(3 << 20, 7) });
  await run('put', 'tree/.', ':tree');
  expect(existsSync(served('tree/new/f299'))).toBe(true);
  const undone = events(await run('undo', '--json', ':'), 'undone') as unknown as UndoStep[];
  expect(undone.filter(({ what }) => what === 'remove')).toHaveLength(301);
  expect(await contents(served('tree'))).toEqual(before);
});

test('rm -r and rm of several, mkdir -p, rmdir and change are undone as they were done', async () => {
  const before = await contents(served());
  await run('rm', '-r', ':tree', ':a.txt');
  expect(await contents(served())).toEqual({});
  await run('undo');
  expect(await contents(served())).toEqual(before);
  await run('mkdir', '-p', ':x/y/z');
  await run('rmdir', ':x/y/z');
  await run('undo');
  expect(existsSync(served('x/y/z'))).toBe(true);
  await run('undo');
  expect(await contents(served())).toEqual(before);
  await run('change', '-f', ':tree/large', ':a.txt').catch(() => undefined);
  await rig.run(['change', '-f', ':tree/deep/d1/f1', ':a.txt']);
  await run('undo');
  expect(await contents(served())).toEqual(before);
});

test('what somebody changed since is refused with its name and exit code 7, and nothing is done; -f undoes it', async () => {
  plant(rig.local, { one: 'new', two: 'new' });
  plant(rig.served, { one: 'old', two: 'old' });
  await run('put', 'one', 'two', ':');
  writeFileSync(served('two'), 'by hand');
  const refused = failureOf(await rig.run(['undo', '--json', ':']));
  expect(refused).toMatchObject({ code: 'PRECONDITION', exit: 7, message: 'nothing was undone: /two was changed since', hint: expect.stringContaining('undo -f') });
  expect([text('one'), text('two')]).toEqual(['new', 'by hand']);
  await run('undo', '-f', ':');
  expect([text('one'), text('two')]).toEqual(['old', 'old']);
});

test('a server that was killed, and one that was stopped, undo what was done before', async () => {
  plant(rig.served, { killed: 'old' });
  plant(rig.local, { killed: 'newer' });
  await run('put', 'killed', ':');
  await rig.stop('SIGKILL');
  await rig.serve();
  await run('undo');
  expect(text('killed')).toBe('old');
  await run('rm', ':killed');
  await rig.stop();
  await rig.serve();
  await run('undo');
  expect(text('killed')).toBe('old');
});

test('the library: calls of one action are undone together, and each device its own', async () => {
  await using mine = await connect({ home: join(rig.folder, 'home') });
  const action = newAction();
  await mine.makeFolder('lib', { action });
  writeFileSync(join(rig.local, 'l'), 'l');
  await mine.put(join(rig.local, 'l'), 'lib/', { action });
  await mine.change('lib/l', 'lib/m', { action });
  const other = join(rig.folder, 'other');
  const { stdout } = await rig.run(['invite', '--state', rig.state, '--rw']);
  expect((await rig.run(['join', '--as', 'test'], { env: { WHERRY_HOME: other, WHERRY_TICKET: /wherry1-\S+/.exec(stdout)![0] } })).code).toBe(0);
  expect(failureOf(await rig.run(['undo', '--json', ':'], { env: { WHERRY_HOME: other } }))).toMatchObject({ code: 'NOTFOUND', exit: 6 });
  const steps: UndoStep[] = [];
  expect(await mine.undo({ onStep: (step) => steps.push(step) })).toMatchObject({ done: 3, failed: 0 });
  expect(steps.map(({ what, path }) => `${what} ${path}`)).toEqual(['rename /lib/m', 'remove /lib/l', 'removeFolder /lib']);
});

describe('a server that is to keep nothing', () => {
  test('says that there is nothing to undo', async () => {
    const folder = join(rig.folder, 'config');
    mkdirSync(folder);
    writeFileSync(join(folder, 'wherry.toml'), 'ticket = "rw"\n\n[undo]\nspace = "0"\n');
    await using off = await Rig.start({ serve: ['--config', join(folder, 'wherry.toml')] });
    plant(off.local, { a: 'a' });
    for (const words of [['put', 'a', ':'], ['put', 'a', ':'], ['rm', ':a']]) expect((await off.run(words)).code).toBe(0);
    expect(failureOf(await off.run(['undo', '--json', ':']))).toMatchObject({ code: 'NOTFOUND', message: 'there is nothing to undo' });
    expect(existsSync(join(off.served, '.wherry/kept'))).toBe(false);
  });
});

test('who may only read, and who may only add, undo nothing', async () => {
  for (const rights of ['ro', 'drop']) {
    const home = join(rig.folder, rights);
    const { stdout } = await rig.run(['invite', '--state', rig.state, `--${rights}`]);
    expect((await rig.run(['join', '--as', 'test'], { env: { WHERRY_HOME: home, WHERRY_TICKET: /wherry1-\S+/.exec(stdout)![0] } })).code).toBe(0);
    plant(rig.local, { dropped: 'x' });
    if (rights === 'drop') expect((await rig.run(['put', 'dropped', ':'], { env: { WHERRY_HOME: home } })).code).toBe(0);
    expect(failureOf(await rig.run(['undo', '--json', ':'], { env: { WHERRY_HOME: home } }))).toMatchObject({ code: 'DENIED' });
  }
  rmSync(served('dropped'));
});
