/**
 * Trees as people have them, from a seed: one shaped like the `node_modules` of a project, one like the sources of a
 * kernel. Only the shape is taken from those: how deep, how many files in a folder, how the sizes are spread. The
 * contents are noise. Sizes follow a log-normal distribution, of which the median and the spread are given.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dice, inMib, stream } from './workloads.mjs';

/** @typedef {import('./workloads.mjs').Workload} Workload */

/** @typedef {object} Shape
 *  @property {string} name @property {string} title @property {number} files
 *  @property {number} median Bytes. @property {number} spread Of the logarithm of sizes.
 *  @property {number} largest Bytes; nothing is larger.
 *  @property {number} perFolder Files in a folder, on average. @property {number} deepest Folders above a file, at most. */

/** Two numbers of a normal distribution would be made at once; one is enough here. @param {(below: number) => number} roll @returns {number} */
function normal(roll) {
  const part = () => (roll(1 << 30) + 1) / (2 ** 30 + 1);
  return Math.sqrt(-2 * Math.log(part())) * Math.cos(2 * Math.PI * part());
}

/** Every file of the tree, in order, with its folder. @param {Shape} shape @returns {{ folder: string, file: string, size: number }[]} */
function plan({ name, files, median, spread, largest, perFolder, deepest }) {
  const roll = dice(name);
  const folders = [''];
  const list = [];
  for (let i = 0; i < files; i += 1) {
    // A new folder goes below one of the last few, as packages bring packages of their own.
    if (roll(perFolder) === 0) {
      const above = folders[Math.max(0, folders.length - 1 - roll(40))] ?? '';
      const start = above.split('/').length > deepest ? '' : above;
      folders.push(`${start}/${roll(7) === 0 ? '@' : ''}part-${folders.length}`);
    }
    const size = Math.min(largest, Math.round(median * Math.exp(spread * normal(roll))));
    list.push({ folder: folders[Math.max(0, folders.length - 1 - roll(3))] ?? '', file: `file-${i}.js`, size });
  }
  return list;
}

/** @param {Shape} shape @returns {Workload} */
function tree(shape) {
  const list = plan(shape);
  const bytes = list.reduce((sum, { size }) => sum + size, 0);
  return {
    name: shape.name, title: `${shape.title}: ${list.length} files, ${inMib(bytes)}`, unit: 'files/s', files: list.length, bytes,
    make(folder) {
      const next = stream(`${shape.name} contents`);
      const made = new Set();
      for (const { folder: at, file, size } of list) {
        const into = join(folder, shape.name, at);
        if (!made.has(at)) mkdirSync(into, { recursive: true });
        made.add(at);
        writeFileSync(join(into, file), next(size));
      }
    },
  };
}

/** Many small files, deep: 40,000 with a median of 1.5 KiB. @param {number} scale @returns {Workload} */
export function modules(scale) {
  return tree({ name: 'modules', title: 'a tree like node_modules', files: Math.max(1, Math.round(40_000 * scale)), median: 1536, spread: 1.6, largest: 4 << 20, perFolder: 6, deepest: 12 });
}

/** Larger files, less deep: 80,000 with 1.2 GiB. @param {number} scale @returns {Workload} */
export function sources(scale) {
  return tree({ name: 'sources', title: 'a tree like the sources of a kernel', files: Math.max(1, Math.round(80_000 * scale)), median: 6000, spread: 1.35, largest: 8 << 20, perFolder: 14, deepest: 6 });
}
