/**
 * Undo on a disk: reverses the steps of an action, from the last to the first, and says of each what became of it.
 *
 * Every step is judged again in the moment in which it is done, by what is there then; and what it replaces or takes away
 * is kept in turn, as an action of its own, which `redo` reverses. A step that fails leaves the others; those that are left
 * can be tried again. As with renaming and removing, names are not flushed. Synchronous, some steps at a time.
 */
import { lstatSync, mkdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { Failure, fromErrno } from '../../errors.ts';
import { baseName, type RemotePath } from '../../path.ts';
import { changeOf, type Chosen, goneOn, type Held, inPages, judge, type Keep, mayBeTriedAgain, nothingToUndo, rehearsal, reversalOf, type Seen, type Step, UNDO_PAGE, type UndoPage, type UndoStep } from '../undo.ts';
import type { Ground } from './admit.ts';
import { type Doing, seenOf } from './kept.ts';
import { placeAbsent, placeFolderAbsent, placeOver } from './place.ts';
import { amountNow } from './amount.ts';
import { move } from './tree.ts';
import type { Folder, Root } from './walk.ts';

/** What would be done, from the last step to the first. Throws NOTFOUND when there is nothing to undo. */
export function* rehearse({ root, kept }: Ground, by: string, redo: boolean): Generator<UndoPage, void> {
  const chosen = kept.latest(by, redo);
  if (chosen === undefined) throw nothingToUndo(redo);
  yield* inPages(chosen, rehearsal(kept.read(by, chosen.action, redo), (path) => seenAt(root, path)));
}

/** Does it. `chosen`: the action as it was when it was rehearsed; `keep`: whose undo it is. */
export function* undo(ground: Ground, chosen: Chosen, keep: Keep, { redo, force }: { redo: boolean; force: boolean }): Generator<UndoPage, void> {
  const { kept } = ground;
  const steps = kept.read(keep.by, chosen.action, redo);
  if (steps.length !== chosen.steps) throw goneOn();
  const left: Step[] = [];
  const todo = steps.toReversed();
  try {
    while (todo.length > 0) {
      using doing = kept.open(keep, { action: chosen.action, redo });
      const page: UndoStep[] = [];
      for (const step of todo.splice(0, UNDO_PAGE)) {
        const done = kept.inAction(keep.by, chosen.action, redo, (folder) => reverse({ ground, doing, folder }, step, force));
        if (mayBeTriedAgain(done)) left.push(step);
        page.push(done);
      }
      yield { ...chosen, page };
    }
  } finally {
    kept.leave(keep.by, chosen.action, redo, [...todo.toReversed(), ...left.toReversed()]);
  }
}

interface Work {
  readonly ground: Ground;
  readonly doing: Doing | undefined;
  /** Of the action that is reversed, with what it has kept. */
  readonly folder: Folder;
}

function reverse(work: Work, step: Step, force: boolean): UndoStep {
  const told = reversalOf(step);
  try {
    const change = changeOf(step, seenAt(work.ground.root, step.path));
    const verdict = judge(step, (path) => seenAt(work.ground.root, path));
    if (verdict === 'done') return told;
    if (typeof verdict !== 'string' && !(force && verdict.forced)) return { ...told, problem: { code: verdict.code, message: verdict.message } };
    act(work, step);
    return { ...told, change };
  } catch (error) {
    const { code, message } = fromErrno(error, step.path);
    return { ...told, problem: { code, message } };
  }
}

function act(work: Work, step: Step): void {
  switch (step.does) {
    case 'new': return takeAway(work, step.path);
    case 'over': return putBack(work, step.path, step.kept);
    case 'gone': return step.kept === undefined ? makeAgain(work, step.path, step.mode) : putBack(work, step.path, step.kept, step.amount);
    case 'made': return removeFolder(work, step.path);
    case 'moved': return moveBack(work, step);
    case 'lost': return undefined;
  }
}

/** What is at the path; undefined where nothing is, or no folder above it. */
function seenAt(root: Root, path: RemotePath): Seen | undefined {
  try {
    using parent = root.enterParent(path);
    const stats = parent.look(baseName(path));
    return stats && seenOf(stats);
  } catch (error) {
    const { code } = fromErrno(error, path);
    if (code === 'NOTFOUND' || code === 'NOTDIR') return undefined;
    throw error;
  }
}

/** Takes away what the action has made; a folder only as the one thing that a removal had taken, and undo had brought back. */
function takeAway({ ground, doing }: Work, path: RemotePath): void {
  using parent = ground.root.enterParent(path);
  const name = baseName(path);
  const stats = parent.look(name);
  if (stats === undefined) return;
  const amount = stats.isDirectory() ? amountNow(parent, name, stats) : undefined;
  if (stats.isDirectory() && amount === undefined) throw new Failure('UNSUPPORTED', 'another disk is mounted in it', { path });
  const kept = doing?.take(parent, name, stats, amount);
  if (kept !== undefined) return doing!.note({ does: 'gone', path, was: seenOf(stats), mode: stats.mode & 0o777, kept, amount });
  if (stats.isDirectory()) throw new Failure('NOSPACE', 'there is no room to keep it, and it is not removed without', { path });
  unlinkSync(parent.at(name));
  doing?.note({ does: 'lost', path });
}

/** Gives what was kept its name again; a file that has it is kept in turn. */
function putBack({ ground, doing, folder }: Work, path: RemotePath, kept: string, amount?: Held): void {
  using parent = ground.root.enterParent(path);
  const name = baseName(path);
  const was = folder.look(kept);
  if (was === undefined) throw new Failure('NOTFOUND', 'what was there before is no longer kept', { path });
  const there = parent.look(name);
  using names = ground.similar.open(parent);
  names.check(name, path);
  if (there !== undefined && !there.isDirectory()) {
    const held = doing?.link(parent, name, there);
    placeOver(folder.at(kept), parent.at(name));
    doing?.note(held === undefined ? { does: 'lost', path } : { does: 'over', path, left: seenOf(was), was: seenOf(there), kept: held });
  } else {
    (was.isDirectory() ? placeFolderAbsent : placeAbsent)(folder.at(kept), parent.at(name));
    const { kind, size, mtime, id } = seenOf(was);
    doing?.note({ does: 'new', path, kind, size, mtime, id, amount });
  }
  names.add(name);
}

function makeAgain({ ground, doing }: Work, path: RemotePath, mode: number): void {
  using parent = ground.root.enterParent(path);
  using names = ground.similar.open(parent);
  names.check(baseName(path), path);
  mkdirSync(parent.at(baseName(path)), mode);
  names.add(baseName(path));
  doing?.note({ does: 'made', path });
}

function removeFolder({ ground, doing }: Work, path: RemotePath): void {
  using parent = ground.root.enterParent(path);
  const stats = lstatSync(parent.at(baseName(path)));
  rmdirSync(parent.at(baseName(path)));
  doing?.note({ does: 'gone', path, was: seenOf(stats), mode: stats.mode & 0o777 });
}

function moveBack({ ground, doing }: Work, { path, to, id, kind }: Extract<Step, { does: 'moved' }>): void {
  move(ground, to, path, false);
  doing?.note({ does: 'moved', path: to, to: path, id, kind });
}
