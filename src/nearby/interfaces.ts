/**
 * Interfaces: what the network interfaces of this machine lead to, told by their names, which is all that Node tells. Pure.
 */
import type { NetworkInterfaceInfo } from 'node:os';

export type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/** What an interface leads to, by the name it has. */
export type InterfaceKind = 'wired' | 'wireless' | 'network' | 'VPN' | 'WSL' | 'bridge' | 'containers' | 'virtual machines' | 'loopback';

/** Names that systems, and container, machine and VPN software, give to interfaces; the first that fits holds. */
const NAMES: readonly (readonly [RegExp, InterfaceKind])[] = [
  [/WSL/, 'WSL'],
  [/^(?:docker|veth|lxc|lxd|cni|flannel|cali|podman|kube)/, 'containers'],
  [/^(?:vmnet|vboxnet|vEthernet|VMware|VirtualBox)/, 'virtual machines'],
  [/^(?:br-|br\d|virbr|bridge)/, 'bridge'],
  [/^(?:tun|tap|wg|ppp|utun|ipsec|tailscale|zt|nordlynx|proton)/i, 'VPN'],
  [/^(?:wl|wifi|wi-fi|ath)/i, 'wireless'],
  [/^(?:en|eth|em\d)/i, 'wired'],
];
/** A bridge of these names is one that software made for its own guests; `br0` is most often the machine's way out. */
const OF_GUESTS = /^(?:br-|virbr)/;
/** More than a machine has that people use to reach it. */
const MAX_INTERFACES = 8;

export function kindOf(name: string): InterfaceKind {
  return NAMES.find(([pattern]) => pattern.test(name))?.[1] ?? 'network';
}

/** Whether it was made for containers, virtual machines or the like: nobody else is reached by it. */
export function isForGuests(name: string): boolean {
  const kind = kindOf(name);
  return kind === 'containers' || kind === 'virtual machines' || kind === 'WSL' || OF_GUESTS.test(name);
}

/** One address of each interface behind which other machines may be heard: never those of guests, and no VPN, which is not the local network. */
export function localNetworks(interfaces: Interfaces): { readonly address: string; readonly netmask: string }[] {
  const usable = Object.entries(interfaces).filter(([name]) => !isForGuests(name) && kindOf(name) !== 'VPN');
  const found = usable.flatMap(([, list]) => (list ?? []).filter(({ family, internal }) => family === 'IPv4' && !internal).slice(0, 1));
  return found.slice(0, MAX_INTERFACES).map(({ address, netmask }) => ({ address, netmask }));
}

/** Whether `address` belongs to the network that `own` is in. IPv4 only; anything else is not. */
export function isBeside(own: { readonly address: string; readonly netmask: string }, address: string): boolean {
  const [a, b, mask] = [own.address, address, own.netmask].map((text) => text.split('.').map(Number));
  return [a, b, mask].every((parts) => parts!.length === 4) && mask!.every((bits, index) => (a![index]! & bits) === (b![index]! & bits));
}
