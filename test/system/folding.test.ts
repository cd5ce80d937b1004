/**
 * A7: a folder on a disk that takes names for the same that differ only in letter case: no second name takes the place of the
 * first, and what such a disk cannot store is told by name. Skipped, and says why, where no such
 * disk can be mounted.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Rig } from '../e2e/rig.ts';
import { events, failureOf, nothingStaged } from '../e2e/traces.ts';
import { noise, plant, snapshot } from '../e2e/trees.ts';
import { FoldingDisk, type Kind } from './folding.ts';

/** The names that a folder lists, without the stage. */
function listed(folder: string): string[] {
  return readdirSync(folder).filter((name) => name !== '.wherry').toSorted();
}

/** A server of a folder on such a disk; all else of it is elsewhere. */
async function folding(kind: Kind): Promise<{ readonly rig: Rig } & AsyncDisposable> {
  const rig = await Rig.start();
  await rig.stop();
  const disk = new FoldingDisk(kind, rig.served);
  await rig.serve();
  return {
    rig,
    async [Symbol.asyncDispose]() {
      await rig.stop();
      disk[Symbol.dispose]();
      await rig[Symbol.asyncDispose]();
    },
  };
}

describe.each<Kind>(['ntfs', 'exfat'])('on %s', (kind) => {
  const why = FoldingDisk.missing(kind);
  if (why !== '') process.stdout.write(`skipped: A7 on ${kind}: ${why}\n`);

  test.skipIf(why !== '')('A7: folders and files of all sizes arrive, are replaced and fetched', async () => {
    await using place = await folding(kind);
    const { rig } = place;
    plant(rig.local, { 'tree/empty': '', 'tree/small': 'small', 'tree/deep/er/medium': noise(200_000), 'tree/large': noise(9 << 20) });
    for (const flags of [[], ['--no-sync']]) expect(await rig.run(['put', '-f', 'tree', ':', ...flags])).toMatchObject({ code: 0, stderr: '' });
    expect(snapshot(join(rig.served, 'tree'), { attributes: false })).toEqual(snapshot(join(rig.local, 'tree'), { attributes: false }));
    expect(await rig.run(['get', ':tree', 'back'])).toMatchObject({ code: 0 });
    expect(snapshot(join(rig.local, 'back'), { attributes: false })).toEqual(snapshot(join(rig.local, 'tree'), { attributes: false }));
    expect(await rig.run(['rm', '-rf', ':tree'])).toMatchObject({ code: 0 });
    await nothingStaged(rig.served);
  });

  test.skipIf(why !== '')('A7: a second spelling of a name takes nothing away from the first, by no verb and in no folder', async () => {
    await using place = await folding(kind);
    const { rig } = place;
    expect(await rig.run(['put', '-', ':Report.txt'], { input: 'first' })).toMatchObject({ code: 0 });
    await rig.run(['put', '-', ':other'], { input: 'other' });
    for (const again of [false, true]) {
      // A server that has just started knows only what the disk lists.
      if (again) { await rig.stop(); await rig.serve(); }
      const refused = async (words: readonly string[], input = 'second'): Promise<unknown> => failureOf(await rig.run([...words, '--json'], { input })).code;
      expect(await refused(['put', '-f', '-', ':REPORT.TXT'])).toBe('EXISTS');
      expect(await refused(['mkdir', ':rePort.txt'])).toBe('EXISTS');
      expect(await refused(['change', '-f', ':other', ':REPORT.txt'])).toBe('EXISTS');
      plant(rig.local, { 'batch/REPORT.txt': 'second', 'batch/new': 'new' });
      const put = await rig.run(['put', '-f', 'batch/.', ':', '--json']);
      expect([put.code, events(put, 'item')]).toMatchObject([1, [{ failed: 1 }]]);
      expect(readFileSync(join(rig.served, 'Report.txt'), 'utf8')).toBe('first');
      expect(listed(rig.served).map((name) => name.toLowerCase()).toSorted()).toEqual(['new', 'other', 'report.txt']);
    }
    await nothingStaged(rig.served);
  });

  test.skipIf(why !== '')('A7: two names of one folder that differ only in letter case are one file there, and the other one is told', async () => {
    await using place = await folding(kind);
    const { rig } = place;
    plant(rig.local, { 'both/readme': 'one', 'both/README': 'two', 'both/else': 'else' });
    for (const flags of [[], ['--no-sync']]) {
      const put = await rig.run(['put', 'both', `:both${flags.length}`, '--json', ...flags]);
      expect([put.code, events(put, 'item')]).toMatchObject([1, [{ files: 2, failed: 1 }]]);
      expect(listed(join(rig.served, `both${flags.length}`))).toHaveLength(2);
    }
    // The other way round the disk is the client's.
    const here = join(rig.served, 'here');
    mkdirSync(here);
    await using other = await Rig.start();
    plant(other.served, { 'both/readme': 'one', 'both/README': 'two', 'both/else': 'else' });
    const get = await other.run(['get', ':both', here, '--json']);
    expect([get.code, events(get, 'item')]).toMatchObject([1, [{ files: 2, failed: 1 }]]);
    expect(listed(join(here, 'both'))).toHaveLength(2);
  });

  test.skipIf(why !== '')('A7, A8: names that it cannot store are told, and the others arrive', async () => {
    await using place = await folding(kind);
    const { rig } = place;
    const names = ['a:b', 'a?b', 'a*b', ...(kind === 'ntfs' ? ['CON', 'nul.txt', 'a.'] : [])];
    mkdirSync(join(rig.local, 'odd'));
    for (const name of [...names, 'fine']) writeFileSync(join(rig.local, 'odd', name), name);
    const put = await rig.run(['put', 'odd', ':', '--json']);
    expect([put.code === 0, events(put, 'item')]).toMatchObject([false, [{ files: 1, failed: names.length }]]);
    expect(listed(join(rig.served, 'odd'))).toEqual(['fine']);
    await nothingStaged(rig.served);
  });
});
