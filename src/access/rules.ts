/**
 * Rules: which rights each action on a drive takes. Pure, one table, fail closed.
 *
 * An action that is not in the table does not compile, and rights that are not in a list are not given.
 * `drive.ts` is the only place that asks.
 */
import type { Right } from '../rights.ts';

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
  move: [['rename']],
  moveOver: [['rename', 'overwrite']],
  remove: [['delete']],
} as const satisfies Record<string, readonly (readonly Right[])[]>;

export type Action = keyof typeof NEEDS;
export const ACTIONS = Object.keys(NEEDS) as readonly Action[];

/** Whether these rights allow the action. */
export function may(rights: readonly Right[], action: Action): boolean {
  return missing(rights, action).length === 0;
}

/** The rights that the action would take and that are not given; of several ways the first. */
export function missing(rights: readonly Right[], action: Action): readonly Right[] {
  const ways = NEEDS[action].map((way: readonly Right[]) => way.filter((right) => !rights.includes(right)));
  return ways.some((way) => way.length === 0) ? [] : ways[0]!;
}
