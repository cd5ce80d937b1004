/**
 * Spending: what tokens have spent, as far as the book does not say so yet. Two counts of each: what is moved for good, which has to outlive a crash, and
 * what is taken for transfers that run, which is given back when they break off and is in no file.
 *
 * In memory alone. `register.ts` writes it: what is due goes into the journal, or with the book.
 */
import type { Spent, Token } from './entries.ts';

export const NOTHING_SPENT: Spent = { bytes: 0, files: 0, uses: 0 };

export class Spending {
  /** In all, of tokens of which the book says less. */
  readonly #moved = new Map<string, Spent>();
  readonly #taken = new Map<string, Spent>();
  /** Those of which the journal does not say it either. */
  #due = new Set<string>();

  /** `found` in the journal: never less than the book says, which may have been written after it. */
  constructor(tokens: ReadonlyMap<string, Token>, found: ReadonlyMap<string, Spent>) {
    for (const [key, spent] of found) {
      const token = tokens.get(key);
      if (token !== undefined) this.#moved.set(key, each((what) => Math.max(spent[what], token.spent[what])));
    }
  }

  /** With what is taken. */
  of(token: Token): Spent {
    const taken = this.#taken.get(token.key);
    return taken === undefined ? this.moved(token) : sum(this.moved(token), taken);
  }

  moved({ key, spent }: Token): Spent { return this.#moved.get(key) ?? spent; }

  /** `more` in all, of which so much is `moved` for good; less than nothing gives back. */
  add(token: Token, more: Spent, moved: Spent): void {
    const { key } = token;
    const before = this.#taken.get(key) ?? NOTHING_SPENT;
    const taken = each((what) => Math.max(0, before[what] + more[what] - moved[what]));
    if (isNothing(taken)) this.#taken.delete(key);
    else this.#taken.set(key, taken);
    if (isNothing(moved)) return;
    this.#moved.set(key, each((what) => Math.max(0, this.moved(token)[what] + moved[what])));
    this.#due.add(key);
  }

  /** Whether the book has to be written for what is moved to be in it. */
  get isOpen(): boolean { return this.#moved.size > 0; }

  get isDue(): boolean { return this.#due.size > 0; }

  /** What no file says; from now on it is not due any more. */
  takeDue(): Map<string, Spent> {
    const due = new Map([...this.#due].flatMap((key) => { const spent = this.#moved.get(key); return spent === undefined ? [] : [[key, spent] as const]; }));
    this.#due = new Set();
    return due;
  }

  /** It could not be written. */
  putBack(due: ReadonlyMap<string, Spent>): void {
    for (const key of due.keys()) this.#due.add(key);
  }

  /** The token as the book is to have it. */
  upToDate<T extends Token>(token: T): T {
    const spent = this.#moved.get(token.key);
    return spent === undefined ? token : { ...token, spent };
  }

  /** What the book says now. */
  adopt(tokens: ReadonlyMap<string, Token>): void {
    for (const [key, spent] of this.#moved) if (tokens.get(key)?.spent === spent || !tokens.has(key)) this.#moved.delete(key);
    for (const key of this.#taken.keys()) if (!tokens.has(key)) this.#taken.delete(key);
  }
}

export function minus(spent: Spent): Spent { return each((what) => -spent[what]); }

function sum(one: Spent, other: Spent): Spent { return each((what) => one[what] + other[what]); }

function each(of: (what: keyof Spent) => number): Spent { return { bytes: of('bytes'), files: of('files'), uses: of('uses') }; }

function isNothing({ bytes, files, uses }: Spent): boolean { return bytes === 0 && files === 0 && uses === 0; }
