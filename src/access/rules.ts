/**
 * Rules: which rights each action on a drive takes, and where. Pure, one table, fail closed.
 *
 * An action that is not in the table does not compile, and rights that are not in a list are not given. What concerns a whole
 * tree takes its rights in all of it. A rename never gives a person more of a file than they had: who may not read
 * it here cannot move it to where they may. `drive.ts` is the only place that asks.
 */
import { parentOf, type RemotePath } from '../path.ts';
import type { Right } from '../rights.ts';
import type { Territory } from './territory.ts';

/** The ways to be allowed an action; in each way all of its rights are needed. */
const NEEDS = {
  stat: [['list']],
  list: [['list']],
  usage: [['list']],
  space: [['list']],
  read: [['read']],
  pack: [['list', 'read']],
  receive: [['create']],
  // A batch makes the folders it names.
  receiveBatch: [['create', 'mkdir']],
  replace: [['overwrite']],
  makeFolder: [['mkdir']],
  finishFolders: [['mkdir'], ['setattr']],
  changeAttributes: [['setattr']],
  setAttributes: [['setattr']],
  move: [['rename']],
  moveOver: [['rename', 'overwrite']],
  remove: [['delete']],
  // Each step takes a right of its own besides, where it is; without any of these nothing can be undone.
  rehearseUndo: [['delete'], ['overwrite'], ['rename']],
  undo: [['delete'], ['overwrite'], ['rename']],
  measureUp: [['create']],
  measureDown: [['read']],
  probe: [['create']],
  // Who asks for a digest and is wrong is told which one is there.
  receiveMatched: [['create', 'read']],
  moveMatched: [['rename', 'read']],
  moveOverMatched: [['rename', 'overwrite', 'read']],
  removeMatched: [['delete', 'read']],
} as const satisfies Record<string, readonly (readonly Right[])[]>;

export type Action = keyof typeof NEEDS;
export const ACTIONS = Object.keys(NEEDS) as readonly Action[];

/** Actions that concern no folder: a right that is given anywhere is enough. */
const ANYWHERE: ReadonlySet<Action> = new Set<Action>(['rehearseUndo', 'undo', 'space', 'probe', 'measureUp', 'measureDown']);
/** What a rename takes where the new name is. */
const AT_TARGET: Readonly<Partial<Record<Action, readonly Right[]>>> = {
  move: ['create'], moveMatched: ['create'], moveOver: ['create', 'overwrite'], moveOverMatched: ['create', 'overwrite'],
};
/** Rights that a file must not gain by being moved. */
const NEVER_GAINED = ['list', 'read'] as const satisfies readonly Right[];

/** What somebody wants to do, and where. */
export interface Deed {
  readonly action: Action;
  readonly path: RemotePath;
  /** The new name, of a rename. */
  readonly to?: RemotePath | undefined;
  /** Whether it concerns all that is below `path` too. */
  readonly deep?: boolean | undefined;
}

/** Why not: rights that are missing at `path`; none are where the tree there has rules of its own inside and cannot be moved as one. */
export interface Refusal { readonly path: RemotePath; readonly lacking: readonly Right[] }

/** Whether these rights allow the action. */
export function may(rights: readonly Right[], action: Action): boolean {
  return missing(rights, action).length === 0;
}

/** The rights that the action would take and that are not given; of several ways the first. */
export function missing(rights: readonly Right[], action: Action): readonly Right[] {
  const ways = NEEDS[action].map((way: readonly Right[]) => way.filter((right) => !rights.includes(right)));
  return ways.some((way) => way.length === 0) ? [] : ways[0]!;
}

/** Why an account with this territory may not do it; undefined when it may. */
export function refusal(territory: Territory, { action, path, to, deep = false }: Deed): Refusal | undefined {
  const lacking = missing(ANYWHERE.has(action) ? territory.anywhere : territory.at(path), action);
  if (lacking.length > 0) return { path, lacking };
  if (to !== undefined) return refusedMove(territory, action, path, to);
  if (!deep) return undefined;
  return territory.bordersBelow(path).map((border) => ({ path: border, lacking: missing(territory.at(border), action) })).find((one) => one.lacking.length > 0);
}

function refusedMove(territory: Territory, action: Action, from: RemotePath, to: RemotePath): Refusal | undefined {
  const [here, there] = [territory.at(from), territory.at(to)];
  const atTarget = (AT_TARGET[action] ?? []).filter((right) => !there.includes(right));
  if (atTarget.length > 0) return { path: to, lacking: atTarget };
  // Out of its folder, a name is gone from there.
  const leaves = parentOf(from) === parentOf(to) ? [] : (['delete'] as const).filter((right) => !here.includes(right));
  const gained = NEVER_GAINED.filter((right) => there.includes(right) && !here.includes(right));
  if (leaves.length + gained.length > 0) return { path: from, lacking: [...leaves, ...gained] };
  const border = [from, to].find((path) => territory.bordersBelow(path).length > 0);
  return border === undefined ? undefined : { path: border, lacking: [] };
}
