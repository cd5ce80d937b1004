/**
 * Book: the text of the file of devices and invites. Pure: text to values and back.
 *
 * Reading is strict. An entry that is not understood is an error for the whole file, never skipped: a rule that
 * silently vanished would let somebody in, or lock somebody out.
 */
import { Failure } from '../errors.ts';
import { KEY_BYTES } from '../identity.ts';
import { printable } from '../printable.ts';
import { type Role, ROLES } from '../rights.ts';

export interface Device {
  readonly name: string;
  /** The raw public key in base64url. */
  readonly key: string;
  readonly role: Role;
  /** Milliseconds since 1970, as all times here. */
  readonly added: number;
  readonly lastSeen?: number;
}

export interface Invite {
  /** The public half of the key that its secret makes, in base64url. */
  readonly key: string;
  readonly role: Role;
  readonly expires: number;
  /** What to call the device that comes with it. */
  readonly name?: string;
  /** When it was used; it is kept for a while for its holder to be told so. */
  readonly used?: number;
}

export interface Book { readonly devices: readonly Device[]; readonly invites: readonly Invite[] }

/** Versions of the file that this code can read. */
const VERSION = 1;

export function printBook(book: Book): string {
  const devices = book.devices.map(({ added, lastSeen, ...device }) => ({ ...device, added: iso(added), ...(lastSeen !== undefined && { lastSeen: iso(lastSeen) }) }));
  const invites = book.invites.map(({ expires, used, ...invite }) => ({ ...invite, expires: iso(expires), ...(used !== undefined && { used: iso(used) }) }));
  return `${JSON.stringify({ version: VERSION, devices, invites }, undefined, 1)}\n`;
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
  const { version, devices, invites } = fieldsOf(data);
  if (version !== VERSION) throw broken('it was written by another version of Wherry');
  if (!Array.isArray(devices) || !Array.isArray(invites)) throw broken('a list is missing');
  const read = <T>(list: readonly unknown[], parse: (fields: Record<string, unknown>) => T | undefined, what: string): T[] =>
    list.map((entry, index) => {
      const value = parse(fieldsOf(entry));
      if (value === undefined) throw broken(`${what} ${index + 1} is incomplete`);
      return value;
    });
  const book = { devices: read(devices, parseDevice, 'device'), invites: read(invites, parseInvite, 'invite') };
  if (new Set(book.devices.map((device) => device.key)).size < book.devices.length) throw broken('two devices have the same key');
  if (new Set(book.devices.map((device) => device.name)).size < book.devices.length) throw broken('two devices have the same name');
  return book;
}

function parseDevice({ name, key, role, added, lastSeen }: Record<string, unknown>): Device | undefined {
  const [since, seen] = [time(added), time(lastSeen)];
  if (typeof name !== 'string' || name === '' || !isKey(key) || !isRole(role) || since === undefined) return undefined;
  if (lastSeen !== undefined && seen === undefined) return undefined;
  return { name, key, role, added: since, ...(seen !== undefined && { lastSeen: seen }) };
}

function parseInvite({ key, role, expires, name, used }: Record<string, unknown>): Invite | undefined {
  const [until, burned] = [time(expires), time(used)];
  if (!isKey(key) || !isRole(role) || until === undefined) return undefined;
  if ((name !== undefined && typeof name !== 'string') || (used !== undefined && burned === undefined)) return undefined;
  return { key, role, expires: until, ...(name !== undefined && { name }), ...(burned !== undefined && { used: burned }) };
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function isKey(value: unknown): value is string {
  return typeof value === 'string' && Buffer.from(value, 'base64url').byteLength === KEY_BYTES;
}

function isRole(value: unknown): value is Role {
  return typeof value === 'string' && Object.hasOwn(ROLES, value);
}

function time(value: unknown): number | undefined {
  const ms = typeof value === 'string' ? Date.parse(value) : NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
