/**
 * A folding disk: a file system for which names that differ in letter case are one name, in an image of its own, mounted until
 * it is disposed. Needs root, FUSE, loop devices, and the programs of the file system.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** NTFS as Windows treats it, which lists names in lower case; and exFAT, as on memory cards, which keeps them as they were written. */
const KINDS = {
  ntfs: { make: ['mkntfs', '--fast', '--force', '--quiet'], mount: ['lowntfs-3g', '-o', 'ignore_case,windows_names,umask=077'] },
  exfat: { make: ['mkfs.exfat'], mount: ['mount.exfat-fuse', '-o', 'umask=077'] },
} as const;
export type Kind = keyof typeof KINDS;
const BYTES = 64 << 20;

export class FoldingDisk implements Disposable {
  readonly #scratch = mkdtempSync(join(tmpdir(), 'wherry-folding-'));
  readonly folder: string;
  #device = '';

  /** Mounted at `folder`, or at one of its own. */
  constructor(kind: Kind, folder?: string) {
    const image = join(this.#scratch, 'image');
    this.folder = folder ?? join(this.#scratch, 'disk');
    mkdirSync(this.folder, { recursive: true });
    writeFileSync(image, '');
    truncateSync(image, BYTES);
    try {
      run([...KINDS[kind].make, image]);
      this.#device = run(['losetup', '--find', '--show', image]).trim();
      run([...KINDS[kind].mount, this.#device, this.folder]);
    } catch (error) {
      this.#detach();
      rmSync(this.#scratch, { recursive: true });
      throw error;
    }
  }

  /** Why no such disk can be had here; empty when it can. */
  static missing(kind: Kind): string {
    try {
      using _disk = new FoldingDisk(kind);
      return '';
    } catch (error) {
      return (error as Error).message.trim().replaceAll(/\s+/g, ' ');
    }
  }

  [Symbol.dispose](): void {
    run(['umount', this.folder]);
    this.#detach();
    rmSync(this.#scratch, { recursive: true, force: true });
  }

  #detach(): void { if (this.#device !== '') run(['losetup', '--detach', this.#device]); }
}

function run([program, ...words]: readonly string[]): string {
  return execFileSync(program!, words, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8', env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` } });
}
