/**
 * CIDR: networks such as `10.0.0.0/8` and `2001:db8::/32`, and whether an address is in one of them.
 *
 * Pure. An address of IPv4 that is written as one of IPv6 (`::ffff:192.0.2.1`, as sockets of both kinds tell it) is the
 * address of IPv4, on either side. A network whose address has bits beyond its prefix is a mistake of whoever typed it,
 * and never guessed at. What is no address is in no network: nothing is let in by not being understood.
 */
import { isIP } from 'node:net';
import { Failure } from '../errors.ts';

export interface Cidr {
  readonly family: 4 | 6;
  readonly address: bigint;
  /** How many of the first bits count. */
  readonly prefix: number;
}

interface Address { readonly family: 4 | 6; readonly value: bigint }

/** `::ffff:0:0/96`, below which the addresses of IPv4 stand. */
const MAPPED = 0xffffn;

/** A network, or a single address; USAGE with the right form when it is neither. */
export function parseCidr(text: string): Cidr {
  const [, host, digits] = /^([0-9A-Fa-f.:]{2,45})(?:\/(0|[1-9][0-9]{0,2}))?$/.exec(text) ?? [];
  const address = host === undefined ? undefined : rawAddress(host);
  if (address === undefined) throw new Failure('USAGE', 'not a network or an address', { path: text, hint: 'such as 10.0.0.0/8, 2001:db8::/32 or 192.0.2.1' });
  const bits = bitsOf(address.family);
  const prefix = digits === undefined ? bits : Number(digits);
  if (prefix > bits) throw new Failure('USAGE', `a network of IPv${address.family} has at most ${bits} bits`, { path: text, hint: `/${bits} is a single address` });
  const cidr = unmapped({ family: address.family, address: address.value, prefix });
  const network = masked(cidr.address, cidr);
  if (network === cidr.address) return cidr;
  throw new Failure('USAGE', 'the address has bits beyond the network', { path: text, hint: `for the network: ${writeCidr({ ...cidr, address: network })}; for the address alone, leave out /${digits}` });
}

/** The one spelling of a network; an address alone has no prefix. */
export function writeCidr({ family, address, prefix }: Cidr): string {
  const host = family === 4 ? writeIPv4(address) : writeIPv6(address);
  return prefix === bitsOf(family) ? host : `${host}/${prefix}`;
}

/** Whether the address is in one of the networks. */
export function contains(cidrs: readonly Cidr[], address: string): boolean {
  const found = rawAddress(address);
  if (found === undefined) return false;
  const { family, address: value } = unmapped({ family: found.family, address: found.value, prefix: bitsOf(found.family) });
  return cidrs.some((cidr) => cidr.family === family && masked(value, cidr) === cidr.address);
}

function bitsOf(family: 4 | 6): 32 | 128 {
  return family === 4 ? 32 : 128;
}

function masked(value: bigint, { family, prefix }: Cidr): bigint {
  const rest = BigInt(bitsOf(family) - prefix);
  return (value >> rest) << rest;
}

/** A network of mapped addresses is the one of IPv4 it stands for; one that holds more than these stays as it is. */
function unmapped(cidr: Cidr): Cidr {
  if (cidr.family === 4 || cidr.prefix < 96 || cidr.address >> 32n !== MAPPED) return cidr;
  return { family: 4, address: cidr.address & 0xffff_ffffn, prefix: cidr.prefix - 96 };
}

function rawAddress(text: string): Address | undefined {
  // The zone of a link-local address (`fe80::1%eth0`) says by which interface it came, and is no part of it.
  const plain = text.replace(/%.*$/, '');
  const family = isIP(plain);
  if (family === 4) return { family, value: ipv4(plain) };
  return family === 6 ? { family, value: ipv6(plain) } : undefined;
}

function ipv4(text: string): bigint {
  return text.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
}

/** Of text that `isIP` knows: at most one `::`, and the last 32 bits perhaps in dots. */
function ipv6(text: string): bigint {
  const dotted = /[0-9.]+\.[0-9]+$/.exec(text)?.[0];
  const low = dotted === undefined ? undefined : ipv4(dotted);
  const whole = low === undefined ? text : `${text.slice(0, -dotted!.length)}${(low >> 16n).toString(16)}:${(low & 0xffffn).toString(16)}`;
  const [head, tail] = whole.split('::').map((half) => (half === '' ? [] : half.split(':')));
  const gap = tail === undefined ? [] : Array.from({ length: 8 - head!.length - tail.length }, () => '0');
  return [...head!, ...gap, ...(tail ?? [])].reduce((sum, part) => sum * 65_536n + BigInt(`0x${part}`), 0n);
}

function writeIPv4(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join('.');
}

/** As RFC 5952 wants it, by the platform's own hand. */
function writeIPv6(value: bigint): string {
  const parts = Array.from({ length: 8 }, (_, at) => ((value >> BigInt(112 - 16 * at)) & 0xffffn).toString(16));
  return new URL(`http://[${parts.join(':')}]`).hostname.slice(1, -1);
}
