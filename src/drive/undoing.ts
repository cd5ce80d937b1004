/**
 * Undoing: which rights reversing an action takes, step by step, and what stands in its way. Putting an old version back replaces
 * what is there, taking a new file away removes it, and so on: whoever could not do that now cannot have it by way of undo.
 */
import type { Deed } from '../access/rules.ts';
import { Failure } from '../errors.ts';
import { displayPath } from '../path.ts';
import type { Chosen, Keep, UndoPage, UndoStep } from '../store/undo.ts';
import type { Vault } from '../store/vault.ts';

/** `redo`: what the last undo has reversed is done again. `force`: also where something was changed since. */
export interface UndoHow { readonly redo: boolean; readonly force: boolean }

/** What is named of what stands in the way. */
const MAX_NAMED = 3;

interface Room { readonly vault: Vault; readonly by: string; allow(deed: Deed): void }

/** How it would be done. Throws when a right for any of it is missing. */
export async function* rehearsed({ vault, by, allow }: Room, { redo, force }: UndoHow): AsyncGenerator<UndoPage> {
  for await (const told of vault.rehearseUndo(by, redo)) {
    for (const step of told.page) for (const deed of deedsOf(step, force)) allow(deed);
    yield told;
  }
}

/** Does it: all of it, or with `force` what can be; nothing where something stands in the way and was not to be forced. */
export async function* undone(room: Room, keep: Keep, how: UndoHow): AsyncGenerator<UndoPage> {
  let chosen: Chosen | undefined;
  let count = 0;
  const named: UndoStep[] = [];
  for await (const { page, ...one } of rehearsed(room, how)) {
    chosen = one;
    for (const step of page) {
      if (step.problem === undefined || step.what === 'lost') continue;
      count += 1;
      if (named.length < MAX_NAMED) named.push(step);
    }
  }
  if (count > 0 && !how.force) throw changedSince(named, count);
  if (chosen !== undefined) yield* room.vault.undo(chosen, keep, how);
}

function changedSince(named: readonly UndoStep[], count: number): Failure {
  const list = named.map(({ path, problem }) => `${displayPath(path)} ${problem!.message}`).join(', ');
  const more = count > named.length ? `, and ${count - named.length} more` : '';
  return new Failure('PRECONDITION', `nothing was undone: ${list}${more}`, { who: 'rule', hint: 'wherry undo -n shows all of it; wherry undo -f undoes it all the same, and keeps what it replaces for wherry undo --redo' });
}

function deedsOf({ what, path, to, problem }: UndoStep, force: boolean): Deed[] {
  switch (what) {
    case 'remove': return [{ action: 'remove', path }];
    case 'removeFolder': return [{ action: 'remove', path, deep: true }];
    case 'replace': return force ? [{ action: 'replace', path }, { action: 'receive', path }] : [{ action: 'replace', path }];
    case 'restore': return problem === undefined ? [{ action: 'receive', path }] : [{ action: 'receive', path }, { action: 'replace', path }];
    case 'restoreFolder': return [{ action: 'receive', path, deep: true }, { action: 'makeFolder', path, deep: true }];
    case 'makeFolder': return [{ action: 'makeFolder', path }];
    case 'rename': return [{ action: 'move', path, to }];
    case 'lost': return [];
  }
}
