/**
 * Named: a server by its address and fingerprint, `HOST[:PORT]#sha256:…`, for programs that never joined it.
 *
 * The fingerprint is what `wherry serve` prints and what a joined server is known by too: nothing is said to one with another key.
 */
import { isIPv6 } from 'node:net';
import { Failure } from '../errors.ts';
import { parseFingerprint } from '../identity.ts';
import { printable } from '../printable.ts';
import { type Address, DEFAULT_PORT, formatAddress } from '../ticket.ts';
import type { KnownServer } from './trust.ts';

/** Whether the text can only mean a server by its address: no name has a `#`. */
export function isAddressed(text: string): boolean {
  return text.includes('#');
}

/** Whether it is an address without the fingerprint behind it: no name has a colon. */
export function lacksFingerprint(text: string): boolean {
  return text.includes(':') && parseAddress(text) !== undefined;
}

/** Throws USAGE for anything but an address with a fingerprint. */
export function parseAddressed(text: string): KnownServer {
  const [where = '', pin = ''] = text.split('#', 2);
  const address = parseAddress(where);
  if (address === undefined) throw new Failure('USAGE', `"${printable(text)}" does not name a server`, { who: 'here', hint: 'for example files.example.org#sha256:… or 192.0.2.7:9437#sha256:…' });
  return { name: formatAddress(address), addresses: [address], pin: parseFingerprint(pin), account: '', joined: '' };
}

function parseAddress(text: string): Address | undefined {
  if (isIPv6(text)) return { host: text, port: DEFAULT_PORT };
  const [, ipv6, plain, digits] = /^(?:\[([^\]]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const [host, port] = [ipv6 ?? plain, Number(digits ?? DEFAULT_PORT)];
  if (host === undefined || (ipv6 !== undefined && !isIPv6(ipv6)) || port < 1 || port > 65535) return undefined;
  return { host, port };
}
