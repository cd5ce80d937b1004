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
import type { Chosen, Keep, UndoPage } from '../undo.ts';
import type { Attributes, BatchOptions, BatchResult, FolderAttributes, Level, ListPage, PackOptions, PackStep, Probed, Problem, Space, Usage, Want } from '../vault.ts';
import { begin, publish, type Begun, type Ground, type Publishing } from './admit.ts';
import { closeQuietly, entryOf, kindOf } from './attributes.ts';
import { emptyPack } from './batch.ts';
import type { Flush, Flushed } from './flush.ts';
import { finishFolders } from './folders.ts';
import { Kept } from './kept.ts';
import type { Identity } from './identity.ts';
import { isFolder, refuseOtherFolder } from './number.ts';
import { packTree } from './packing.ts';
import { probe } from './probe.ts';
import type { KeepLimits } from './room.ts';
import { setAttributesOf } from './setting.ts';
import { SimilarNames } from './similar.ts';
import { type RestingPart, Stage } from './stage.ts';
import * as tree from './tree.ts';
import { rehearse, undo } from './undo.ts';
import { Root } from './walk.ts';

/** What a thread needs to know to work for a vault. */
export interface Setup {
  readonly root: string;
  /** The one folder that is meant, by its number: nothing is done while another stands there. Undefined: whichever is there when it is opened. */
  readonly number: string | undefined;
  readonly similarNames: boolean;
  readonly portableNames: boolean;
  readonly umask: number;
  readonly keep: KeepLimits;
}

export class Operations implements Disposable {
  readonly #setup: Setup;
  #opened: Ground | undefined;
  /** Another folder was found since it was opened. */
  #lapsed = false;

  constructor(setup: Setup) {
    this.#setup = setup;
  }

  /** Opens the root, unless it is open; nothing is made or changed. */
  ready(): void {
    void this.#ground;
  }

  /**
   * Called when no long operation is between two steps. What was open while the folder was away may lie below a mount that is no more: it is
   * opened anew when the folder is there again. Not sooner, so that parts can be put to rest in it.
   */
  renew(): void {
    const { root, number } = this.#setup;
    if (this.#lapsed && number !== undefined && isFolder(root, number)) this[Symbol.dispose]();
  }

  /** The folder that is meant. Throws IO while it is not there. */
  get #ground(): Ground {
    const { root: path, number, keep, similarNames, portableNames, umask } = this.#setup;
    try {
      if (number !== undefined) refuseOtherFolder(path, number);
    } catch (error) {
      this.#lapsed = true;
      throw error;
    }
    if (this.#opened !== undefined) return this.#opened;
    const root = Root.open(path, number);
    const stage = new Stage(root);
    return (this.#opened = { root, stage, kept: new Kept(stage, keep), similar: new SimilarNames(similarNames && (() => stage.folds), portableNames), umask });
  }

  get #root(): Root {
    return this.#ground.root;
  }

  /** As it was opened, also while another folder stands there: for what ends something that has begun. */
  get #begun(): Ground {
    return this.#opened ?? this.#ground;
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

  publish(path: RemotePath, live: string, publishing: Publishing): number | undefined {
    return publish(this.#ground, path, live, publishing);
  }

  release(live: string): void {
    this.#begun.stage.release(live);
  }

  discard(live: string): void {
    this.#begun.stage.discard(live);
  }

  makeFolder(path: RemotePath, parents: boolean, mode: number, keep: Keep | undefined): void {
    tree.makeFolder(this.#ground, path, parents, mode, keep);
  }

  move(from: RemotePath, to: RemotePath, replace: boolean, expected: Identity | undefined, keep: Keep | undefined): void {
    tree.move(this.#ground, from, to, replace, expected, keep);
  }

  setAttributes(path: RemotePath, attributes: Attributes): void {
    setAttributesOf(this.#root, path, attributes);
  }

  space(): Space {
    return tree.space(this.#root);
  }

  resting(owner: string): Map<string, RestingPart> {
    return this.#ground.stage.resting(owner);
  }

  sweep(before: number): number {
    this.#ground.kept.expire();
    return this.#ground.stage.sweep(before);
  }

  makeRoom(bytes: number): boolean {
    return this.#ground.kept.makeRoom(bytes);
  }

  rehearseUndo(by: string, redo: boolean): Generator<UndoPage, void> {
    return rehearse(this.#ground, by, redo);
  }

  undo(chosen: Chosen, keep: Keep, how: { redo: boolean; force: boolean }): Generator<UndoPage, void> {
    return undo(this.#ground, chosen, keep, how);
  }

  probe(bytes: number, milliseconds: number): Generator<undefined, Probed> {
    const { root, stage } = this.#ground;
    return probe(stage, tree.space(root), bytes, milliseconds);
  }

  list(path: RemotePath, deep: boolean): Generator<ListPage, void> {
    return tree.list(this.#root, path, deep);
  }

  usage(path: RemotePath): Generator<undefined, Usage> {
    return tree.usage(this.#root, path);
  }

  remove(path: RemotePath, deep: boolean, kind: 'file' | 'folder' | undefined, expected: Identity | undefined, keep: Keep | undefined): Generator<undefined, void> {
    return tree.remove(this.#ground, path, deep, kind, expected, keep);
  }

  pack(top: RemotePath, options: PackOptions, memory: ArrayBuffer | undefined): Generator<PackStep, void, ArrayBuffer | undefined> {
    return packTree(this.#root, top, options, memory);
  }

  receiveBatch(top: RemotePath, pack: Uint8Array, options: BatchOptions): Generator<Flush, BatchResult, Flushed> {
    return emptyPack(this.#ground, top, pack, options);
  }

  finishFolders(top: RemotePath, folders: readonly FolderAttributes[], level: Level): Generator<Flush, readonly Problem[], Flushed> {
    return finishFolders(this.#ground, top, folders, level);
  }

  [Symbol.dispose](): void {
    const opened = this.#opened;
    this.#opened = undefined;
    this.#lapsed = false;
    opened?.stage.close();
    opened?.root[Symbol.dispose]();
  }
}

function refuseUnreadable({ kind }: Entry, path: RemotePath): void {
  if (kind === 'folder') throw new Failure('ISDIR', 'is a folder', { path });
  if (kind === 'link') throw new Failure('UNSUPPORTED', 'a symbolic link, which is never followed', { path });
  if (kind === 'other') throw new Failure('UNSUPPORTED', 'neither a file nor a folder', { path });
}
