/**
 * What is transferred: each workload makes one file or folder, from a seed, so that two runs anywhere move the same
 * bytes. Contents look random, so that no compression on the way helps. Sizes here are those of the
 * tables in the documentation; `scale` below 1 makes less of the same kind.
 */
import { createCipheriv, createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const MIB = 1 << 20;

/**
 * @typedef {'put' | 'get'} Direction
 * @typedef {object} Workload
 * @property {string} name Also the name of the file or folder.
 * @property {string} title
 * @property {'MB/s' | 'files/s'} unit
 * @property {number} files @property {number} bytes
 * @property {Record<string, Partial<Record<Direction, number>>>} goals By tool: how many times as fast as it Wherry means to be.
 * @property {(folder: string) => void} make Makes it below `folder`.
 */

/** Bytes that look random and are the same for the same seed: the key stream of AES-128 in counter mode.
 *  @param {string} seed @returns {(length: number) => Buffer} */
function stream(seed) {
  const key = createHash('sha256').update(seed).digest().subarray(0, 16);
  const cipher = createCipheriv('aes-128-ctr', key, Buffer.alloc(16));
  return (length) => cipher.update(Buffer.alloc(length));
}

/** One large file. @param {number} scale @returns {Workload} */
function large(scale) {
  const size = Math.round(1024 * scale) * MIB;
  return {
    name: 'large.bin', title: `1 file of ${size / MIB} MiB`, unit: 'MB/s', files: 1, bytes: size, goals: { sftp: { put: 1.5, get: 1.5 } },
    make(folder) {
      const next = stream('large');
      const file = openSync(join(folder, this.name), 'w');
      for (let done = 0; done < size; done += MIB) writeSync(file, next(MIB));
      closeSync(file);
    },
  };
}

/** Many small files. @param {number} scale @returns {Workload} */
function small(scale) {
  const folders = Math.max(1, Math.round(100 * scale));
  const [perFolder, size] = [100, 4096];
  const files = folders * perFolder;
  return {
    name: 'small', title: `${files} files of 4 KiB in ${folders} folders`, unit: 'files/s', files, bytes: files * size, goals: { sftp: { put: 6 } },
    make(folder) {
      const next = stream('small');
      for (let i = 0; i < files; i += 1) {
        const into = join(folder, this.name, `folder-${Math.floor(i / perFolder)}`);
        if (i % perFolder === 0) mkdirSync(into, { recursive: true });
        writeFileSync(join(into, `file-${i}.dat`), next(size));
      }
    },
  };
}

/** Suites by name. @type {Record<string, (sizes: { large: number, small: number }) => Workload[]>} */
export const SUITES = { quick: (sizes) => [large(sizes.large), small(sizes.small)] };
