/**
 * Find: asks the local network where a code with some number is open. Whoever answers is a candidate and no more: who is the
 * right one is proven when it is dialled.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Failure } from '../errors.ts';
import { MAX_TICKET_ADDRESSES, type Address } from '../ticket.ts';
import { openEars } from './multicast.ts';
import { heardIn, SERVICE } from './records.ts';

/** Servers that are tried: two with the same number are unlikely, and each one that is not the right one may check a guess of its own. */
export const MAX_CANDIDATES = 3;
/** When the question is asked (ms), since multicast is lost now and then, in wireless networks above all. */
const ASKED_AT: readonly number[] = [0, 300, 1000, 2000, 3000];
const PATIENCE_MS = 4000;
/** How long others may still answer after the first (ms). */
const SETTLE_MS = 400;

/** The addresses of each candidate, the first heard first. Rejects with CONNECT when nobody answers. */
export async function find(number: number, signal?: AbortSignal): Promise<readonly (readonly Address[])[]> {
  const candidates = new Map<string, Address[]>();
  const over = new AbortController();
  let settling: NodeJS.Timeout | undefined;
  await using ears = await openEars(() => true, ({ records, from }) => {
    for (const { number: theirs, tag, address } of heardIn(records, from)) {
      if (theirs !== number || (!candidates.has(tag) && candidates.size >= MAX_CANDIDATES)) continue;
      const known = candidates.get(tag) ?? [];
      if (known.length < MAX_TICKET_ADDRESSES && !known.some(({ host, port }) => host === address.host && port === address.port)) candidates.set(tag, [...known, address]);
      settling ??= setTimeout(() => over.abort(), SETTLE_MS);
    }
  });
  const timers = ASKED_AT.map((ms) => setTimeout(() => { for (const ear of ears.ears) ear.ask(SERVICE); }, ms));
  await pause(PATIENCE_MS, undefined, { signal: signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]) }).catch(() => undefined);
  for (const timer of [...timers, settling]) clearTimeout(timer);
  if (signal?.aborted) throw signal.reason instanceof Failure ? signal.reason : new Failure('CANCELLED', 'cancelled', { who: 'here' });
  if (candidates.size === 0) throw new Failure('CONNECT', `no server with an open code of number ${number} answers on this network`, { who: 'network', hint: 'check the number, and that both machines are in one network; by address: wherry join CODE@HOST, or use the ticket' });
  return [...candidates.values()];
}
