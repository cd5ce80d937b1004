/** A folder that is fetched a second time, by another command: small files that are here come no more, and only because their bytes are the same. */
import { chmodSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { finished, Rig, type Ran } from './rig.ts';
import { Proxy } from './proxy.ts';
import { events, until } from './traces.ts';
import { noise, plant, snapshot } from './trees.ts';

const KIB = 1 << 10;
const MIB = 1 << 20;
const [FILES, SIZE] = [240, 200 * KIB];
/** What a request and its answers take beside the bytes of files. */
const WORDS = 512 * KIB;

interface Moved { readonly files: number; readonly bytes: number; readonly kept: number; readonly failed: number; readonly verified: boolean }

let rig: Rig;
let proxy: Proxy;
beforeEach(async () => {
  rig = await Rig.start();
  proxy = await Proxy.before(rig);
  plant(rig.served, Object.fromEntries(Array.from({ length: FILES }, (_, index) => [`tree/${index % 6}/${index}`, noise(SIZE, index)])));
});
afterEach(async () => { await proxy[Symbol.asyncDispose](); await rig[Symbol.asyncDispose](); });

/** The same command, and how many bytes came. */
async function again(...flags: string[]): Promise<{ ran: Ran; moved: Moved; came: number }> {
  const before = proxy.down;
  const ran = await rig.run(['get', ':tree', '--json', ...flags]);
  return { ran, moved: events<Moved>(ran, 'item')[0]!, came: proxy.down - before };
}

/** Both are the same, but for the time of the top folder here, in which files were staged. */
function same(): void {
  const [local, served] = [snapshot(join(rig.local, 'tree')), snapshot(join(rig.served, 'tree'))];
  expect({ ...local, '': served[''] }).toEqual(served);
}

test('a get that was killed outright goes on without the small files that had arrived', async () => {
  proxy.cutAfter({ down: 36 * MIB, hold: true });
  const child = rig.spawn(['get', ':tree']);
  const over = finished(child);
  await proxy.held();
  child.kill('SIGKILL');
  expect((await over).signal).toBe('SIGKILL');
  proxy.cutAfter();
  proxy.sever();
  const { ran, moved, came } = await again();
  expect(ran.code, ran.stderr).toBe(0);
  expect(moved).toMatchObject({ files: FILES, bytes: FILES * SIZE, failed: 0, verified: true });
  // Less than four packs and what was on its way had no name yet, or were no whole folder.
  expect(moved.kept).toBeGreaterThan(8 * MIB);
  expect(came).toBeLessThan(FILES * SIZE - moved.kept + WORDS);
  same();
});

describe('a folder that is here already', () => {
  beforeEach(async () => { expect((await again()).ran.code).toBe(0); });
  const here = (path: string): string => join(rig.local, 'tree', path);
  const there = (path: string): string => join(rig.served, 'tree', path);

  test('costs hardly more than its names, and is told as kept', async () => {
    const { ran, moved, came } = await again();
    expect([ran.code, moved]).toEqual([0, expect.objectContaining({ files: FILES, bytes: FILES * SIZE, kept: FILES * SIZE })]);
    expect(came).toBeLessThan(WORDS);
    expect((await rig.run(['get', ':tree'])).stdout).toMatch(/240 files, 47 MiB in .* verified, 47 MiB kept from before\n/);
    same();
  });

  test('is not taken for the same because of sizes and times: other bytes on either side come, whatever the clock says', async () => {
    const { mtimeMs } = statSync(there('1/1'));
    writeFileSync(there('1/1'), noise(SIZE, 1000));
    utimesSync(there('1/1'), mtimeMs / 1000, statSync(here('1/1')).mtimeMs / 1000);
    const old = statSync(here('2/2')).mtimeMs;
    writeFileSync(here('2/2'), noise(SIZE, 2000));
    utimesSync(here('2/2'), old / 1000, old / 1000);
    const { moved } = await again();
    expect(moved).toMatchObject({ files: FILES, bytes: FILES * SIZE, kept: (FILES - 2) * SIZE });
    expect(readFileSync(here('1/1')).equals(noise(SIZE, 1000))).toBe(true);
    expect(readFileSync(here('2/2')).equals(noise(SIZE, 2))).toBe(true);
  });

  test('gets the mode and the time of a file that has the same bytes and another mode or time', async () => {
    chmodSync(there('0/0'), 0o600);
    utimesSync(there('3/3'), 1_000_000_000, 1_000_000_000);
    expect((await again()).moved.kept).toBe((FILES - 2) * SIZE);
    same();
  });

  test('is in the way with --if-absent as before', async () => {
    const { ran } = await again('--if-absent');
    expect(ran.code).toBe(7);
    expect(events(ran, 'error')).toHaveLength(FILES);
  });

  test('is finished over a connection that breaks, with what is the same counted once', async () => {
    for (let index = 0; index < FILES; index += 2) writeFileSync(there(`${index % 6}/${index}`), noise(SIZE, 5000 + index));
    proxy.cutAfter({ down: 8 * MIB, hold: true });
    const running = rig.run(['get', ':tree', '--json', '--retry', '1m']);
    await proxy.held();
    proxy.cutAfter();
    proxy.sever();
    const ran = await running;
    expect([ran.code, events<Moved>(ran, 'item')[0]]).toEqual([0, expect.objectContaining({ files: FILES, bytes: FILES * SIZE, failed: 0 })]);
    await until(() => proxy.made > 1);
    same();
  });
});
