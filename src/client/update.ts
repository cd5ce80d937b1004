/**
 * Update: what of a source is left out because the file at the other end is not older. Found before the first byte, once for all
 * tries of a transfer; what is compared is in `plan.ts`, which is loaded for it only.
 */
import type { TransferOptions } from './api.ts';
import type { ItemTally } from './tally.ts';

type Plans = typeof import('./plan.ts');

/** The paths that are left out, counted with the item; none without `update`. */
export async function leftOf(item: ItemTally, { update, remembered }: TransferOptions, find: (plan: Plans) => Promise<readonly string[]>): Promise<readonly string[]> {
  if (update !== true) return [];
  const left = remembered?.left.get(item.target) ?? (await find(await import('./plan.ts')));
  remembered?.left.set(item.target, left);
  item.leave(left.length);
  return left;
}
