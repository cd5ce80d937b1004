/**
 * Receive: one file from an exchange into a sink; the half that has the disk.
 *
 * Neither knows which end it is on, nor what a vault is. It tells the digests of the blocks it holds already, takes
 * data and kept ranges in order, without gaps, and hashes both as they end up, reading kept ranges back from the
 * disk. The file gets its name only when size and digest are those of the `commit`. Writing overlaps with receiving.
 */
import { BLOCK_BYTES, createHasher, digestOf, hex, sameDigest, type Hasher } from '../digest.ts';
import { Failure } from '../errors.ts';
import type { Exchange } from '../session/exchange.ts';
import type { Message } from '../wire/messages.ts';
import { Writing, type Data } from './writing.ts';

/** Where the bytes go: an upload of a vault, or what looks like one. */
export interface ByteSink {
  readonly basis: { readonly size: number };
  read(into: Uint8Array, position: number): Promise<number>;
  write(chunks: readonly Uint8Array[], position: number): Promise<void>;
  commit(size: number, mtime?: number): Promise<void>;
  discard(): Promise<void>;
}

export interface ReceiveOptions {
  /** The size that was announced: more is refused as it comes. */
  readonly size?: number | undefined;
  onBytes?(bytes: number, kept: number): void;
}

export interface Stored { readonly size: number; readonly digest: Uint8Array; readonly kept: number }

/** Digests in one message: small at first, so that the sender can start, then enough to cost nothing. */
const FIRST_PAGE = 4;
const PAGE = 64;

/** Takes everything up to the `commit`, checks it, and commits `sink`. Rejects without a visible trace. */
export async function receive(exchange: Exchange, sink: ByteSink, options: ReceiveOptions = {}): Promise<Stored> {
  const receiver = new Receiver(exchange, sink, options);
  const telling = tellDigests(exchange, sink, () => receiver.complete);
  try {
    const commit = await receiver.untilCommit();
    await telling;
    return await receiver.finish(commit);
  } catch (error) {
    exchange.cancel(Failure.from(error)); // ends what still runs, so that the sink is not closed under it
    await Promise.allSettled([telling, receiver.writer.idle()]);
    throw error;
  }
}

class Receiver {
  readonly writer: Writing;
  readonly #exchange: Exchange;
  readonly #sink: ByteSink;
  readonly #options: ReceiveOptions;
  readonly #hasher = createHasher();
  /** The commit has come: no digest helps any more. */
  complete = false;
  #position = 0;
  #kept = 0;

  constructor(exchange: Exchange, sink: ByteSink, options: ReceiveOptions) {
    this.#exchange = exchange;
    this.#sink = sink;
    this.#options = options;
    this.writer = new Writing(exchange, sink);
  }

  async untilCommit(): Promise<Message<'commit'>> {
    for (;;) {
      const received = await this.#exchange.next();
      if (received.kind === 'data') this.#data(received);
      else if (received.kind !== 'message') throw new Failure('INTERNAL', 'a pack in the middle of a file');
      else if (received.message.kind === 'commit') { this.complete = true; return received.message; }
      else if (received.message.kind === 'keep') await this.#keep(received.message, received.bulk);
      else throw new Failure('INTERNAL', `unexpected ${received.message.kind} while receiving`);
      if (this.#options.size !== undefined && this.#position > this.#options.size) {
        throw new Failure('CHANGED', 'the file grew while it was sent', { hint: 'send it again when nobody writes to it' });
      }
    }
  }

  #data(data: Data): void {
    if (data.offset !== this.#position) outOfOrder();
    const size = data.bytes.byteLength;
    this.#hasher.update(data.bytes);
    this.writer.add(data);
    this.#position += size;
    this.#options.onBytes?.(size, 0);
  }

  async #keep({ offset, length }: Message<'keep'>, bulk: number): Promise<void> {
    if (offset !== this.#position || length === 0 || offset + length > this.#sink.basis.size) outOfOrder();
    await hashKept(this.#sink, offset, length, this.#hasher, this.#exchange);
    this.#exchange.consumed(bulk);
    this.#position += length;
    this.#kept += length;
    this.#options.onBytes?.(length, length);
  }

  async finish(commit: Message<'commit'>): Promise<Stored> {
    await this.writer.idle();
    if (this.#exchange.failure !== undefined) throw this.#exchange.failure;
    if (commit.size !== this.#position) throw new Failure('PROTOCOL', `${this.#position} bytes came of ${commit.size}`, { who: 'network' });
    const digest = this.#hasher.digest();
    if (!sameDigest(digest, commit.digest)) {
      await this.#sink.discard();
      throw new Failure('VERIFY', `what arrived has the digest ${hex(digest).slice(0, 16)}…, what was sent ${hex(commit.digest).slice(0, 16)}…`, { hint: 'run the same command again; if it happens again, test the memory and disks of both machines' });
    }
    await this.#sink.commit(commit.size, commit.mtime);
    return { size: this.#position, digest, kept: this.#kept };
  }
}

function outOfOrder(): never {
  throw new Failure('PROTOCOL', 'bytes out of order', { who: 'network' });
}

/** Tells the sender what every block of the basis is. Ends early when the exchange does, or the sender has said all. */
async function tellDigests(exchange: Exchange, sink: ByteSink, complete: () => boolean): Promise<void> {
  const { size } = sink.basis;
  const buffer = size > 0 ? Buffer.allocUnsafeSlow(Math.min(BLOCK_BYTES, size)) : undefined;
  const blocks = Math.ceil(size / BLOCK_BYTES);
  try {
    for (let first = 0, page = FIRST_PAGE; first < blocks && exchange.open && !complete(); first += page, page = PAGE) {
      const digests: Uint8Array[] = [];
      for (let block = first; block < Math.min(first + page, blocks) && exchange.open; block += 1) {
        const length = await sink.read(buffer!.subarray(0, Math.min(BLOCK_BYTES, size - block * BLOCK_BYTES)), block * BLOCK_BYTES);
        digests.push(digestOf(buffer!.subarray(0, length)));
      }
      if (exchange.open) await exchange.sayBulk({ kind: 'hashes', first, digests }, digests.length * 33 + 16);
    }
  } catch (error) {
    if (exchange.open && !complete()) exchange.cancel(Failure.from(error));
  }
}

async function hashKept(sink: ByteSink, offset: number, length: number, hasher: Hasher, exchange: Exchange): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(Math.min(BLOCK_BYTES, length));
  for (let at = offset; at < offset + length;) {
    if (exchange.failure !== undefined) throw exchange.failure;
    const size = await sink.read(buffer.subarray(0, Math.min(buffer.byteLength, offset + length - at)), at);
    if (size === 0) throw new Failure('IO', 'the staged file became shorter', { who: 'server' });
    hasher.update(buffer.subarray(0, size));
    at += size;
  }
}
