/**
 * Passed: which links, devices and the like of a folder were passed over. A transfer only counts them; who wants their names
 * has them by a second look at the folder, made when there are some. Pages come and go, nothing is held.
 */
import { printable } from '../printable.ts';
import type { ListPage } from '../store/vault.ts';
import type { TransferOptions } from './api.ts';
import { leftOut } from './local.ts';

/** Tells of each. With `follow` links are not named: which of them were followed cannot be seen from here. */
export async function tellPassed(pages: AsyncIterable<ListPage>, { exclude, follow = false, onSkipped }: TransferOptions): Promise<void> {
  if (onSkipped === undefined) return;
  const isLeftOut = leftOut(exclude);
  for await (const { entries } of pages) {
    for (const { name: path, kind } of entries) {
      if (kind !== 'other' && (kind !== 'link' || follow)) continue;
      if (!isInside(path, isLeftOut)) onSkipped(printable(path), kind);
    }
  }
}

/** Whether `path`, or a folder it is in, was to be left out. */
function isInside(path: string, isLeftOut: ReturnType<typeof leftOut>): boolean {
  const names = path.split('/');
  return names.some((name, index) => isLeftOut(names.slice(0, index + 1).join('/'), name, index < names.length - 1));
}
