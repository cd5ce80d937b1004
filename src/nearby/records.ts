/**
 * Records: what is said on the local network about an open code, in the words of DNS (RFC 6762, RFC 6763). Pure.
 *
 *     _wherry._tcp.local                 PTR  7-1f0c88a2._wherry._tcp.local    number of the code, and what tells two servers apart
 *     7-1f0c88a2._wherry._tcp.local      SRV  port, and the name of the machine for this time; TXT, which must be there
 *     wherry-1f0c88a2.local              A    the address of the interface it was asked by
 *
 * What others answer is not trusted. Only the number, that tag, the port and where the packet came from are taken of it, each in
 * its one form; an address that stands in a record is not, for it could be any machine's.
 */
import type { Address } from '../ticket.ts';

export const SERVICE = '_wherry._tcp.local';
const INSTANCE = /^(\d{1,2})-([0-9a-f]{8})\._wherry\._tcp\.local$/i;
/** How long others may believe a record (s): a code lives for minutes. */
const TTL = 120;
/** Records of a packet that are looked at; ours has four. */
const MAX_RECORDS = 32;

export interface Announcement { readonly number: number; readonly tag: string; readonly port: number }

export interface Record { readonly name: string; readonly type: string; readonly ttl?: number | undefined; readonly data?: unknown }

/** What answers a question; with `gone`, what takes the answer back. */
export function recordsOf({ number, tag, port }: Announcement, address: string, gone = false): { answers: Record[]; additionals: Record[] } {
  const [instance, machine, ttl] = [`${number}-${tag}.${SERVICE}`, `wherry-${tag}.local`, gone ? 0 : TTL];
  return {
    answers: [{ name: SERVICE, type: 'PTR', ttl, data: instance }],
    additionals: [
      { name: instance, type: 'SRV', ttl, data: { port, target: machine, priority: 0, weight: 0 } },
      { name: instance, type: 'TXT', ttl, data: 'txtvers=1' },
      { name: machine, type: 'A', ttl, data: address },
    ],
  };
}

/** Whether somebody asks for what we announce. */
export function isAsked(questions: readonly { readonly name: string; readonly type: string }[] | undefined): boolean {
  return (questions ?? []).slice(0, MAX_RECORDS).some(({ name, type }) => name.toLowerCase() === SERVICE && (type === 'PTR' || type === 'ANY'));
}

export interface Heard extends Announcement { readonly address: Address }

/** The announcements in a packet that came from `from`. */
export function heardIn(records: readonly Record[], from: string): Heard[] {
  return records.slice(0, MAX_RECORDS).flatMap(({ name, type, ttl, data }) => {
    const [, digits, tag] = (type === 'SRV' && INSTANCE.exec(name)) || [];
    const { port } = Object(data) as { readonly port?: unknown };
    if (digits === undefined || tag === undefined || ttl === 0 || typeof port !== 'number' || !(port >= 1 && port <= 65535)) return [];
    return [{ number: Number(digits), tag: tag.toLowerCase(), port, address: { host: from, port } }];
  });
}
