/**
 * Requests: what the owner's commands may ask a running server, what they are answered, and how a request is read.
 *
 * One table: a verb that has no reader does not compile, and one that is not in the table is not a request. Readers check
 * the form only (is it text, is it a role); whether there is such a device is for whoever answers. Which values are recorded of a
 * request stands in `audit/entry.ts`. Pure.
 */
import { Failure } from '../errors.ts';
import { type Role, ROLES } from '../rights.ts';
import { MAX_INVITE_MS, MAX_TOKEN_MS } from './config.ts';
import type { Health } from './metrics/health.ts';

/** A device as its owner is shown it; times are ISO 8601. */
export interface DeviceInfo { readonly name: string; readonly account: string; readonly rights: string; readonly added: string; readonly lastSeen?: string | undefined }

/** An open invite as its owner is shown it, with nothing that lets anybody in. */
export interface InviteInfo {
  readonly id: string;
  /** The account that the device goes to; without one it gets its own, with this role. */
  readonly account?: string | undefined;
  readonly role?: Role | undefined;
  /** What the device is to be called. */
  readonly name?: string | undefined;
  /** It is that of a spoken code. */
  readonly spoken: boolean;
  readonly added?: string | undefined;
  readonly expires: string;
}

/** What is said of an account, in the words of the command line; what is left out of a change stays, and null takes it away. */
export interface AccountSays {
  readonly rights?: string | undefined;
  /** `PATH` or `NAME=PATH`. */
  readonly roots?: readonly string[] | undefined;
  /** `PATH=RIGHTS`. */
  readonly rules?: readonly string[] | undefined;
  readonly quotaBytes?: number | null | undefined;
  readonly quotaFiles?: number | null | undefined;
  /** Bytes a second. */
  readonly rate?: number | null | undefined;
  /** Lines of OpenSSH public keys, for further devices. */
  readonly sshKeys?: readonly string[] | undefined;
}

/** An account as its owner is shown it. */
export interface AccountInfo {
  readonly name: string;
  readonly rights: string;
  readonly roots: readonly string[];
  readonly rules: readonly string[];
  /** Those of them, from an older version, that say nothing of what it sees. */
  readonly idleRules?: readonly string[] | undefined;
  readonly quotaBytes?: number | undefined;
  readonly quotaFiles?: number | undefined;
  readonly rate?: number | undefined;
  readonly devices: readonly string[];
  readonly tokens: readonly string[];
  readonly hasPassword: boolean;
  readonly added: string;
}

/** What a token is to be good for; what is left out is as with its account. */
export interface TokenSays {
  readonly account: string;
  readonly name?: string | undefined;
  readonly path?: string | undefined;
  readonly rights?: string | undefined;
  readonly forMs?: number | undefined;
  readonly bytes?: number | undefined;
  readonly files?: number | undefined;
  readonly uses?: number | undefined;
  /** Networks, as CIDR. */
  readonly from?: readonly string[] | undefined;
}

export interface TokenInfo extends Omit<TokenSays, 'forMs'> {
  readonly name: string;
  readonly expires?: string | undefined;
  readonly spent: { readonly bytes: number; readonly files: number; readonly uses: number };
  readonly added: string;
  readonly lastSeen?: string | undefined;
}

/** A ban as its owner is shown it. */
export interface BanInfo { readonly address: string; readonly until: string; readonly count: number; readonly offence: string }

/** Each verb, with what is said along with it, and what it is answered with. */
interface Verbs {
  'folder': { readonly says: object; readonly answer: { readonly folder: string } };
  'invite': {
    readonly says: { readonly role?: Role | undefined; readonly forMs?: number | undefined; readonly name?: string | undefined; readonly account?: string | undefined };
    readonly answer: { readonly ticket: string; readonly id: string; readonly role: Role; readonly expires: string };
  };
  'invite list': { readonly says: object; readonly answer: { readonly invites: readonly InviteInfo[] } };
  'invite revoke': { readonly says: { readonly id: string }; readonly answer: { readonly id: string } };
  'code': {
    readonly says: { readonly role?: Role | undefined; readonly forMs?: number | undefined; readonly account?: string | undefined };
    /** `at`: where the code is to be taken by address, since no network has a way here. */
    readonly answer: { readonly code: string; readonly role: Role; readonly at?: string | undefined; readonly expires: string };
  };
  'devices list': { readonly says: object; readonly answer: { readonly devices: readonly DeviceInfo[] } };
  /** `invites`: how many are open by which the device could come again. */
  'devices revoke': { readonly says: { readonly name: string }; readonly answer: { readonly name: string; readonly invites: number } };
  /** Has the version that is installed now take over. */
  'upgrade': { readonly says: object; readonly answer: { readonly pid: number; readonly version: string; readonly graceMs: number } };
  'reload': { readonly says: object; readonly answer: { readonly changed: readonly string[] } };
  'account add': { readonly says: AccountSays & { readonly name: string }; readonly answer: { readonly account: AccountInfo } };
  'account change': { readonly says: AccountSays & { readonly name: string }; readonly answer: { readonly account: AccountInfo } };
  'account show': { readonly says: { readonly name: string }; readonly answer: { readonly account: AccountInfo } };
  'account list': { readonly says: object; readonly answer: { readonly accounts: readonly AccountInfo[] } };
  'account remove': { readonly says: { readonly name: string }; readonly answer: { readonly name: string } };
  /** Null takes it away. */
  'account password': { readonly says: { readonly name: string; readonly password: string | null }; readonly answer: { readonly name: string } };
  'account check': { readonly says: { readonly name: string; readonly password: string }; readonly answer: { readonly right: boolean } };
  'token create': { readonly says: TokenSays; readonly answer: { readonly token: string; readonly name: string; readonly expires?: string | undefined } };
  'token list': { readonly says: object; readonly answer: { readonly tokens: readonly TokenInfo[] } };
  'token revoke': { readonly says: { readonly name: string }; readonly answer: { readonly name: string } };
  'bans list': { readonly says: object; readonly answer: { readonly bans: readonly BanInfo[] } };
  /** Without an address, all. */
  'bans lift': { readonly says: { readonly address?: string | undefined }; readonly answer: { readonly lifted: readonly string[] } };
  /** Whether another request would be done: everything is but the write. A verb of its own, since an older version would take no notice of a flag, and do it. */
  'rehearse': { readonly says: { readonly of: Rehearsed }; readonly answer: object };
  /** As Prometheus reads them. */
  'metrics': { readonly says: object; readonly answer: { readonly text: string } };
  'health': { readonly says: object; readonly answer: Health };
}

export type AdminVerb = keyof Verbs;
/** What is said along with a verb. */
export type Says<V extends AdminVerb> = Verbs[V]['says'];
export type AdminRequest = { readonly [V in AdminVerb]: { readonly verb: V } & Says<V> }[AdminVerb];
export type AnswerTo<R extends { readonly verb: AdminVerb }> = Verbs[R['verb']]['answer'];
/** What can be rehearsed. */
const REHEARSED = ['invite', 'invite revoke', 'code', 'devices revoke', 'account add', 'account change', 'account remove', 'token create', 'token revoke', 'bans lift'] as const;
type RehearsedVerb = (typeof REHEARSED)[number];
export type Rehearsed = { readonly [V in RehearsedVerb]: { readonly verb: V } & Says<V> }[RehearsedVerb];
/** One function for each verb. */
export type AdminAnswerers = { readonly [V in AdminVerb]: (says: Says<V>) => Promise<Verbs[V]['answer']> };

type Fields = Readonly<Record<string, unknown>>;

const READERS: { readonly [V in AdminVerb]: (fields: Fields) => Says<V> } = {
  'folder': () => ({}),
  'invite': (fields) => ({ role: roleIn(fields), forMs: lifeIn(fields), name: textIn(fields, 'name'), account: textIn(fields, 'account') }),
  'invite list': () => ({}),
  'invite revoke': (fields) => ({ id: needed(textIn(fields, 'id'), 'id') }),
  'code': (fields) => ({ role: roleIn(fields), forMs: lifeIn(fields), account: textIn(fields, 'account') }),
  'devices list': () => ({}),
  'devices revoke': named,
  'account add': accountIn,
  'account change': accountIn,
  'account show': named,
  'account list': () => ({}),
  'account remove': named,
  'account password': (fields) => ({ ...named(fields), password: fields['password'] === null ? null : needed(textIn(fields, 'password'), 'password') }),
  'account check': (fields) => ({ ...named(fields), password: needed(textIn(fields, 'password'), 'password') }),
  'token create': (fields) => ({
    account: needed(textIn(fields, 'account'), 'account'), name: textIn(fields, 'name'), path: textIn(fields, 'path'), rights: textIn(fields, 'rights'), forMs: tokenLifeIn(fields),
    bytes: countIn(fields, 'bytes'), files: countIn(fields, 'files'), uses: countIn(fields, 'uses'), from: textsIn(fields, 'from'),
  }),
  'token list': () => ({}),
  'token revoke': named,
  'bans list': () => ({}),
  'bans lift': (fields) => ({ address: textIn(fields, 'address') }),
  'rehearse': ({ of }) => ({ of: rehearsedIn(of) }),
  'metrics': () => ({}),
  'health': () => ({}),
  'reload': () => ({}),
  'upgrade': () => ({}),
};

/** The request in one line of JSON. Throws PROTOCOL for what is none, USAGE for values that cannot be meant. */
export function parseRequest(line: string): AdminRequest {
  let fields: Fields;
  try {
    fields = Object(JSON.parse(line)) as Fields;
  } catch {
    throw new Failure('PROTOCOL', 'the request is not JSON');
  }
  return requestIn(fields);
}

function requestIn(fields: Fields): AdminRequest {
  const { verb } = fields;
  if (typeof verb !== 'string' || !Object.hasOwn(READERS, verb)) throw new Failure('PROTOCOL', 'the running server does not know this request', { hint: 'is it an older version? restart it' });
  return { verb, ...READERS[verb as AdminVerb](fields) } as AdminRequest;
}

function rehearsedIn(of: unknown): Rehearsed {
  const fields = Object(of) as Fields;
  if (!(REHEARSED as readonly unknown[]).includes(fields['verb'])) throw new Failure('PROTOCOL', 'this request cannot be rehearsed');
  return requestIn(fields) as Rehearsed;
}

function roleIn({ role }: Fields): Role | undefined {
  if (role !== undefined && (typeof role !== 'string' || !Object.hasOwn(ROLES, role))) throw new Failure('USAGE', 'there is no such role', { hint: `roles: ${Object.keys(ROLES).join(', ')}` });
  return role as Role | undefined;
}

function lifeIn({ forMs }: Fields): number | undefined {
  if (forMs !== undefined && !(typeof forMs === 'number' && forMs > 0 && forMs <= MAX_INVITE_MS)) throw new Failure('USAGE', 'a ticket is for more than 0 seconds and at most 30 days', { hint: 'for example --for 10m' });
  return forMs;
}

function tokenLifeIn({ forMs }: Fields): number | undefined {
  if (forMs !== undefined && !(Number.isSafeInteger(forMs) && (forMs as number) > 0 && (forMs as number) <= MAX_TOKEN_MS)) {
    throw new Failure('USAGE', 'a token is for more than 0 seconds and at most 3650 days', { hint: 'for example --for 30d; without --for it holds until it is revoked' });
  }
  return forMs as number | undefined;
}

function textIn(fields: Fields, key: string): string | undefined {
  const text = fields[key];
  if (text !== undefined && typeof text !== 'string') throw new Failure('USAGE', `${key}: this is text`);
  return text;
}

function named(fields: Fields): { name: string } {
  return { name: needed(textIn(fields, 'name'), 'name') };
}

function accountIn(fields: Fields): AccountSays & { name: string } {
  const orNull = (key: string): number | null | undefined => (fields[key] === null ? null : countIn(fields, key));
  return {
    ...named(fields), rights: textIn(fields, 'rights'), roots: textsIn(fields, 'roots'), rules: textsIn(fields, 'rules'), sshKeys: textsIn(fields, 'sshKeys'),
    quotaBytes: orNull('quotaBytes'), quotaFiles: orNull('quotaFiles'), rate: orNull('rate'),
  };
}

function textsIn(fields: Fields, key: string): readonly string[] | undefined {
  const list = fields[key];
  if (list === undefined) return undefined;
  if (!Array.isArray(list) || !list.every((text): text is string => typeof text === 'string')) throw new Failure('USAGE', `${key}: this is a list of texts`);
  return list;
}

function countIn(fields: Fields, key: string): number | undefined {
  const count = fields[key];
  if (count !== undefined && !(Number.isSafeInteger(count) && (count as number) > 0)) throw new Failure('USAGE', `${key}: this is a number above zero`);
  return count as number | undefined;
}

function needed<T>(value: T | undefined, key: string): T {
  if (value === undefined) throw new Failure('PROTOCOL', `${key} is missing`);
  return value;
}
