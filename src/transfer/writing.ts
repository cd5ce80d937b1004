/**
 * Writing: what arrives of a file, over whatever connections, on its way to a sink: one write at a time, of what comes first in
 * the file of all that waits, so that what came over several connections is written as if it had come over one.
 *
 * A write is begun when enough for one has come, or when nothing more came for a moment: asking the disk costs the asking
 * thread up to a quarter of a millisecond, as much as receiving a block, and what waits must not wait for ever. Credit is
 * given back for what was written, so the disk sets the pace. A write that fails fails the transfer.
 */
import { Failure } from '../errors.ts';
import type { Exchange } from '../session/exchange.ts';
import type { Received } from '../session/line.ts';
import { giveSlab } from '../session/slabs.ts';

/** `early`: bytes before it have not come yet. */
export type Data = Received & { kind: 'data' } & { readonly early?: boolean };

/** Where the bytes go. */
export interface Writable { write(chunks: readonly Uint8Array[], position: number): Promise<void> }

/** Parts that one may be put before: the blocks of as many connections as there can be. Beyond that order gains nothing, and finding it could be made dear. */
const MAX_STEPS = 32;

/** Whose credit it is. */
type Origin = Pick<Exchange, 'consumed'>;
type Part = Data & { readonly from: Origin };
type OnWritten = (data: Data, free: () => void) => void;

/** Bytes of one write. Four blocks, a quarter of the credit of one connection: the sender always has some to go on with. */
const WRITE_BYTES = 4 << 20;
/** How long less than that may wait for more (ms). Without it, connections that may hold little memory would stand still. */
const PATIENCE_MS = 10;

export class Writing {
  readonly #sink: Writable;
  readonly #transfer: Pick<Exchange, 'cancel'>;
  readonly #onWritten: OnWritten | undefined;
  #queue: Part[] = []; // nearly as in the file
  #bytes = 0; // in the queue
  /** Parts that wait or are being written, of each connection that has any. */
  readonly #waiting = new Map<Origin, number>();
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** `onWritten` hears of each part when it is in the sink, and gives its memory and credit back. */
  constructor(transfer: Pick<Exchange, 'cancel'>, sink: Writable, onWritten?: OnWritten) {
    this.#sink = sink;
    this.#transfer = transfer;
    this.#onWritten = onWritten;
  }

  /** Takes `data` over, its memory and its credit, which is that of `from`. */
  add(data: Data, from: Origin): void {
    let at = this.#queue.length;
    for (let step = 0; step < MAX_STEPS && at > 0 && this.#queue[at - 1]!.offset > data.offset; step += 1) at -= 1;
    this.#queue.splice(at, 0, { ...data, from });
    this.#waiting.set(from, (this.#waiting.get(from) ?? 0) + 1);
    this.#bytes += data.bytes.byteLength;
    if (this.#bytes >= WRITE_BYTES) this.#start();
    else this.#wait();
  }

  #wait(): void {
    this.#timer ??= setTimeout(() => this.#start(this.#bytes), PATIENCE_MS);
  }

  /** Resolves when less than `most` bytes wait to be written: for whoever adds what costs no credit. */
  async room(most: number): Promise<void> {
    while (this.#bytes >= most) {
      this.#start();
      if (this.#bytes >= most) await this.#running;
    }
  }

  /** Resolves when all is written, or all that came `from` there; or writing has failed and the transfer with it. */
  async idle(from?: Origin): Promise<void> {
    while (from === undefined ? this.#queue.length > 0 || this.#running !== undefined : this.#waiting.has(from)) {
      this.#start();
      await this.#running;
    }
  }

  /** `waited`: so many bytes have waited for more, and do not wait again, though there be gaps in them. */
  #start(waited = 0): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#running ??= this.#run(waited).finally(() => { this.#running = undefined; });
  }

  async #run(waited: number): Promise<void> {
    let due = waited;
    try {
      do {
        const parts = this.#take();
        if (parts.length === 0) return;
        await this.#sink.write(parts.map((part) => part.bytes), parts[0]!.offset);
        for (const part of parts) {
          due -= part.bytes.byteLength;
          this.#written(part);
        }
      } while (this.#bytes >= WRITE_BYTES || due > 0);
      if (this.#queue.length > 0) this.#wait();
    } catch (error) {
      // Whoever waits for the peer wakes by this, and the peer is told to stop.
      this.#queue = [];
      this.#waiting.clear();
      this.#bytes = 0;
      this.#transfer.cancel(Failure.from(error));
    }
  }

  #written(part: Part): void {
    const others = this.#waiting.get(part.from)! - 1;
    if (others > 0) this.#waiting.set(part.from, others);
    else this.#waiting.delete(part.from);
    const free = (): void => {
      giveSlab(part.bytes);
      part.from.consumed(part.bulk);
    };
    if (this.#onWritten === undefined) free();
    else this.#onWritten(part, free);
  }

  /** As much of the queue as one write takes: always something, if there is something, and nothing behind what is missing or kept. */
  #take(): Part[] {
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
