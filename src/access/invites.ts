/**
 * Invites: which are open, what they are called, and how they are withdrawn. How one lets somebody in is for `devices.ts`.
 *
 * An invite is called by a digest of its public key, which leads neither to its secret nor to the ticket. Used and expired
 * ones, which the book remembers for a while, are not open, and are found under no name.
 */
import { createHash } from 'node:crypto';
import { Failure } from '../errors.ts';
import { printable } from '../printable.ts';
import type { Book, Invite } from './entries.ts';
import type { Register, Taken } from './register.ts';

/** Signs of a name: 48 bits, which a thousand open invites do not share by chance. */
const ID_SIGNS = 12;

/** What the invite with this key is called. */
export function inviteId(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, ID_SIGNS);
}

export function isOpen({ used, expires }: Invite, now: number): boolean {
  return used === undefined && expires > now;
}

/** In the order in which they were made. */
export function openInvites({ invites, now }: Register): readonly Invite[] {
  return [...invites.values()].filter((invite) => isOpen(invite, now()));
}

/** Those that would let in somebody who was locked out of `account`; `own`: it was the account of that device alone, and by an invite for no account it would get one again. */
export function invitesTo(register: Register, account: string, own: boolean): readonly Invite[] {
  return openInvites(register).filter((invite) => invite.account === account || (own && invite.account === undefined));
}

/** Nobody comes in by it any more, also where that cannot be written. Throws NOTFOUND. */
export function revokeInvite(register: Register, id: string): Promise<Taken> {
  return register.take(`the invite ${printable(id)} is withdrawn`, (book: Book, now) => {
    const gone = book.invites.find((invite) => isOpen(invite, now) && inviteId(invite.key) === id);
    if (gone === undefined) throw new Failure('NOTFOUND', `no open invite has the ID ${printable(id)}`, { who: 'rule', hint: 'see them with: wherry invite list' });
    return { ...book, invites: book.invites.filter((invite) => invite !== gone) };
  });
}
