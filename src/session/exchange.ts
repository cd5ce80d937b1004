/**
 * Exchange: one request and what both sides say about it, as promises.
 *
 * It has an inbox in the order of arrival, bounded by the credit this side gave; whoever takes something bulky out
 * of it says `consumed` when the bytes have gone where they belong, and only then the peer may send as many again.
 * So the receiver sets the pace. Sending waits for the peer's credit and for the socket.
 * An exchange ends well with its last word, or fails once: by the peer's `error`, by `cancel`, or with its
 * connection. After that every wait rejects with that failure and everything said is dropped.
 */
import { Failure } from '../errors.ts';
import { DATA_HEAD_BYTES, frameAround } from '../wire/frame.ts';
import { errorMessage, type Kind, type Message } from '../wire/messages.ts';
import { FRAME_COST, type Machine } from './machine.ts';
import type { SlabShare } from './slabs.ts';

export type Received =
  | { readonly kind: 'message'; readonly message: Message; readonly bulk: number }
  /** Bytes of a file from `offset` on, often in a slab (`slabs.ts`). */
  | { readonly kind: 'data'; readonly offset: number; readonly bytes: Uint8Array; readonly bulk: number }
  /** A pack, in a buffer of its own. */
  | { readonly kind: 'batch'; readonly pack: Uint8Array; readonly bulk: number };

/** What an exchange needs of its connection. */
export interface Line {
  readonly machine: Machine;
  /** Buffers for what is sent. */
  readonly slabs: SlabShare;
  /** Writes a whole frame; `written` is called when its bytes may change again. */
  write(frame: Uint8Array, written?: () => void): void;
  /** Resolves when the socket may want another bulk frame; undefined: it wants one now. */
  room(): Promise<void> | undefined;
  /** Whoever waited for room does not need it any more. */
  pass(): void;
  /** The exchange has given up `bytes` of what it held. */
  released(bytes: number): void;
  /** The exchange has said its last word. */
  ended(id: number): void;
}

interface Waiter<T> { resolve(value: T): void; reject(failure: Failure): void }

/** Credit is given back in portions, so that not every frame costs an answer. */
const GRANT_BYTES = 1 << 20;

export class Exchange {
  readonly id: number;
  readonly #line: Line;
  readonly #inbox: Received[] = [];
  #reader: Waiter<Received> | undefined;
  #creditWaiters: Waiter<void>[] = [];
  #failure: Failure | undefined;
  #ungranted = 0;
  #held = 0;
  readonly #abort = new AbortController();
  /** When the present wait for the peer began (ms of the connection's clock); undefined while nothing is awaited. */
  waitingSince: number | undefined;

  constructor(id: number, line: Line) {
    this.id = id;
    this.#line = line;
  }

  /** Aborted when the exchange fails or is cancelled by the peer. */
  get signal(): AbortSignal { return this.#abort.signal; }
  get failure(): Failure | undefined { return this.#failure; }
  /** Whether the peer still listens. */
  get open(): boolean { return this.#failure === undefined && this.#line.machine.isOpen(this.id); }

  /** The next thing the peer says. One caller at a time. */
  next(): Promise<Received> {
    const first = this.#inbox.shift();
    if (first !== undefined) return Promise.resolve(first);
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return this.#wait((waiter) => { this.#reader = waiter; });
  }

  /** The next message, which must be of this kind. */
  async expect<K extends Kind>(kind: K): Promise<Message<K>> {
    const received = await this.next();
    if (received.kind !== 'message' || received.message.kind !== kind) throw new Failure('INTERNAL', `expected ${kind}, got ${received.kind === 'message' ? received.message.kind : received.kind}`);
    return received.message as Message<K>;
  }

  #wait<T>(register: (waiter: Waiter<T>) => void): Promise<T> {
    this.waitingSince = performance.now();
    return new Promise<T>((resolve, reject) => {
      register({
        resolve: (value) => { this.waitingSince = undefined; resolve(value); },
        reject: (failure) => { this.waitingSince = undefined; reject(failure); },
      });
    });
  }

  /** `bulk` bytes that came out of `next` have gone where they belong. */
  consumed(bulk: number): void {
    if (this.#failure !== undefined) return; // given up already
    this.#held -= bulk;
    this.#line.released(bulk);
    this.#ungranted += bulk;
    if (this.#ungranted < GRANT_BYTES) return;
    const frame = this.#line.machine.grant(this.id, this.#ungranted);
    this.#ungranted = 0;
    if (frame !== undefined) this.#line.write(frame);
  }

  /** Says a message that costs no credit. Dropped when the exchange is over. */
  say(message: Message): void {
    this.#say(message);
  }

  #say(message: Message, written?: () => void): void {
    const frame = this.#line.machine.say(this.id, message);
    if (frame !== undefined) this.#line.write(frame, written);
    if (!this.#line.machine.isOpen(this.id)) this.#line.ended(this.id);
  }

  /** Says a bulk message once there is credit for it; `size` is an upper bound of its body. */
  async sayBulk(message: Message, size: number): Promise<void> {
    await this.room(size);
    this.#say(message, () => {}); // bulk frames take turns at the socket
  }

  /** Resolves when `size` bytes of a bulk body may be sent. Rejects when the exchange has failed. */
  async room(size: number): Promise<void> {
    await this.credit(size);
    for (let turn = this.#line.room(); turn !== undefined; turn = this.#line.room()) {
      await turn;
      if (!this.open) this.#line.pass();
      this.#credit(); // throws when nobody listens any more
    }
  }

  /** Resolves when there is credit for `frames` bulk bodies of `size` bytes each. Rejects when the exchange has failed. */
  async credit(size: number, frames = 1): Promise<void> {
    while (!this.affords(size, frames)) await this.#wait<void>((waiter) => { this.#creditWaiters.push(waiter); });
  }

  /** Whether there is credit for `frames` bulk bodies of `size` bytes each now. Throws when the exchange has failed. */
  affords(size: number, frames: number): boolean { return this.#credit() >= (size + FRAME_COST) * frames; }

  /** Buffers for what is sent. */
  get slabs(): SlabShare { return this.#line.slabs; }

  #credit(): number {
    if (this.#failure !== undefined) throw this.#failure;
    const credit = this.#line.machine.credit(this.id);
    if (credit === undefined) throw new Failure('INTERNAL', 'sending on an exchange that is over');
    return credit;
  }

  /**
   * Sends `size` bytes of a file, which stand in `frame` behind DATA_HEAD_BYTES of headroom. After `room`.
   * `written` is called, exactly once, when `frame` may be used again.
   */
  data(frame: Buffer, offset: number, size: number, written: () => void): void {
    if (this.#line.machine.sayData(this.id, frame, offset, size)) this.#line.write(frame.subarray(0, DATA_HEAD_BYTES + size), written);
    else written();
  }

  /** Sends a pack once there is credit for it. The header is put before it, in the room that packs have there. */
  async batch(pack: Uint8Array): Promise<void> {
    await this.room(pack.byteLength);
    // Header and body in one write: two would be two TLS records and, on some paths, two packets.
    const frame = frameAround(pack);
    if (this.#line.machine.sayBatch(this.id, frame, pack.byteLength)) this.#line.write(frame, () => {});
  }

  /** Gives the exchange up: tells the peer, if it does not know yet, and fails here with `failure`. */
  cancel(failure: Failure): void {
    const { side } = this.#line.machine;
    // The last word is the server's, also to a client that has cancelled: with it both ends forget the exchange.
    if (this.#line.machine.isOpen(this.id) && (this.#failure === undefined || side === 'server')) {
      this.say(side === 'client' ? { kind: 'cancel', code: failure.code } : errorMessage(failure));
    }
    this.fail(failure);
  }

  /** Leaving an exchange before its last word cancels it; in any case what it held is given up. */
  [Symbol.dispose](): void {
    this.cancel(new Failure('CANCELLED', 'cancelled', { who: 'here' }));
  }

  /** From the connection: something arrived. */
  deliver(received: Received): void {
    this.#held += received.bulk;
    const reader = this.#reader;
    this.#reader = undefined;
    if (this.#failure !== undefined) this.#giveUp();
    else if (reader !== undefined) reader.resolve(received);
    else this.#inbox.push(received);
  }

  /** From the connection: there is more credit. */
  credited(): void {
    for (const waiter of this.#creditWaiters.splice(0)) waiter.resolve();
  }

  /** Ends the exchange for this side; what it held is given up. */
  fail(failure: Failure): void {
    if (this.#failure !== undefined) return;
    this.#failure = failure;
    this.#inbox.length = 0;
    this.#giveUp();
    this.#reader?.reject(failure);
    for (const waiter of this.#creditWaiters.splice(0)) waiter.reject(failure);
    this.#reader = undefined;
    this.#abort.abort(failure);
  }

  #giveUp(): void {
    this.#line.released(this.#held);
    this.#held = 0;
  }
}
