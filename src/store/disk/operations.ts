/**
 * Operations: all that is done with the disk synchronously, as one object that lives in a worker thread or, for a client,
 * in the main thread. Arguments and results are plain data, so that both are the same to the caller.
 *
 * Methods that return a generator are long: they are run step by step. Descriptors in results are the whole process's,
 * and belong to the caller from then on.
 */
import { constants, fstatSync } from 'node:fs';
import type { Entry } from '../../entry.ts';
import { Failure, fromErrno } from '../../errors.ts';
import { baseName, type RemotePath } from '../../path.ts';
import type { BatchOptions, BatchResult, Condition, FolderAttributes, Level, ListPage, PackOptions, PackStep, Problem, Space, Usage, Want } from '../vault.ts';
import { begin, publish, type Begun, type Ground } from './admit.ts';
import { closeQuietly, entryOf, kindOf } from './attributes.ts';
import { emptyPack } from './batch.ts';
import type { Flush, Flushed } from './flush.ts';
import { finishFolders } from './folders.ts';
import { packTree } from './packing.ts';
import { SimilarNames } from './similar.ts';
import { Stage } from './stage.ts';
import * as tree from './tree.ts';
import { Root } from './walk.ts';

/** What a thread needs to know to work for a vault. */
export interface Setup {
  readonly root: string;
  readonly similarNames: boolean;
  readonly umask: number;
}

export class Operations implements Disposable {
  readonly #root: Root;
  readonly #ground: Ground;

  /** Opens the root; nothing is made or changed. */
  constructor(setup: Setup) {
    this.#root = Root.open(setup.root);
    this.#ground = { root: this.#root, stage: new Stage(this.#root), similar: new SimilarNames(setup.similarNames), umask: setup.umask };
  }

  stat(path: RemotePath): Entry | undefined {
    return tree.look(this.#root, path);
  }

  /** Opens a file for reading; `changed` is its ctime in ms. It is looked at before, because opening a device can do something by itself. */
  open(path: RemotePath): { fd: number; entry: Entry; changed: number } {
    if (path === '') throw new Failure('ISDIR', 'is a folder', { path });
    using parent = this.#root.enterParent(path);
    const name = baseName(path);
    const before = parent.look(name);
    if (before === undefined) throw new Failure('NOTFOUND', 'no such file or folder', { path });
    refuseUnreadable(entryOf(name, before), path);
    try {
      const fd = parent.open(name, constants.O_RDONLY);
      const stats = fstatSync(fd);
      if (kindOf(stats) === 'file') return { fd, entry: entryOf(name, stats), changed: stats.ctimeMs };
      closeQuietly(fd);
      throw new Failure('CHANGED', 'something else was put in its place', { path });
    } catch (error) {
      throw fromErrno(error, path);
    }
  }

  begin(path: RemotePath, want: Want): Begun {
    return begin(this.#ground, path, want);
  }

  publish(path: RemotePath, live: string, condition: Condition, level: Level): number | undefined {
    return publish(this.#ground, path, live, condition, level);
  }

  release(live: string): void {
    this.#ground.stage.release(live);
  }

  discard(live: string): void {
    this.#ground.stage.discard(live);
  }

  makeFolder(path: RemotePath, parents: boolean, mode: number): void {
    tree.makeFolder(this.#ground, path, parents, mode);
  }

  move(from: RemotePath, to: RemotePath, replace: boolean): void {
    tree.move(this.#ground, from, to, replace);
  }

  space(): Space {
    return tree.space(this.#root);
  }

  sweep(before: number): number {
    return this.#ground.stage.sweep(before);
  }

  list(path: RemotePath, deep: boolean): Generator<ListPage, void> {
    return tree.list(this.#root, path, deep);
  }

  usage(path: RemotePath): Generator<undefined, Usage> {
    return tree.usage(this.#root, path);
  }

  remove(path: RemotePath, deep: boolean, kind: 'file' | 'folder' | undefined): Generator<undefined, void> {
    return tree.remove(this.#root, path, deep, kind);
  }

  pack(top: RemotePath, options: PackOptions): Generator<PackStep, void> {
    return packTree(this.#root, top, options);
  }

  receiveBatch(top: RemotePath, pack: Uint8Array, options: BatchOptions): Generator<Flush, BatchResult, Flushed> {
    return emptyPack(this.#ground, top, pack, options);
  }

  finishFolders(top: RemotePath, folders: readonly FolderAttributes[], level: Level): Generator<Flush, readonly Problem[], Flushed> {
    return finishFolders(this.#ground, top, folders, level);
  }

  [Symbol.dispose](): void {
    this.#ground.stage.close();
    this.#root[Symbol.dispose]();
  }
}

function refuseUnreadable({ kind }: Entry, path: RemotePath): void {
  if (kind === 'folder') throw new Failure('ISDIR', 'is a folder', { path });
  if (kind === 'link') throw new Failure('UNSUPPORTED', 'a symbolic link, which is never followed', { path });
  if (kind === 'other') throw new Failure('UNSUPPORTED', 'neither a file nor a folder', { path });
}
