/**
 * People: what the owner of a running server has done with accounts and tokens, in the words of the command line.
 *
 * Texts become values here (rights, folders, keys), and values texts. What may be is decided in `access/`. Whatever is
 * taken from somebody ends what runs for them: `recheck` has resolved before the owner is answered.
 */
import { type AccountWish, addAccount, changeAccount, idleRules, parseRoots, removeAccount, unknownAccount } from '../access/accounts.ts';
import type { Devices } from '../access/devices.ts';
import type { Account, QuotaLimit, Token } from '../access/entries.ts';
import type { Passwords } from '../access/passwords.ts';
import type { Taken } from '../access/register.ts';
import { parseSshKey } from '../access/sshkeys.ts';
import { createToken, revokeToken } from '../access/tokens.ts';
import { Failure } from '../errors.ts';
import { parsePath } from '../path.ts';
import { printable } from '../printable.ts';
import { formatRights, type Grant, parseRights } from '../rights.ts';
import { MIN_RATE } from './config.ts';
import type { ServerEvent } from './log.ts';
import type { AccountInfo, AccountSays, AdminAnswerers, TokenInfo, TokenSays } from './requests.ts';

/** Resolves when the disk has it too. Rejects with what the owner has to know where it holds in the running server alone. */
export async function isStored(taken: Taken | void): Promise<void> {
  const failure = await taken?.stored;
  if (failure !== undefined) throw failure;
}

export interface PeopleOptions {
  readonly devices: Devices;
  readonly passwords: Passwords;
  /** Some accounts may be active no more: resolves when nothing further is done for those. */
  recheck(): Promise<void>;
  /** What was counted of an account that was changed, or is gone, holds no longer. */
  forget(account: string): void;
  onEvent(event: ServerEvent): void;
}

type AccountVerb = 'account add' | 'account change' | 'account show' | 'account list' | 'account remove';
type PasswordVerb = 'account password' | 'account check';
type TokenVerb = 'token create' | 'token list' | 'token revoke';

export function peopleAnswers(options: PeopleOptions): Pick<AdminAnswerers, AccountVerb | PasswordVerb | TokenVerb> {
  return { ...accountAnswers(options), ...passwordAnswers(options), ...tokenAnswers(options) };
}

function accountAnswers({ devices, recheck, forget, onEvent }: PeopleOptions): Pick<AdminAnswerers, AccountVerb> {
  const { register } = devices;
  /** Makes an account, or another of it, and says how it is now. */
  const make = async (name: string, says: AccountSays, change: 'added' | 'changed', action: () => Promise<Taken | void>): Promise<{ account: AccountInfo }> => {
    const keys = (says.sshKeys ?? []).map(parseSshKey);
    devices.mustBeNew(keys.map(({ key }) => key)); // else half of what is asked for would be done
    const taken = await action();
    await recheck();
    forget(name);
    for (const { label, key } of keys) await devices.add(name, label, key);
    onEvent({ event: 'account-changed', account: name, change, ...says, sshKeys: keys.length });
    await isStored(taken);
    return { account: infoOf(devices, name) };
  };
  return {
    'account add': ({ name, ...says }) => make(name, says, 'added', () => addAccount(register, name, wishOf(says))),
    'account change': ({ name, ...says }) => make(name, says, 'changed', () => changeAccount(register, name, wishOf(says, register.accounts.get(name)?.quota))),
    'account show': async ({ name }) => ({ account: infoOf(devices, name) }),
    'account list': async () => ({ accounts: [...register.accounts.keys()].map((name) => infoOf(devices, name)) }),
    'account remove': async ({ name }) => {
      const taken = await removeAccount(register, name);
      await recheck();
      forget(name);
      onEvent({ event: 'account-changed', account: name, change: 'removed' });
      await isStored(taken);
      return { name };
    },
  };
}

/** A password is in no event and no answer. */
function passwordAnswers({ devices: { register }, passwords, recheck, onEvent }: PeopleOptions): Pick<AdminAnswerers, PasswordVerb> {
  return {
    'account password': async ({ name, password }) => {
      if (!register.accounts.has(name)) throw unknownAccount(name);
      const taken = await changeAccount(register, name, { password: password === null ? null : await passwords.hash(password) });
      await recheck();
      onEvent({ event: 'account-changed', account: name, change: password === null ? 'password taken away' : 'password set' });
      await isStored(taken);
      return { name };
    },
    'account check': async ({ name, password }) => ({ right: await passwords.verify(register.accounts.get(name)?.password, password) }),
  };
}

function tokenAnswers({ devices, recheck, onEvent }: PeopleOptions): Pick<AdminAnswerers, TokenVerb> {
  const { register } = devices;
  return {
    'token create': async (says) => {
      const scope = scopeOf(says, register.now());
      const { token, name } = await createToken(register, { account: says.account, name: says.name, scope });
      onEvent({ event: 'token-changed', change: 'created', ...says, name });
      return { token: token.reveal(), name, expires: iso(scope.expires) };
    },
    'token list': async () => ({ tokens: [...register.tokens.values()].map((token) => tokenInfo(devices, token)) }),
    'token revoke': async ({ name }) => {
      const taken = await revokeToken(register, name);
      await recheck();
      onEvent({ event: 'token-changed', change: 'revoked', name });
      await isStored(taken);
      return { name };
    },
  };
}

function wishOf({ rights, roots, rules, quotaBytes, quotaFiles, rate }: AccountSays, before?: QuotaLimit): AccountWish {
  return {
    ...(rights !== undefined && { rights: parseRights(rights) }),
    ...(roots !== undefined && { roots: parseRoots(roots) }),
    ...(rules !== undefined && { rules: rules.map(parseRule) }),
    ...((quotaBytes !== undefined || quotaFiles !== undefined) && { quota: quotaOf(quotaBytes, quotaFiles, before) }),
    ...(rate !== undefined && { rate: checkedRate(rate) }),
  };
}

/** What is not said of it stays; null takes it away. */
function quotaOf(bytes: number | null | undefined, files: number | null | undefined, before: QuotaLimit = {}): QuotaLimit | null {
  const quota = { bytes: bytes === undefined ? before.bytes : (bytes ?? undefined), files: files === undefined ? before.files : (files ?? undefined) };
  return quota.bytes === undefined && quota.files === undefined ? null : quota;
}

function checkedRate(rate: number | null): number | null {
  if (rate !== null && rate < MIN_RATE) throw new Failure('USAGE', `a rate is at least ${MIN_RATE} bytes a second`, { who: 'here', hint: 'for example --rate 10M, or none' });
  return rate;
}

function parseRule(text: string): Grant {
  const cut = text.lastIndexOf('=');
  if (cut < 0) throw new Failure('USAGE', `"${printable(text)}" is not a rule`, { who: 'here', hint: 'a rule is PATH=RIGHTS, for example --rule shared/private=none' });
  return { path: parsePath(text.slice(0, cut).replace(/^\/+|\/+$/g, '')), rights: parseRights(text.slice(cut + 1)) };
}

function scopeOf({ path, rights, forMs, bytes, files, uses, from }: TokenSays, now: number): Token['scope'] {
  return {
    ...(path !== undefined && { path: parsePath(path.replace(/^\/+|\/+$/g, '')) }), ...(rights !== undefined && { rights: parseRights(rights) }),
    ...(forMs !== undefined && { expires: now + forMs }), bytes, files, uses, from,
  };
}

function infoOf(devices: Devices, name: string): AccountInfo {
  const account: Account | undefined = devices.register.accounts.get(name);
  if (account === undefined) throw unknownAccount(name);
  const { roots, rules, quota, rate, rights, password, added } = account;
  const of = (entries: Iterable<{ readonly account: string; readonly name: string }>): string[] => [...entries].filter((entry) => entry.account === name).map((entry) => entry.name);
  const said = (rule: Grant): string => `/${rule.path}=${formatRights(rule.rights)}`;
  const idle = idleRules(account).map(said);
  return {
    name, rights: formatRights(rights), roots: roots.map((root) => (root.name === '' ? `/${root.path}` : `${root.name}=/${root.path}`)), rules: rules.map(said), ...(idle.length > 0 && { idleRules: idle }),
    quotaBytes: quota?.bytes, quotaFiles: quota?.files, rate, devices: of(devices.register.devices.values()), tokens: of(devices.register.tokens.values()), hasPassword: password !== undefined, added: iso(added),
  };
}

function tokenInfo({ register }: Devices, token: Token): TokenInfo {
  const { name, account, scope: { path, rights, expires, bytes, files, uses, from }, added } = token;
  return { name, account, path: path === undefined ? undefined : `/${path}`, rights: rights && formatRights(rights), expires: iso(expires), bytes, files, uses, from, spent: register.spent(token), added: iso(added), lastSeen: iso(register.lastSeen(token)) };
}

function iso(ms: number): string;
function iso(ms: number | undefined): string | undefined;
function iso(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}
