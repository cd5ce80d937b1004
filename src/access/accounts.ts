/**
 * Accounts: who there is, which folders they see, and what they may do in each.
 *
 * An account sees its roots: one folder of the served one as its whole world (a home), or several under names. What it may do is
 * made here into grants by the paths as it sees them; `territory.ts` reads those. Changes go through the register. Names of
 * accounts are unlike each other in every spelling, since logs and staging tell people apart by them.
 */
import { Failure } from '../errors.ts';
import { baseName, below, checkName, foldedTail, foldKey, parsePath, type RemotePath, ROOT } from '../path.ts';
import { printable } from '../printable.ts';
import { formatRights, type Grant, type Right } from '../rights.ts';
import type { Account, Book, QuotaLimit, Root } from './entries.ts';
import { isNarrower } from './narrower.ts';
import type { Register, Taken } from './register.ts';
import { MAX_GRANTS, Territory } from './territory.ts';

/** Bounds the file, which is rewritten whole, to some MiB. */
export const MAX_ACCOUNTS = 10_000;
/** Folders of one account: what fits one look at its top. */
const MAX_ROOTS = 100;
const NAME = /^[\p{L}\p{N}][\p{L}\p{N}._-]{0,47}$/u;

/** What an account is made with, or changed to; what is left out of a change stays. */
export interface AccountWish {
  readonly rights?: readonly Right[] | undefined;
  readonly roots?: readonly Root[] | undefined;
  readonly rules?: readonly Grant[] | undefined;
  /** Null takes it away. */
  readonly quota?: QuotaLimit | null | undefined;
  readonly rate?: number | null | undefined;
  readonly password?: string | null | undefined;
}

/** Throws USAGE for a name that cannot be one, EXISTS, and LIMIT. */
export async function addAccount(register: Register, name: string, wish: AccountWish): Promise<void> {
  if (!NAME.test(name)) throw new Failure('USAGE', `"${printable(name)}" cannot be the name of an account`, { who: 'rule', hint: 'use 1 to 48 letters, digits, dots, hyphens and underscores, a letter or digit first' });
  await register.change((book, now) => {
    // A device without an account gets one of its own name: the two share their names.
    const like = [...book.accounts, ...book.devices].find((one) => foldKey(one.name) === foldKey(name));
    if (like !== undefined) throw new Failure('EXISTS', `there is an account or a device named ${printable(like.name)} already`, { who: 'rule', hint: 'choose another name, or change that one: wherry account change' });
    if (book.accounts.length >= MAX_ACCOUNTS) throw new Failure('LIMIT', `there are ${MAX_ACCOUNTS} accounts already`, { who: 'rule', hint: 'remove old ones with: wherry account remove NAME' });
    const blank: Account = { name, rights: [], roots: [{ name: '', path: ROOT }], rules: [], own: false, added: now };
    return { ...book, accounts: [...book.accounts, changed(blank, wish)] };
  });
}

/** What runs for it ends with its next step, and begins anew with what holds then. What only takes from it holds also where it cannot be written. Throws NOTFOUND. */
export function changeAccount(register: Register, name: string, wish: AccountWish): Promise<Taken> {
  const of = ({ accounts }: Book): Account => {
    const account = accounts.find((one) => one.name === name);
    if (account === undefined) throw unknownAccount(name);
    return account;
  };
  return register.take(`the account ${printable(name)} has what it was changed to`, (book, now) => {
    const before = of(book);
    // After every invite that is there, whatever the clock did meanwhile.
    const at = book.invites.reduce((most, { added = 0 }) => Math.max(most, added), now);
    return { ...book, accounts: book.accounts.map((account) => (account === before ? { ...changed(account, wish), changed: at } : account)) };
  }, (before, after) => isNarrower(of(before), of(after)));
}

/** Takes it out with its devices, tokens and open invites. Throws NOTFOUND. */
export function removeAccount(register: Register, name: string): Promise<Taken> {
  return register.take(`the account ${printable(name)} is removed`, (book) => {
    if (!book.accounts.some((account) => account.name === name)) throw unknownAccount(name);
    return without(book, name);
  });
}

/** The book without an account, and without all that belongs to it: an entry of no account would make the file unreadable. */
export function without(book: Book, name: string): Book {
  const others = <T extends { readonly account?: string | undefined }>(entries: readonly T[]): T[] => entries.filter(({ account }) => account !== name);
  return { ...book, accounts: book.accounts.filter((account) => account.name !== name), devices: others(book.devices), tokens: others(book.tokens), invites: others(book.invites) };
}

export function unknownAccount(name: string): Failure {
  return new Failure('NOTFOUND', `no account is named ${printable(name)}`, { who: 'rule', hint: 'see the names with: wherry account list' });
}

/** What the account may do, by the paths as it sees them. */
export function grantsOf({ rights, roots, rules }: Account): readonly Grant[] {
  const served = new Territory([{ path: ROOT, rights }, ...rules]);
  const grants = roots.flatMap(({ name, path }) => served.within(path, name as RemotePath));
  // Above several roots there is nothing but their names.
  return roots.some(({ name }) => name === '') ? grants : [{ path: ROOT, rights: ['list'] }, ...grants];
}

/** The grants, at most with these rights and below this path. */
export function narrowed(grants: readonly Grant[], path: RemotePath = ROOT, rights?: readonly Right[]): readonly Grant[] {
  const only = (given: readonly Right[]): readonly Right[] => (rights === undefined ? given : given.filter((right) => rights.includes(right)));
  return new Territory(grants).within(path).map((grant) => ({ path: grant.path, rights: only(grant.rights) }));
}

/** Rules that say nothing of what the account sees: neither of a folder in one of its own, in any spelling, nor of one around that. */
export function idleRules({ roots, rules }: Pick<Account, 'roots' | 'rules'>): readonly Grant[] {
  return rules.filter((rule) => roots.every(({ path }) => foldedTail(rule.path, path) === undefined && foldedTail(path, rule.path) === undefined));
}

/** Whoever gives a rule means to have something kept from the account, or given: one that does neither is no rule to them. Throws USAGE. */
function checkRules(roots: readonly Root[], rules: readonly Grant[]): void {
  const [idle] = idleRules({ roots, rules });
  if (idle === undefined) return;
  const say = (path: string): string => printable(`${path}=${formatRights(idle.rights)}`);
  const meant = meantBy(idle.path, roots);
  const hint = meant === undefined ? `its folders are ${roots.map(({ path }) => path).join(', ')}` : `did you mean --rule ${say(meant)}?`;
  throw new Failure('USAGE', `the rule ${say(idle.path)} is for none of the folders of the account, and would change nothing`, {
    who: 'rule', hint: `a rule has the path on the server: ${printable(hint)} (--rule none takes all rules away)`,
  });
}

/** The path on the server where this one is what the account sees; undefined where that could be in several of its folders. */
function meantBy(path: RemotePath, roots: readonly Root[]): RemotePath | undefined {
  const named = roots.flatMap((root) => {
    const tail = foldedTail(path, root.name as RemotePath);
    return tail === undefined ? [] : [below(root.path, tail)];
  });
  return named[0] ?? (roots.length === 1 ? below(roots[0]!.path, path) : undefined);
}

function changed(account: Account, { rights = account.rights, roots = account.roots, rules = account.rules, quota = account.quota, rate = account.rate, password = account.password }: AccountWish): Account {
  checkRoots(roots);
  if (rules.length + roots.length + 1 > MAX_GRANTS) throw new Failure('LIMIT', `an account has at most ${MAX_GRANTS} rules`, { who: 'rule' });
  if (new Set(rules.map(({ path }) => path)).size < rules.length) throw new Failure('USAGE', 'two rules are for the same folder', { who: 'rule', hint: 'give one rule for each folder' });
  // One from before this was checked keeps nobody from changing something else.
  if (rules !== account.rules || roots !== account.roots) checkRules(roots, rules);
  return {
    ...account, rights, roots, rules,
    quota: quota ?? undefined, rate: rate ?? undefined, password: password ?? undefined,
    own: account.own,
  };
}

function checkRoots(roots: readonly Root[]): void {
  if (roots.length === 0 || roots.length > MAX_ROOTS) throw new Failure('USAGE', `an account has 1 to ${MAX_ROOTS} folders`, { who: 'rule' });
  if (roots.length > 1 && roots.some(({ name }) => name === '')) throw new Failure('USAGE', 'several folders need a name each', { who: 'rule', hint: 'for example --root docs=shared/docs --root mine=home/ann' });
  for (const { name } of roots) if (name !== '') checkName(name);
  if (new Set(roots.map(({ name }) => foldKey(name))).size < roots.length) throw new Failure('USAGE', 'two folders of the account have the same name', { who: 'rule', hint: 'give each another name: --root NAME=PATH' });
}

/** Reads `PATH` or `NAME=PATH`; of several without a name each is called as its folder. */
export function parseRoots(texts: readonly string[]): readonly Root[] {
  const roots = texts.map((text) => {
    const cut = text.indexOf('=');
    return { name: cut < 0 ? undefined : text.slice(0, cut), path: parsePath(text.slice(cut + 1).replace(/^\/+|\/+$/g, '')) };
  });
  return roots.map(({ name, path }) => ({ name: name ?? (roots.length > 1 ? baseName(path) : ''), path }));
}
