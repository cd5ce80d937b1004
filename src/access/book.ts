/**
 * Book: the text of the file of accounts, devices, tokens and invites. Pure: text to values and back.
 *
 * Reading is strict. An entry that is not understood is an error for the whole file, never skipped: a rule that
 * silently vanished would let somebody in, or lock somebody out. The first version, which knew no accounts, is read too.
 */
import { Failure } from '../errors.ts';
import { KEY_BYTES } from '../identity.ts';
import { foldKey, parsePath, type RemotePath, ROOT } from '../path.ts';
import { printable } from '../printable.ts';
import { formatRights, type Grant, parseRights, type Right, type Role, ROLES } from '../rights.ts';
import { checkPhc } from './passwords.ts';
import type { Account, Book, Device, Gone, Invite, QuotaLimit, Root, Scope, Token } from './entries.ts';

/** Version of the file that this code writes. */
const VERSION = 2;

export function printBook({ accounts, devices, tokens, invites, gone = [] }: Book): string {
  const data = {
    version: VERSION,
    accounts: accounts.map((account) => ({ ...account, rights: formatRights(account.rights), rules: account.rules.map(({ path, rights }) => ({ path, rights: formatRights(rights) })), added: iso(account.added), changed: account.changed && iso(account.changed) })),
    devices: devices.map((device) => ({ ...device, added: iso(device.added), lastSeen: device.lastSeen && iso(device.lastSeen) })),
    tokens: tokens.map((token) => ({ ...token, scope: { ...token.scope, rights: token.scope.rights && formatRights(token.scope.rights), expires: token.scope.expires && iso(token.scope.expires) }, added: iso(token.added), lastSeen: token.lastSeen && iso(token.lastSeen) })),
    invites: invites.map((invite) => ({ ...invite, added: invite.added && iso(invite.added), expires: iso(invite.expires), used: invite.used && iso(invite.used) })),
    ...(gone.length > 0 && { gone }),
  };
  return `${JSON.stringify(data, undefined, 1)}\n`;
}

/** Throws IO, with the name of the file, for anything `printBook` does not make. */
export function parseBook(text: string, file: string): Book {
  const broken = (why: string): Failure =>
    new Failure('IO', `${printable(file)} cannot be understood: ${why}`, { path: file, who: 'here', hint: 'repair it, or move it away and invite the devices again' });
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    throw broken('it is not JSON');
  }
  const fields = fieldsOf(data);
  const { version } = fields;
  if (version !== VERSION && version !== 1) throw broken('it was written by another version of Wherry');
  const read = <T>(key: string, parse: (fields: Fields) => T): T[] => {
    const list = fields[key];
    if (!Array.isArray(list)) throw broken('a list is missing');
    return list.map((entry, index) => {
      try {
        return parse(fieldsOf(entry));
      } catch (error) {
        throw broken(`${key.slice(0, -1)} ${index + 1} is incomplete${error instanceof Failure ? `: ${error.message}` : ''}`);
      }
    });
  };
  const invites = read('invites', parseInvite);
  const book = version === 1
    ? { ...withAccounts(read('devices', parseOldDevice)), tokens: [], invites }
    : { accounts: read('accounts', parseAccount), devices: read('devices', parseDevice), tokens: read('tokens', parseToken), invites, gone: fields['gone'] === undefined ? [] : read('gone', parseGone) };
  const fault = faultOf(book);
  if (fault !== undefined) throw broken(fault);
  return book;
}

/** What does not fit together. */
function faultOf({ accounts, devices, tokens, invites }: Book): string | undefined {
  const names = new Set(accounts.map(({ name }) => name));
  const twice = (values: readonly string[]): boolean => new Set(values).size < values.length;
  if (twice(accounts.map(({ name }) => foldKey(name)))) return 'two accounts have the same name';
  if (twice([...devices, ...tokens].map(({ key }) => key))) return 'two devices or tokens have the same key';
  if (twice(devices.map(({ name }) => name))) return 'two devices have the same name';
  if (twice(tokens.map(({ name }) => name))) return 'two tokens have the same name';
  const lost = [...devices, ...tokens, ...invites].find(({ account }) => account !== undefined && !names.has(account));
  return lost === undefined ? undefined : 'an entry belongs to an account that is not there';
}

type Fields = Readonly<Record<string, unknown>>;

function parseAccount(fields: Fields): Account {
  const { own } = fields;
  if (typeof own !== 'boolean') throw incomplete();
  const roots = listOf(fields, 'roots', (entry): Root => ({ name: textOf(entry, 'name', true), path: parsePath(textOf(entry, 'path', true)) }));
  if (roots.length === 0) throw incomplete();
  return {
    name: textOf(fields, 'name'), rights: parseRights(textOf(fields, 'rights')), roots,
    rules: listOf(fields, 'rules', (entry): Grant => ({ path: parsePath(textOf(entry, 'path', true)), rights: parseRights(textOf(entry, 'rights')) })),
    own, added: timeOf(fields, 'added'), ...optional(fields, 'changed', () => timeOf(fields, 'changed')),
    ...optional(fields, 'quota', () => parseQuota(fieldsOf(fields['quota']))),
    ...optional(fields, 'rate', () => numberOf(fields, 'rate')), ...optional(fields, 'password', () => passwordOf(fields)),
  };
}

function parseQuota(fields: Fields): QuotaLimit {
  return { ...optional(fields, 'bytes', () => numberOf(fields, 'bytes')), ...optional(fields, 'files', () => numberOf(fields, 'files')) };
}

function parseDevice(fields: Fields): Device {
  return { name: textOf(fields, 'name'), account: textOf(fields, 'account'), key: keyOf(fields), added: timeOf(fields, 'added'), ...optional(fields, 'lastSeen', () => timeOf(fields, 'lastSeen')) };
}

function parseToken(fields: Fields): Token {
  const spent = fieldsOf(fields['spent']);
  return {
    name: textOf(fields, 'name'), account: textOf(fields, 'account'), key: keyOf(fields), scope: parseScope(fieldsOf(fields['scope'])),
    spent: { bytes: numberOf(spent, 'bytes'), files: numberOf(spent, 'files'), uses: numberOf(spent, 'uses') },
    added: timeOf(fields, 'added'), ...optional(fields, 'lastSeen', () => timeOf(fields, 'lastSeen')),
  };
}

function parseScope(fields: Fields): Scope {
  const number = (key: 'bytes' | 'files' | 'uses'): object => optional(fields, key, () => numberOf(fields, key));
  return {
    ...optional(fields, 'path', (): RemotePath => parsePath(textOf(fields, 'path', true))),
    ...optional(fields, 'rights', (): readonly Right[] => parseRights(textOf(fields, 'rights'))),
    ...optional(fields, 'expires', () => timeOf(fields, 'expires')), ...number('bytes'), ...number('files'), ...number('uses'),
    ...optional(fields, 'from', () => {
      const { from } = fields;
      if (!Array.isArray(from) || !from.every((network): network is string => typeof network === 'string')) throw incomplete();
      return from;
    }),
  };
}

function parseInvite(fields: Fields): Invite {
  return {
    key: keyOf(fields), role: roleIn(fields), expires: timeOf(fields, 'expires'), ...optional(fields, 'added', () => timeOf(fields, 'added')),
    ...optional(fields, 'account', () => textOf(fields, 'account')), ...optional(fields, 'name', () => textOf(fields, 'name')), ...optional(fields, 'used', () => timeOf(fields, 'used')),
    ...(fields['spoken'] === true && { spoken: true }),
  };
}

function parseGone(fields: Fields): Gone {
  return { name: textOf(fields, 'name'), key: keyOf(fields) };
}

/** In the first version a device was its own account. */
function parseOldDevice(fields: Fields): Device & { role: Role } {
  return { ...parseDevice({ ...fields, account: fields['name'] }), role: roleIn(fields) };
}

function withAccounts(old: readonly (Device & { role: Role })[]): { accounts: Account[]; devices: Device[] } {
  return {
    accounts: old.map(({ name, role, added }) => ownAccount(name, role, added)),
    devices: old.map(({ name, account, key, added, lastSeen }) => ({ name, account, key, added, lastSeen })),
  };
}

/** The account that a device has for itself. */
export function ownAccount(name: string, role: Role, added: number): Account {
  return { name, rights: ROLES[role], roots: [{ name: '', path: ROOT }], rules: [], own: true, added };
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function incomplete(): Error {
  return new Error('incomplete');
}

/** The field as `parse` reads it, where it is there. */
function optional<K extends string, T>(fields: Fields, key: K, parse: () => T): { readonly [key in K]?: T } {
  return fields[key] === undefined ? {} : ({ [key]: parse() } as { readonly [key in K]?: T });
}

function listOf<T>(fields: Fields, key: string, parse: (entry: Fields) => T): T[] {
  const list = fields[key];
  if (!Array.isArray(list)) throw incomplete();
  return list.map((entry) => parse(fieldsOf(entry)));
}

function textOf(fields: Fields, key: string, mayBeEmpty = false): string {
  const text = fields[key];
  if (typeof text !== 'string' || (text === '' && !mayBeEmpty)) throw incomplete();
  return text;
}

/** One that cannot be verified by this process would lock its account out, without a word at the door. */
function passwordOf(fields: Fields): string {
  const phc = textOf(fields, 'password');
  checkPhc(phc);
  return phc;
}

function numberOf(fields: Fields, key: string): number {
  const number = fields[key];
  if (!Number.isSafeInteger(number) || (number as number) < 0) throw incomplete();
  return number as number;
}

function keyOf(fields: Fields): string {
  const key = textOf(fields, 'key');
  if (Buffer.from(key, 'base64url').byteLength !== KEY_BYTES) throw incomplete();
  return key;
}

function roleIn(fields: Fields): Role {
  const role = textOf(fields, 'role');
  if (!Object.hasOwn(ROLES, role)) throw incomplete();
  return role as Role;
}

function timeOf(fields: Fields, key: string): number {
  const ms = Date.parse(textOf(fields, key));
  if (Number.isNaN(ms)) throw incomplete();
  return ms;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
