/**
 * Memory: the reference implementation of `Vault`, a tree of maps. It is what the contract means where words could be
 * read two ways, and what tests of the layers above use. It holds everything in memory and forgets it with the process.
 * `durable` is as good as `visible` here, and permission bits are kept but never asked.
 */
import { digestOf, hex, ready, sameDigest } from '../digest.ts';
import { MODE_MASK, type Entry } from '../entry.ts';
import { Failure } from '../errors.ts';
import { readLeft } from '../left.ts';
import { readPack } from '../pack.ts';
import { baseName, below, child, components, isWithin, parentOf, ROOT, type RemotePath } from '../path.ts';
import { begunAgain } from './again.ts';
import { compileExclude } from './exclude.ts';
import { basisOf, copyingRate, copyInto, Part } from './part.ts';
import { entryOf, FolderNode, packFolder, walk, type FileNode, type Node, sumOf, usageOf, packRoomily } from './nodes.ts';
import { Remembered } from './remembered.ts';
import { differs, rootRefused, similarName } from './refusals.ts';
import type { Chosen, Keep, UndoPage } from './undo.ts';
import type { Attributes, BatchOptions, BatchResult, Condition, FolderAttributes, ListPage, MoveOptions, PackOptions, PackStep, Probed, Problem, RemoveOptions, Source, Space, Upload, Usage, Vault, Want } from './vault.ts';

/** The contract's limit for one page of a listing. */
const PAGE = 1000;
export function createMemoryVault(): Vault {
  return new Memory();
}

class Memory implements Vault {
  readonly #root = new FolderNode(0o755);
  /** By owner and path. */
  readonly #parts = new Map<string, Part>();
  /** What ends the open upload of an owner and path. */
  readonly #open = new Map<string, () => void>();
  readonly #kept = new Remembered({
    find: (path) => this.#find(path),
    set: (path, node) => { this.#create(path, node); },
    delete: (path) => { this.#folder(parentOf(path)).delete(baseName(path)); },
    makeFolder: (path, mode) => { this.#create(path, new FolderNode(mode)); },
  });

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
    this.#admit(path, want.condition, want.match);
    const key = `${want.owner}\0${path}`;
    this.#open.get(key)?.();
    const part = this.#parts.get(key) ?? new Part();
    part.inUse = true;
    this.#parts.set(key, part);
    const { kind, bytes } = basisOf(part, this.#find(path), want);
    let [over, taken] = [false, false];
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
      basis: { kind, size: bytes.length },
      inPlace: kind === 'part',
      readBasis: async (into, position) => into.reduce((done, one) => done + copyInto(one, mine() && bytes, position + done), 0),
      basisChanged: async () => false, // bytes of a file are never written again
      read: async (into, position) => copyInto(into, mine().bytes, position),
      write: async (chunks, position) => { mine().write(chunks, position); },
      commit: async (size, mtime = want.mtime) => {
        mine();
        if (over) throw new Failure('INTERNAL', 'the upload is over', { path });
        if (part.bytes.length < size) throw new Failure('VERIFY', `${size - part.bytes.length} bytes are missing`, { path });
        if (want.condition === 'absent' && this.#find(path) !== undefined) end(false); // these bytes can never get the name
        this.#place(path, { kind: 'file', bytes: part.bytes.slice(0, size), mode: want.mode & MODE_MASK, mtime }, want);
        end(false);
      },
      discard: async () => { end(false); },
      [Symbol.asyncDispose]: async () => { end(true); },
    };
  }

  async *pack(top: RemotePath, options: PackOptions = {}): AsyncGenerator<PackStep> {
    await ready();
    const excluded = compileExclude(options.exclude, options.leave, options.without);
    const left = (path: RemotePath, node: Node): boolean => excluded(path, baseName(path), node.kind === 'folder');
    yield* packRoomily(options.room, (room) => packFolder(this.#folder(top), ROOT, left, room, options.held === undefined ? undefined : readLeft(options.held)));
  }

  async receiveBatch(top: RemotePath, pack: Uint8Array, options: BatchOptions): Promise<BatchResult> {
    await ready();
    const [problems, replaced, isReplaceable]: [Problem[], FileNode[], (path: string) => boolean] = [[], [], readLeft(options.replaceable)];
    let [files, bytes, made, into] = [0, 0, 0, ROOT];
    /** Why nothing can go into the folder named last. */
    let closed: Failure | undefined;
    for (const record of [...readPack(pack)]) {
      const path = record.kind === 'folder' ? record.path : child(into, record.name);
      try {
        if (record.kind === 'folder') {
          into = record.path;
          closed = undefined;
          made += this.#makeAll(below(top, record.path), record.mode, options.keep);
          continue;
        }
        if (closed !== undefined) throw closed;
        if (!sameDigest(digestOf(record.data), record.digest)) throw new Failure('VERIFY', 'what arrived is not what was sent');
        const before = this.#place(below(top, path), { kind: 'file', bytes: Uint8Array.from(record.data), mode: record.mode, mtime: record.mtime }, { condition: isReplaceable(path) ? 'any' : options.condition, keep: options.keep });
        if (before !== undefined) replaced.push(before);
        files += 1;
        bytes += record.data.length;
      } catch (error) {
        const failure = Failure.from(error);
        if (record.kind === 'folder') closed = failure;
        problems.push({ path, code: failure.code, message: failure.message });
      }
    }
    return { files, bytes, problems, ...(options.tally === true && { replaced: sumOf(replaced), made }) };
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

  async makeFolder(path: RemotePath, { parents = false, mode = 0o755, keep }: { parents?: boolean; mode?: number; keep?: Keep | undefined } = {}): Promise<void> {
    const there = this.#find(path);
    if (there !== undefined && !(parents && there.kind === 'folder')) throw new Failure('EXISTS', 'already exists', { path });
    if (parents) return void this.#makeAll(path, mode, keep);
    this.#create(path, new FolderNode(mode));
    this.#kept.made(keep, path);
  }

  async setAttributes(path: RemotePath, { mode, mtime }: Attributes): Promise<void> {
    if (path === '') throw new Failure('DENIED', 'the served folder itself is not changed', { path });
    const node = this.#need(path);
    const set = { mode: (mode ?? node.mode) & MODE_MASK, mtime: mtime ?? node.mtime };
    if (node.kind === 'folder') Object.assign(node, set);
    else this.#folder(parentOf(path)).alter(baseName(path), { ...node, ...set });
  }

  async move(from: RemotePath, to: RemotePath, options: MoveOptions = {}): Promise<void> {
    if (from === '' || to === '') throw rootRefused();
    this.#refuseOther(from, options.match);
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
    if (there !== undefined) this.#kept.gone(options.keep, to, there);
    this.#kept.moved(options.keep, from, to, node);
  }

  async remove(path: RemotePath, options: RemoveOptions = {}): Promise<void> {
    if (path === '') throw new Failure('DENIED', 'the served folder itself cannot be removed', { path });
    this.#refuseOther(path, options.match);
    const node = this.#need(path);
    if (node.kind === 'folder' && options.kind === 'file') throw new Failure('ISDIR', 'is a folder', { path });
    if (node.kind === 'file' && options.kind === 'folder') throw new Failure('NOTDIR', 'not a folder', { path });
    if (node.kind === 'folder' && node.size > 0 && options.deep !== true) throw new Failure('NOTEMPTY', 'the folder is not empty', { path });
    this.#folder(parentOf(path)).delete(baseName(path));
    this.#kept.gone(options.keep, path, node);
  }

  async *rehearseUndo(by: string, redo: boolean): AsyncGenerator<UndoPage> { yield* this.#kept.rehearse(by, redo); }
  async *undo(chosen: Chosen, keep: Keep, how: { redo: boolean; force: boolean }): AsyncGenerator<UndoPage> { yield* this.#kept.undo(chosen, keep, how); }

  async usage(path: RemotePath): Promise<Usage> {
    return usageOf(this.#need(path));
  }

  async space(): Promise<Space> {
    const { heapUsed, heapTotal } = process.memoryUsage();
    return { free: heapTotal - heapUsed, total: heapTotal };
  }

  async probe(bytes: number, milliseconds: number): Promise<Probed> {
    return copyingRate(bytes, milliseconds);
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
    return components(path).reduce<Node | undefined>((node, name) => (node?.kind === 'folder' ? node.get(name) : undefined), this.#root);
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

  /** Whether a file may be given this name now. */
  #admit(path: RemotePath, condition: Condition, match?: Uint8Array): void {
    this.#refuseOther(path, match);
    if (path === '') throw rootRefused();
    const there = this.#folder(parentOf(path)).get(baseName(path));
    if (there !== undefined && condition === 'absent') throw new Failure('EXISTS', 'already exists', { path });
    if (there?.kind === 'folder') throw new Failure('ISDIR', 'a folder has this name', { path });
    this.#refuseSimilar(path);
  }

  /** Throws PRECONDITION unless the file at `path` has the digest `match`. */
  #refuseOther(path: RemotePath, match: Uint8Array | undefined): void {
    if (match === undefined) return;
    const digest = this.#find(path) === undefined ? undefined : digestOf(this.#file(path).bytes);
    if (digest === undefined || !sameDigest(digest, match)) throw differs(path, digest && hex(digest));
  }

  /** Returns the file that was there. */
  #place(path: RemotePath, node: FileNode, { condition, match, keep }: Pick<Want, 'condition' | 'match' | 'keep'>): FileNode | undefined {
    this.#admit(path, condition, match);
    const before = this.#folder(parentOf(path)).get(baseName(path));
    this.#create(path, node);
    this.#kept.placed(keep, path, before, node);
    return before?.kind === 'file' ? before : undefined;
  }

  #create(path: RemotePath, node: Node): void {
    this.#refuseSimilar(path);
    this.#folder(parentOf(path)).set(baseName(path), node);
  }

  #makeAll(path: RemotePath, mode: number, keep: Keep | undefined): number {
    if (path === '') return 0;
    const made = this.#makeAll(parentOf(path), 0o755, keep);
    const there = this.#folder(parentOf(path)).get(baseName(path));
    if (there?.kind === 'file') throw new Failure('NOTDIR', 'not a folder', { path });
    if (there !== undefined) return made;
    this.#create(path, new FolderNode(mode | 0o700));
    this.#kept.made(keep, path);
    return made + 1;
  }

  #refuseSimilar(path: RemotePath, instead?: string): void {
    const parent = this.#folder(parentOf(path));
    const name = baseName(path);
    const other = parent.similar(name);
    if (parent.get(name) !== undefined || other === undefined || other === instead) return;
    throw similarName(path, name, other);
  }
}
