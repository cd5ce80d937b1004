/**
 * Arrival: one bulk frame that is coming in, gathered into one buffer, so that hashing and writing see it whole.
 * What comes lands in that buffer by itself where the socket can be told where to (`landing`), and is copied otherwise.
 */
import type { Received } from './exchange.ts';
import type { MachineEvent } from './machine.ts';
import { roomFor } from './slabs.ts';

export class Arrival {
  readonly exchange: number;
  /** What the frame costs of the credit and of the budget. */
  readonly bulk: number;
  readonly #word: 'data' | 'batch';
  readonly #offset: number;
  readonly #bytes: Uint8Array;
  #filled = 0;

  constructor({ exchange, bulk, word, offset, size }: MachineEvent & { event: 'begin' }) {
    this.exchange = exchange;
    this.bulk = bulk;
    this.#word = word;
    this.#offset = offset;
    // A pack is handed on to a worker with its memory, so it gets memory of its own.
    this.#bytes = word === 'batch' ? Buffer.allocUnsafeSlow(size) : roomFor(size);
  }

  /** Where its next bytes belong. */
  landing(): Uint8Array { return this.#bytes.subarray(this.#filled); }

  add(bytes: Uint8Array): void {
    const landed = bytes.buffer === this.#bytes.buffer && bytes.byteOffset === this.#bytes.byteOffset + this.#filled;
    if (!landed) this.#bytes.set(bytes, this.#filled);
    this.#filled += bytes.byteLength;
  }

  /** The frame, when all of it was added. */
  whole(): Received {
    if (this.#word === 'batch') return { kind: 'batch', pack: this.#bytes, bulk: this.bulk };
    return { kind: 'data', offset: this.#offset, bytes: this.#bytes, bulk: this.bulk };
  }
}

/** Events that have to wait, with bytes of their own: those they came with are the socket's. */
export function kept(events: readonly MachineEvent[]): MachineEvent[] {
  return events.map((event) => (event.event === 'piece' ? { ...event, bytes: Uint8Array.from(event.bytes) } : event));
}
