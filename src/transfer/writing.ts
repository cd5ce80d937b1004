/**
 * Writing: what arrives of a file, on its way to a sink, in order, one write at a time.
 *
 * A write is begun when enough for one has come, or when nothing more came for a moment: asking the disk costs the asking
 * thread up to a quarter of a millisecond, as much as receiving a block, and what waits must not wait for ever. Credit is
 * given back for what was written, so the disk sets the pace. A write that fails fails the exchange.
 */
import { Failure } from '../errors.ts';
import type { Exchange, Received } from '../session/exchange.ts';
import { giveSlab } from '../session/slabs.ts';

export type Data = Received & { kind: 'data' };

/** Where the bytes go. */
export interface Writable { write(chunks: readonly Uint8Array[], position: number): Promise<void> }

/** Bytes of one write. Four blocks, a quarter of the credit: the sender always has some to go on with. */
const WRITE_BYTES = 4 << 20;
/** How long less than that may wait for more (ms). Without it, connections that may hold little memory would stand still. */
const PATIENCE_MS = 10;

export class Writing {
  readonly #exchange: Exchange;
  readonly #sink: Writable;
  #queue: Data[] = [];
  #bytes = 0; // in the queue
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(exchange: Exchange, sink: Writable) {
    this.#exchange = exchange;
    this.#sink = sink;
  }

  /** Takes `data` over, its memory and its credit. */
  add(data: Data): void {
    this.#queue.push(data);
    this.#bytes += data.bytes.byteLength;
    if (this.#bytes >= WRITE_BYTES) this.#start();
    else this.#timer ??= setTimeout(() => this.#start(), PATIENCE_MS);
  }

  /** Resolves when all is written, or writing has failed and the exchange with it. */
  async idle(): Promise<void> {
    while (this.#queue.length > 0 || this.#running !== undefined) {
      this.#start();
      await this.#running;
    }
  }

  #start(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#running ??= this.#run().finally(() => { this.#running = undefined; });
  }

  async #run(): Promise<void> {
    try {
      do {
        const parts = this.#take();
        if (parts.length === 0) return;
        await this.#sink.write(parts.map((part) => part.bytes), parts[0]!.offset);
        for (const part of parts) {
          giveSlab(part.bytes);
          this.#exchange.consumed(part.bulk);
        }
      } while (this.#bytes >= WRITE_BYTES);
      if (this.#queue.length > 0) this.#timer ??= setTimeout(() => this.#start(), PATIENCE_MS);
    } catch (error) {
      // Whoever waits for the peer wakes by this, and the peer is told to stop.
      this.#queue = [];
      this.#bytes = 0;
      this.#exchange.cancel(Failure.from(error));
    }
  }

  /** As much of the queue as one write takes: always something, if there is something, and nothing behind a kept range. */
  #take(): Data[] {
    let bytes = 0;
    let count = 0;
    for (const part of this.#queue) {
      const next = this.#queue[0]!.offset + bytes;
      if (bytes > 0 && (part.offset !== next || bytes + part.bytes.byteLength > WRITE_BYTES)) break;
      bytes += part.bytes.byteLength;
      count += 1;
    }
    this.#bytes -= bytes;
    return this.#queue.splice(0, count);
  }
}
