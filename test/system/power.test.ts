/**
 * The power goes in the middle of a put, on real file systems that are really stopped: what was said to be done is
 * there afterwards, and no name leads to anything but a whole file. Skipped, and says why, where that cannot be had.
 */
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, test } from 'vitest';
import { Rig } from '../e2e/rig.ts';
import { noise, plant, sha256 } from '../e2e/trees.ts';
import { CutDisk, type Kind } from './cut.ts';

const MIB = 1 << 20;
const KINDS: readonly Kind[] = ['ext4', 'xfs'];

/** Some 500 files: small ones in several packs, and twelve that go by themselves. */
function plantTree(folder: string): void {
  for (let at = 0; at < 12; at += 1) {
    plant(folder, { [`part-${at}/large`]: noise((2 + (at % 3)) * MIB, at) });
    for (let file = 0; file < 40; file += 1) plant(folder, { [`part-${at}/${file % 5}/small-${file}`]: noise(file * 700, at * 100 + file) });
  }
}
const FILES = 12 * 41;

/** Files below a folder by their path, with a digest. */
function digests(folder: string): Map<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1));
  return new Map(paths.filter((path) => !path.startsWith('.wherry')).map((path) => [path, sha256(join(folder, path))]));
}

interface After {
  readonly sent: ReadonlyMap<string, string>;
  readonly before: ReadonlyMap<string, string>;
  readonly there: ReadonlyMap<string, string>;
  /** Files that were said to be done. */
  readonly said: readonly string[];
}

/** Sends a folder, over some files that are there already, and cuts the power after so many words of the put about a file. */
async function cutAfter(kind: Kind, count: number, flags: readonly string[] = []): Promise<After> {
  using disk = new CutDisk(kind);
  await using rig = await Rig.start({ below: disk.folder });
  plantTree(join(rig.local, 'all'));
  plant(rig.served, { 'all/part-0/large': noise(4 * MIB, 99), 'all/part-5/3/small-3': 'old', 'all/part-11/large': noise(MIB, 98) });
  disk.sync();
  const [sent, before] = [digests(rig.local), digests(rig.served)];
  const put = rig.spawn(['put', 'all', ':', '--json', '--verbose', ...flags]);
  const ended = once(put, 'close');
  const said: string[] = [];
  for await (const line of createInterface({ input: put.stdout! })) {
    const { event, path } = JSON.parse(line) as { event: string; path: string };
    // Also what it says after the cut: it says so of nothing but what was on the disk before.
    if (event === 'file' && said.push(`all/${path}`) === count) disk.cut();
  }
  await ended;
  expect(said.length, 'words before the end of the put').toBeGreaterThanOrEqual(count);
  await rig.stop('SIGKILL');
  disk.restart();
  return { sent, before, there: digests(rig.served), said };
}

/** Files that were said to be done, and are not there as they were sent. */
function lost({ sent, there, said }: After): string[] {
  return said.filter((path) => there.get(path) !== sent.get(path));
}

/** Names that lead to something that is neither what was sent nor what was there before. */
function torn({ sent, before, there }: After): string[] {
  return [...there].filter(([path, digest]) => digest !== sent.get(path) && digest !== before.get(path)).map(([path]) => path);
}

for (const kind of KINDS) {
  const reason = CutDisk.missing(kind);
  describe(`the power goes, on ${kind}${reason === '' ? '' : ` [skipped: ${reason}]`}`, () => {
    test.skipIf(reason !== '').each([1, 30, 90, 180, 300, 420, FILES])('when %i files were said to be done: they are there, and every name leads to a whole file', async (count) => {
      const after = await cutAfter(kind, count);
      expect([lost(after), torn(after)]).toEqual([[], []]);
      // An old file is there until the new one is.
      expect([...after.before.keys()].filter((path) => !after.there.has(path))).toEqual([]);
    });

    test.skipIf(reason !== '')('with --no-sync what was said to be done is lost, so the cut is one', async () => {
      // More than one try: another program's sync(2) takes every disk of the machine along.
      for (let left = 5, gone = 0; gone === 0; left -= 1) {
        gone = lost(await cutAfter(kind, FILES, ['--no-sync'])).length;
        expect(left, 'tries').toBeGreaterThan(0);
      }
    });
  });
}
