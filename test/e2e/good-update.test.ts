/** --update leaves out what is not older at the other end, as rsync -u does: files and folders, both ways, counted and told. */
import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Rig, type Ran } from './rig.ts';
import { Proxy } from './proxy.ts';
import { events } from './traces.ts';
import { noise, plant, snapshot } from './trees.ts';

const KIB = 1 << 10;
const MIB = 1 << 20;
const [OLD, NEW] = [1_500_000_000, 1_600_000_000];

let rig: Rig;
beforeEach(async () => { rig = await Rig.start(); });
afterEach(() => rig[Symbol.asyncDispose]());

/** A file with its time. */
function aged(top: string, name: string, content: string, time: number): void {
  plant(top, { [name]: content });
  utimesSync(join(top, name), time, time);
}

/** Names with what `from` and `to` hold of them, which is to come, and which is not. */
function mixed(from: string, to: string): void {
  for (const name of ['tree/newer', 'tree/sub/newer']) { aged(from, name, 'from', OLD); aged(to, name, 'kept there', NEW); }
  for (const name of ['tree/older', 'tree/sub/older']) { aged(from, name, 'from', NEW); aged(to, name, 'there', OLD); }
  for (const top of [from, to]) aged(top, 'tree/same', 'same', OLD);
  aged(from, 'tree/size', 'another size', OLD);
  aged(to, 'tree/size', 'there', OLD);
  aged(from, 'tree/only/here', 'from', OLD);
  // Large ones go on their own.
  for (const [top, time] of [[from, OLD], [to, NEW]] as const) { plant(top, { 'tree/large': noise(300 * KIB, time) }); utimesSync(join(top, 'tree/large'), time, time); }
}

function item(ran: Ran): object {
  return events<object>(ran, 'item')[0]!;
}

describe.each(['put', 'get'] as const)('%s', (verb) => {
  const ends = (): { from: string; to: string } => (verb === 'put' ? { from: rig.local, to: rig.served } : { from: rig.served, to: rig.local });
  const words = (name: string): string[] => (verb === 'put' ? ['put', name, ':'] : ['get', `:${name}`]);

  test('of a folder: what is newer, or the same, stays; what is older, missing or of another size comes', async () => {
    const { from, to } = ends();
    mixed(from, to);
    const dry = await rig.run([...words('tree'), '-u', '-n', '--json']);
    expect(events(dry)[0]).toMatchObject({ event: 'planned', files: 4, replaced: 3, same: 0, left: 4 });
    const ran = await rig.run([...words('tree'), '--update', '--json']);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(item(ran)).toMatchObject({ files: 4, left: 4, failed: 0, skipped: 0 });
    expect(events<object>(ran, 'summary')[0]).toMatchObject({ files: 4, left: 4 });
    const content = (name: string): string => readFileSync(join(to, 'tree', name), 'utf8');
    expect(['newer', 'sub/newer', 'same', 'older', 'sub/older', 'size', 'only/here'].map(content)).toEqual(['kept there', 'kept there', 'same', 'from', 'from', 'another size', 'from']);
    expect(readFileSync(join(to, 'tree/large')).equals(noise(300 * KIB, NEW))).toBe(true);
    const again = await rig.run([...words('tree'), '-u']);
    expect(again.stdout).toMatch(/^:?tree\/ {2}0 files, 0 B in .*, 8 left out \(not older there\)\n$/);
  });

  test('of a file, alone and among others', async () => {
    const { from, to } = ends();
    aged(from, 'a', 'from', OLD);
    aged(to, 'a', 'kept there', NEW);
    aged(from, 'b', 'from', NEW);
    aged(to, 'b', 'there', OLD);
    const before = snapshot(join(to, 'a'));
    const dry = await rig.run([...words('a'), '-un']);
    expect([dry.code, dry.stdout]).toEqual([0, expect.stringMatching(/^would leave out :?a: .*a is not older\n$/)]);
    const one = await rig.run([...words('a'), '-u']);
    expect([one.code, one.stdout]).toEqual([0, expect.stringMatching(/^:?a {2}left out: the one there is not older\n$/)]);
    const two = await rig.run(verb === 'put' ? ['put', '-u', 'a', 'b', ':'] : ['get', '-u', ':a', ':b', '.']);
    expect([two.code, two.stdout]).toEqual([0, expect.stringMatching(/\n2 sources: 1 file, 4 B in .*, 1 left out\n$/)]);
    expect([snapshot(join(to, 'a')), readFileSync(join(to, 'b'), 'utf8')]).toEqual([before, 'from']);
  });
});

test('what get leaves out does not come at all', async () => {
  plant(rig.served, Object.fromEntries(Array.from({ length: 80 }, (_, index) => [`tree/${index % 8}/${index}`, noise(100 * KIB, index)])));
  await using proxy = await Proxy.before(rig);
  expect((await rig.run(['get', ':tree'])).code).toBe(0);
  expect(proxy.down).toBeGreaterThan(7 * MIB);
  writeFileSync(join(rig.served, 'tree/1/1'), 'changed');
  const before = proxy.down;
  expect(item(await rig.run(['get', '-u', ':tree', '--json']))).toMatchObject({ files: 1, left: 79 });
  expect(proxy.down - before).toBeLessThan(64 * KIB);
  expect(readFileSync(join(rig.local, 'tree/1/1'), 'utf8')).toBe('changed');
});

test.each([[['put', '-u', '--if-match', '0'.repeat(64), 'a', ':'], 'contradict'], [['put', '-u', '-', ':a'], 'has no time']])('%j is a usage error', async (words, message) => {
  const ran = await rig.run(words, { input: '' });
  expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining(message)]);
});

describe('a folder that is fetched and whose connection breaks', () => {
  const [FILES, SIZE, CUT] = [240, 200 * KIB, 36 * MIB];
  /** Bytes that may come twice: what was under way when it broke. */
  const TWICE = 12 * MIB;

  test.each([[[], false], [['--if-absent'], false], [['--update'], true]] as const)('goes on with %j without the small files that are in place', async (flags, stands) => {
    plant(rig.served, Object.fromEntries(Array.from({ length: FILES }, (_, index) => [`tree/${index % 6}/${index}`, noise(SIZE, index)])));
    plant(rig.served, { 'tree/a-large': noise(MIB, 1000) });
    if (stands) aged(rig.local, 'tree/0/0', 'stays', 2_000_000_000);
    await using proxy = await Proxy.before(rig);
    proxy.cutAfter({ down: CUT, hold: true });
    const running = rig.run(['get', ':tree', '--retry', '1m', '--json', ...flags]);
    await proxy.held();
    proxy.cutAfter();
    proxy.sever();
    const ran = await running;
    expect(ran.code).toBe(0);
    expect(item(ran)).toMatchObject({ files: stands ? FILES : FILES + 1, left: stands ? 1 : 0, failed: 0 });
    expect((item(ran) as { kept: number }).kept).toBe(0); // what the command itself brought was not there before it
    expect(proxy.down).toBeLessThan(FILES * SIZE + MIB + TWICE);
    expect(proxy.made).toBeGreaterThan(1);
    if (stands) expect(readFileSync(join(rig.local, 'tree/0/0'), 'utf8')).toBe('stays');
    else expect(snapshot(join(rig.local, 'tree'), { attributes: false })).toEqual(snapshot(join(rig.served, 'tree'), { attributes: false }));
  });
});
