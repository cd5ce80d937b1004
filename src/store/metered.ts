/**
 * Metered: a vault that counts what comes in and goes out through it, for an account with a quota, a pace, or a token that is used up.
 *
 * Room is kept before a file is received and counted when it has its name; so what was refused was refused before a byte was
 * sent. Where the counts are kept is told by the meter: they are of the account, and not of this connection. A
 * vault without a meter counts nothing and pays nothing for it. Paths are those of the vault below.
 */
import type { Entry } from '../entry.ts';
import { Failure } from '../errors.ts';
import { readPack } from '../pack.ts';
import { below, child, isWithin, parentOf, type RemotePath, RESERVED, ROOT } from '../path.ts';
import { CountedSource, CountedUpload } from './counted.ts';
import { type Admission, type Amount, type Meter, NOTHING } from './meter.ts';
import type { Chosen, Keep, UndoPage } from './undo.ts';
import type { Attributes, BatchOptions, BatchResult, FolderAttributes, Level, ListPage, MoveOptions, PackOptions, PackStep, Probed, Problem, RemoveOptions, Source, Space, Steps, Upload, Usage, Vault, Want } from './vault.ts';

/** Of a probe, what is waited for at a time: a slow account has a few of them in a second. */
const PIECE = 256 << 10;

/** Room for a pack, the folder that all of it is at or below, and what is in it. */
interface Admitted { readonly admission: Admission; readonly place: RemotePath; readonly moving: Amount }

export function meteredVault(vault: Vault, meter: Meter): Vault {
  return new Metered(vault, meter);
}

class Metered implements Vault {
  readonly #vault: Vault;
  readonly #meter: Meter;
  /** Batches under way, also those that wait to be counted: the vault does not know of them yet, and folders get their times after them. */
  readonly #batches = new Set<Promise<unknown>>();

  constructor(vault: Vault, meter: Meter) {
    this.#vault = vault;
    this.#meter = meter;
  }

  async read(path: RemotePath): Promise<Source> {
    await this.#meter.use();
    const source = await this.#vault.read(path);
    try {
      return await CountedSource.of(source, this.#meter);
    } catch (error) {
      await source[Symbol.asyncDispose]();
      throw error;
    }
  }

  async *pack(top: RemotePath, options?: PackOptions): AsyncGenerator<PackStep> {
    for await (const step of this.#vault.pack(top, options)) {
      const amount = { bytes: step.bytes, files: step.files };
      const issue = await this.#meter.issue(amount);
      await issue.settle(amount);
      issue.end(amount);
      await this.#meter.moved('out', step.bytes);
      yield step;
    }
  }

  async receive(path: RemotePath, want: Want): Promise<Upload> {
    const before = async (): Promise<number | undefined> => {
      const entry = await this.#vault.stat(path);
      return entry?.kind === 'file' ? entry.size : undefined;
    };
    const admission = await this.#meter.admit(path, { bytes: want.size ?? 0, files: (await before()) === undefined ? 1 : 0 }, 1, want.owner);
    try {
      return new CountedUpload(await this.#vault.receive(path, want), this.#meter, admission, { path, size: want.size, before });
    } catch (error) {
      admission.end(NOTHING, 0);
      throw error;
    }
  }

  receiveBatch(top: RemotePath, pack: Uint8Array, options: BatchOptions): Promise<BatchResult> {
    const batch = this.#batch(top, pack, options);
    const ended = batch.catch(() => undefined).finally(() => this.#batches.delete(ended));
    this.#batches.add(ended);
    return batch;
  }

  async #batch(top: RemotePath, pack: Uint8Array, options: BatchOptions): Promise<BatchResult> {
    const { admission, place, moving } = await this.#admitPack(top, pack);
    let moved = NOTHING;
    try {
      await admission.commit(moving);
      const { replaced = NOTHING, made = 0, ...result } = await this.#vault.receiveBatch(top, pack, { ...options, tally: true });
      this.#meter.change(place, { bytes: result.bytes - replaced.bytes, files: result.files - replaced.files + made });
      moved = { bytes: result.bytes, files: result.files };
      await this.#meter.moved('in', result.bytes);
      return result;
    } finally {
      admission.end(moved, 0);
    }
  }

  /** Room for all files of the pack, where there is none for those that are not there yet, and for the folders that are not. */
  async #admitPack(top: RemotePath, pack: Uint8Array): Promise<Admitted> {
    const files: { path: RemotePath; bytes: number }[] = [];
    const folders = new Set<RemotePath>();
    let folder = top;
    for (const record of readPack(pack)) {
      if (record.kind === 'folder') folders.add((folder = below(top, record.path)));
      else files.push({ path: child(folder, record.name), bytes: record.data.byteLength });
    }
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    const made = await this.#missing(folders);
    const paths = [...folders, ...files.map(({ path }) => path)];
    const place = paths.reduce((one, other) => commonTop(one, other), paths[0] ?? top);
    const admitted = async (added: number): Promise<Admitted> => ({ admission: await this.#meter.admit(place, { bytes, files: added + made }, files.length), place, moving: { bytes, files: files.length } });
    try {
      return await admitted(files.length);
    } catch (error) {
      if (Failure.from(error).code !== 'QUOTA') throw error;
      const there = await Promise.all(files.map(async ({ path }) => (await this.#vault.stat(path))?.kind === 'file'));
      return admitted(there.filter((one) => !one).length);
    }
  }

  async finishFolders(top: RemotePath, folders: readonly FolderAttributes[], level: Level): Promise<readonly Problem[]> {
    await Promise.all(this.#batches);
    await this.#meter.use();
    return this.#vault.finishFolders(top, folders, level);
  }

  async makeFolder(path: RemotePath, options?: { parents?: boolean; mode?: number; keep?: Keep | undefined }): Promise<void> {
    await this.#meter.use();
    const made = { bytes: 0, files: options?.parents === true ? await this.#missing([path]) : 1 };
    if (made.files === 0) return this.#vault.makeFolder(path, options);
    const admission = await this.#meter.admit(path, made, 0);
    try {
      await this.#vault.makeFolder(path, options);
      this.#meter.change(path, made);
    } finally {
      admission.end(NOTHING, 0);
    }
  }

  /** How many folders of these, and above them, are to be made. */
  async #missing(folders: Iterable<RemotePath>): Promise<number> {
    const missing = new Set<RemotePath>();
    for (const folder of folders) {
      for (let path = folder; path !== ROOT && !missing.has(path) && (await this.#vault.stat(path)) === undefined; path = parentOf(path)) missing.add(path);
    }
    return missing.size;
  }

  async move(from: RemotePath, to: RemotePath, options?: MoveOptions): Promise<void> {
    const [amount, replaced] = [await this.#amount(from, options), from === to ? NOTHING : await this.#amount(to, options)];
    await this.#meter.use();
    await this.#vault.move(from, to, options);
    // Within what the account sees nothing has become more; others may count one of the two places only.
    this.#meter.change(from, less(NOTHING, amount));
    this.#meter.change(to, less(amount, replaced));
  }

  async remove(path: RemotePath, options?: RemoveOptions): Promise<void> {
    await this.#meter.use();
    const before = await this.#amount(path, options);
    try {
      await this.#vault.remove(path, options);
    } finally {
      // Of a folder some may be gone and some not.
      this.#meter.change(path, less(await this.#amount(path), before));
    }
  }

  async *rehearseUndo(by: string, redo: boolean): AsyncGenerator<UndoPage> {
    await this.#meter.use();
    yield* this.#vault.rehearseUndo(by, redo);
  }

  /** What comes back needs room, as if it were sent. */
  async *undo(chosen: Chosen, keep: Keep, how: { redo: boolean; force: boolean }): AsyncGenerator<UndoPage> {
    const more = { bytes: 0, files: 0 };
    let top: RemotePath | undefined;
    for await (const { page } of this.#vault.rehearseUndo(keep.by, how.redo)) {
      for (const { path, change } of page) {
        if (change === undefined) continue;
        Object.assign(more, { bytes: more.bytes + change.bytes, files: more.files + change.files });
        top = commonTop(top ?? path, path);
      }
    }
    const admission = await this.#meter.admit(top ?? ROOT, { bytes: Math.max(0, more.bytes), files: Math.max(0, more.files) }, 0);
    try {
      for await (const told of this.#vault.undo(chosen, keep, how)) {
        for (const { path, change } of told.page) if (change !== undefined) this.#meter.change(path, change);
        yield told;
      }
    } finally {
      admission.end(NOTHING, 0);
    }
  }

  async space(): Promise<Space> {
    await this.#meter.use();
    const [space, left = Infinity, quota = Infinity] = [await this.#vault.space(), await this.#meter.left(), await this.#meter.quota()];
    return { ...space, free: Math.min(left, space.free), total: Math.min(quota, space.total) };
  }

  /** With room for it, and with as many bytes as may come in the time that it may take: what is written at once must not be what others then wait for. */
  async probe(bytes: number, milliseconds: number): Promise<Probed> {
    const admission = await this.#meter.admit(RESERVED as RemotePath, { bytes, files: 0 }, 0); // in no folder of others
    let moved = NOTHING;
    try {
      await admission.commit({ bytes, files: 0 });
      const until = performance.now() + milliseconds;
      let paid = 0;
      for (let size = 0; paid < bytes && performance.now() < until; paid += size) {
        size = Math.min(PIECE, bytes - paid);
        await this.#meter.moved('in', size);
      }
      const probed = await this.#vault.probe(paid, milliseconds);
      moved = { bytes: probed.bytes, files: 0 };
      return probed;
    } finally {
      admission.end(moved, 0);
    }
  }

  async pass(way: 'in' | 'out', bytes: number): Promise<void> {
    const amount = { bytes, files: 0 };
    (await this.#meter.issue(amount)).end(amount);
    await this.#meter.moved(way, bytes);
  }

  async #amount(path: RemotePath, steps: Steps = {}): Promise<Amount> {
    if ((await this.#vault.stat(path)) === undefined) return NOTHING;
    const { bytes, files, folders } = await this.#vault.usage(path, { alive: steps.alive }).catch(() => {
      steps.alive?.(); // whom it throws for goes no further
      return { ...NOTHING, folders: 0 };
    });
    return { bytes, files: files + folders };
  }

  /** What moves no file, and is a use of a token all the same. */
  async #use<T>(action: () => Promise<T>): Promise<T> {
    await this.#meter.use();
    return action();
  }

  async *list(path: RemotePath, options?: { deep?: boolean }): AsyncGenerator<ListPage> {
    await this.#meter.use();
    yield* this.#vault.list(path, options);
  }

  stat(path: RemotePath): Promise<Entry | undefined> { return this.#use(() => this.#vault.stat(path)); }
  setAttributes(path: RemotePath, attributes: Attributes): Promise<void> { return this.#use(() => this.#vault.setAttributes(path, attributes)); }
  usage(path: RemotePath, steps?: Steps): Promise<Usage> { return this.#use(() => this.#vault.usage(path, steps)); }
  sweep(before: number): Promise<number> { return this.#vault.sweep(before); }
  async [Symbol.asyncDispose](): Promise<void> { await this.#vault[Symbol.asyncDispose](); }
}

/** The nearest path at or above both. */
function commonTop(one: RemotePath, other: RemotePath): RemotePath {
  let top = one;
  while (!isWithin(other, top)) top = parentOf(top);
  return top;
}

function less(one: Amount, other: Amount): Amount {
  return { bytes: one.bytes - other.bytes, files: one.files - other.files };
}
