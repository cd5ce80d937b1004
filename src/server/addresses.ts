/**
 * Addresses: where others reach this machine, for the ticket.
 *
 * Pure, given the machine's interfaces. What containers and virtual machines are given is left out: a ticket with
 * such an address first is the usual reason why joining takes long, or fails. A firewall or a router in between
 * cannot be seen from here; `wherry doctor` on the other side tells.
 */
import type { NetworkInterfaceInfo } from 'node:os';
import { type Address, MAX_TICKET_ADDRESSES } from '../ticket.ts';
import type { Listen } from './config.ts';

export type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/** Names that container and virtual-machine software gives its own interfaces. */
const VIRTUAL = /^(?:docker|veth|br-|virbr|vmnet|vboxnet|lxc|lxd|cni|flannel|cali|podman|kube)/;
const ANY_IPV4 = '0.0.0.0';
const ANY_IPV6 = '::';

/** At most 4 addresses to dial, the likeliest first, for sockets bound to `bound`. */
export function ticketAddresses(bound: readonly Listen[], interfaces: Interfaces): Address[] {
  const all = bound.flatMap(({ host, port }) => {
    if (host !== undefined && host !== ANY_IPV4 && host !== ANY_IPV6) return [{ host, port }];
    return machineAddresses(interfaces, host === ANY_IPV4).map((address) => ({ host: address, port }));
  });
  const seen = new Set<string>();
  const different = all.filter(({ host, port }) => !seen.has(`${host} ${port}`) && seen.add(`${host} ${port}`));
  return different.slice(0, MAX_TICKET_ADDRESSES);
}

/** IPv4 first, since more networks let it through; loopback only when there is nothing else. */
function machineAddresses(interfaces: Interfaces, onlyIPv4: boolean): string[] {
  const real = Object.entries(interfaces).flatMap(([name, list]) => (VIRTUAL.test(name) ? [] : (list ?? [])));
  // fe80:: means nothing without the name of an interface of the machine that dials.
  const outside = real.filter(({ internal, address }) => !internal && !/^fe[89ab]/i.test(address));
  const wanted = (family: string): string[] => outside.filter((one) => one.family === family).map(({ address }) => address);
  const found = onlyIPv4 ? wanted('IPv4') : [...wanted('IPv4'), ...wanted('IPv6')];
  return found.length > 0 ? found : ['127.0.0.1'];
}
