/** Entries: what the book of a server holds. Types alone; times are milliseconds since 1970, keys raw public keys in base64url. */
import type { RemotePath } from '../path.ts';
import type { Grant, Right, Role } from '../rights.ts';

/** Why somebody who is signed in goes on no longer. After `changed` they may come again, to what holds then. */
export type Ended = 'changed' | 'revoked' | 'expired';

/** A folder of the served one as an account sees it: under a name, or, with the name `''`, as its whole world. */
export interface Root { readonly name: string; readonly path: RemotePath }

/** What may be stored below the roots of an account, staged parts included; undefined: as much as there is room for. */
export interface QuotaLimit { readonly bytes?: number | undefined; readonly files?: number | undefined }

export interface Account {
  readonly name: string;
  /** What it may do in its roots, where no rule says otherwise. */
  readonly rights: readonly Right[];
  /** At least one; a name `''` stands alone. */
  readonly roots: readonly Root[];
  /** By paths of the served folder; the longest decides. */
  readonly rules: readonly Grant[];
  readonly quota?: QuotaLimit | undefined;
  /** Bytes a second of all its transfers together, each way. */
  readonly rate?: number | undefined;
  /** A PHC string. */
  readonly password?: string | undefined;
  /** Made by a ticket for one device, and removed with that. */
  readonly own: boolean;
  readonly added: number;
  /** When its owner last said what it may do: invites made before say no more about that. */
  readonly changed?: number | undefined;
}

export interface Device {
  readonly name: string;
  readonly account: string;
  readonly key: string;
  readonly added: number;
  readonly lastSeen?: number | undefined;
}

/** What a token allows beyond which its account allows it anyway; what is left out is as with the account. */
export interface Scope {
  /** As the account sees it. */
  readonly path?: RemotePath | undefined;
  readonly rights?: readonly Right[] | undefined;
  readonly expires?: number | undefined;
  /** File bytes and files that may be moved with it, in either direction, until it is used up. */
  readonly bytes?: number | undefined;
  readonly files?: number | undefined;
  /** Connections that may move anything with it. */
  readonly uses?: number | undefined;
  /** Networks from which it is accepted, as CIDR. */
  readonly from?: readonly string[] | undefined;
}

export interface Spent { readonly bytes: number; readonly files: number; readonly uses: number }

export interface Token {
  /** What it is called, and known by in the log. */
  readonly name: string;
  readonly account: string;
  /** The public half of the key that the token makes. */
  readonly key: string;
  readonly scope: Scope;
  readonly spent: Spent;
  readonly added: number;
  readonly lastSeen?: number | undefined;
}

export interface Invite {
  /** The public half of the key that its secret makes. */
  readonly key: string;
  /** The account that the device goes to; without one it gets its own, with this role. */
  readonly account?: string | undefined;
  readonly role: Role;
  /** When it was made; one that does not say is older than every change. */
  readonly added?: number | undefined;
  readonly expires: number;
  /** What to call the device that comes with it. */
  readonly name?: string | undefined;
  /** It stands behind a spoken code, and no ticket. */
  readonly spoken?: boolean | undefined;
  /** When it was used; it is kept for a while for its holder to be told so. */
  readonly used?: number | undefined;
}

/** A device that is no more: nobody else gets its name, which somebody may still mean it by. */
export interface Gone { readonly name: string; readonly key: string }

export interface Book {
  readonly accounts: readonly Account[];
  readonly devices: readonly Device[];
  readonly tokens: readonly Token[];
  readonly invites: readonly Invite[];
  /** The newest last; none in a book of an older version. */
  readonly gone?: readonly Gone[] | undefined;
}

export const EMPTY_BOOK: Book = { accounts: [], devices: [], tokens: [], invites: [] };
