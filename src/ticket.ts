/**
 * Ticket: the one line a person carries from a server to another machine.
 *
 *     wherry1-K7QM2-9TRAX-…      prefix and version, then groups of four characters and a check character
 *     bytes     pin 16 | secret 16 | address … | check 2
 *     address   tag u8 | host | port u16 if the tag says so, else 9437
 *               tag 4: IPv4, 4 bytes · 6: IPv6, 16 bytes · 1: a name, length u8 and ASCII · +0x80: a port follows
 *
 * It holds the start of the server's pin, so that nobody else can answer in its place, and the secret of one
 * invite, so that it is worth nothing once used; rights and expiry stay on the server.
 *
 * Mistakes are caught before anything is dialled, and the group they are in is named. The characters are
 * Crockford's base32 (no I, L, O, U). The check character of a group makes the sum of weight × character zero
 * in GF(32); the weights are distinct and not zero, so every single wrong character and every swap of two is
 * noticed, and the group's number is part of the sum, so that swapped groups are. Two bytes of SHA-256 over
 * everything catch what is left, such as a group that is missing altogether.
 */
import { createHash } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import { Failure } from './errors.ts';
import { Secret } from './secret.ts';

/** Where a server listens when nothing else is said. */
export const DEFAULT_PORT = 9437;

/** Where to dial: an IP address (IPv6 without brackets) or a host name, and a port from 1 to 65535. */
export interface Address { readonly host: string; readonly port: number }

export interface Ticket {
  /** 1 to 4, the likeliest first. */
  readonly addresses: readonly Address[];
  /** The first 16 bytes of the server's pin: finding a second key with the same start takes 2^128 tries. */
  readonly pin: Uint8Array;
  /** 16 random bytes. The invite's key pair is `keyFromSecret(secret, 'invite')`; the server keeps the public half. */
  readonly secret: Secret<Uint8Array>;
}

export const TICKET_PIN_BYTES = 16;
export const TICKET_SECRET_BYTES = 16;
/** A machine has few addresses worth trying, and the line must stay short enough to read out. */
export const MAX_TICKET_ADDRESSES = 4;

const PREFIX = 'wherry1-';
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** Characters of a group, with its check. */
export const GROUP = 5;
const CHECK_BYTES = 2;
/** The longest DNS name in text (RFC 1035). */
const MAX_HOST_BYTES = 253;
/** Four names of full length take 2,110 characters; anything much longer is not a ticket but somebody's clipboard. */
const MAX_TEXT = 4096;
const IPV4 = 4;
const IPV6 = 6;
const NAME = 1;
const WITH_PORT = 0x80;

/** The line for a ticket, without a line break. Throws USAGE for addresses that cannot be dialled. */
export function encodeTicket(ticket: Ticket): string {
  const { addresses, pin } = ticket;
  const secret = ticket.secret.reveal();
  if (pin.byteLength !== TICKET_PIN_BYTES || secret.byteLength !== TICKET_SECRET_BYTES) throw new TypeError('a ticket has a pin and a secret of 16 bytes each');
  if (addresses.length < 1 || addresses.length > MAX_TICKET_ADDRESSES) throw new Failure('USAGE', `a ticket holds 1 to ${MAX_TICKET_ADDRESSES} addresses`);
  const body = Buffer.concat([pin, secret, ...addresses.map(addressBytes)]);
  return PREFIX + toGroups(Buffer.concat([body, checkOf(body)])).join('-');
}

/** The ticket in a line, however it was typed: letter case, spaces, line breaks, hyphens and O/0, I/L/1 do not matter. Throws USAGE. */
export function decodeTicket(text: string): Ticket {
  if (text.length > MAX_TEXT) throw wrong('this is far too long for a ticket');
  const plain = text.replace(/[\s\p{Pd}\p{Cf}"'`]/gu, '').toUpperCase();
  const prefix = /^WHERRY([0-9ILO])/.exec(plain);
  if (prefix === null) throw wrong('this is not a ticket: a ticket starts with wherry1-');
  if (!'1IL'.includes(prefix[1]!)) throw new Failure('VERSION', 'this ticket is for another version of Wherry', { hint: 'install the same version on both machines' });
  const bytes = fromGroups(plain.slice(prefix[0].length));
  const body = bytes.subarray(0, Math.max(0, bytes.byteLength - CHECK_BYTES));
  if (!checkOf(body).equals(bytes.subarray(body.byteLength))) throw wrong('a part of the ticket is missing or mistyped');
  return parseBody(body);
}

/** An address as people write it: `host:port`, IPv6 in brackets. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function wrong(message: string): Failure {
  return new Failure('USAGE', message, { hint: 'copy the whole line that "wherry serve" or "wherry invite" printed' });
}

function checkOf(body: Uint8Array): Buffer {
  return createHash('sha256').update('wherry1 ticket').update(body).digest().subarray(0, CHECK_BYTES);
}

function addressBytes({ host, port }: Address): Buffer {
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new Failure('USAGE', `${port} is not a port to dial`);
  const flag = port === DEFAULT_PORT ? 0 : WITH_PORT;
  const tail = flag === 0 ? [] : [port >> 8, port & 0xff];
  if (isIPv4(host)) return Buffer.from([IPV4 | flag, ...host.split('.').map(Number), ...tail]);
  if (isIPv6(host)) return Buffer.from([IPV6 | flag, ...ipv6Bytes(host), ...tail]);
  const name = domainToASCII(host);
  if (!isHostName(name)) throw new Failure('USAGE', `"${host}" is not a host name or an IP address`);
  return Buffer.from([NAME | flag, name.length, ...Buffer.from(name), ...tail]);
}

/** Letters, digits, hyphens and underscores in labels: what can be looked up, and shown without care. */
function isHostName(name: string): boolean {
  return name.length <= MAX_HOST_BYTES && name.split('.').every((label) => label.length <= 63 && /^[a-z0-9_][a-z0-9_-]*$/.test(label));
}

function ipv6Bytes(host: string): number[] {
  // A zone (`%eth0`) names an interface of this machine, which means nothing on another.
  if (host.includes('%')) throw new Failure('USAGE', `${host} is valid on this machine only`, { hint: 'use an address without a zone' });
  const canonical = new URL(`http://[${host}]`).hostname.slice(1, -1);
  const [head = '', tail] = canonical.split('::');
  const words = (part: string | undefined): string[] => (part === undefined || part === '' ? [] : part.split(':'));
  const [left, right] = [words(head), words(tail)];
  const zeros = Array<string>(8 - left.length - right.length).fill('0');
  return [...left, ...zeros, ...right].map((word) => parseInt(word, 16)).flatMap((word) => [word >> 8, word & 0xff]);
}

/** Reads the bytes behind the checks. They are still not trusted: every length is checked, every name too. */
function parseBody(body: Buffer): Ticket {
  const pin = new Uint8Array(body.subarray(0, TICKET_PIN_BYTES));
  const secret = new Secret(new Uint8Array(body.subarray(TICKET_PIN_BYTES, TICKET_PIN_BYTES + TICKET_SECRET_BYTES)));
  const addresses: Address[] = [];
  let at = TICKET_PIN_BYTES + TICKET_SECRET_BYTES;
  const take = (count: number): Buffer => {
    if (at + count > body.byteLength) throw wrong('the end of the ticket is missing');
    at += count;
    return body.subarray(at - count, at);
  };
  do {
    if (addresses.length === MAX_TICKET_ADDRESSES) throw wrong('the ticket holds too many addresses');
    const tag = take(1)[0]!;
    const host = hostOf(tag & ~WITH_PORT, take);
    addresses.push({ host, port: tag & WITH_PORT ? take(2).readUInt16BE() : DEFAULT_PORT });
  } while (at < body.byteLength);
  if (addresses.some(({ port }) => port === 0)) throw wrong('the ticket holds an address without a port');
  return { addresses, pin, secret };
}

function hostOf(kind: number, take: (count: number) => Buffer): string {
  if (kind === IPV4) return [...take(4)].join('.');
  if (kind === IPV6) {
    const words = take(16).toString('hex').match(/.{4}/g)!.join(':');
    return new URL(`http://[${words}]`).hostname.slice(1, -1);
  }
  if (kind !== NAME) throw new Failure('VERSION', 'this ticket holds a kind of address that this version of Wherry does not know', { hint: 'install the newest version on this machine' });
  const name = take(take(1)[0]!).toString('latin1');
  if (!isHostName(name)) throw wrong('the ticket holds a host name that is not one');
  return name;
}

/** Powers of the generator 2 in GF(32), modulus x^5 + x^2 + 1: `POWERS[i]` is the weight of the character at place i. */
const POWERS: readonly number[] = Array.from({ length: 31 }, (_, exponent) => {
  let value = 1;
  for (let step = 0; step < exponent; step++) value = value & 16 ? ((value << 1) ^ 0b100101) : value << 1;
  return value;
});

function multiply(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : POWERS[(POWERS.indexOf(a) + POWERS.indexOf(b)) % 31]!;
}

/** Whether a whole group, in capital letters, is right as the one with this number, counted from 0: that depends on no other group. */
export function isGroup(text: string, number: number): boolean {
  const values = text.split('').map((letter) => ALPHABET.indexOf(letter));
  const check = values.pop();
  return values.length > 0 && !values.includes(-1) && groupCheck(values, number) === check;
}

/** The check of the group with this number; its own weight is 1, so it is the sum of the others. */
function groupCheck(values: readonly number[], group: number): number {
  return values.reduce((sum, value, place) => sum ^ multiply(POWERS[place + 1]!, value), POWERS[group % 31]!);
}

function toGroups(bytes: Uint8Array): string[] {
  const values: number[] = [];
  let [held, bits] = [0, 0];
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff;
    for (bits += 8; bits >= 5; bits -= 5) values.push((held >> (bits - 5)) & 31);
  }
  if (bits > 0) values.push((held << (5 - bits)) & 31);
  const groups: string[] = [];
  for (let at = 0; at < values.length; at += GROUP - 1) {
    const group = values.slice(at, at + GROUP - 1);
    groups.push([...group, groupCheck(group, groups.length)].map((value) => ALPHABET[value]!).join(''));
  }
  return groups;
}

function fromGroups(text: string): Buffer {
  const bytes: number[] = [];
  let [held, bits] = [0, 0];
  for (let at = 0; at < text.length; at += GROUP) {
    const number = at / GROUP;
    const values = text.slice(at, at + GROUP).split('').map((letter) => ALPHABET.indexOf('IL'.includes(letter) ? '1' : letter === 'O' ? '0' : letter));
    const check = values.pop();
    if (values.length === 0 || values.includes(-1) || groupCheck(values, number) !== check) {
      throw wrong(`group ${number + 1} of the ticket, counted after wherry1-, is mistyped or incomplete`);
    }
    for (const value of values) {
      held = ((held << 5) | value) & 0xfff;
      bits += 5;
      if (bits >= 8) bytes.push((held >> (bits -= 8)) & 0xff);
    }
  }
  // What is left over must be padding, so that there is one text for one ticket.
  if (bits >= 5 || (held & ((1 << bits) - 1)) !== 0) throw wrong('the end of the ticket is missing or mistyped');
  return Buffer.from(bytes);
}
