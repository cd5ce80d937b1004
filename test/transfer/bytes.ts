/** Byte arrays as source and sink, and one file from one to the other over a real connection, in either direction. */
import { Failure } from '../../src/errors.ts';
import type { Exchange } from '../../src/session/exchange.ts';
import type { Lanes } from '../../src/transfer/lanes.ts';
import { receive, type ByteSink, type ReceiveOptions, type Stored } from '../../src/transfer/receive.ts';
import { send, type SendOptions, type Sent } from '../../src/transfer/send.ts';
import type { ByteSource } from '../../src/transfer/readahead.ts';
import type { Link } from '../session/link.ts';

/** Bytes without a pattern that repeats, the same for the same seed. */
export function noise(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed >>> 0 || 1;
  for (let at = 0; at < length; at += 1) {
    state ^= state << 13; state ^= state >>> 17; state ^= state << 5;
    bytes[at] = state;
  }
  return bytes;
}

export function sourceOf(bytes: Uint8Array): ByteSource {
  return {
    read: async (into, position) => {
      const part = bytes.subarray(position, position + into.byteLength);
      into.set(part);
      return part.byteLength;
    },
  };
}

/** A sink with a basis, which it starts with where that is `inPlace`. It shows what became of it. */
export class ByteArraySink implements ByteSink {
  readonly basis: { readonly size: number };
  readonly inPlace: boolean;
  /** What the basis is read from. */
  old: Uint8Array;
  bytes: Buffer;
  /** What was written, not kept. */
  written = 0;
  state: 'open' | 'committed' | 'discarded' = 'open';
  reads = 0;

  constructor(basis: Uint8Array = new Uint8Array(), inPlace = true) {
    this.basis = { size: basis.byteLength };
    this.inPlace = inPlace;
    this.old = Uint8Array.from(basis);
    this.bytes = Buffer.from(inPlace ? basis : []);
  }

  async readBasis(into: readonly Uint8Array[], position: number): Promise<number> {
    this.reads += 1;
    let done = 0;
    for (const one of into) done += await sourceOf(this.old).read(one, position + done);
    return done;
  }

  async basisChanged(): Promise<boolean> { return false; }

  async read(into: Uint8Array, position: number): Promise<number> {
    this.reads += 1;
    const part = this.bytes.subarray(position, position + into.byteLength);
    into.set(part);
    return part.byteLength;
  }

  async write(chunks: readonly Uint8Array[], position: number): Promise<void> {
    const joined = Buffer.concat(chunks);
    const end = position + joined.byteLength;
    if (end > this.bytes.byteLength) this.bytes = Buffer.concat([this.bytes, Buffer.alloc(end - this.bytes.byteLength)]);
    this.bytes.set(joined, position);
    this.written += joined.byteLength;
  }

  async commit(size: number): Promise<void> {
    this.bytes = this.bytes.subarray(0, size);
    this.state = 'committed';
  }

  async discard(): Promise<void> { this.state = 'discarded'; }
}

export type Direction = 'put' | 'get';

export interface Moved { readonly sent: PromiseSettledResult<Sent>; readonly stored: PromiseSettledResult<Stored> }

/** One file, as `client/file.ts` and `doors/verbs.ts` do it. */
export async function move(link: Link, direction: Direction, source: ByteSource, sink: ByteSink, how: { readonly size?: number; readonly blockSize?: number; readonly lanes?: { readonly from: Lanes; readonly to: Lanes } } = {}): Promise<Moved> {
  const { from, to } = direction === 'put' ? await link.putting() : await link.getting(sink.basis.size);
  const [sent, stored] = await Promise.allSettled([sending(from, source, { basis: sink.basis.size, blockSize: how.blockSize, lanes: how.lanes?.from }, direction), receiving(to, sink, direction, { ...how, lanes: how.lanes?.to })]);
  return { sent, stored };
}

async function sending(exchange: Exchange, source: ByteSource, options: SendOptions, direction: Direction): Promise<Sent> {
  try {
    const sent = await send(exchange, source, options);
    exchange.say({ kind: 'commit', size: sent.size, digest: sent.digest });
    if (direction === 'put') await lastWord(exchange);
    return sent;
  } catch (error) {
    exchange.cancel(Failure.from(error));
    throw error;
  } finally {
    exchange[Symbol.dispose]();
  }
}

async function lastWord(exchange: Exchange): Promise<void> {
  for (;;) {
    const received = await exchange.next();
    if (received.kind === 'message' && received.message.kind === 'stored') return;
    exchange.consumed(received.bulk); // digests that nobody needs any more
  }
}

async function receiving(exchange: Exchange, sink: ByteSink, direction: Direction, how: ReceiveOptions): Promise<Stored> {
  try {
    const stored = await receive(exchange, sink, how);
    if (direction === 'put') exchange.say({ kind: 'stored', level: 'visible', digest: stored.digest });
    return stored;
  } finally {
    exchange[Symbol.dispose]();
  }
}
