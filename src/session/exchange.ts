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
import { errorMessage, TAKES_ZSTD, type Kind, type Message } from '../wire/messages.ts';
import { Compression } from './compression.ts';
import { Intake } from './intake.ts';
import type { Line, Received } from './line.ts';
import { FRAME_COST } from './machine.ts';
import type { SlabShare } from './slabs.ts';
import type { Waits } from './waits.ts';
import { Watch } from './watch.ts';
import { hasZstd } from './zstd.ts';

interface Waiter<T> { resolve(value: T): void; reject(failure: Failure): void }

/** Of a block that is compressed: what is left of it has to fit a control frame. */
const PART_BYTES = 512 << 10;
/** What a block costs more when it goes in two parts. */
const PARTED = 8 + FRAME_COST;

export class Exchange {
  readonly id: number;
  readonly #line: Line;
  readonly #inbox: Received[] = [];
  #reader: Waiter<Received> | undefined;
  #creditWaiters: Waiter<void>[] = [];
  #failure: Failure | undefined;
  readonly #intake: Intake;
  #arriving = false; // the first bytes of a bulk frame have come
  #watch: Watch | undefined;
  readonly #abort = new AbortController();
  #compression: Compression | undefined;
  /** When the present wait for the peer began (ms of the connection's clock); undefined while nothing is awaited. */
  waitingSince: number | undefined;

  constructor(id: number, line: Line) {
    this.id = id;
    this.#line = line;
    this.#intake = new Intake(line.budget.windows);
  }

  /** Aborted when the exchange fails or is cancelled by the peer. */
  get signal(): AbortSignal { return this.#abort.signal; }
  get failure(): Failure | undefined { return this.#failure; }
  get waits(): Waits | undefined { return this.#watch?.waits; }
  /** Whether the peer still listens. */
  get open(): boolean { return this.#failure === undefined && this.#line.machine.isOpen(this.id); }

  /** The next thing the peer says. One caller at a time. With `patient` it may take as long as it likes to, until `hurry`. */
  next(patient = false): Promise<Received> {
    const first = this.#inbox.shift();
    if (first !== undefined) return Promise.resolve(first);
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const word = this.#wait<Received>((waiter) => { this.#reader = waiter; }, patient);
    this.#watch?.tell();
    return word;
  }

  /** The next message, which must be of this kind. */
  async expect<K extends Kind>(kind: K): Promise<Message<K>> {
    const received = await this.next();
    if (received.kind !== 'message' || received.message.kind !== kind) throw new Failure('INTERNAL', `expected ${kind}, got ${received.kind === 'message' ? received.message.kind : received.kind}`);
    return received.message as Message<K>;
  }

  /** From now on the peer is waited for, and must not take too long. */
  hurry(): void { this.waitingSince ??= performance.now(); }

  /** What is waited for is on its way: the wait begins anew. */
  goesOn(): void { if (this.waitingSince !== undefined) this.waitingSince = performance.now(); }
  /** We wait for the rate at which the peer may move bytes, and tell it that we do, by no more room. */
  paced(): void { this.goesOn(); this.#write(this.#line.machine.widen(this.id, 0)); }

  #wait<T>(register: (waiter: Waiter<T>) => void, patient = false): Promise<T> {
    if (!patient) this.waitingSince = performance.now();
    return new Promise<T>((resolve, reject) => {
      register({
        resolve: (value) => { this.waitingSince = undefined; resolve(value); },
        reject: (failure) => { this.waitingSince = undefined; reject(failure); },
      });
    });
  }

  /** `bulk` bytes that came out of `next` have gone where they belong. */
  consumed(bulk: number): void {
    this.taken(bulk);
    this.grant(bulk);
  }

  /** So many are not held here any more, but as many again must not come before `grant`. */
  taken(bulk: number): void {
    if (this.#failure !== undefined) return; // given up already
    this.#intake.taken(bulk);
    this.#line.released(bulk);
    this.#watch?.tell();
  }

  grant(bulk: number): void {
    if (this.#failure !== undefined) return;
    const amount = this.#intake.granted(bulk);
    if (amount > 0) this.#write(this.#line.machine.grant(this.id, amount));
    this.#widen();
  }

  #widen(): void {
    const more = this.#intake.more();
    if (more > 0) this.#write(this.#line.machine.widen(this.id, more));
  }

  #write(frame: Buffer | undefined): void { if (frame !== undefined) this.#line.write(frame); }

  /** Says a message that costs no credit. Dropped when the exchange is over. */
  say(message: Message): void { this.#say(message); }

  #say(message: Message, written?: () => void): void {
    const frame = this.#line.machine.say(this.id, message);
    if (frame !== undefined) this.#line.write(frame, written);
    else written?.();
    if (!this.#line.machine.isOpen(this.id)) this.#line.ended(this.id);
  }

  /** Says a bulk message once there is credit for it; `size` is an upper bound of its body. `written` is called when the socket has it, never when this rejects. */
  async sayBulk(message: Message, size: number, written: () => void = () => {}): Promise<void> {
    await this.room(size);
    this.#say(message, written); // bulk frames take turns at the socket
  }

  /** Resolves when `size` bytes of a bulk body may be sent. Rejects when the exchange has failed. */
  async room(size: number): Promise<void> {
    await this.credit(size + PARTED);
    let turn = this.#line.turns.room(this.signal);
    if (turn === undefined) return;
    const began = performance.now();
    for (; turn !== undefined; turn = this.#line.turns.room(this.signal)) {
      this.#watch?.socket(true);
      await turn;
      this.#watch?.socket(false);
      if (!this.open) this.#line.turns.pass();
      this.#credit(); // throws when nobody listens any more
    }
    this.#compressor?.waited(performance.now() - began);
  }

  /** Undefined where one of the two sides has no zstd. */
  get #compressor(): Compression | undefined {
    if (hasZstd && this.#line.machine.peerTakes(TAKES_ZSTD)) this.#compression ??= new Compression();
    return this.#compression;
  }

  /** Resolves when there is credit for `frames` bulk bodies of `size` bytes each. Rejects when the exchange has failed. */
  async credit(size: number, frames = 1): Promise<void> {
    while (!this.affords(size, frames)) {
      const more = this.#wait<void>((waiter) => { this.#creditWaiters.push(waiter); });
      this.#write(this.#line.machine.stall(this.id));
      this.#watch?.tell();
      await more;
    }
  }

  /** Whether there is credit for `frames` bulk bodies of `size` bytes each now. Throws when the exchange has failed. */
  affords(size: number, frames: number): boolean { return this.#credit() >= (size + FRAME_COST) * frames; }

  /** What was said here and not paid back yet, in credit. */
  get unpaid(): number { return this.#line.machine.unpaid(this.id); }

  get slabs(): SlabShare { return this.#line.slabs; }
  get packs(): SlabShare { return this.#line.packs; }

  #credit(): number {
    if (this.#failure !== undefined) throw this.#failure;
    const credit = this.#line.machine.credit(this.id);
    if (credit === undefined) throw new Failure('INTERNAL', 'sending on an exchange that is over');
    return credit;
  }

  /**
   * Sends `size` bytes of a file, which stand in `frame` behind DATA_HEAD_BYTES of headroom, compressed where that is quicker. After
   * `room`. `written` is called, exactly once, when `frame` may be used again. Returns what it cost of the credit.
   */
  data(frame: Buffer, offset: number, size: number, written: () => void): number {
    const before = this.unpaid;
    const parts = this.#compressor?.parts(frame.subarray(DATA_HEAD_BYTES, DATA_HEAD_BYTES + size), PART_BYTES);
    if (parts !== undefined) {
      let [at, unwritten] = [offset, parts.length];
      // What waits for the socket is paid for by the slab that it came from.
      const last = (): void => { if ((unwritten -= 1) === 0) written(); };
      for (const part of parts) {
        this.#say({ kind: 'compressedData', offset: at, ...part }, last);
        at += part.size;
      }
    } else if (this.#line.machine.sayData(this.id, frame, offset, size)) this.#line.write(frame.subarray(0, DATA_HEAD_BYTES + size), written);
    else written();
    return this.open ? this.unpaid - before : 0;
  }

  /** Sends a pack once there is credit for it, compressed where that is quicker. `written` as of `sayBulk`. */
  async batch(pack: Uint8Array, written: () => void = () => {}): Promise<void> {
    await this.room(pack.byteLength);
    const [whole] = this.#compressor?.parts(pack, pack.byteLength) ?? [];
    if (whole !== undefined) return this.#say({ kind: 'compressedBatch', ...whole }, written);
    // Header and body in one write, the header in the room that packs have before them: two would be two TLS records and, on some paths, two packets.
    const frame = frameAround(pack);
    if (this.#line.machine.sayBatch(this.id, frame, pack.byteLength)) this.#line.write(frame, written);
    else written();
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
  [Symbol.dispose](): void { this.cancel(new Failure('CANCELLED', 'cancelled', { who: 'here' })); }

  /** From now on `waits` is told what is waited for here; `heedful` as of `Watch`. */
  watch(waits: Waits | undefined, heedful = true): void {
    if (waits === undefined || this.#failure !== undefined) return;
    this.#watch ??= new Watch(waits, heedful, this.#line.sounding, () => ({
      wantsCredit: this.#creditWaiters.length > 0, wantsWords: this.#reader !== undefined, held: this.#intake.held, arriving: this.#arriving,
    }));
  }

  /** From the connection: a bulk frame begins to arrive. */
  arriving(): void {
    this.#arriving = true;
    this.#line.sounding.moved();
    this.#watch?.tell();
  }

  /** From the connection: something arrived. */
  deliver(received: Received): void {
    this.#arriving = false;
    if (this.#failure !== undefined) return this.#line.released(received.bulk);
    this.#intake.came(received.bulk);
    const reader = this.#reader;
    this.#reader = undefined;
    this.#line.sounding.moved();
    this.#watch?.tell();
    if (reader !== undefined) reader.resolve(received);
    else this.#inbox.push(received);
  }

  /** From the connection: there is more credit. */
  credited(): void {
    for (const waiter of this.#creditWaiters.splice(0)) waiter.resolve();
    this.#line.sounding.moved();
    this.#watch?.tell();
  }

  /** From the connection: the peer waits for credit. */
  stalled(): void {
    if (this.#failure !== undefined) return;
    this.#intake.stalled();
    this.#widen();
  }

  /** Ends the exchange for this side; what it held is given up. */
  fail(failure: Failure): void {
    if (this.#failure !== undefined) return;
    this.#failure = failure;
    this.#inbox.length = 0;
    this.#line.released(this.#intake.close());
    this.#reader?.reject(failure);
    for (const waiter of this.#creditWaiters.splice(0)) waiter.reject(failure);
    this.#reader = undefined;
    this.#watch?.end();
    this.#abort.abort(failure);
  }
}
