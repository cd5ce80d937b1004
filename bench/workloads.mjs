/**
 * What is transferred: each workload makes one file or folder, from a seed, so that two runs anywhere move the same
 * bytes. Contents look random, so that no compression on the way helps. Sizes here are those of the
 * tables in the documentation; `scale` below 1 makes less of the same kind.
 */
import { createCipheriv, createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

export const MIB = 1 << 20;

/**
 * @typedef {'put' | 'get'} Direction
 * @typedef {object} Workload
 * @property {string} name Also the name of the file or folder.
 * @property {string} title
 * @property {'MB/s' | 'files/s'} unit
 * @property {number} files @property {number} bytes
 * @property {(folder: string) => void} make Makes it below `folder`.
 * @property {{ make: (folder: string) => void, bytes: (block: number) => number }} [old] An older version that the target holds
 *   already, and how many bytes the blocks of a given size have that differ from it.
 */

/** Bytes that look random and are the same for the same seed: the key stream of AES-128 in counter mode.
 *  @param {string} seed @returns {(length: number) => Buffer} */
export function stream(seed) {
  const key = createHash('sha256').update(seed).digest().subarray(0, 16);
  const cipher = createCipheriv('aes-128-ctr', key, Buffer.alloc(16));
  return (length) => cipher.update(Buffer.alloc(length));
}

/** Whole numbers below a limit, from a seed. @param {string} seed @returns {(below: number) => number} */
export function dice(seed) {
  const next = stream(seed);
  return (below) => next(6).readUIntBE(0, 6) % below;
}

/** @param {string} file @param {number} size @param {string} seed */
export function writeStream(file, size, seed) {
  const next = stream(seed);
  const out = openSync(file, 'w');
  for (let done = 0; done < size; done += MIB) writeSync(out, next(Math.min(MIB, size - done)));
  closeSync(out);
}

/** @param {number} bytes */
export function inMib(bytes) {
  return `${Number((bytes / MIB).toPrecision(4))} MiB`;
}

/** One file. @param {number} bytes @returns {Workload} */
export function large(bytes) {
  const size = Math.max(1, Math.round(bytes));
  return {
    name: 'large.bin', title: `1 file of ${inMib(size)}`, unit: 'MB/s', files: 1, bytes: size,
    make: (folder) => writeStream(join(folder, 'large.bin'), size, 'large'),
  };
}

/** Many files of 4 KiB, a hundred to a folder. @param {number} count @returns {Workload} */
export function small(count) {
  const [perFolder, size] = [100, 4096];
  const files = Math.max(1, Math.round(count));
  const folders = Math.ceil(files / perFolder);
  return {
    name: 'small', title: `${files} files of 4 KiB in ${folders} ${folders === 1 ? 'folder' : 'folders'}`, unit: 'files/s', files, bytes: files * size,
    make(folder) {
      const next = stream('small');
      for (let i = 0; i < files; i += 1) {
        const into = join(folder, 'small', `folder-${Math.floor(i / perFolder)}`);
        if (i % perFolder === 0) mkdirSync(into, { recursive: true });
        writeFileSync(join(into, `file-${i}.dat`), next(size));
      }
    },
  };
}

/** One folder with many empty files, to be listed. @param {number} count @returns {Workload} */
export function crowded(count) {
  const files = Math.max(1, Math.round(count));
  return {
    name: 'crowded', title: `a folder with ${files} entries`, unit: 'files/s', files, bytes: 0,
    make(folder) {
      mkdirSync(join(folder, 'crowded'));
      for (let i = 0; i < files; i += 1) closeSync(openSync(join(folder, 'crowded', `entry-${i}`), 'w'));
    },
  };
}
