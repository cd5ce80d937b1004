/**
 * Disk: a folder as a `Vault`. This file says which work is done where: names and attributes synchronously by the crew,
 * bytes of large files here, by position. How the disk is kept confined is `walk.ts`, how it stays whole `stage.ts`.
 *
 * On Linux nothing outside the root can be reached, whatever local users do with links meanwhile; elsewhere see `walk.ts`.
 */
import { ready } from '../../digest.ts';
import type { Entry } from '../../entry.ts';
import type { RemotePath } from '../../path.ts';
import type { BatchOptions, BatchResult, FolderAttributes, Level, ListPage, PackOptions, PackStep, Problem, Source, Space, Upload, Usage, Vault, Want } from '../vault.ts';
import { Crew } from './crew.ts';
import { Descriptor } from './descriptor.ts';
import type { Flush, Flushed } from './flush.ts';
import { DiskSource } from './source.ts';
import { DiskUpload } from './upload.ts';

export interface DiskOptions {
  /** Threads for names, attributes and batches; 0, the default, does that work in the calling thread, as a client may. */
  readonly workers?: number;
  /** Large files are read in the calling thread as long as that is quick: for programs that have nothing else to do, not for servers. */
  readonly readHere?: boolean;
  /** Accepts names in one folder that differ only in letter case or Unicode form. */
  readonly similarNames?: boolean;
}

/** Flushes under way at once: enough to share the disk's journal commits. */
const MAX_FLUSHES = 32;

/** Opens the folder `root` as a vault. Rejects with NOTFOUND or NOTDIR. Nothing is made in it before the first upload. */
export async function openDisk(root: string, options: DiskOptions = {}): Promise<Vault> {
  await ready();
  // Read once: another part of the process that sets it later does not change what is promised here.
  const umask = process.umask();
  const crew = new Crew({ root, similarNames: options.similarNames ?? false, umask }, options.workers ?? 0);
  return new Disk(crew, umask, options.readHere ?? false);
}

class Disk implements Vault {
  readonly #crew: Crew;
  readonly #umask: number;
  readonly #readHere: boolean;
  /** Batches under way; folders get their times after them. */
  readonly #batches = new Set<Promise<unknown>>();
  /** The latest upload of each owner and path, until it is over or could not begin. */
  readonly #uploads = new Map<string, Promise<DiskUpload>>();

  constructor(crew: Crew, umask: number, readHere: boolean) {
    this.#crew = crew;
    this.#umask = umask;
    this.#readHere = readHere;
  }

  stat(path: RemotePath): Promise<Entry | undefined> {
    return this.#crew.call('stat', path);
  }

  list(path: RemotePath, options: { deep?: boolean } = {}): AsyncIterable<ListPage> {
    return this.#crew.steps('list', [path, options.deep ?? false]);
  }

  async read(path: RemotePath): Promise<Source> {
    const { fd, entry, changed } = await this.#crew.call('open', path);
    return new DiskSource(new Descriptor(fd), entry, changed, path, this.#readHere);
  }

  receive(path: RemotePath, want: Want): Promise<Upload> {
    const key = `${want.owner.length}:${want.owner}${path}`;
    const upload = this.#receive(this.#uploads.get(key), path, want);
    this.#uploads.set(key, upload);
    const forget = (): void => { if (this.#uploads.get(key) === upload) this.#uploads.delete(key); };
    upload.then(({ ended }) => ended, () => undefined).then(forget, forget);
    return upload;
  }

  async #receive(earlier: Promise<DiskUpload> | undefined, path: RemotePath, want: Want): Promise<DiskUpload> {
    await (await earlier?.catch(() => undefined))?.handOver();
    return DiskUpload.open(this.#crew, path, want, this.#umask);
  }

  pack(top: RemotePath, options: PackOptions = {}): AsyncIterable<PackStep> {
    return this.#crew.steps('pack', [top, options]);
  }

  /** With workers the pack's buffer is handed over where the pack is all of it, and is empty for the caller from then on. */
  receiveBatch(top: RemotePath, pack: Uint8Array, options: BatchOptions): Promise<BatchResult> {
    const whole = pack.buffer instanceof ArrayBuffer && pack.byteLength === pack.buffer.byteLength;
    // Not `slice`: that of a Buffer is a view, and handing it over would take the caller's whole buffer away.
    const own = whole ? pack : Uint8Array.from(pack);
    const batch = this.#crew.finish('receiveBatch', [top, own, options], { key: top, transfer: [own.buffer as ArrayBuffer], answer: flush });
    const ended = batch.catch(() => undefined).finally(() => this.#batches.delete(ended));
    this.#batches.add(ended);
    return batch;
  }

  async finishFolders(top: RemotePath, folders: readonly FolderAttributes[], level: Level): Promise<readonly Problem[]> {
    await Promise.all(this.#batches);
    return this.#crew.finish('finishFolders', [top, folders, level], { key: top, answer: flush });
  }

  makeFolder(path: RemotePath, options: { parents?: boolean; mode?: number } = {}): Promise<void> {
    return this.#crew.call('makeFolder', path, options.parents ?? false, (options.mode ?? 0o777) & 0o777);
  }

  move(from: RemotePath, to: RemotePath, options: { replace?: boolean } = {}): Promise<void> {
    return this.#crew.call('move', from, to, options.replace ?? false);
  }

  remove(path: RemotePath, options: { deep?: boolean; kind?: 'file' | 'folder' } = {}): Promise<void> {
    return this.#crew.finish('remove', [path, options.deep ?? false, options.kind]);
  }

  usage(path: RemotePath): Promise<Usage> {
    return this.#crew.finish('usage', [path]);
  }

  space(): Promise<Space> {
    return this.#crew.call('space');
  }

  sweep(before: number): Promise<number> {
    return this.#crew.call('sweep', before);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#crew.close();
  }
}

/** Flushes what a batch asks for; one that fails does not stop the others. */
async function flush({ fds, whole }: Flush): Promise<Flushed> {
  const results: (string | undefined)[] = Array.from({ length: fds.length });
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < fds.length) {
      const at = next;
      next += 1;
      // The batch keeps the descriptor and closes it.
      results[at] = await new Descriptor(fds[at]!).flush(whole).then(() => undefined, (error: NodeJS.ErrnoException) => error.code ?? 'EIO');
    }
  };
  await Promise.all(Array.from({ length: Math.min(MAX_FLUSHES, fds.length) }, one));
  return results;
}
