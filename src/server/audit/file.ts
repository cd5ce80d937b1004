/**
 * File: one file of the audit, open to be added to. What is added is there as a whole or not at all, as far as the disk allows.
 * Knows nothing of records.
 */
import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder } from '../../private.ts';

export class AuditFile {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #about: BigIntStats;
  #size: number;
  #isOpen = true;

  private constructor(path: string, file: FileHandle, about: BigIntStats, size: number) {
    this.#path = path;
    this.#file = file;
    this.#about = about;
    this.#size = size;
  }

  /** Opens one that has so many bytes; 0: makes it, or empties what is there. */
  static async open(path: string, size: number): Promise<AuditFile> {
    const file = await open(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0), 0o600);
    try {
      const about = await file.stat({ bigint: true });
      if (size === 0 && about.size > 0n) await file.truncate(0);
      if (size === 0) await syncFolder(dirname(path));
      return new AuditFile(path, file, about, size);
    } catch (error) {
      await file.close().catch(() => undefined);
      throw error;
    }
  }

  get size(): number { return this.#size; }
  get isOpen(): boolean { return this.#isOpen; }

  /** Appends all of it, or leaves the file as it was. Where it cannot be cut back either it is closed: what is left is what a crash leaves, and is dealt with as that. */
  async append(bytes: Buffer): Promise<void> {
    try {
      for (let at = 0; at < bytes.byteLength;) at += (await this.#file.write(bytes, at)).bytesWritten;
    } catch (error) {
      await this.#file.truncate(this.#size).catch(() => this.close());
      throw error;
    }
    this.#size += bytes.byteLength;
  }

  async sync(): Promise<void> {
    await this.#file.datasync();
  }

  /** Whether its path leads to it still, and nobody has cut it. */
  async isInPlace(): Promise<boolean> {
    if (process.platform === 'win32') return true; // one that is open is not moved there, and paths give other numbers than descriptors
    try {
      const there = await lstat(this.#path, { bigint: true });
      return there.dev === this.#about.dev && there.ino === this.#about.ino && there.size >= this.#size;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR') return false;
      throw error;
    }
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#file.close().catch(() => undefined);
  }
}
