/**
 * `durable`, as strace sees it: what is said to be done was flushed before, names and bytes, in an order that leaves
 * nothing torn whenever the power goes; and a flush that fails is a failure. Skipped where strace is not installed.
 */
import { mkdirSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { finished, Rig, type Ran } from '../e2e/rig.ts';
import { contents, events, failureOf, nothingStaged } from '../e2e/traces.ts';
import { noise, plant, plantLarge, sameBytes, snapshot } from '../e2e/trees.ts';
import { Platter } from './platter.ts';
import { callsOf, missing, traced, type Call } from './strace.ts';

const MIB = 1 << 20;

/** Folders in folders with more small files than are flushed at once, and a large one among them. */
function plantMany(folder: string): void {
  for (let at = 0; at < 600; at += 1) plant(folder, { [`${at % 7}/${at % 3}/small-${at}`]: noise(at * 5, at) });
  plant(folder, { 'large': noise(5 * MIB), 'empty': '' });
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1));
}

interface Said { readonly ran: Ran; readonly calls: readonly Call[]; /** When it told of the item, in seconds since 1970. */ readonly at: number }

/** Runs a command with `--json` under strace. */
async function said(rig: Rig, words: readonly string[]): Promise<Said> {
  const file = join(rig.folder, 'client.trace');
  rmSync(file, { force: true });
  const child = rig.spawn([...words, '--json'], { under: traced(file) });
  child.stdin!.end();
  const ran = await finished(child);
  const calls = await callsOf(file, child.pid!);
  const report = calls.find(({ name, args }) => name.startsWith('write') && args.startsWith('1<') && args.includes(String.raw`{\"event\":\"item\"`));
  expect(report, `${ran.stdout}${ran.stderr}`).toBeDefined();
  return { ran, calls, at: report!.began };
}

/** What `calls` left to chance below `top`: the rules they broke, and why each of `files` was not certain at the time given. */
function chances(calls: readonly Call[], top: string, files: readonly { path: string; at: number }[]): string[] {
  const platter = new Platter(realpathSync(top));
  const left = [...files].sort((one, other) => one.at - other.at);
  const doubts: string[] = [];
  const answer = (until: number) => {
    while (left.length > 0 && left[0]!.at <= until) {
      const { path } = left.shift()!;
      const doubt = platter.doubt(path);
      if (doubt !== undefined) doubts.push(doubt);
    }
  };
  for (const call of calls) {
    answer(call.ended);
    platter.feed(call);
  }
  answer(Number.POSITIVE_INFINITY);
  return [...platter.broken, ...doubts];
}

/** The flushes of what is below `top`. */
function flushes(calls: readonly Call[], top: string): Call[] {
  return calls.filter(({ name, args }) => /sync/.test(name) && args.includes(`<${realpathSync(top)}`));
}

/** A rig that has joined; the server's calls from now on go to a file. `more` is told where the served folder really is. */
/** Without an audit, which flushes a file of its own when it is time to. */
async function tracedRig(more: (served: string) => readonly string[] = () => [], before: readonly string[] = []): Promise<Rig & { calls(): Promise<Call[]> }> {
  const rig = await Rig.start({ serve: ['--no-audit'] });
  await rig.stop();
  const file = join(rig.folder, 'server.trace');
  await rig.serve([...before, ...traced(file, more(realpathSync(rig.served)))]);
  return Object.assign(rig, {
    async calls() {
      await rig.stop();
      return callsOf(file, rig.server!.pid!);
    },
  });
}

describe.skipIf(missing)('the order of flushes and names', () => {
  let rig: Rig;
  let calls: Call[];
  const done: { path: string; at: number }[] = [];
  const unsynced: { path: string; at: number }[] = [];
  let got: Said;

  beforeAll(async () => {
    const own = await tracedRig();
    rig = own;
    plantLarge(join(rig.local, 'large'), 40 * MIB);
    plantMany(join(rig.local, 'many'));
    plant(rig.served, { replaced: noise(8 * MIB, 2) });
    plant(rig.local, { replaced: noise(9 * MIB, 3), unsynced: noise(2 * MIB), 'fast/small': 'x' });
    const put = async (list: typeof done, words: readonly string[], source = words[0]!) => {
      const { ran, at } = await said(rig, ['put', ...words]);
      expect(ran).toMatchObject({ code: 0 });
      const inside = source === 'many' || source === 'fast' ? filesBelow(join(rig.local, source)).map((path) => `${words[1]!.slice(1)}${source}/${path}`) : [`${words[1]!.slice(1)}${source}`];
      list.push(...inside.map((path) => ({ path, at })));
    };
    await put(done, ['large', ':']);
    expect((await rig.run(['mkdir', '-p', ':new/folder'])).code).toBe(0);
    await put(done, ['many', ':new/folder/']);
    await put(done, ['replaced', ':']);
    await put(done, ['large', ':new/', '--if-absent']);
    await put(unsynced, ['unsynced', ':', '--no-sync']);
    await put(unsynced, ['fast', ':', '--no-sync']);
    mkdirSync(join(rig.folder, 'back'));
    got = await said(rig, ['get', ':large', ':new', join(rig.folder, 'back')]);
    calls = await own.calls();
  });
  afterAll(() => rig?.[Symbol.asyncDispose]());

  test('everything that was sent is there', () => {
    expect(snapshot(join(rig.served, 'new/folder/many'))).toEqual(snapshot(join(rig.local, 'many')));
    for (const name of ['large', 'replaced', 'unsynced']) expect(sameBytes(join(rig.served, name), join(rig.local, name)), name).toBe(true);
  });

  test('what a client said is done was certain to be on the disk by then, and no name ever led to less', () => {
    const all = chances(calls, rig.served, done);
    expect(all.filter((text) => !/^(unsynced|fast)/.test(text))).toEqual([]);
    expect(done.length).toBeGreaterThan(600);
  });

  test('what was fetched was certain to be on the disk here when it was said to be', () => {
    expect(got.ran.code).toBe(0);
    const paths = ['large', ...filesBelow(join(rig.served, 'new')).map((path) => `new/${path}`)];
    // The item told of first is the file; the last call tells of all.
    const at = got.calls.findLast(({ name, args }) => name.startsWith('write') && args.startsWith('1<'))!.began;
    expect(chances(got.calls, join(rig.folder, 'back'), [{ path: 'large', at: got.at }, ...paths.map((path) => ({ path, at }))])).toEqual([]);
  });

  test('with --no-sync nothing is flushed, and the same look at it says so', () => {
    const from = calls.findIndex(({ args }) => args.includes('/unsynced"'));
    const after = calls.slice(calls.findLastIndex(({ name, args }, at) => at < from && name === 'fsync' && args.includes(realpathSync(rig.served))) + 1);
    expect(from).toBeGreaterThan(0);
    expect(flushes(after, rig.served)).toEqual([]);
    expect(chances(calls, rig.served, unsynced)).toEqual([
      expect.stringMatching(/^unsynced: given its name in line \d+, before all of its bytes were flushed$/),
      expect.stringMatching(/^fast\/small: given its name in line \d+, before/),
      expect.stringMatching(/^unsynced: unsynced got its name in line \d+, and its folder was not flushed/),
      expect.stringMatching(/^fast\/small: fast\/small got its name in line \d+, and its folder was not flushed/),
    ]);
  });
});

describe.skipIf(missing)('a flush that fails', () => {
  /** One flush of the server fails, and all after it work. One thread does them all, because strace counts by thread. */
  const failing = (call: string, error: string, when: number, only: (served: string) => readonly string[] = () => []) => (
    tracedRig((served) => ['-e', `inject=${call}:error=${error}:when=${when}`, ...only(served)], ['env', 'UV_THREADPOOL_SIZE=1']));
  const injected = (calls: readonly Call[], error: string) => calls.filter((call) => call.error === error && /sync/.test(call.name));

  test.each(['EIO', 'EROFS', 'ENOSPC'])('with %s ends the put; the old file stays, and nothing of the new one is kept', async (error) => {
    await using rig = await failing('fdatasync', error, 1);
    plant(rig.local, { file: noise(6 * MIB, 1) });
    plant(rig.served, { file: 'old' });
    const before = await contents(rig.served);
    const first = await rig.run(['put', 'file', ':', '--json']);
    expect(first.code).not.toBe(0);
    expect(failureOf(first)).toMatchObject({ who: 'server', code: { EIO: 'IO', EROFS: 'DENIED', ENOSPC: 'NOSPACE' }[error] });
    await nothingStaged(rig.served);
    expect(await contents(rig.served)).toEqual(before);
    const second = await rig.run(['put', 'file', ':', '--json']);
    expect([second.code, events(second, 'item')[0]]).toEqual([0, expect.objectContaining({ bytes: 6 * MIB, kept: 0 })]);
    expect(sameBytes(join(rig.served, 'file'), join(rig.local, 'file'))).toBe(true);
    const calls = await rig.calls();
    expect(injected(calls, error)).toHaveLength(1);
    expect(chances(calls, rig.served, [{ path: 'file', at: Number.POSITIVE_INFINITY }])).toEqual([]);
  });

  test('of one file among small ones keeps that one from its name, and no other', async () => {
    await using rig = await failing('fdatasync', 'EIO', 4);
    const names = Array.from({ length: 10 }, (_, at) => `file-${at}`);
    for (const name of names) plant(rig.local, { [`many/${name}`]: noise(1000, Number(name.at(-1))) });
    const first = await rig.run(['put', 'many', ':', '--json']);
    expect(first.code).toBe(1);
    const { code, path } = failureOf(first);
    expect(code).toBe('IO');
    const there = readdirSync(join(rig.served, 'many'));
    expect(there).toHaveLength(9);
    expect(names.filter((name) => !there.includes(name))).toEqual([path!.split('/').at(-1)]);
    await nothingStaged(rig.served);
    expect(await rig.run(['put', 'many', ':'])).toMatchObject({ code: 0 });
    expect(snapshot(join(rig.served, 'many'))).toEqual(snapshot(join(rig.local, 'many')));
    const calls = await rig.calls();
    expect(injected(calls, 'EIO')).toHaveLength(1);
    expect(chances(calls, rig.served, names.map((name) => ({ path: `many/${name}`, at: Number.POSITIVE_INFINITY })))).toEqual([]);
  });

  test.each(['file', 'many'])('of the folder is no success either, whole as what came is (%s)', async (source) => {
    // Of this folder: the server flushes its own state as well.
    await using rig = await failing('fsync', 'EIO', 1, (served) => ['-P', served]);
    writeFileSync(join(rig.local, 'file'), noise(6 * MIB, 1));
    plant(rig.local, { 'many/a': 'a', 'many/b': 'b' });
    const first = await rig.run(['put', source, ':', '--json']);
    expect([first.code, failureOf(first)]).toEqual([1, expect.objectContaining({ code: 'IO', who: 'server' })]);
    await nothingStaged(rig.served);
    expect(await rig.run(['put', source, ':'])).toMatchObject({ code: 0 });
    expect(snapshot(join(rig.served, source))).toEqual(snapshot(join(rig.local, source)));
    const calls = await rig.calls();
    expect(injected(calls, 'EIO')).toHaveLength(1);
    expect(calls.findLast(({ name }) => name === 'fsync')).toMatchObject({ result: 0 });
  });
});
