/**
 * Ahead: the packs that one walk has in memory for a peer, from before they are made until the socket has taken them.
 *
 * Each is made in a slab of the connection: a whole one where the budget offers that, else a small one, and one at least; so
 * peers that do not read cost little, however many there are. A slab is taken only when there is credit for
 * its pack and for all before it, so that nothing but the socket can hold it up. The walk makes steps in order, one for each slab.
 */
import { Failure } from '../errors.ts';
import { MAX_PACK_BYTES } from '../pack.ts';
import type { Exchange } from '../session/exchange.ts';

export class Ahead {
  readonly #exchange: Exchange;
  /** Bytes of the slabs whose steps are not here yet. */
  readonly #taken: number[] = [];
  #closed = false;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  /** Resolves when another step may be made, with the memory for its pack. Rejects when nobody listens any more. */
  readonly room = async (): Promise<ArrayBuffer> => {
    const { packs, signal } = this.#exchange;
    await this.#exchange.credit(MAX_PACK_BYTES, this.#taken.length + 1);
    const slab = await packs.take(signal);
    if (this.#closed) {
      packs.give(slab);
      throw new Failure('CANCELLED', 'cancelled', { who: 'here' });
    }
    this.#taken.push(slab.byteLength);
    return slab.buffer as ArrayBuffer;
  };

  /** The pack of the next step is here, and is sent; it may be empty. */
  async send(pack: Uint8Array): Promise<void> {
    const bytes = this.#taken.shift();
    const written = (): void => {
      const { packs } = this.#exchange;
      if (bytes === pack.buffer.byteLength) packs.give(Buffer.from(pack.buffer));
      else if (bytes !== undefined) packs.lost(bytes); // the pack was not made in it
    };
    try {
      if (pack.byteLength > 0) await this.#exchange.batch(pack, written);
      else written();
    } catch (error) {
      written();
      throw error;
    }
  }

  /** No more steps are made; what was handed over for some is gone. */
  [Symbol.dispose](): void {
    this.#closed = true;
    for (const bytes of this.#taken.splice(0)) this.#exchange.packs.lost(bytes);
  }
}
