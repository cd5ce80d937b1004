/**
 * Nodes: the tree of maps that `memory.ts` keeps, and the two walks over it. No rules about who may replace what.
 */
import { digestOf } from '../digest.ts';
import { MODE_MASK, type Entry } from '../entry.ts';
import { heldAs } from '../left.ts';
import { PackWriter } from '../pack.ts';
import { baseName, child, foldKey, type RemotePath, ROOT } from '../path.ts';
import type { FolderAttributes, PackOptions, PackStep, Usage } from './vault.ts';

/** Content never changes: a new version is a new node, so that whoever reads the old one keeps it. */
export interface FileNode { readonly kind: 'file'; readonly bytes: Uint8Array; readonly mode: number; readonly mtime: number }
export type Node = FileNode | FolderNode;

export class FolderNode {
  readonly kind = 'folder';
  mode: number;
  mtime = Date.now() * 1000;
  readonly #names = new Map<string, Node>();
  /** One name for each that is too like it. */
  readonly #folded = new Map<string, string>();

  constructor(mode: number) {
    this.mode = mode & MODE_MASK;
  }

  get size(): number { return this.#names.size; }

  get(name: string): Node | undefined {
    return this.#names.get(name);
  }

  /** The name that is there already and too like `name`, if any. */
  similar(name: string): string | undefined {
    const other = this.#folded.get(foldKey(name));
    return other === name ? undefined : other;
  }

  set(name: string, node: Node): void {
    this.#names.set(name, node);
    this.#folded.set(foldKey(name), name);
    this.mtime = Date.now() * 1000;
  }

  /** The same file with other attributes: what is in the folder does not change. */
  alter(name: string, node: FileNode): void {
    this.#names.set(name, node);
  }

  delete(name: string): void {
    this.#names.delete(name);
    this.#folded.delete(foldKey(name));
    this.mtime = Date.now() * 1000;
  }

  [Symbol.iterator](): IterableIterator<[string, Node]> {
    return this.#names[Symbol.iterator]();
  }
}

export function entryOf(name: string, node: Node): Entry {
  return { name, kind: node.kind, size: node.kind === 'file' ? node.bytes.length : 0, mtime: node.mtime, mode: node.mode };
}

/** Everything in the folder, `deep` also below it, parents before children, by path. */
export function* walk(folder: FolderNode, path: RemotePath, deep: boolean): Generator<[RemotePath, Node]> {
  for (const [name, node] of folder) {
    const at = child(path, name);
    yield [at, node];
    if (deep && node.kind === 'folder') yield* walk(node, at, deep);
  }
}

/** The node and all in it. */
export function usageOf(top: Node): Usage {
  const nodes = top.kind === 'file' ? [top] : [top, ...[...walk(top, ROOT, true)].map(([, node]) => node)];
  const files = nodes.filter((node) => node.kind === 'file');
  return { ...sumOf(files), folders: nodes.length - files.length };
}

export function sumOf(files: readonly FileNode[]): { files: number; bytes: number } {
  return { files: files.length, bytes: files.reduce((sum, { bytes }) => sum + bytes.length, 0) };
}

/** Memory for the next pack; undefined: a whole one has some of its own. */
interface Room { memory: ArrayBuffer | undefined }

/** The steps of `pack`, each made when there is room for it. */
export async function* packRoomily(next: PackOptions['room'], pack: (room: Room) => Iterable<PackStep>): AsyncGenerator<PackStep> {
  const room: Room = { memory: await next?.() };
  for (const step of pack(room)) {
    yield step;
    room.memory = await next?.();
  }
}

/** The folder as steps of packing: one or more packs for each folder, which is plain rather than dense. `room` may change after each. */
export function* packFolder(folder: FolderNode, path: RemotePath, excluded: (path: RemotePath, node: Node) => boolean, room: Room, holds?: (mark: string) => boolean): Generator<PackStep> {
  const entries = [...folder].map(([name, node]) => [child(path, name), node] as const).filter(([at, node]) => !excluded(at, node));
  const files = entries.filter((entry): entry is readonly [RemotePath, FileNode] => entry[1].kind === 'file');
  let step = new Packing(folder, path, room, holds);
  for (const [at, node] of files) {
    if (step.add(at, node)) continue;
    yield step.finish([]);
    step = new Packing(folder, path, room, holds);
    step.add(at, node);
  }
  yield step.finish([]);
  for (const [at, node] of entries) if (node.kind === 'folder') yield* packFolder(node, at, excluded, room, holds);
  yield new Packing(folder, path, room).finish([{ path, mode: folder.mode, mtime: folder.mtime }]);
}

/** Files too large for a pack that one step names: a bound of its own, because they take no room in the pack. */
const MAX_LARGE = 100;

class Packing {
  readonly #writer: PackWriter;
  readonly #large: (Entry & { path: RemotePath })[] = [];
  #files = 0;
  #bytes = 0;

  readonly #holds: ((mark: string) => boolean) | undefined;
  readonly #same = { files: 0, bytes: 0 };

  constructor(folder: FolderNode, path: RemotePath, { memory }: Room, holds?: (mark: string) => boolean) {
    this.#writer = new PackWriter(memory);
    this.#holds = holds;
    this.#writer.folder(path, folder.mode);
  }

  /** False when there is no room left. */
  add(path: RemotePath, node: FileNode): boolean {
    const [name, size] = [baseName(path), node.bytes.length];
    if (size > this.#writer.mostFile) return this.#large.length < MAX_LARGE && this.#large.push({ ...entryOf(name, node), path }) > 0;
    if (!this.#writer.room(name, size)) return false;
    const digest = digestOf(node.bytes);
    if (this.#holds?.(heldAs(path, digest)) === true) {
      this.#same.files += 1;
      this.#same.bytes += size;
      return true;
    }
    this.#writer.space(name, size).set(node.bytes);
    this.#writer.file(name, node.mode, node.mtime, digest, size);
    this.#files += 1;
    this.#bytes += size;
    return true;
  }

  finish(folders: readonly FolderAttributes[]): PackStep {
    return { pack: this.#writer.finish(), files: this.#files, bytes: this.#bytes, large: this.#large, folders, problems: [], skipped: 0, same: this.#same.files === 0 ? undefined : this.#same };
  }
}
