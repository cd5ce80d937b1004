/**
 * Remembered: what the memory vault keeps for undo, by the rules of `undo.ts`: nodes that lost their names, and what was done.
 * Content of nodes never changes, so keeping one costs nothing but its bytes. Of actions the last `MAX_ACTIONS` stay; there is no
 * bound of time, since nothing here outlives its process.
 */
import { Failure } from '../errors.ts';
import type { RemotePath } from '../path.ts';
import { type Node, usageOf } from './nodes.ts';
import { changeOf, type Chosen, goneOn, inPages, judge, type Keep, mayBeTriedAgain, nothingToUndo, rehearsal, reversalOf, type Seen, type Step, type UndoPage, type UndoStep } from './undo.ts';

const MAX_ACTIONS = 1000;

/** The tree, as far as undo changes it. Methods throw as those of the vault do. */
export interface Tree {
  find(path: RemotePath): Node | undefined;
  set(path: RemotePath, node: Node): void;
  delete(path: RemotePath): void;
  makeFolder(path: RemotePath, mode: number): void;
}

interface Action { readonly keep: Keep; readonly undone: boolean; at: number; readonly steps: Step[] }

export class Remembered {
  readonly #tree: Tree;
  readonly #ids = new WeakMap<Node, number>();
  /** In the order of what they did last. */
  #actions: Action[] = [];
  readonly #nodes = new Map<string, Node>();
  #serial = 0;

  constructor(tree: Tree) {
    this.#tree = tree;
  }

  /** A file has its name, perhaps in the place of another. */
  placed(keep: Keep | undefined, path: RemotePath, before: Node | undefined, after: Node): void {
    const left = this.#seen(after);
    this.#note(keep, before === undefined ? { does: 'new', path, kind: left.kind, size: left.size, mtime: left.mtime } : { does: 'over', path, left, was: this.#seen(before), kept: this.#hold(keep, before) });
  }

  gone(keep: Keep | undefined, path: RemotePath, node: Node): void {
    const empty = node.kind === 'folder' && node.size === 0;
    const { files, folders, bytes } = usageOf(node);
    this.#note(keep, { does: 'gone', path, was: this.#seen(node), mode: node.mode, ...(!empty && { kept: this.#hold(keep, node), amount: { bytes, entries: files + folders } }) });
  }

  made(keep: Keep | undefined, path: RemotePath): void {
    this.#note(keep, { does: 'made', path });
  }

  moved(keep: Keep | undefined, path: RemotePath, to: RemotePath, node: Node): void {
    const { id, kind } = this.#seen(node);
    this.#note(keep, { does: 'moved', path, to, id, kind });
  }

  *rehearse(by: string, redo: boolean): Generator<UndoPage, void> {
    const found = this.#actions.findLast((one) => one.keep.by === by && one.undone === redo);
    if (found === undefined) throw nothingToUndo(redo);
    yield* inPages({ action: found.keep.action, at: found.at, steps: found.steps.length }, rehearsal(found.steps, (path) => this.#at(path)));
  }

  *undo(chosen: Chosen, keep: Keep, { redo, force }: { redo: boolean; force: boolean }): Generator<UndoPage, void> {
    const found = this.#actions.find((one) => one.keep.by === keep.by && one.keep.action === chosen.action && one.undone === redo);
    if (found?.steps.length !== chosen.steps) throw goneOn();
    this.#actions = this.#actions.filter((one) => one !== found);
    const doing: Action = { keep, undone: !redo, at: Date.now(), steps: [] };
    this.#actions.push(doing);
    const steps = found.steps.toReversed().map((step) => this.#reverse(doing, step, force));
    const left = found.steps.filter((_, at) => mayBeTriedAgain(steps.at(-1 - at)!));
    if (left.length > 0) this.#actions.push({ ...found, steps: left });
    yield* inPages(chosen, steps);
  }

  #reverse(doing: Action, step: Step, force: boolean): UndoStep {
    const now = this.#at(step.path);
    const told = { ...reversalOf(step), change: changeOf(step, now) };
    try {
      const verdict = judge(step, (path) => this.#at(path));
      if (verdict === 'done') return reversalOf(step);
      if (typeof verdict !== 'string' && !(force && verdict.forced)) throw new Failure(verdict.code, verdict.message);
      this.#act(doing, step);
      return told;
    } catch (error) {
      const { code, message } = Failure.from(error);
      return { ...reversalOf(step), problem: { code, message } };
    }
  }

  #act(doing: Action, step: Step): void {
    const { path } = step;
    const there = this.#tree.find(path);
    const kept = 'kept' in step && step.kept !== undefined ? this.#nodes.get(step.kept) : undefined;
    if (step.does === 'moved') {
      const node = this.#tree.find(step.to)!;
      this.#tree.set(path, node);
      this.#tree.delete(step.to);
      doing.steps.push({ does: 'moved', path: step.to, to: path, id: step.id, kind: step.kind });
    } else if (kept !== undefined) {
      this.#tree.set(path, kept);
      const { id, ...seen } = this.#seen(kept);
      doing.steps.push(there === undefined ? { does: 'new', path, id, ...seen } : { does: 'over', path, left: { id, ...seen }, was: this.#seen(there), kept: this.#hold(doing.keep, there) });
    } else if (step.does === 'gone') {
      this.#tree.makeFolder(path, step.mode);
      doing.steps.push({ does: 'made', path });
    } else if (there !== undefined) {
      if (step.does === 'made' && there.kind === 'folder' && there.size > 0) throw new Failure('NOTEMPTY', 'the folder is not empty', { path });
      this.#tree.delete(path);
      doing.steps.push({ does: 'gone', path, was: this.#seen(there), mode: there.mode, ...((there.kind === 'file' || there.size > 0) && { kept: this.#hold(doing.keep, there) }) });
    }
  }

  #note(keep: Keep | undefined, step: Step): void {
    if (keep === undefined) return;
    let action = this.#actions.find((one) => one.keep.by === keep.by && one.keep.action === keep.action && !one.undone);
    if (action === undefined) this.#actions.push((action = { keep, undone: false, at: 0, steps: [] }));
    else this.#actions.push(...this.#actions.splice(this.#actions.indexOf(action), 1));
    action.at = Date.now();
    action.steps.push(step);
    for (const old of this.#actions.splice(0, this.#actions.length - MAX_ACTIONS)) for (const one of old.steps) if ('kept' in one && one.kept !== undefined) this.#nodes.delete(one.kept);
  }

  #hold(keep: Keep | undefined, node: Node): string {
    this.#serial += 1;
    if (keep !== undefined) this.#nodes.set(String(this.#serial), node);
    return String(this.#serial);
  }

  #at(path: RemotePath): Seen | undefined {
    const node = this.#tree.find(path);
    return node && this.#seen(node);
  }

  #seen(node: Node): Seen {
    let id = this.#ids.get(node);
    if (id === undefined) {
      this.#serial += 1;
      this.#ids.set(node, (id = this.#serial));
    }
    return { kind: node.kind, id, size: node.kind === 'file' ? node.bytes.length : 0, mtime: node.mtime };
  }
}
