/**
 * View: a vault as somebody sees it who is given only some of its folders: one as their whole world, or several, each under a name.
 *
 * Paths are translated on the way in and, in failures, on the way out, so that nobody learns where in the vault their folders
 * are. The folders themselves cannot be removed, renamed or changed from inside; above several there is a folder of
 * nothing but their names. Closing and sweeping stay with who opened the vault: a view holds nothing.
 */
import type { Entry } from '../entry.ts';
import { Failure } from '../errors.ts';
import { below, components, isWithin, type RemotePath } from '../path.ts';
import type { Chosen, Keep, UndoPage, UndoStep } from './undo.ts';
import type { Attributes, BatchOptions, BatchResult, FolderAttributes, Level, ListPage, MoveOptions, PackOptions, PackStep, Probed, Problem, RemoveOptions, Source, Space, Steps, Upload, Usage, Vault, Want } from './vault.ts';

/** A folder of the vault, and how it is called; a name `''` stands alone. */
export interface Mount { readonly name: string; readonly path: RemotePath }

/** The vault itself where all of it is given. */
export function viewOf(vault: Vault, mounts: readonly Mount[]): Vault {
  const [first] = mounts;
  return mounts.length === 1 && first?.name === '' && first.path === '' ? vault : new View(vault, mounts);
}

/** Modes of what is not on any disk. */
const TOP_MODE = 0o555;

class View implements Vault {
  readonly #vault: Vault;
  readonly #mounts: readonly Mount[];

  constructor(vault: Vault, mounts: readonly Mount[]) {
    this.#vault = vault;
    this.#mounts = mounts;
  }

  async stat(path: RemotePath): Promise<Entry | undefined> {
    if (this.#isAbove(path)) return top('');
    const entry = await this.#on(path, (at) => this.#vault.stat(at));
    // A folder has its name from the view.
    return entry && { ...entry, name: path.slice(path.lastIndexOf('/') + 1) };
  }

  async *list(path: RemotePath, options: { deep?: boolean } = {}): AsyncGenerator<ListPage> {
    if (!this.#isAbove(path)) {
      yield* this.#told(path, this.#vault.list(this.#at(path), options));
      return;
    }
    const entries = await Promise.all(this.#mounts.map(async ({ name, path: at }) => ({ ...((await this.#vault.stat(at)) ?? top(name)), name })));
    yield { entries, unlisted: 0 };
    if (options.deep !== true) return;
    for (const { name } of this.#mounts) {
      for await (const page of this.list(name as RemotePath, options)) {
        yield { ...page, entries: page.entries.map((entry) => ({ ...entry, name: `${name}/${entry.name}` })) };
      }
    }
  }

  async read(path: RemotePath): Promise<Source> {
    const source = await this.#on(path, (at) => this.#vault.read(at));
    const on = <T>(action: () => Promise<T>): Promise<T> => this.#on(path, action);
    return {
      entry: source.entry,
      ...(source.atOnce !== undefined && { atOnce: source.atOnce }),
      read: (into, position) => on(() => source.read(into, position)),
      readv: (into, position) => on(() => source.readv(into, position)),
      changed: () => on(() => source.changed()),
      [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
    };
  }

  async receive(path: RemotePath, want: Want): Promise<Upload> {
    if (this.#isGiven(path)) throw new Failure('ISDIR', 'is a folder', { path });
    const upload = await this.#on(path, (at) => this.#vault.receive(at, want));
    const on = <T>(action: () => Promise<T>): Promise<T> => this.#on(path, action);
    return {
      basis: upload.basis,
      inPlace: upload.inPlace,
      readBasis: (into, position) => on(() => upload.readBasis(into, position)),
      basisChanged: () => on(() => upload.basisChanged()),
      read: (into, position) => on(() => upload.read(into, position)),
      write: (chunks, position) => on(() => upload.write(chunks, position)),
      commit: (size, mtime) => on(() => upload.commit(size, mtime)),
      discard: () => on(() => upload.discard()),
      [Symbol.asyncDispose]: () => upload[Symbol.asyncDispose](),
    };
  }

  pack(path: RemotePath, options?: PackOptions): AsyncIterable<PackStep> {
    return this.#told(path, this.#vault.pack(this.#at(path), options));
  }

  receiveBatch(path: RemotePath, pack: Uint8Array, options: BatchOptions): Promise<BatchResult> {
    return this.#on(path, (at) => this.#vault.receiveBatch(at, pack, options));
  }

  finishFolders(path: RemotePath, folders: readonly FolderAttributes[], level: Level): Promise<readonly Problem[]> {
    return this.#on(path, (at) => this.#vault.finishFolders(at, folders, level));
  }

  async makeFolder(path: RemotePath, options?: { parents?: boolean; mode?: number; keep?: Keep | undefined }): Promise<void> {
    if (this.#isAbove(path)) {
      if (options?.parents === true) return;
      throw new Failure('EXISTS', 'already exists', { path });
    }
    await this.#on(path, (at) => this.#vault.makeFolder(at, options));
  }

  async setAttributes(path: RemotePath, attributes: Attributes): Promise<void> {
    await this.#on(this.#inside(path), (at) => this.#vault.setAttributes(at, attributes));
  }

  async move(from: RemotePath, to: RemotePath, options?: MoveOptions): Promise<void> {
    const target = this.#at(this.#inside(to));
    await this.#on(this.#inside(from), (at) => this.#vault.move(at, target, options));
  }

  async remove(path: RemotePath, options?: RemoveOptions): Promise<void> {
    await this.#on(this.#inside(path), (at) => this.#vault.remove(at, options));
  }

  rehearseUndo(by: string, redo: boolean): AsyncIterable<UndoPage> {
    return this.#shown(this.#vault.rehearseUndo(by, redo));
  }

  undo(chosen: Chosen, keep: Keep, how: { redo: boolean; force: boolean }): AsyncIterable<UndoPage> {
    return this.#shown(this.#vault.undo(chosen, keep, how));
  }

  async *#shown(pages: AsyncIterable<UndoPage>): AsyncGenerator<UndoPage> {
    const shown = ({ path, to, ...step }: UndoStep): UndoStep => ({ ...step, path: this.#shownAs(path), ...(to !== undefined && { to: this.#shownAs(to) }) });
    for await (const { page, ...chosen } of pages) yield { ...chosen, page: page.map(shown) };
  }

  /** A path of the vault as it is seen here. */
  #shownAs(at: RemotePath): RemotePath {
    const mount = this.#mounts.find((one) => isWithin(at, one.path));
    if (mount === undefined) throw new Failure('DENIED', 'it was done in part outside of the folders that this account sees now', { who: 'rule', hint: 'ask the owner of the server' });
    return [...components(mount.name as RemotePath), ...components(at).slice(components(mount.path).length)].join('/') as RemotePath;
  }

  async usage(path: RemotePath, steps?: Steps): Promise<Usage> {
    if (!this.#isAbove(path)) return this.#on(path, (at) => this.#vault.usage(at, steps));
    const sum = { files: 0, folders: 1, bytes: 0 };
    for (const { path: at } of this.#mounts) {
      const { files, folders, bytes } = await this.#vault.usage(at, steps).catch(missing);
      sum.files += files;
      sum.folders += folders;
      sum.bytes += bytes;
    }
    return sum;
  }

  space(): Promise<Space> { return this.#vault.space(); }
  probe(bytes: number, milliseconds: number): Promise<Probed> { return this.#vault.probe(bytes, milliseconds); }
  async pass(way: 'in' | 'out', bytes: number): Promise<void> { await this.#vault.pass?.(way, bytes); }
  sweep(): Promise<number> { return Promise.resolve(0); }
  async [Symbol.asyncDispose](): Promise<void> {}

  /** Whether the path is the folder of nothing but names. */
  #isAbove(path: RemotePath): boolean {
    return path === '' && this.#mounts[0]?.name !== '';
  }

  #mountOf(path: RemotePath): Mount | undefined {
    const [first = ''] = components(path);
    return this.#mounts.find(({ name }) => name === '' || name === first);
  }

  /** Where it is in the vault. Throws NOTFOUND, and DENIED above the folders. */
  #at(path: RemotePath): RemotePath {
    const mount = this.#mountOf(path);
    if (this.#isAbove(path)) throw new Failure('DENIED', 'nothing can be put here but in one of the folders', { path, who: 'rule', hint: 'see them with: ls /' });
    if (mount === undefined) throw new Failure('NOTFOUND', 'no such file or folder', { path });
    return below(mount.path, path.slice(mount.name === '' ? 0 : mount.name.length + 1) as RemotePath);
  }

  #isGiven(path: RemotePath): boolean {
    return path === '' || path === this.#mountOf(path)?.name;
  }

  /** The path, where it is not one of the folders that were given. */
  #inside(path: RemotePath): RemotePath {
    if (this.#isGiven(path)) throw new Failure('DENIED', 'this folder was given by the owner of the server and stays as it is', { path, who: 'rule' });
    return path;
  }

  /** A failure in the paths of the view. */
  #seen(path: RemotePath, error: unknown): Failure {
    const failure = Failure.from(error);
    if (failure.path === undefined) return failure;
    const mount = [this.#mountOf(path), ...this.#mounts].find((one) => one !== undefined && isWithin(failure.path as RemotePath, one.path));
    const seen = mount === undefined ? path : [mount.name, failure.path.slice(mount.path === '' ? 0 : mount.path.length + 1)].filter((part) => part !== '').join('/');
    const { code, message, who, retry, hint, cause } = failure;
    return new Failure(code, message, { path: seen, who, retry, hint, cause });
  }

  async #on<T>(path: RemotePath, action: (at: RemotePath) => Promise<T>): Promise<T> {
    const at = this.#at(path);
    try {
      return await action(at);
    } catch (error) {
      throw this.#seen(path, error);
    }
  }

  async *#told<T>(path: RemotePath, steps: AsyncIterable<T>): AsyncGenerator<T> {
    try {
      yield* steps;
    } catch (error) {
      throw this.#seen(path, error);
    }
  }
}

function top(name: string): Entry {
  return { name, kind: 'folder', size: 0, mtime: 0, mode: TOP_MODE };
}

/** A folder that was given and is not there counts as empty. */
function missing(error: unknown): Usage {
  if (Failure.from(error).code !== 'NOTFOUND') throw error;
  return { files: 0, folders: 0, bytes: 0 };
}
