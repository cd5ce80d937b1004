/**
 * Network: what counts as one client by its address, and lists of networks. Pure.
 *
 * Of IPv6 the first half counts, because that is what one customer gets: whoever has a /64 has all its addresses. An IPv4
 * address that is written as IPv6, as sockets that take both do, is that IPv4 address.
 */
import { BlockList, isIP, isIPv6 } from 'node:net';
import { Failure } from './errors.ts';
import { printable } from './printable.ts';

/** What counts as one client: an IPv4 address, also one written as IPv6, or the first 64 bits of an IPv6 address. */
export function networkOf(address: string): string {
  const plain = address.includes(':') ? unmapped(address) : address;
  if (!plain.includes(':') || !isIPv6(plain)) return plain; // asked several times for each connection of a flood
  const [head = '', tail] = plain.split('::');
  const groups = head.split(':').filter((group) => group !== '');
  const after = (tail ?? '').split(':').filter((group) => group !== '');
  // Without `::` all eight are written; an IPv4 address at the end stands for two.
  const missing = tail === undefined ? 0 : 8 - groups.length - after.length - (plain.includes('.') ? 1 : 0);
  const all = [...groups, ...Array.from({ length: missing }, () => '0'), ...after];
  return `${all.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}

/** Whether this is what `networkOf` says of some address. */
export function isNetwork(text: string): boolean {
  const address = text.replace(/\/64$/, '');
  return text.length < 64 && isIP(address) !== 0 && networkOf(address) === text;
}

/** Whether it can only be an address of this machine or of a network around it: loopback, private and link-local (RFC 1918, 3927, 4193, 4291). */
export function isLocal(address: string): boolean { return LOCAL.has(address); }

/** The one form in which an address is written down and compared: of IPv4 as IPv4, also where a socket of both kinds tells it as `::ffff:192.0.2.1`. */
export function plainAddress(address: string): string {
  return /^::ffff:([\d.]+)$/i.exec(address)?.[1] ?? address;
}

/** Without the name of an interface. */
function unmapped(address: string): string {
  return plainAddress(address.replace(/%.*$/, ''));
}

/** A list of networks, each an address or `ADDRESS/BITS`. */
export class Networks {
  readonly #list = new BlockList();
  readonly #isEmpty: boolean;

  /** Throws USAGE for what is no network. */
  constructor(networks: readonly string[]) {
    this.#isEmpty = networks.length === 0;
    for (const network of networks) this.#add(network);
  }

  has(address: string): boolean {
    if (this.#isEmpty) return false;
    const plain = unmapped(address);
    const version = isIP(plain);
    return version !== 0 && this.#list.check(plain, version === 6 ? 'ipv6' : 'ipv4');
  }

  #add(network: string): void {
    const [address = '', bits, ...more] = network.split('/');
    const plain = unmapped(address);
    const version = isIP(plain);
    const most = version === 6 ? 128 : 32;
    // Of the 128 bits of one that is written as IPv6 the last 32 are those of IPv4.
    const prefix = bits === undefined ? most : Number(bits) - (plain !== address && version === 4 && Number(bits) >= 96 ? 96 : 0);
    if (version === 0 || more.length > 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits)) || prefix > most) {
      throw new Failure('USAGE', `"${printable(network)}" is not an address or a network`, { who: 'here', hint: 'for example 192.168.1.7, 10.0.0.0/8 or 2001:db8::/32' });
    }
    this.#list.addSubnet(plain, prefix, version === 6 ? 'ipv6' : 'ipv4');
  }
}

const LOCAL = new Networks(['127.0.0.0/8', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', '::1', 'fc00::/7', 'fe80::/10']);
