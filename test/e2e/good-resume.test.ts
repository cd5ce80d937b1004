/** What was cut off goes on: after a broken connection, a killed client, a killed server; and never on anybody's word. */
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Proxy } from './proxy.ts';
import { splitWords } from '../../src/cli/script/words.ts';
import { finished, Rig, type Ran } from './rig.ts';
import { contents, events, failureOf } from './traces.ts';
import { flip, noise, plant, plantLarge, sameBytes } from './trees.ts';

const MIB = 1 << 20;
/** What is sent for one byte that changed. */
const BLOCK = 16 << 10;
/** Bytes that may be sent again after a cut: what was under way when it came. */
const AGAIN = 16 * MIB;
const SIZE = 48 * MIB + 12_345;

let rig: Rig;
beforeEach(async () => { rig = await Rig.start(); });
afterEach(() => rig[Symbol.asyncDispose]());

function item(ran: Ran): Record<string, unknown> & { bytes: number; kept: number } {
  return events<Record<string, unknown> & { bytes: number; kept: number }>(ran, 'item')[0]!;
}

/** Bytes of the largest staged file below `folder`; 0 when there is none. */
function staged(folder: string): number {
  const stage = join(folder, '.wherry');
  return existsSync(stage) ? Math.max(0, ...readdirSync(stage).map((name) => statSync(join(stage, name), { throwIfNoEntry: false })?.size ?? 0)) : 0;
}

function stagedFile(folder: string): string {
  const [name] = readdirSync(join(folder, '.wherry')).filter((one) => one !== 'kept');
  return join(folder, '.wherry', name!);
}

/** Resolves when at least so many bytes are staged below `folder`. */
async function stagedAtLeast(folder: string, bytes: number): Promise<void> {
  while (staged(folder) < bytes) await new Promise((resolve) => { setImmediate(resolve); });
}

test('what a get staged and nobody went on with goes with the next get to that folder, once it is older than a week', async () => {
  plant(rig.served, { small: 'small', tree: Buffer.alloc(0), 'folder/file': 'file' });
  const day = 86_400;
  const plantParts = (top: string): void => {
    plant(top, { '.wherry/old.part': 'old', '.wherry/young.part': 'young' });
    for (const [name, days] of [['old', 8], ['young', 6]] as const) utimesSync(join(top, `.wherry/${name}.part`), Date.now() / 1000 - days * day, Date.now() / 1000 - days * day);
  };
  plantParts(rig.local);
  expect((await rig.run(['get', ':small', '-n'])).code).toBe(0);
  expect(readdirSync(join(rig.local, '.wherry')).sort()).toEqual(['old.part', 'young.part']);
  expect((await rig.run(['get', ':small'])).code).toBe(0);
  expect(readdirSync(join(rig.local, '.wherry'))).toEqual(['young.part']);
  plantParts(join(rig.local, 'folder'));
  expect((await rig.run(['get', ':folder/.', 'folder'])).code).toBe(0);
  expect(readdirSync(join(rig.local, 'folder/.wherry'))).toContain('young.part');
  plantParts(rig.local);
  expect((await rig.run(['get', ':folder/.', 'folder'])).code).toBe(0);
  expect(readdirSync(join(rig.local, '.wherry'))).toEqual(['young.part']);
});

describe('a connection that breaks', () => {
  test('while sending: the file is not there, and the next put sends little again', async () => {
    plant(rig.local, { big: noise(SIZE) });
    await using proxy = await Proxy.before(rig);
    proxy.cutAfter({ up: 36 * MIB });
    const first = await rig.run(['put', 'big', ':']);
    expect(first.code).toBe(11);
    expect(first.stderr).toMatch(/^put: big: .*run the same command again.*\nput: what arrived of unfinished files is kept on the server for 7 days\n$/);
    expect(proxy.broken).toBeGreaterThan(0);
    expect(existsSync(join(rig.served, 'big'))).toBe(false);
    proxy.cutAfter();
    const second = await rig.run(['put', 'big', ':', '--json']);
    expect(second).toMatchObject({ code: 0, stderr: '' });
    expect(item(second)).toMatchObject({ bytes: SIZE, verified: true });
    expect(item(second).kept).toBeGreaterThan(36 * MIB - AGAIN);
    expect(proxy.up).toBeLessThan(SIZE - 36 * MIB + AGAIN);
    expect(sameBytes(join(rig.local, 'big'), join(rig.served, 'big'))).toBe(true);
  });

  test('while fetching: the file is not there, and the next get fetches little again', async () => {
    plant(rig.served, { big: noise(SIZE) });
    await using proxy = await Proxy.before(rig);
    proxy.cutAfter({ down: 36 * MIB });
    const first = await rig.run(['get', ':big']);
    expect(first.code).toBe(11);
    expect(existsSync(join(rig.local, 'big'))).toBe(false);
    proxy.cutAfter();
    const second = await rig.run(['get', ':big', '--json']);
    expect(second).toMatchObject({ code: 0, stderr: '' });
    expect(item(second).kept).toBeGreaterThan(36 * MIB - AGAIN);
    expect(sameBytes(join(rig.local, 'big'), join(rig.served, 'big'))).toBe(true);
    expect(existsSync(join(rig.local, '.wherry'))).toBe(false);
  });

  test('again and again: each try gets further, until it is done', async () => {
    plant(rig.local, { big: noise(SIZE) });
    await using proxy = await Proxy.before(rig);
    proxy.cutAfter({ up: 24 * MIB });
    const codes: (number | null)[] = [];
    do codes.push((await rig.run(['put', 'big', ':'])).code); while (codes.at(-1) !== 0 && codes.length < 10);
    expect(codes.at(-1)).toBe(0);
    expect(codes.length).toBeGreaterThan(1);
    expect(new Set(codes.slice(0, -1))).toEqual(new Set([11]));
    expect(sameBytes(join(rig.local, 'big'), join(rig.served, 'big'))).toBe(true);
  });

  test('in the middle of a folder: the next put completes it, large files from where they were', async () => {
    plant(join(rig.local, 'tree'), { big: noise(24 * MIB), ...Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`small/${n}`, noise(1000, n)])) });
    await using proxy = await Proxy.before(rig);
    proxy.cutAfter({ up: 20 * MIB });
    expect((await rig.run(['put', 'tree', ':'])).code).toBe(11);
    expect(existsSync(join(rig.served, 'tree/big'))).toBe(false);
    proxy.cutAfter();
    const second = await rig.run(['put', 'tree', ':', '--json']);
    expect(second.code, second.stderr).toBe(0);
    expect(item(second).kept).toBeGreaterThan(4 * MIB);
    expect(sameBytes(join(rig.local, 'tree/big'), join(rig.served, 'tree/big'))).toBe(true);
  });
});

describe('a folder that was given a new name, and cut off', () => {
  const tree = { big: noise(24 * MIB), ...Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`small/${n}`, noise(1000, n)])) };

  /** Types the command that a failure named, as a shell reads it. */
  function typed(hint: string | undefined): string[] {
    const line = /run "wherry (.*)"/.exec(hint ?? '')?.[1];
    expect(line, hint).toBeDefined();
    return splitWords(line!);
  }

  const CUTS = { put: { up: 20 * MIB }, get: { down: 20 * MIB } };
  const cuts = [['put', CUTS.put], ['get', CUTS.get]] as const;

  function place(verb: 'put' | 'get'): { from: string; to: string; words: string[] } {
    return verb === 'put' ? { from: rig.local, to: rig.served, words: ['put', "it's one", 'test:new name'] } : { from: rig.served, to: rig.local, words: ['get', "test:it's one/", 'new name'] };
  }

  /** What of the transfers there is at the top of a folder. */
  function top(folder: string): string[] {
    return readdirSync(folder).filter((name) => name !== '.wherry').sort();
  }

  /** The commands that are noted as begun. */
  function begun(): string[] {
    const folder = join(rig.home, 'begun');
    return existsSync(folder) ? readdirSync(folder) : [];
  }

  test.each(cuts)('by %s: the same command goes on at the same place, and says so; when it has ended well, it means what cp means', async (verb, cut) => {
    const { from, to, words } = place(verb);
    plant(join(from, "it's one"), tree);
    utimesSync(join(from, "it's one"), 1_000_000_000, 1_000_000_000);
    await using proxy = await Proxy.before(rig);
    proxy.cutAfter(cut);
    const first = await rig.run(words);
    expect([first.code, top(to), begun()]).toEqual([11, ['new name'], [expect.stringMatching(/^[0-9a-f]{32}\.json$/)]]);
    expect(statSync(join(rig.home, 'begun', begun()[0]!)).mode & 0o777).toBe(0o600);
    proxy.cutAfter();
    const dry = await rig.run([...words, '-n']);
    expect([dry.code, dry.stdout]).toEqual([0, expect.stringMatching(/ to \S*new name: /)]);
    const second = await rig.run(words);
    expect([second.code, second.stderr]).toEqual([0, `${verb}: goes on in ${verb === 'put' ? "'test:new name'" : "'new name'"}, which the same command began; ${verb === 'put' ? "'test:new name'" : "'new name'"}/ means into it\n`]);
    expect(second.stdout).toContain('kept from before');
    expect(await contents(join(to, 'new name'))).toEqual(await contents(join(from, "it's one")));
    expect([top(to), begun()]).toEqual([['new name'], []]);
    expect(Math.round(statSync(join(to, 'new name')).mtimeMs)).toBe(1e12); // Node 24 adds a fraction
    expect(await rig.run(words)).toMatchObject({ code: 0, stderr: '' });
    expect(top(join(to, 'new name')).sort()).toEqual(['big', "it's one", 'small']);
  });

  test.each(cuts)('by %s: with a slash, or of what is in it, the words mean what they say', async (verb, cut) => {
    const { from, to, words: [, source = '', target = ''] } = place(verb);
    plant(join(from, "it's one"), tree);
    await using proxy = await Proxy.before(rig);
    proxy.cutAfter(cut);
    expect((await rig.run([verb, source, target])).code).toBe(11);
    proxy.cutAfter();
    expect((await rig.run([verb, source, `${target}/`])).code).toBe(0);
    expect(top(join(to, 'new name'))).toContain("it's one");
    expect(begun()).toHaveLength(1);
    expect(await rig.run([verb, `${source.replace(/\/$/, '')}/.`, target])).toMatchObject({ code: 0, stderr: '' });
    expect(begun()).toEqual([]);
  });

  test.each(cuts.flatMap(([verb, cut]) => (['client', 'server'] as const).map((killed) => [verb, killed, cut] as const)))('by %s, whose %s is killed outright: the same', async (verb, killed, cut) => {
    const { from, to, words } = place(verb);
    plant(join(from, "it's one"), tree);
    await using proxy = await Proxy.before(rig);
    proxy.cutAfter({ ...cut, hold: true });
    const child = rig.spawn(words);
    const over = finished(child);
    await proxy.held();
    if (killed === 'server') await rig.stop('SIGKILL');
    else child.kill('SIGKILL');
    proxy.cutAfter();
    proxy.sever();
    expect((await over).code).not.toBe(0);
    expect(top(to)).toEqual(['new name']);
    if (killed === 'server') await rig.serve();
    await proxy.bypass(rig);
    const last = await rig.run([...words, '--json']);
    expect([last.code, last.stderr]).toEqual([0, '']);
    expect(item(last).kept).toBeGreaterThan(0);
    expect(await contents(join(to, 'new name'))).toEqual(await contents(join(from, "it's one")));
    expect(top(to)).toEqual(['new name']);
  });

  test('by a job after a command, and by a command after a job: the same', async () => {
    plant(join(rig.local, 'tree'), tree);
    await using proxy = await Proxy.before(rig);
    proxy.cutAfter(CUTS.put);
    expect((await rig.run(['put', 'tree', ':one'])).code).toBe(11);
    proxy.cutAfter();
    expect((await rig.run(['put', 'tree', ':one', '--background'])).code).toBe(0);
    expect(await rig.run(['wait', '1'])).toMatchObject({ code: 0 });
    expect(begun()).toEqual([]);
    proxy.cutAfter({ ...CUTS.put, hold: true });
    expect((await rig.run(['put', 'tree', ':two', '--background'])).code).toBe(0);
    await proxy.held();
    await proxy.bypass(rig);
    expect((await rig.run(['kill', '2'])).code).toBe(0);
    expect((await rig.run(['put', 'tree', ':two'])).code).toBe(0);
    for (const name of ['one', 'two']) expect(await contents(join(rig.served, name))).toEqual(await contents(join(rig.local, 'tree')));
  });

  test('and what failed before anything of it was there is not remembered', async () => {
    plant(join(rig.local, 'tree'), tree);
    expect((await rig.run(['put', 'tree', ':there/new'])).code).toBe(6);
    expect(begun()).toEqual([]);
    await using full = await Rig.start({ serve: ['--ro'] });
    plant(join(full.local, 'tree'), tree);
    expect((await full.run(['put', 'tree', ':new'])).code).toBe(5);
    expect(existsSync(join(full.home, 'begun')) ? readdirSync(join(full.home, 'begun')) : []).toEqual([]);
  });

  test('where that cannot be noted, the command that is named leads there all the same', async () => {
    plant(join(rig.local, 'tree'), tree);
    plant(rig.home, { begun: 'a file' });
    await using proxy = await Proxy.before(rig);
    proxy.cutAfter(CUTS.put);
    const first = await rig.run(['put', 'tree', 'test:new', '--json']);
    const again = typed(failureOf(first).hint ?? undefined);
    expect(again).toEqual(['put', '--update', '--json', 'tree/.', 'test:new']);
    proxy.cutAfter();
    expect((await rig.run(again)).code).toBe(0);
    expect(await contents(join(rig.served, 'new'))).toEqual(await contents(join(rig.local, 'tree')));
  });

  test.each(cuts)('by %s: the command that is named completes it, of put without the small files that have arrived', async (verb, cut) => {
    const { from, to, words } = place(verb);
    plant(join(from, "it's one"), tree);
    await using proxy = await Proxy.before(rig);
    proxy.cutAfter(cut);
    const first = await rig.run([...words, '--exclude', '*.o', '--json']);
    expect(first.code).toBe(11);
    proxy.cutAfter();
    const { hint } = failureOf(first);
    expect(events(first, 'kept')).toEqual(verb === 'put' ? [{ event: 'kept', days: 7 }] : []);
    if (verb === 'get') expect(hint).toBe('run the same command again: what was sent is kept');
    const again = verb === 'get' ? [...words, '--json'] : typed(hint ?? undefined);
    if (verb === 'put') expect(again).toEqual(['put', '--exclude', '*.o', '--update', '--json', "it's one", 'test:new name']);
    const second = await rig.run(again);
    expect(second.code, second.stderr).toBe(0);
    expect(item(second).kept).toBeGreaterThan(4 * MIB);
    if (verb === 'put') expect(item(second)).toMatchObject({ left: expect.any(Number) as number, failed: 0 });
    expect(await contents(join(to, 'new name'))).toEqual(await contents(join(from, "it's one")));
    expect(top(to)).toEqual(['new name']);
  });

  test('by get into a folder that was there: the same command goes on, large files from where they were', async () => {
    plant(join(rig.served, 'tree'), tree);
    plant(rig.local, { 'there/x': 'x' });
    await using proxy = await Proxy.before(rig);
    proxy.cutAfter({ down: 20 * MIB });
    const first = await rig.run(['get', ':tree', 'there']);
    expect([first.code, first.stderr]).toEqual([11, expect.stringContaining('run the same command again')]);
    proxy.cutAfter();
    const second = await rig.run(['get', ':tree', 'there', '--json']);
    expect(second.code, second.stderr).toBe(0);
    expect(item(second).kept).toBeGreaterThan(4 * MIB);
    expect(await contents(join(rig.local, 'there/tree'))).toEqual(await contents(join(rig.served, 'tree')));
    expect(readdirSync(join(rig.local, 'there')).sort()).toEqual(['tree', 'x']);
  });

  test('at the prompt, and into a folder that was there, the words fit too', async () => {
    plant(join(rig.local, 'tree'), tree);
    await using proxy = await Proxy.before(rig);
    proxy.cutAfter({ up: 20 * MIB });
    expect((await rig.run([], { input: 'put tree new\n' })).stderr).toContain('run "put --update tree new"');
    plant(rig.served, { 'there/x': 'x' });
    proxy.cutAfter({ up: 20 * MIB });
    expect((await rig.run(['put', 'tree', ':there'])).stderr).toContain('run "wherry put --update tree :there"');
    // What is there by now may be by others, and newer.
    proxy.cutAfter({ up: 2 * MIB });
    expect((await rig.run(['put', 'tree', ':there'])).stderr).toContain('run the same command again');
  });

  test('with --if-absent: what has arrived is no error for the command that is named; where it will be, that is told before', async () => {
    plant(join(rig.local, 'tree'), tree);
    await using proxy = await Proxy.before(rig);
    proxy.cutAfter(CUTS.put);
    const cut = await rig.run(['put', 'tree', ':', '--if-absent']);
    expect([cut.code, cut.stderr]).toEqual([11, expect.stringMatching(/^put: tree: .*; run "wherry put --update --if-absent tree :": what was sent is kept\n/)]);
    proxy.cutAfter({ up: 2 * MIB });
    const again = await rig.run(['put', 'tree', ':', '--if-absent', '--yes']);
    expect(again.stderr).toMatch(/^put: tree: .*run the same command again.*; because of --if-absent, files that have arrived will be told as existing$/m);
    proxy.cutAfter();
    expect(await rig.run(['put', '--update', '--if-absent', 'tree', ':'])).toMatchObject({ code: 0, stderr: '' });
    expect(await contents(join(rig.served, 'tree'))).toEqual(await contents(join(rig.local, 'tree')));
  });

  test('by an account that may only add: what is missing arrives at the same place, and what is there stays', async () => {
    await using box = await Rig.start({ serve: ['--drop'] });
    plant(join(box.local, 'tree'), tree);
    await using proxy = await Proxy.before(box);
    proxy.cutAfter(CUTS.put);
    const first = await box.run(['put', 'tree', ':new']);
    expect([first.code, first.stderr]).toEqual([11, expect.stringContaining('run the same command again')]);
    proxy.cutAfter();
    const second = await box.run(['put', 'tree', ':new', '--json']);
    expect([second.code, second.stderr, events(second, 'error')]).toEqual([0, '', []]);
    expect((events(second, 'item')[0] as unknown as { kept: number }).kept).toBeGreaterThan(0);
    expect(await contents(join(box.served, 'new'))).toEqual(await contents(join(box.local, 'tree')));
  });
});

describe('kill -9', () => {
  test('of the client: the next put goes on where it was', async () => {
    plant(rig.local, { big: noise(SIZE) });
    const child = rig.spawn(['put', 'big', ':']);
    await stagedAtLeast(rig.served, 24 * MIB);
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
    const there = staged(rig.served);
    const second = await rig.run(['put', 'big', ':', '--json']);
    expect(second).toMatchObject({ code: 0, stderr: '' });
    // It may have ended before it was killed: then all of it is kept.
    expect(item(second).kept).toBeGreaterThan(Math.max(24 * MIB, there) - AGAIN);
    expect(sameBytes(join(rig.local, 'big'), join(rig.served, 'big'))).toBe(true);
  });

  test('of a client that fetches: the next get goes on where it was', async () => {
    plant(rig.served, { big: noise(SIZE) });
    const child = rig.spawn(['get', ':big']);
    await stagedAtLeast(rig.local, 24 * MIB);
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
    const second = await rig.run(['get', ':big', '--json']);
    expect(second).toMatchObject({ code: 0, stderr: '' });
    expect(item(second).kept).toBeGreaterThan(24 * MIB - AGAIN);
    expect(sameBytes(join(rig.local, 'big'), join(rig.served, 'big'))).toBe(true);
  });

  test('of the server: the client says so, and the next put to the server started again goes on', async () => {
    plant(rig.local, { big: noise(SIZE) });
    const child = rig.spawn(['put', 'big', ':']);
    const first = finished(child);
    await stagedAtLeast(rig.served, 24 * MIB);
    await rig.stop('SIGKILL');
    expect([0, 11]).toContain((await first).code);
    await rig.serve();
    const second = await rig.run(['put', 'big', ':', '--json']);
    expect(second).toMatchObject({ code: 0, stderr: '' });
    expect(item(second).kept).toBeGreaterThan(24 * MIB - AGAIN);
    expect(sameBytes(join(rig.local, 'big'), join(rig.served, 'big'))).toBe(true);
  });
});

describe('nothing is kept on the word of a size or a time', () => {
  /** A put that was cut off at 36 MiB. */
  async function cutOff(): Promise<void> {
    plant(rig.local, { big: noise(SIZE) });
    const proxy = await Proxy.before(rig);
    proxy.cutAfter({ up: 36 * MIB });
    expect((await rig.run(['put', 'big', ':'])).code).toBe(11);
    expect(staged(rig.served)).toBeGreaterThan(16 * MIB);
    await proxy[Symbol.asyncDispose]();
    await proxy.bypass(rig);
  }

  test('a byte changed in the staged part is found and repaired', async () => {
    await cutOff();
    const part = stagedFile(rig.served);
    const { atime, mtime } = statSync(part);
    flip(part, 5 * MIB + 17);
    utimesSync(part, atime, mtime);
    const second = await rig.run(['put', 'big', ':', '--json']);
    expect(second).toMatchObject({ code: 0, stderr: '' });
    expect(item(second).kept).toBeGreaterThan(16 * MIB);
    expect(sameBytes(join(rig.local, 'big'), join(rig.served, 'big'))).toBe(true);
  });

  test('a byte changed in what was sent already is sent again', async () => {
    await cutOff();
    const source = join(rig.local, 'big');
    const { size, mtimeMs } = statSync(source);
    flip(source, 3 * MIB + 1);
    utimesSync(source, mtimeMs / 1000, mtimeMs / 1000);
    const after = statSync(source);
    expect(after.size).toBe(size);
    expect(Math.abs(after.mtimeMs - mtimeMs)).toBeLessThan(0.01);
    expect((await rig.run(['put', 'big', ':'])).code).toBe(0);
    expect(sameBytes(source, join(rig.served, 'big'))).toBe(true);
  });

  test('a source that was replaced by a shorter one leaves nothing of the longer', async () => {
    await cutOff();
    writeFileSync(join(rig.local, 'big'), noise(20 * MIB + 3, 99));
    expect((await rig.run(['put', 'big', ':'])).code).toBe(0);
    expect(sameBytes(join(rig.local, 'big'), join(rig.served, 'big'))).toBe(true);
  });
});

describe('a file that is put again', () => {
  test('sends only the blocks that changed', async () => {
    plantLarge(join(rig.local, 'image'), 64 * MIB);
    expect((await rig.run(['put', 'image', ':'])).code).toBe(0);
    for (const block of [0, 31, 63]) flip(join(rig.local, 'image'), block * MIB + 1000);
    const second = await rig.run(['put', 'image', ':', '--json']);
    expect(second.code).toBe(0);
    expect(item(second)).toMatchObject({ bytes: 64 * MIB, kept: 64 * MIB - 3 * BLOCK, verified: true });
    expect(sameBytes(join(rig.local, 'image'), join(rig.served, 'image'))).toBe(true);
  });

  test('sends nothing when nothing changed, and says what was kept', async () => {
    plant(rig.local, { image: noise(8 * MIB + 7) });
    expect((await rig.run(['put', 'image', ':'])).code).toBe(0);
    const again = await rig.run(['put', 'image', ':']);
    expect(again.stdout).toContain('8.0 MiB kept from before');
  });

  test('is fetched by the same rule', async () => {
    plant(rig.served, { image: noise(16 * MIB) });
    plant(rig.local, { image: readFileSync(join(rig.served, 'image')) });
    flip(join(rig.served, 'image'), 9 * MIB);
    const get = await rig.run(['get', ':image', '--json']);
    expect(item(get)).toMatchObject({ kept: 16 * MIB - BLOCK, verified: true });
    expect(sameBytes(join(rig.local, 'image'), join(rig.served, 'image'))).toBe(true);
  });
});

test('how fast a resumed transfer is told to be is what moves, in every object of its progress, and they come once a second', async () => {
  await using slow = await Rig.start({ serve: ['--rate', '4M'] });
  const all = noise(36 << 20);
  plant(slow.local, { big: all });
  plant(slow.served, { big: all.subarray(0, 24 << 20) });
  const ran = await slow.run(['put', 'big', ':', '--json']);
  const told = events<{ rate: number | null; left: number | null; kept: number; bytes: number }>(ran, 'progress');
  const [{ milliseconds }] = events<{ milliseconds: number }>(ran, 'summary') as [{ milliseconds: number }];
  expect(told.length).toBeGreaterThan(0);
  expect(told.length).toBeLessThanOrEqual(milliseconds / 1000);
  // Twice the allowance, for a first burst; what was kept took a second at most, as 24 MiB.
  for (const { rate } of told) expect(rate ?? 0).toBeLessThan(8 << 20);
  expect(told.at(-1)!.kept).toBe(24 << 20);
  expect(told.at(-1)!.left).toBeLessThan(20);
});
