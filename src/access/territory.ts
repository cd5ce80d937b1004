/**
 * Territory: which rights hold where. Pure; made of grants, each for a folder and what is below.
 *
 * The grant with the longest path, by whole components, decides alone: `a/b` says nothing about `a/bc`, and a grant of nothing
 * takes away what the one above it gives. Where no grant reaches, there are no rights. A disk may hold two spellings of
 * a name to be one (letter case, Unicode form), and this does not know on which it is: where the spelling as such and the
 * folded one lead to different grants, only the rights in both are given, so that no spelling gets around a rule.
 */
import { below, components, foldedTail, foldKey, isWithin, parentOf, ROOT, type RemotePath } from '../path.ts';
import { type Grant, type Right, RIGHTS } from '../rights.ts';

/** Grants of one account: more rules than a person overlooks. Bounds the memory of a connection, and the look at each path. */
export const MAX_GRANTS = 1000;

export class Territory {
  readonly #exact = new Map<RemotePath, readonly Right[]>();
  readonly #folded = new Map<string, readonly Right[]>();
  readonly #paths: readonly RemotePath[];

  constructor(grants: readonly Grant[]) {
    for (const { path, rights } of grants) {
      this.#exact.set(path, rights);
      const key = folded(path);
      const same = this.#folded.get(key);
      this.#folded.set(key, same === undefined ? rights : common(same, rights));
    }
    this.#paths = [...this.#exact.keys()];
  }

  /** The rights at `path`. */
  at(path: RemotePath): readonly Right[] {
    const exact = nearest(this.#exact, path);
    if (this.#paths.length === 1 && this.#exact.has(ROOT)) return exact;
    return common(exact, nearest(this.#folded, folded(path) as RemotePath));
  }

  /** All rights that are given anywhere: for what concerns no folder. */
  get anywhere(): readonly Right[] {
    return RIGHTS.filter((right) => [...this.#exact.values()].some((rights) => rights.includes(right)));
  }

  /**
   * What holds at `top` and below, for who sees that as `shown`; nothing anywhere else. A grant below another spelling of `top` is
   * one below `top` too, since a disk may hold them to be one folder.
   */
  within(top: RemotePath, shown: RemotePath = top): readonly Grant[] {
    const tails = new Set(this.#paths.map((path) => foldedTail(path, top)).filter((tail) => tail !== undefined && tail !== ROOT));
    return [ROOT, ...(tails as ReadonlySet<RemotePath>)].map((tail) => ({ path: below(shown, tail), rights: this.at(below(top, tail)) }));
  }

  /** The paths strictly below `path` from which on other rights hold than at `path`. */
  bordersBelow(path: RemotePath): readonly RemotePath[] {
    if (this.#paths.length === 1) return [];
    const top = folded(path) as RemotePath;
    const here = this.at(path);
    return this.#paths.filter((one) => {
      const key = folded(one) as RemotePath;
      return key !== top && isWithin(key, top) && !alike(this.at(one), here);
    });
  }
}

/** The rights of the grant that reaches `path` and is nearest to it. */
function nearest(grants: ReadonlyMap<string, readonly Right[]>, path: RemotePath): readonly Right[] {
  for (let at = path; ; at = parentOf(at)) {
    const rights = grants.get(at);
    if (rights !== undefined) return rights;
    if (at === ROOT) return [];
  }
}

function folded(path: RemotePath): string {
  return components(path).map(foldKey).join('/');
}

function common(some: readonly Right[], others: readonly Right[]): readonly Right[] {
  return alike(some, others) ? some : some.filter((right) => others.includes(right));
}

function alike(some: readonly Right[], others: readonly Right[]): boolean {
  return some === others || (some.length === others.length && some.every((right) => others.includes(right)));
}
