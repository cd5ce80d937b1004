/**
 * Listen: where a server is to listen, read from text. Pure.
 *
 * What no machine could listen at is refused here, where the text is at hand, and not when the server starts: a host that is none, and
 * an address of which another one in the list is a part. Whether an address is this machine's is found out by listening at it.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { Failure } from '../errors.ts';
import { printable } from '../printable.ts';
import { DEFAULT_PORT } from '../ticket.ts';

/** An address to listen at; without a host, every address of the machine. */
export interface Listen { readonly host: string | undefined; readonly port: number }

/** More addresses than a machine needs to name one by one. */
export const MAX_LISTEN = 16;
/** As DNS has them, and with an underscore, which machines in a network without DNS have too. */
const HOST_NAME = /^(?=.{1,253}$)[\p{L}\p{N}_]([\p{L}\p{N}_-]{0,61}[\p{L}\p{N}_])?(\.[\p{L}\p{N}_]([\p{L}\p{N}_-]{0,61}[\p{L}\p{N}_])?)*\.?$/u;

/** Reads one `--listen`. Throws USAGE. */
export function parseListen(text: string, defaultPort = DEFAULT_PORT): Listen {
  if (isIPv6(text)) return { host: text, port: defaultPort };
  const match = /^(?:\[([^\]]+)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text);
  if (match === null) throw badListen(text);
  const [, ipv6, plain, digits] = match;
  if (ipv6 !== undefined && !isIPv6(ipv6)) throw badListen(text);
  // A number alone is a port, as nobody means the address 0.0.36.221 by 9437.
  const alone = digits === undefined && plain !== undefined && /^\d{1,5}$/.test(plain);
  const port = Number(alone ? plain : (digits ?? defaultPort));
  const host = alone ? '' : (ipv6 ?? plain ?? '');
  if (port > 65535 || (text !== '*' && text === '') || (ipv6 === undefined && host !== '' && host !== '*' && !isHost(host))) throw badListen(text);
  return { host: host === '' || host === '*' ? undefined : host, port };
}

/** Reads all that a server is to listen at. Throws USAGE. */
export function parseListens(texts: readonly string[]): readonly Listen[] {
  if (texts.length > MAX_LISTEN) throw new Failure('USAGE', `at most ${MAX_LISTEN} addresses to listen at`, { path: texts[MAX_LISTEN], who: 'here' });
  const listens = texts.map((text) => parseListen(text));
  const at = doubledIn(listens);
  if (at !== undefined) throw new Failure('USAGE', doubled(texts[at]!), { path: texts[at], who: 'here', hint: 'leave one of the two out' });
  return listens;
}

/** What is wrong with the address at which nothing could listen beside the others. */
export function doubled(text: string): string {
  return `${printable(text)} is among the other addresses already: nothing can listen twice at one port`;
}

/** Which of them could not be listened at, since another one of the list is the same, or every address at that port. */
export function doubledIn(listens: readonly Listen[]): number | undefined {
  const at = listens.findIndex((one, index) => listens.some((other, place) => place !== index && covers(other, one) && (place < index || !covers(one, other))));
  return at < 0 ? undefined : at;
}

function covers(all: Listen, one: Listen): boolean {
  if (all.port !== one.port || one.port === 0) return false; // a free port is another one each time
  const [wide, host] = [all.host?.toLowerCase(), one.host?.toLowerCase()];
  return wide === host || wide === undefined || wide === '::' || (wide === '0.0.0.0' && (host === undefined || host === '::' || isIPv4(host)));
}

/** What is digits and dots is an address, or nothing. */
function isHost(host: string): boolean {
  return /^[\d.]+$/.test(host) ? isIPv4(host) : HOST_NAME.test(host);
}

function badListen(text: string): Failure {
  return new Failure('USAGE', `"${printable(text)}" is not an address to listen at`, { path: text, who: 'here', hint: 'for example --listen 127.0.0.1:9437, --listen [::1]:9437, --listen :9437' });
}
