/**
 * Secret: a value that lets its holder in, wrapped so that nothing prints it by mistake.
 *
 * Whatever turns values into text (templates, JSON, `inspect`, an error's details, a message to another process) sees `[secret]` or
 * nothing; the one way to the value is `reveal()`, which can be searched for. Logs take `Tellable` values only, and a `Secret`
 * is none: putting one into an event does not compile. It does not protect from who can read this process's memory.
 */
import { inspect } from 'node:util';

const HIDDEN = '[secret]';

export class Secret<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  /** The value, for the one place that needs it. */
  reveal(): T { return this.#value; }

  toString(): string { return HIDDEN; }
  toJSON(): string { return HIDDEN; }
  [inspect.custom](): string { return HIDDEN; }
}

/** What may be told to a log or an audit: everything but secrets, however deep in lists. */
export type Tellable = string | number | boolean | bigint | null | undefined | readonly Tellable[] | { readonly [key: string]: Tellable } | (object & { readonly reveal?: never; readonly [Symbol.iterator]?: never });
