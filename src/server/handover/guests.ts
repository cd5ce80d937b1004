/**
 * Guests: who is signed in at this process, by session, and whether a newer process has locked them out. Pure.
 *
 * A process that was followed by another one reads the book no more, so it is told who may go on no longer. A guest is
 * known by key and account, which mean the same to every version. As many as there are connections.
 */
import type { Ended } from '../../access/entries.ts';

/** Somebody who is signed in: the number of the connection, the public key in base64url, and the account. */
export interface Guest { readonly session: number; readonly key: string; readonly account: string }

/** Somebody who goes on no longer. */
export interface Barred { readonly session: number; readonly why: Ended }

interface Place { guest?: Guest; ended?: Ended }

export class Guests {
  readonly #places = new Map<number, Place>();

  /** A connection has come. */
  come(session: number): void {
    this.#places.set(session, {});
  }

  gone(session: number): void {
    this.#places.delete(session);
  }

  /** Its peer has signed in. What is returned says why they may go on no longer, if so. */
  signedIn(guest: Guest): () => Ended | undefined {
    const place = this.#places.get(guest.session);
    if (place === undefined) return () => 'revoked'; // its end came before
    place.guest = guest;
    return () => place.ended;
  }

  bar(barred: readonly Barred[]): void {
    for (const { session, why } of barred) {
      const place = this.#places.get(session);
      if (place !== undefined) place.ended = why;
    }
  }

  isHere(key: string): boolean { return [...this.#places.values()].some(({ guest }) => guest?.key === key); }
  has(session: number): boolean { return this.#places.has(session); }
  list(): Guest[] { return [...this.#places.values()].flatMap(({ guest }) => guest ?? []); }
}
