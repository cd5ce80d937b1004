/**
 * Disk: a folder as a `Vault`. This file says which work is done where: names and attributes synchronously by the crew,
 * bytes of large files here, by position. How the disk is kept confined is `walk.ts`, how it stays whole `stage.ts`.
 *
 * On Linux nothing outside the root can be reached, whatever local users do with links meanwhile; elsewhere see `walk.ts`.
 */
import { ready } from '../../digest.ts';
import type { Entry } from '../../entry.ts';
import { Failure } from '../../errors.ts';
import type { RemotePath } from '../../path.ts';
import type { Chosen, Keep, UndoPage } from '../undo.ts';
import type { Attributes, BatchOptions, BatchResult, FolderAttributes, Level, ListPage, MoveOptions, PackOptions, PackStep, Probed, Problem, RemoveOptions, Source, Space, Steps, Upload, Usage, Vault, Want } from '../vault.ts';
import { Crew } from './crew.ts';
import { Descriptor } from './descriptor.ts';
import type { Flush, Flushed } from './flush.ts';
import { identify, type Identity } from './identity.ts';
import { DiskSource } from './source.ts';
import { DiskUpload } from './upload.ts';
import type { KeepLimits } from './room.ts';
import type { RestingPart } from './stage.ts';

export interface DiskOptions {
  /** The one folder that is meant, by its number (`number.ts`): while another stands at the path, or none, everything fails with IO. Undefined: whichever is there now. */
  readonly number?: string | undefined;
  /** Threads for names, attributes and batches; 0, the default, does that work in the calling thread, as a client may. */
  readonly workers?: number;
  /** Large files, also old ones that serve as basis, are read in the calling thread as long as that is quick: for programs that have nothing else to do, not for servers. */
  readonly readHere?: boolean;
  /** Accepts names in one folder that differ only in letter case or Unicode form. */
  readonly similarNames?: boolean;
  /** Names that Windows could not store are refused. */
  readonly portableNames?: boolean;
  /** How much of what is replaced or removed is kept for undo, and for how long; by default nothing. */
  readonly keep?: KeepLimits;
  /** Asked before the disk is measured, since one such at a time is enough: what it resolves with is called when that is over. */
  readonly mayProbe?: () => Promise<() => void>;
}

/** Flushes under way at once: enough to share the disk's journal commits. */
const MAX_FLUSHES = 32;
/** From here on a look at the room left costs nothing beside the file. */
const LOOK_BYTES = 1 << 20;

/** A folder, and what only one has. */
export interface DiskVault extends Vault {
  /** What rests of an owner's uploads, by `partKey`; the first 10,000 of them. */
  resting(owner: string): Promise<ReadonlyMap<string, RestingPart>>;
}

/** Opens the folder `root` as a vault. Rejects with NOTFOUND or NOTDIR, unless it is known by its number and may come back. Nothing is made in it before the first upload. */
export async function openDisk(root: string, options: DiskOptions = {}): Promise<DiskVault> {
  await ready();
  // Read once: another part of the process that sets it later does not change what is promised here.
  const umask = process.umask();
  const crew = new Crew({ root, number: options.number, similarNames: options.similarNames ?? false, portableNames: options.portableNames ?? false, umask, keep: options.keep ?? { ms: 0, bytes: 0 } }, options.workers ?? 0);
  return new Disk(crew, umask, options);
}

class Disk implements DiskVault {
  readonly #crew: Crew;
  readonly #umask: number;
  readonly #readHere: boolean;
  readonly #mayProbe: () => Promise<() => void>;
  /** Batches under way; folders get their times after them. */
  readonly #batches = new Set<Promise<unknown>>();
  /** The latest upload of each owner and path, until it is over or could not begin. */
  readonly #uploads = new Map<string, Promise<DiskUpload>>();

  constructor(crew: Crew, umask: number, { readHere = false, mayProbe = async () => () => {} }: DiskOptions) {
    this.#crew = crew;
    this.#umask = umask;
    this.#readHere = readHere;
    this.#mayProbe = mayProbe;
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
    const upload = await DiskUpload.open(this.#crew, path, want, this.#umask, this.#readHere);
    try {
      await this.#refuseFull(path, want, upload);
    } catch (error) {
      await upload[Symbol.asyncDispose]();
      throw error;
    }
    return upload;
  }

  /** What cannot fit is refused before it is sent. */
  async #refuseFull(path: RemotePath, { size = 0 }: Want, { basis, inPlace }: DiskUpload): Promise<void> {
    const needed = size - (inPlace ? basis.size : 0);
    if (needed < LOOK_BYTES) return;
    let { free } = await this.space();
    if (needed > free && (await this.#crew.call('makeRoom', needed))) ({ free } = await this.space());
    if (needed > free) throw new Failure('NOSPACE', `${needed} bytes do not fit: the disk has ${free} bytes free`, { path });
  }

  async *pack(top: RemotePath, { room, ...options }: PackOptions = {}): AsyncGenerator<PackStep> {
    const memory = await room?.();
    yield* this.#crew.steps('pack', [top, options, memory], { room, ...(memory !== undefined && { transfer: [memory] }) });
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

  makeFolder(path: RemotePath, options: { parents?: boolean; mode?: number; keep?: Keep | undefined } = {}): Promise<void> {
    return this.#crew.call('makeFolder', path, options.parents ?? false, (options.mode ?? 0o777) & 0o777, options.keep);
  }

  setAttributes(path: RemotePath, attributes: Attributes): Promise<void> {
    return this.#crew.call('setAttributes', path, attributes);
  }

  async move(from: RemotePath, to: RemotePath, options: MoveOptions = {}): Promise<void> {
    await this.#crew.call('move', from, to, options.replace ?? false, await this.#meant(from, options), options.keep);
  }

  async remove(path: RemotePath, options: RemoveOptions = {}): Promise<void> {
    await this.#crew.finish('remove', [path, options.deep ?? false, options.kind, await this.#meant(path, options), options.keep], asking(options));
  }

  /** The file at `path` where it has to have a digest; throws PRECONDITION if it has another. */
  async #meant(path: RemotePath, { match, alive }: { match?: Uint8Array | undefined } & Steps): Promise<Identity | undefined> {
    return match === undefined ? undefined : identify(this.#crew.call('open', path), path, match, alive);
  }

  usage(path: RemotePath, steps: Steps = {}): Promise<Usage> {
    return this.#crew.finish('usage', [path], asking(steps));
  }

  space(): Promise<Space> {
    return this.#crew.call('space');
  }

  async probe(bytes: number, milliseconds: number): Promise<Probed> {
    const over = await this.#mayProbe();
    try {
      return await this.#crew.finish('probe', [bytes, milliseconds]);
    } finally {
      over();
    }
  }

  rehearseUndo(by: string, redo: boolean): AsyncIterable<UndoPage> {
    return this.#crew.steps('rehearseUndo', [by, redo]);
  }

  undo(chosen: Chosen, keep: Keep, how: { redo: boolean; force: boolean }): AsyncIterable<UndoPage> {
    return this.#crew.steps('undo', [chosen, keep, how]);
  }

  resting(owner: string): Promise<ReadonlyMap<string, RestingPart>> {
    return this.#crew.call('resting', owner);
  }

  sweep(before: number): Promise<number> {
    return this.#crew.call('sweep', before);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#crew.close();
  }
}

/** What is between two steps. */
function asking({ alive }: Steps): { answer(): Promise<void> } {
  return { answer: async () => alive?.() };
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
