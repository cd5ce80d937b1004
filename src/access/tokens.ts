/**
 * Tokens: access for programs, in the name of an account and never beyond it.
 *
 * A token narrows what its account may do to a path, to rights, to a time, to networks, and to so many files, bytes and
 * connections. What its account loses, it loses. It is printed once, when it is made; the book has the public half of its key.
 */
import { randomBytes } from 'node:crypto';
import { Failure } from '../errors.ts';
import { publicBytes } from '../identity.ts';
import { foldedTail, foldKey, type RemotePath, ROOT } from '../path.ts';
import { printable } from '../printable.ts';
import { formatRights, type Grant, type Right } from '../rights.ts';
import { Secret } from '../secret.ts';
import { formatToken, TOKEN_SECRET_BYTES, tokenKey } from '../token.ts';
import { grantsOf, narrowed, unknownAccount } from './accounts.ts';
import { late } from './bans.ts';
import { contains, parseCidr } from './cidr.ts';
import type { Account, Scope, Spent, Token } from './entries.ts';
import type { Register, Taken } from './register.ts';
import { minus } from './spending.ts';

/** Bounds the file, which is rewritten whole, to some MiB. */
export const MAX_TOKENS = 10_000;
const NAME = /^[\p{L}\p{N}][\p{L}\p{N}._-]{0,47}$/u;

/** What is left of a token while somebody uses it. */
export interface TokenUse {
  /** Whether it can be used up. */
  readonly limited: boolean;
  /** Whether it is there still, unchanged and in its time. */
  valid(): boolean;
}

const KINDS = ['bytes', 'files', 'uses'] as const;

/**
 * Takes from what the token of this name is good for; less than nothing gives back. Of what is `moved` for good, and limited, it is on the disk when this
 * resolves; the rest is given back by a crash. Rejects with QUOTA when more would be moved than that, and with IO when it cannot be written down; nothing is taken then.
 */
export async function spendToken(register: Register, name: string, more: Spent, moved: Spent = more): Promise<void> {
  while (register.held !== undefined) await register.held;
  const token = [...register.tokens.values()].find((one) => one.name === name);
  if (token === undefined) return; // it was revoked, which ends what runs with it
  const before = register.spent(token);
  for (const what of KINDS) {
    const most = token.scope[what];
    if (most !== undefined && before[what] + more[what] > most && more[what] > 0) {
      throw new Failure('QUOTA', `this token is good for ${most} ${what}, of which ${most - before[what]} are left`, { who: 'rule', hint: 'ask for a new one; on the server: wherry token create' });
    }
  }
  register.spend(token, more, moved);
  if (!KINDS.some((what) => moved[what] > 0 && token.scope[what] !== undefined)) return;
  try {
    await register.written();
  } catch (error) {
    register.spend(token, minus(more), minus(moved));
    throw new Failure('IO', 'the server cannot write down what this token has spent', { who: 'server', hint: 'tell the owner of the server: its state folder has no room, or its disk fails', cause: error });
  }
}

export interface TokenWish { readonly account: string; readonly name?: string | undefined; readonly scope: Scope }

/** Makes a token; returns its text, which is kept nowhere here. Throws NOTFOUND, EXISTS, LIMIT and USAGE. */
export async function createToken(register: Register, { account, name, scope }: TokenWish): Promise<{ readonly token: Secret<string>; readonly name: string }> {
  if (name !== undefined && !NAME.test(name)) throw new Failure('USAGE', `"${printable(name)}" cannot be the name of a token`, { who: 'rule', hint: 'use 1 to 48 letters, digits, dots, hyphens and underscores, a letter or digit first' });
  for (const network of scope.from ?? []) parseCidr(network);
  const secret = new Secret(new Uint8Array(randomBytes(TOKEN_SECRET_BYTES)));
  const key = Buffer.from(publicBytes(tokenKey(secret))).toString('base64url');
  let called = '';
  await register.change((book, now) => {
    const owner = book.accounts.find((one) => one.name === account);
    if (owner === undefined) throw unknownAccount(account);
    checkScope(owner, scope);
    if (book.tokens.length >= MAX_TOKENS) throw new Failure('LIMIT', `there are ${MAX_TOKENS} tokens already`, { who: 'rule', hint: 'revoke old ones with: wherry token revoke NAME' });
    const taken = new Set(book.tokens.map((token) => foldKey(token.name)));
    if (name !== undefined && taken.has(foldKey(name))) throw new Failure('EXISTS', `there is a token named ${printable(name)} already`, { who: 'rule', hint: 'choose another name with --name' });
    called = name ?? numbered(account, taken);
    return { ...book, tokens: [...book.tokens, { name: called, account, key, scope, spent: { bytes: 0, files: 0, uses: 0 }, added: now }] };
  });
  return { token: new Secret(formatToken(secret)), name: called };
}

/** Whoever narrows an account to what it has nothing of means something else: of such a token nobody would learn that it is good for nothing but who tries it. Throws USAGE. */
function checkScope(account: Account, { path = ROOT, rights }: Scope): void {
  const names = account.roots.map(({ name }) => name as RemotePath);
  if (names.every((name) => foldedTail(path, name) === undefined && foldedTail(name, path) === undefined)) {
    throw new Failure('USAGE', `${printable(path)} is in none of the folders of this account`, { who: 'rule', hint: `a token has the path as the account sees it: ${printable(names.join(', '))}` });
  }
  const may = (given?: readonly Right[]): boolean => narrowed(grantsOf(account), path, given).some((grant) => grant.rights.length > 0);
  if (rights !== undefined && may() && !may(rights)) throw new Failure('USAGE', `the account has none of these rights there: ${formatRights(rights)}`, { who: 'rule', hint: `it has: ${formatRights(account.rights)}` });
}

/** What runs with it ends with its next step, also where that cannot be written. Throws NOTFOUND. */
export function revokeToken(register: Register, name: string): Promise<Taken> {
  return register.take(`the token ${printable(name)} is revoked`, (book) => {
    const tokens = book.tokens.filter((token) => token.name !== name);
    if (tokens.length === book.tokens.length) throw new Failure('NOTFOUND', `no token is named ${printable(name)}`, { who: 'rule', hint: 'see the names with: wherry token list' });
    return { ...book, tokens };
  });
}

/** Where somebody with a token comes from, and whether somebody else is signed in with it: a further connection can take part in their transfer, and is no use by itself. */
export interface Bearer { readonly address: string; readonly isFurther: boolean }

/** What the bearer may do with the token, of what its account may. Throws AUTH. */
export function useToken(register: Register, token: Token, grants: readonly Grant[], { address, isFurther }: Bearer): { readonly grants: readonly Grant[]; readonly use: TokenUse } {
  const { key, scope } = token;
  if (scope.expires !== undefined && scope.expires <= register.now()) throw refused('this token has expired');
  if (scope.from !== undefined && !contains(scope.from.map(parseCidr), address)) throw refused('this token is not for your network');
  const spent = (): Spent => register.spent(register.tokens.get(key) ?? token);
  if (usedUp(isFurther ? { ...scope, uses: undefined } : scope, spent())) throw refused('this token is used up');
  const use: TokenUse = {
    limited: scope.bytes !== undefined || scope.files !== undefined || scope.uses !== undefined,
    valid: () => register.tokens.get(key)?.scope === scope && (scope.expires === undefined || scope.expires > register.now()),
  };
  return { grants: narrowed(grants, scope.path, scope.rights), use };
}

function usedUp(scope: Scope, spent: Spent): boolean {
  return KINDS.some((what) => scope[what] !== undefined && spent[what] >= scope[what]);
}

/** For somebody who has proven to hold the token. */
function refused(why: string): Failure {
  return late(new Failure('AUTH', why, { who: 'rule', hint: 'ask for a new one; on the server: wherry token create' }));
}

function numbered(account: string, taken: ReadonlySet<string>): string {
  for (let number = 1; ; number += 1) {
    const name = `${account}-token-${number}`;
    if (!taken.has(foldKey(name))) return name;
  }
}
