/**
 * Narrower: whether a change of an account only takes from it, in nothing giving more. Pure.
 *
 * In doubt it is not: such a change is on the disk before it holds, which never harms what was given before.
 */
import { components, foldKey, ROOT, type RemotePath } from '../path.ts';
import type { Account } from './entries.ts';
import { Territory } from './territory.ts';

export function isNarrower(before: Account, after: Account): boolean {
  const hasRoots = after.roots.every(({ name, path }) => before.roots.some((root) => root.name === name && root.path === path));
  const hasLimits = atMost(after.quota?.bytes, before.quota?.bytes) && atMost(after.quota?.files, before.quota?.files) && atMost(after.rate, before.rate);
  const hasPassword = after.password === undefined || after.password === before.password;
  return hasRoots && hasLimits && hasPassword && mayLess(before, after);
}

/** Between two borders the rights are the same: those of the nearest border above decide. */
function mayLess(before: Account, after: Account): boolean {
  const borders = [...new Set([ROOT, ...before.rules.map(({ path }) => path), ...after.rules.map(({ path }) => path)])];
  // Spellings that a disk may take for one another have rights that depend on all of them.
  if (new Set(borders.map(folded)).size < borders.length) return false;
  const [could, can] = [territoryOf(before), territoryOf(after)];
  return borders.every((path) => can.at(path).every((right) => could.at(path).includes(right)));
}

function territoryOf({ rights, rules }: Account): Territory {
  return new Territory([{ path: ROOT, rights }, ...rules]);
}

function folded(path: RemotePath): string {
  return components(path).map(foldKey).join('/');
}

/** Undefined: as much as there is. */
function atMost(now: number | undefined, before: number | undefined): boolean {
  return (now ?? Infinity) <= (before ?? Infinity);
}
