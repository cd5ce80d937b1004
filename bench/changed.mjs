/**
 * A large file of which one per cent changed since the target got it, in four ways: pages all over it, the same number of
 * pages in clusters, one piece, and a kibibyte put in front of everything. The old version is a stream of noise; the new
 * one is that stream with other noise in the places a seed chooses. Its time is an hour earlier, because some
 * tools take the same size and time for the same file.
 */
import { closeSync, openSync, utimesSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { MIB, dice, inMib, stream, writeStream } from './workloads.mjs';

const PAGE = 4096;
/** Pages that lie together in the clustered variant: a quarter of a mebibyte. */
const CLUSTER = 64;
const HOUR_S = 3600;
const INSERTED = 1024;

/** @typedef {import('./workloads.mjs').Workload} Workload */
/** @typedef {'scattered' | 'clustered' | 'contiguous' | 'inserted'} Variant */
/** @typedef {{ at: number, size: number }} Patch */

/** Patches of `size` bytes in different places, as many as make one per cent. @param {number} total @param {number} size @param {string} seed @returns {Patch[]} */
function patches(total, size, seed) {
  const roll = dice(seed);
  const places = Math.max(1, Math.floor(total / size));
  const wanted = Math.max(1, Math.round(total / 100 / size));
  /** @type {Set<number>} */
  const chosen = new Set();
  while (chosen.size < Math.min(wanted, places)) chosen.add(roll(places));
  return [...chosen].sort((a, b) => a - b).map((place) => ({ at: place * size, size: Math.min(size, total - place * size) }));
}

/** @param {Variant} variant @param {number} total @returns {Patch[]} */
function patchesOf(variant, total) {
  switch (variant) {
    case 'scattered': return patches(total, PAGE, variant);
    case 'clustered': return patches(total, PAGE * CLUSTER, variant);
    case 'contiguous': {
      // 10 MiB of 1 GiB, and not at the boundary of anything.
      const size = Math.max(1, Math.round(total * (10 / 1024)));
      return [{ at: Math.floor((total - size) / 2) - (total > MIB ? 777 : 0), size }];
    }
    case 'inserted': return [{ at: 0, size: INSERTED }];
  }
}

/** Bytes in blocks of a given size, counted from the start of the file, that hold a change. What was inserted is counted by itself:
 *  the rest only moved. @param {Patch[]} changes @param {number} total @param {number} block */
function inBlocks(changes, total, block) {
  /** @type {Set<number>} */
  const touched = new Set();
  for (const { at, size } of changes) for (let i = Math.floor(at / block); i * block < at + size; i += 1) touched.add(i);
  return [...touched].reduce((sum, i) => sum + Math.min(block, total - i * block), 0);
}

/** @param {Variant} variant @param {number} scale @returns {Workload} */
export function changed(variant, scale) {
  const oldSize = Math.max(MIB, Math.round(1024 * scale) * MIB);
  const size = variant === 'inserted' ? oldSize + INSERTED : oldSize;
  const changes = patchesOf(variant, oldSize);
  const name = `changed-${variant}.bin`;
  const words = { scattered: '1 % changed, pages of 4 KiB all over', clustered: '1 % changed, clusters of 256 KiB', contiguous: '1 % changed, one piece', inserted: '1 KiB put in front' };
  return {
    name, title: `${inMib(oldSize)} with ${words[variant]}`, unit: 'MB/s', files: 1, bytes: size,
    make(folder) {
      const noise = stream(variant);
      writeStream(join(folder, name), oldSize, 'old');
      if (variant === 'inserted') return prepend(join(folder, name), oldSize, noise(INSERTED));
      const file = openSync(join(folder, name), 'r+');
      for (const { at, size: length } of changes) writeSync(file, noise(length), 0, length, at);
      closeSync(file);
    },
    old: {
      make(folder) {
        const file = join(folder, name);
        writeStream(file, oldSize, 'old');
        const before = Math.floor(Date.now() / 1000) - HOUR_S;
        utimesSync(file, before, before);
      },
      bytes: (block) => inBlocks(changes, size, block),
    },
  };
}

/** @param {string} path @param {number} oldSize @param {Buffer} front */
function prepend(path, oldSize, front) {
  const next = stream('old');
  const file = openSync(path, 'w');
  writeSync(file, front);
  for (let done = 0; done < oldSize; done += MIB) writeSync(file, next(Math.min(MIB, oldSize - done)));
  closeSync(file);
}
