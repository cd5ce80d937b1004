/**
 * Addresses: where others reach this machine, for the ticket and for whoever started the server to read.
 *
 * Pure, given the machine's interfaces. What containers and virtual machines are given is left out of tickets: a ticket with
 * such an address first is the usual reason why joining takes long, or fails. It is listed all the same, and marked. A
 * private network over others (VPN) comes last in a ticket: it works only for those who are in it too. A firewall or a router in
 * between cannot be seen from here; `wherry doctor` on the other side tells.
 */
import { isIPv6 } from 'node:net';
import { type InterfaceKind, type Interfaces, isForGuests, kindOf } from '../nearby/interfaces.ts';
import { type Address, formatAddress, MAX_TICKET_ADDRESSES } from '../ticket.ts';
import type { Listen } from './listen.ts';

/** One way to reach a server. */
export interface Reachable {
  /** `host:port`, IPv6 in brackets. */
  readonly address: string;
  /** Undefined for a host name that was asked for, and for an address that no interface has now. */
  readonly interface: string | undefined;
  readonly kind: InterfaceKind;
  readonly inTicket: boolean;
}

const ANY_IPV4 = '0.0.0.0';
const ANY_IPV6 = '::';
const LOOPBACK = '127.0.0.1';

interface Own { readonly host: string; readonly name: string | undefined; readonly kind: InterfaceKind; readonly rank: number }

/** At most 4 addresses to dial, the likeliest first, for sockets bound to `bound`. */
export function ticketAddresses(bound: readonly Listen[], interfaces: Interfaces): Address[] {
  return choose(waysTo(bound, interfaces)).map(({ host, port }) => ({ host, port }));
}

/** Every address that sockets bound to `bound` are reached at, those of the ticket first. */
export function reachableAt(bound: readonly Listen[], interfaces: Interfaces): Reachable[] {
  const ways = waysTo(bound, interfaces);
  const chosen = new Set(choose(ways));
  const inOrder = [...chosen, ...ways.filter((way) => !chosen.has(way))];
  return inOrder.map((way) => ({ address: formatAddress(way), interface: way.name, kind: way.kind, inTicket: chosen.has(way) }));
}

type Way = Own & Address;

function waysTo(bound: readonly Listen[], interfaces: Interfaces): Way[] {
  const own = ownAddresses(interfaces);
  const all = bound.flatMap(({ host, port }): Way[] => {
    if (host === undefined || host === ANY_IPV6) return own.map((one) => ({ ...one, port }));
    if (host === ANY_IPV4) return own.filter((one) => !isIPv6(one.host)).map((one) => ({ ...one, port }));
    return [{ ...(own.find((one) => one.host === host) ?? { name: undefined, kind: isLoopback(host) ? 'loopback' : 'network' }), rank: 0, host, port }];
  });
  const seen = new Set<string>();
  return all.filter((way) => !seen.has(formatAddress(way)) && seen.add(formatAddress(way)));
}

/** Those for the ticket: loopback only when there is nothing else. */
function choose(ways: readonly Way[]): Way[] {
  const outside = ways.filter(({ rank }) => rank < NOT_IN_TICKETS);
  const loopback = ways.find(({ host }) => host === LOOPBACK) ?? ways[0];
  return outside.length > 0 || loopback === undefined ? outside.slice(0, MAX_TICKET_ADDRESSES) : [loopback];
}

const NOT_IN_TICKETS = 2;

/** IPv4 first, since more networks let it through; then what is for few, then what is for none. */
function ownAddresses(interfaces: Interfaces): Own[] {
  const all = Object.entries(interfaces).flatMap(([name, list]) => (list ?? []).map(({ address, internal }): Own => {
    const kind = internal ? 'loopback' : kindOf(name);
    return { host: address, name, kind, rank: rankOf(name, kind) };
  }));
  // fe80:: means nothing without the name of an interface of the machine that dials.
  const usable = all.filter(({ host }) => !/^fe[89ab]/i.test(host));
  return usable.toSorted((a, b) => a.rank - b.rank || Number(isIPv6(a.host)) - Number(isIPv6(b.host)));
}

function rankOf(name: string, kind: InterfaceKind): number {
  if (kind === 'loopback') return NOT_IN_TICKETS + 1;
  if (isForGuests(name)) return NOT_IN_TICKETS;
  return kind === 'VPN' ? 1 : 0;
}

function isLoopback(host: string): boolean {
  return host === '::1' || host === 'localhost' || host.startsWith('127.');
}
