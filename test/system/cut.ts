/**
 * A disk of its own whose power can be cut: a file system in a file, mounted through a loop device. A cut stops it in
 * the middle of whatever it does, without writing anything out, as the kernel's shutdown call does it; then a copy of
 * what had reached the file is mounted, and repairs itself from its journal. A copy, because the stopped file system
 * lives on where another mount namespace happens to hold it. Not modelled: a drive that lies about its flushes.
 * Needs root, loop devices, and xfsprogs, whose `xfs_io` makes the call for other file systems too.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MAKE = {
  // No commit of its own within the test: what is on the disk is what was asked for.
  ext4: { words: ['mkfs.ext4', '-q', '-F'], options: 'loop,commit=300' },
  // The copy has the same name of its own as the original.
  xfs: { words: ['mkfs.xfs', '-q', '-f'], options: 'loop,nouuid' },
} as const;
export type Kind = keyof typeof MAKE;

/** The smallest that mkfs.xfs makes, and a little more. */
const SIZE = 320 << 20;

export class CutDisk implements Disposable {
  readonly folder: string;
  #image: string;
  readonly #kind: Kind;
  readonly #scratch = mkdtempSync(join(tmpdir(), 'wherry-cut-'));

  constructor(kind: Kind) {
    this.#kind = kind;
    this.#image = join(this.#scratch, 'image');
    this.folder = join(this.#scratch, 'disk');
    mkdirSync(this.folder);
    writeFileSync(this.#image, '');
    truncateSync(this.#image, SIZE);
    const [program, ...words] = MAKE[kind].words;
    try {
      run(program, [...words, this.#image]);
      this.#mount();
    } catch (error) {
      rmSync(this.#scratch, { recursive: true });
      throw error;
    }
  }

  /** Why no such disk can be had here; empty when it can. */
  static missing(kind: Kind): string {
    try {
      using disk = new CutDisk(kind);
      disk.cut();
      return '';
    } catch (error) {
      return (error as Error).message.trim().replaceAll(/\s+/g, ' ');
    }
  }

  /** Brings everything so far onto the disk. */
  sync(): void {
    run('sync', ['-f', this.folder]);
  }

  /** From here on nothing reaches the disk, and every call that would need it fails. */
  cut(): void {
    run('xfs_io', ['-x', '-c', 'shutdown', this.folder]);
  }

  /** The power is back. Whoever used the disk must have ended. */
  restart(): void {
    run('umount', [this.folder]);
    const copy = `${this.#image}+`;
    run('cp', ['--sparse=always', this.#image, copy]);
    rmSync(this.#image);
    this.#image = copy;
    this.#mount();
  }

  [Symbol.dispose](): void {
    run('umount', [this.folder]);
    rmSync(this.#scratch, { recursive: true });
  }

  #mount(): void {
    run('mount', ['-o', MAKE[this.#kind].options, this.#image, this.folder]);
  }
}

function run(program: string, words: readonly string[]): void {
  execFileSync(program, words, { stdio: ['ignore', 'ignore', 'pipe'] });
}
