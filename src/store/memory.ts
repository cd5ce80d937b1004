/**
 * Memory: the reference implementation of `Vault`, a tree of maps. It is what the contract means where words could be
 * read two ways, and what tests of the layers above use. It holds everything in memory and forgets it with the process.
 * `durable` is as good as `visible` here, and permission bits are kept but never asked.
 */
import { digestOf, ready, sameDigest } from '../digest.ts';
import { MODE_MASK, type Entry } from '../entry.ts';
import { Failure } from '../errors.ts';
import { readPack } from '../pack.ts';
import { baseName, below, child, components, isWithin, parentOf, ROOT, type RemotePath } from '../path.ts';
import { begunAgain } from './again.ts';
import { compileExclude } from './exclude.ts';
import { Part } from './part.ts';
import { entryOf, FolderNode, packFolder, walk, type FileNode, type Node } from './nodes.ts';
import type { BatchOptions, BatchResult, Condition, FolderAttributes, ListPage, PackOptions, PackStep, Problem, Source, Space, Upload, Usage, Vault, Want } from './vault.ts';

/** The contract's limit for one page of a listing. */
const PAGE = 1000;
/** Smallest old file, and smallest new one, for which the old one serves as basis: one block. */
const MIN_BASIS = 1 << 20;

export function createMemoryVault(): Vault {
  return new Memory();
}

class Memory implements Vault {
  readonly #root = new FolderNode(0o755);
  /** By owner and path. */
  readonly #parts = new Map<string, Part>();
  /** What ends the open upload of an owner and path. */
  readonly #open = new Map<string, () => void>();

  async stat(path: RemotePath): Promise<Entry | undefined> {
    const node = this.#find(path);
    return node === undefined ? undefined : entryOf(baseName(path), node);
  }

  async *list(path: RemotePath, options: { deep?: boolean } = {}): AsyncGenerator<ListPage> {
    const entries = [...walk(this.#folder(path), ROOT, options.deep ?? false)].map(([at, node]) => entryOf(at, node));
    for (let at = 0; at < entries.length; at += PAGE) yield { entries: entries.slice(at, at + PAGE), unlisted: 0 };
  }

  async read(path: RemotePath): Promise<Source> {
    const node = this.#file(path);
    return {
      entry: entryOf(baseName(path), node),
      read: async (into, position) => copyInto(into, node.bytes, position),
      readv: async (into, position) => into.reduce((done, part) => done + copyInto(part, node.bytes, position + done), 0),
      changed: async () => this.#find(path) !== node,
      [Symbol.asyncDispose]: async () => undefined,
    };
  }

  async receive(path: RemotePath, want: Want): Promise<Upload> {
    this.#admit(path, want.condition);
    const key = `${want.owner}\0${path}`;
    this.#open.get(key)?.();
    const part = this.#parts.get(key) ?? new Part();
    part.inUse = true;
    this.#parts.set(key, part);
    const basis = this.#basis(path, want, part);
    let over = false;
    let taken = false;
    const end = (keep: boolean): void => {
      if (over) return;
      over = true;
      part.inUse = false;
      this.#open.delete(key);
      if (this.#parts.get(key) === part && (!keep || part.bytes.length === 0)) this.#parts.delete(key);
    };
    this.#open.set(key, () => { taken = true; end(true); });
    const mine = (): Part => {
      if (taken) throw begunAgain(path);
      return part;
    };
    return {
      basis,
      read: async (into, position) => copyInto(into, mine().bytes, position),
      write: async (chunks, position) => { mine().write(chunks, position); },
      commit: async (size, mtime = want.mtime) => {
        mine();
        if (over) throw new Failure('INTERNAL', 'the upload is over', { path });
        if (part.bytes.length < size) throw new Failure('VERIFY', `${size - part.bytes.length} bytes are missing`, { path });
        this.#place(path, { kind: 'file', bytes: part.bytes.slice(0, size), mode: want.mode & MODE_MASK, mtime }, want.condition);
        end(false);
      },
      discard: async () => { end(false); },
      [Symbol.asyncDispose]: async () => { end(true); },
    };
  }

  async *pack(top: RemotePath, options: PackOptions = {}): AsyncGenerator<PackStep> {
    await ready();
    const excluded = compileExclude(options.exclude);
    const left = (path: RemotePath, node: Node): boolean => excluded(path, baseName(path), node.kind === 'folder');
    yield* packFolder(this.#folder(top), ROOT, left);
  }

  async receiveBatch(top: RemotePath, pack: Uint8Array, options: BatchOptions): Promise<BatchResult> {
    await ready();
    const problems: Problem[] = [];
    let [files, bytes] = [0, 0];
    let into = ROOT;
    /** Why nothing can go into the folder named last. */
    let closed: Failure | undefined;
    for (const record of [...readPack(pack)]) {
      const path = record.kind === 'folder' ? record.path : child(into, record.name);
      try {
        if (record.kind === 'folder') {
          into = record.path;
          closed = undefined;
          this.#makeAll(below(top, record.path), record.mode);
          continue;
        }
        if (closed !== undefined) throw closed;
        if (!sameDigest(digestOf(record.data), record.digest)) throw new Failure('VERIFY', 'what arrived is not what was sent');
        this.#place(below(top, path), { kind: 'file', bytes: Uint8Array.from(record.data), mode: record.mode, mtime: record.mtime }, options.condition);
        files += 1;
        bytes += record.data.length;
      } catch (error) {
        const failure = Failure.from(error);
        if (record.kind === 'folder') closed = failure;
        problems.push({ path, code: failure.code, message: failure.message });
      }
    }
    return { files, bytes, problems };
  }

  async finishFolders(top: RemotePath, folders: readonly FolderAttributes[]): Promise<readonly Problem[]> {
    const problems: Problem[] = [];
    for (const { path, mode, mtime } of folders) {
      try {
        Object.assign(this.#folder(below(top, path)), { mode: mode & MODE_MASK, mtime });
      } catch (error) {
        const { code, message } = Failure.from(error);
        problems.push({ path, code, message });
      }
    }
    return problems;
  }

  async makeFolder(path: RemotePath, options: { parents?: boolean; mode?: number } = {}): Promise<void> {
    const { parents = false, mode = 0o755 } = options;
    const there = this.#find(path);
    if (there !== undefined && !(parents && there.kind === 'folder')) throw new Failure('EXISTS', 'already exists', { path });
    if (parents) this.#makeAll(path, mode);
    else this.#create(path, new FolderNode(mode));
  }

  async move(from: RemotePath, to: RemotePath, options: { replace?: boolean } = {}): Promise<void> {
    if (from === '' || to === '') throw rootRefused();
    const node = this.#need(from);
    const there = this.#folder(parentOf(to)).get(baseName(to));
    if (from === to && options.replace === true) return;
    if (from !== to && isWithin(to, from)) throw new Failure('USAGE', 'a folder cannot be moved into itself', { path: to, hint: 'choose a place outside of it' });
    if (there !== undefined && options.replace !== true) throw new Failure('EXISTS', 'already exists', { path: to });
    if (there?.kind === 'folder') {
      if (node.kind === 'file') throw new Failure('ISDIR', 'is a folder', { path: to });
      if (there.size > 0) throw new Failure('NOTEMPTY', 'the folder is not empty', { path: to });
    } else if (there !== undefined && node.kind === 'folder') throw new Failure('NOTDIR', 'not a folder', { path: to });
    this.#refuseSimilar(to, parentOf(from) === parentOf(to) ? baseName(from) : undefined);
    this.#folder(parentOf(from)).delete(baseName(from));
    this.#folder(parentOf(to)).set(baseName(to), node);
  }

  async remove(path: RemotePath, options: { deep?: boolean; kind?: 'file' | 'folder' } = {}): Promise<void> {
    if (path === '') throw new Failure('DENIED', 'the served folder itself cannot be removed', { path });
    const node = this.#need(path);
    if (node.kind === 'folder' && options.kind === 'file') throw new Failure('ISDIR', 'is a folder', { path });
    if (node.kind === 'file' && options.kind === 'folder') throw new Failure('NOTDIR', 'not a folder', { path });
    if (node.kind === 'folder' && node.size > 0 && options.deep !== true) throw new Failure('NOTEMPTY', 'the folder is not empty', { path });
    this.#folder(parentOf(path)).delete(baseName(path));
  }

  async usage(path: RemotePath): Promise<Usage> {
    const top = this.#need(path);
    const nodes = top.kind === 'file' ? [top] : [top, ...[...walk(top, ROOT, true)].map(([, node]) => node)];
    const files = nodes.filter((node) => node.kind === 'file');
    return { files: files.length, folders: nodes.length - files.length, bytes: files.reduce((sum, { bytes }) => sum + bytes.length, 0) };
  }

  async space(): Promise<Space> {
    const { heapUsed, heapTotal } = process.memoryUsage();
    return { free: heapTotal - heapUsed, total: heapTotal };
  }

  async sweep(before: number): Promise<number> {
    const old = [...this.#parts].filter(([, part]) => !part.inUse && part.touched < before);
    for (const [key] of old) this.#parts.delete(key);
    return old.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#parts.clear();
  }

  #find(path: RemotePath): Node | undefined {
    let node: Node | undefined = this.#root;
    for (const name of components(path)) node = node?.kind === 'folder' ? node.get(name) : undefined;
    return node;
  }

  #need(path: RemotePath): Node {
    this.#folder(parentOf(path));
    const node = this.#find(path);
    if (node === undefined) throw new Failure('NOTFOUND', 'no such file or folder', { path });
    return node;
  }

  #folder(path: RemotePath): FolderNode {
    let node: Node | undefined = this.#root;
    for (const name of components(path)) {
      node = node.get(name);
      if (node === undefined) throw new Failure('NOTFOUND', 'no such folder', { path });
      if (node.kind === 'file') throw new Failure('NOTDIR', 'not a folder', { path });
    }
    return node;
  }

  #file(path: RemotePath): FileNode {
    const node = this.#need(path);
    if (node.kind === 'folder') throw new Failure('ISDIR', 'is a folder', { path });
    return node;
  }

  #basis(path: RemotePath, want: Want, part: Part): Upload['basis'] {
    if (part.bytes.length > 0) return { kind: 'part', size: part.bytes.length };
    const old = this.#find(path);
    if (!want.reuseOld || old?.kind !== 'file' || old.bytes.length < MIN_BASIS || (want.size ?? MIN_BASIS) < MIN_BASIS) return { kind: 'none', size: 0 };
    part.write([old.bytes], 0);
    return { kind: 'old', size: old.bytes.length };
  }

  /** Whether a file may be given this name now. */
  #admit(path: RemotePath, condition: Condition): void {
    if (path === '') throw rootRefused();
    const there = this.#folder(parentOf(path)).get(baseName(path));
    if (there !== undefined && condition === 'absent') throw new Failure('EXISTS', 'already exists', { path });
    if (there?.kind === 'folder') throw new Failure('ISDIR', 'a folder has this name', { path });
    this.#refuseSimilar(path);
  }

  #place(path: RemotePath, node: FileNode, condition: Condition): void {
    this.#admit(path, condition);
    this.#create(path, node);
  }

  #create(path: RemotePath, node: Node): void {
    const parent = this.#folder(parentOf(path));
    this.#refuseSimilar(path);
    parent.set(baseName(path), node);
  }

  #makeAll(path: RemotePath, mode: number): void {
    if (path === '') return;
    this.#makeAll(parentOf(path), 0o755);
    const there = this.#folder(parentOf(path)).get(baseName(path));
    if (there?.kind === 'file') throw new Failure('NOTDIR', 'not a folder', { path });
    if (there === undefined) this.#create(path, new FolderNode(mode | 0o700));
  }

  #refuseSimilar(path: RemotePath, instead?: string): void {
    const parent = this.#folder(parentOf(path));
    const name = baseName(path);
    const other = parent.similar(name);
    if (parent.get(name) !== undefined || other === undefined || other === instead) return;
    throw new Failure('EXISTS', `"${name}" differs only in letter case or Unicode form from "${other}", which is there already`, {
      path, hint: 'choose another name, or let the server accept both with --allow-similar-names',
    });
  }
}

function rootRefused(): Failure {
  return new Failure('ISDIR', 'this is the served folder itself', { path: ROOT });
}

function copyInto(into: Uint8Array, bytes: Uint8Array, position: number): number {
  const part = bytes.subarray(position, position + into.length);
  into.set(part);
  return part.length;
}
