/**
 * Measure: bytes that are nobody's, sent or taken as fast as the way allows, to see how fast that is. Both ends use both halves.
 *
 * What is sent is random, so that nothing on the way makes it smaller; it pays credit and waits for its turn as files do. Each half
 * ends by itself, at so many bytes or after so long, whatever the other side does; `goOn` is told of what is next, may hold it up, and may throw to end it sooner.
 */
import { randomBytes } from 'node:crypto';
import type { Exchange } from '../session/exchange.ts';
import { giveSlab } from '../session/slabs.ts';
import { DATA_HEAD_BYTES } from '../wire/frame.ts';
import type { Message } from '../wire/messages.ts';

/** At most so much, and so long (ms), is ever measured: enough for a rate, too little to be a burden. */
export const MAX_MEASURED_BYTES = 1 << 30;
export const MAX_MEASURED_MS = 5_000;

/** A quarter of a block: also a slow line has a few of them in a second. */
const PIECE = 256 << 10;

type GoOn = (bytes: number) => Promise<void>;

export interface Bounds { readonly bytes: number; readonly milliseconds: number }
export interface Moved { readonly bytes: number; readonly micros: number }

/** Sends until a bound is reached, or nobody listens any more. */
export async function pour(exchange: Exchange, { bytes, milliseconds }: Bounds, goOn: GoOn = freely): Promise<Moved> {
  const random = randomBytes(PIECE);
  const began = performance.now();
  let sent = 0;
  while (sent < bytes && performance.now() - began < milliseconds && exchange.open) {
    const size = Math.min(PIECE, bytes - sent);
    await goOn(size);
    try {
      await exchange.room(size + 8);
    } catch (error) {
      if (exchange.open || exchange.failure !== undefined) throw error;
      break; // the other side has said its last word meanwhile
    }
    const slab = await exchange.slabs.take(exchange.signal, size);
    // A slab has what was sent before in it, which may be somebody's.
    random.copy(slab, DATA_HEAD_BYTES, 0, size);
    exchange.data(slab, sent, size, () => exchange.slabs.give(slab));
    sent += size;
  }
  return { bytes: sent, micros: since(began) };
}

/** Takes and forgets, until a bound is reached or a message comes, which is handed back. The time is from the first bytes on. */
export async function drain(exchange: Exchange, { bytes, milliseconds }: Bounds, goOn: GoOn = freely): Promise<Moved & { readonly last?: Message }> {
  let began = performance.now();
  let [taken, first] = [0, 0];
  while (taken < bytes && performance.now() - began < milliseconds) {
    const received = await exchange.next();
    try {
      await goOn(received.kind === 'data' ? received.bytes.byteLength : 0);
    } finally {
      exchange.consumed(received.bulk);
    }
    if (received.kind === 'message') return { bytes: taken - first, micros: since(began), last: received.message };
    if (received.kind !== 'data') continue;
    taken += received.bytes.byteLength;
    giveSlab(received.bytes);
    if (first > 0) continue;
    first = taken;
    began = performance.now();
  }
  return { bytes: taken - first, micros: since(began) };
}

async function freely(): Promise<void> {}

function since(began: number): number {
  return Math.max(1, Math.round((performance.now() - began) * 1000));
}
