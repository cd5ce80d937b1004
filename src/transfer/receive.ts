/**
 * Receive: one file from an exchange into a sink, and over lanes where there are some; the half that has the disk.
 *
 * Neither knows which end it is on, nor what a vault is. It tells the digests of the blocks it holds already, and takes
 * data and kept ranges: in order and without gaps from the exchange alone, in any order as soon as there may be lanes. The
 * file gets its name only when size and digest are those of the `commit`. Writing overlaps with receiving.
 */
import { BLOCK_BYTES, hex, sameDigest } from '../digest.ts';
import { Failure } from '../errors.ts';
import type { Exchange } from '../session/exchange.ts';
import type { Received } from '../session/line.ts';
import { giveSlab, takeSlab } from '../session/slabs.ts';
import type { Message } from '../wire/messages.ts';
import { Assembly } from './assembly.ts';
import type { Lane, Lanes } from './lanes.ts';
import { blockFor } from './rolling.ts';
import { Room } from './room.ts';
import { Telling } from './telling.ts';
import { Writing } from './writing.ts';

/** Where the bytes go: an upload of a vault, or what looks like one. */
export interface ByteSink {
  readonly basis: { readonly size: number };
  /** Whether the bytes of the basis are in the sink already, each at its place. */
  readonly inPlace: boolean;
  readBasis(into: readonly Uint8Array[], position: number): Promise<number>;
  /** Whether somebody else has changed the basis. */
  basisChanged(): Promise<boolean>;
  read(into: Uint8Array, position: number): Promise<number>;
  write(chunks: readonly Uint8Array[], position: number): Promise<void>;
  commit(size: number, mtime?: number): Promise<void>;
  discard(): Promise<void>;
}

export interface ReceiveOptions {
  /** The size that was announced: more is refused as it comes. */
  readonly size?: number | undefined;
  /** The size of the blocks to be told, when they are to be found everywhere. */
  readonly blockSize?: number | undefined;
  /** Where further exchanges for this file join. */
  readonly lanes?: Lanes | undefined;
  onBytes?(bytes: number, kept: number): void;
}

/** The size of the blocks of a basis that may be anywhere now: those of an old file. Those of a part are where they belong. */
export function blockSizeOf({ kind, size }: { readonly kind: 'none' | 'part' | 'old'; readonly size: number }): number | undefined {
  return kind === 'old' ? blockFor(size) : undefined;
}

export interface Stored { readonly size: number; readonly digest: Uint8Array; readonly kept: number }

/** Blocks of the basis that are read at once, to be copied: asking the disk costs as much as hashing a block. */
const GROUP = 4;
/** Memory for copying what is kept: one group being read, one waiting, one being written. */
const COPYING_BYTES = 3 * GROUP * BLOCK_BYTES;
/** A piece, where there is no room for that. */
const SMALL_PIECE = 64 << 10;

/** Takes everything up to the `commit`, checks it, and commits `sink`. Rejects without a visible trace. */
export async function receive(exchange: Exchange, sink: ByteSink, options: ReceiveOptions = {}): Promise<Stored> {
  const receiver = new Receiver(exchange, sink, options);
  using _lanes = options.lanes?.serve(exchange, (lane) => receiver.serve(lane));
  const telling = receiver.telling.run();
  try {
    const commit = await receiver.untilCommit();
    await telling;
    return await receiver.finish(commit);
  } catch (error) {
    const failure = Failure.from(error);
    exchange.cancel(failure); // ends what still runs, so that the sink is not closed under it
    await Promise.allSettled([telling, receiver.idle(failure)]);
    throw error;
  } finally {
    receiver[Symbol.dispose]();
  }
}

class Receiver implements Disposable {
  readonly #exchange: Exchange;
  readonly #sink: ByteSink;
  readonly #options: ReceiveOptions;
  readonly #assembly: Assembly;
  /** Of the exchange and all lanes. */
  readonly #writing: Writing;
  readonly telling: Telling;
  readonly #room = new Room();
  /** Whether there is room for copying whole groups, as soon as that is known. */
  #roomy: boolean | undefined;
  #kept = 0;

  constructor(exchange: Exchange, sink: ByteSink, options: ReceiveOptions) {
    this.#exchange = exchange;
    this.#sink = sink;
    this.#options = options;
    this.#assembly = new Assembly(sink, options.lanes !== undefined);
    this.#writing = new Writing(exchange, sink, ({ offset, bytes, early }, free) => {
      if (early === true) this.#assembly.landed(offset, bytes, free);
      else free();
    });
    this.telling = new Telling(exchange, sink, options.blockSize);
  }

  async untilCommit(): Promise<Message<'commit'>> {
    for (;;) {
      const received = await this.#exchange.next();
      if (received.kind === 'data') this.#data(this.#exchange, received);
      else if (received.kind !== 'message') throw new Failure('INTERNAL', 'a pack in the middle of a file');
      else if (received.message.kind === 'keep') await this.#keep(received.message, received.bulk);
      else if (received.message.kind === 'commit') return this.#told(received.message);
      else if (received.message.kind === 'whole') this.telling.stop();
      else throw new Failure('INTERNAL', `unexpected ${received.message.kind} while receiving`);
    }
  }

  /** With the commit, no digest helps any more. */
  #told(commit: Message<'commit'>): Message<'commit'> {
    this.telling.stop();
    return commit;
  }

  /** Takes what comes over a lane. What it fails with otherwise than by its connection, the whole transfer fails with. */
  async serve(lane: Lane): Promise<void> {
    for (;;) {
      const received = await lane.next();
      if (received.kind === 'message') break; // `finish`, and nothing else
      try {
        if (received.kind !== 'data') throw new Failure('INTERNAL', 'a pack in the middle of a file');
        this.#data(lane, received);
      } catch (error) {
        this.#exchange.cancel(Failure.from(error));
        throw error;
      }
    }
    await this.#writing.idle(lane);
    if (this.#exchange.failure !== undefined) throw this.#exchange.failure;
  }

  #data(exchange: Lane, data: Received & { kind: 'data' }): void {
    const { offset, bytes, bulk } = data;
    const size = this.#assembly.alike(offset, bytes.byteLength);
    if (size < bytes.byteLength) {
      // In memory of its own, and before the rest of it: with that, the slab is given back.
      const rest = { ...data, offset: offset + size, bytes: Uint8Array.from(bytes.subarray(size)), bulk: bulk - size };
      this.#data(exchange, { ...data, bytes: bytes.subarray(0, size), bulk: size });
      return this.#data(exchange, rest);
    }
    const how = this.#assembly.came(data.offset, data.bytes);
    this.#limit();
    if (how === 'known') {
      giveSlab(data.bytes);
      exchange.consumed(data.bulk);
      return;
    }
    this.#writing.add(how === 'early' ? { ...data, early: true } : data, exchange);
    this.#options.onBytes?.(size, 0);
  }

  async #keep({ offset, length, from = offset }: Message<'keep'>, bulk: number): Promise<void> {
    if (length === 0 || from + length > this.telling.told) throw new Failure('PROTOCOL', 'bytes kept that were not told of', { who: 'network' });
    if (this.#sink.inPlace && from === offset) await this.#assembly.keep(offset, length);
    else await this.#copy(offset, length, from);
    this.#limit();
    this.#exchange.consumed(bulk);
    this.#kept += length;
    this.#options.onBytes?.(length, length);
  }

  /** Bytes of the basis take the way of those that come: hashed as they are read, and written behind them. */
  async #copy(offset: number, length: number, from: number): Promise<void> {
    this.#roomy ??= this.#room.take(COPYING_BYTES);
    for (let done = 0; done < length;) {
      await this.#writing.room(this.#roomy ? GROUP * BLOCK_BYTES : SMALL_PIECE);
      if (this.#exchange.failure !== undefined) throw this.#exchange.failure;
      const pieces = this.#pieces(length - done);
      const size = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
      if ((await this.#sink.readBasis(pieces, from + done)) < size) throw basisChanged();
      for (const bytes of pieces) {
        const how = this.#assembly.came(offset + done, bytes);
        if (how === 'known') throw new Failure('PROTOCOL', 'bytes kept twice', { who: 'network' });
        this.#writing.add({ kind: 'data', offset: offset + done, bytes, bulk: 0, early: how === 'early' }, this.#exchange);
        done += bytes.byteLength;
      }
    }
  }

  /** Memory for the next of `left` bytes. */
  #pieces(left: number): Uint8Array[] {
    if (this.#roomy !== true) return [Buffer.allocUnsafeSlow(Math.min(SMALL_PIECE, left))];
    const count = Math.min(GROUP, Math.ceil(left / BLOCK_BYTES));
    return Array.from({ length: count }, (_, at) => takeSlab().subarray(0, Math.min(BLOCK_BYTES, left - at * BLOCK_BYTES)));
  }

  #limit(): void {
    if (this.#options.size !== undefined && this.#assembly.end > this.#options.size) {
      throw new Failure('CHANGED', 'the file grew while it was sent', { hint: 'send it again when nobody writes to it' });
    }
  }

  /** Resolves when nothing is written or read any more. */
  async idle(failure: Failure): Promise<void> {
    await Promise.all([this.#assembly.stop(failure), this.#writing.idle()]);
  }

  [Symbol.dispose](): void {
    this.#room[Symbol.dispose]();
  }

  async finish(commit: Message<'commit'>): Promise<Stored> {
    await this.#writing.idle();
    if (this.#exchange.failure !== undefined) throw this.#exchange.failure;
    const digest = await this.#assembly.digest(commit.size);
    if (!sameDigest(digest, commit.digest)) await this.#refuse(digest, commit);
    await this.#sink.commit(commit.size, commit.mtime);
    return { size: commit.size, digest, kept: this.#kept };
  }

  /** What was put together is not what was meant. */
  async #refuse(digest: Uint8Array, commit: Message<'commit'>): Promise<never> {
    const both = `what arrived has the digest ${hex(digest).slice(0, 16)}…, what was sent ${hex(commit.digest).slice(0, 16)}…`;
    // It stays as a part, of which the next try compares every block by its whole digest.
    if (this.#options.blockSize !== undefined && this.#kept > 0) {
      throw (await this.#sink.basisChanged()) ? basisChanged() : new Failure('VERIFY', `${both}, with parts of the old file`, { hint: 'run the same command again: it finds out which part it is, and sends that' });
    }
    await this.#sink.discard();
    throw new Failure('VERIFY', both, { hint: 'run the same command again; if it happens again, test the memory and disks of both machines' });
  }
}

function basisChanged(): Failure {
  return new Failure('BUSY', 'the file that is to be replaced was changed by somebody else meanwhile', { hint: 'run the same command again' });
}
