/**
 * Takings: what of tokens is taken for transfers that run at one worker or process and may be given back, so that it is when that one ends before.
 * At most one entry for each token.
 */
import { NOTHING_SPENT } from '../access/spending.ts';
import type { Accounting, Metered } from './accounting.ts';

type Given = Parameters<Accounting['spend']>;

export class Takings {
  readonly #taken = new Map<string, Given>();

  /** A call of `spend` that went through. */
  note(who: Metered, more: Given[1], moved: Given[1] = more): void {
    if (who.token === undefined) return;
    const [, before] = this.#taken.get(who.token) ?? [who, NOTHING_SPENT];
    const taken = { bytes: before.bytes + more.bytes - moved.bytes, files: before.files + more.files - moved.files, uses: before.uses + more.uses - moved.uses };
    if (taken.bytes === 0 && taken.files === 0 && taken.uses === 0) this.#taken.delete(who.token);
    else this.#taken.set(who.token, [who, taken, NOTHING_SPENT]);
  }

  /** The calls that take as much. */
  get all(): readonly Given[] { return [...this.#taken.values()]; }

  /** Gives all of it back. */
  giveBack({ spend }: Pick<Accounting, 'spend'>): void {
    for (const [who, { bytes, files, uses }] of this.#taken.values()) void spend(who, { bytes: -bytes, files: -files, uses: -uses }, NOTHING_SPENT).catch(() => undefined);
    this.#taken.clear();
  }
}
