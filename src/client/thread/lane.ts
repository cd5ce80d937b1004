/**
 * ThreadLane: a lane whose connection is in another thread, as its transfer sees it here.
 *
 * To be sent, a block is copied into memory that both threads see, so that what was hashed here is what goes, whatever
 * becomes of the file; what comes is seen where it landed, and is hashed and written here. Blocks that a thread may have in hand are
 * few. When the thread dies, or its connection fails, everything that waits here rejects, and the transfer goes on without.
 */
import type { MessagePort } from 'node:worker_threads';
import { BLOCK_BYTES } from '../../digest.ts';
import { Failure } from '../../errors.ts';
import type { Received } from '../../session/line.ts';
import { lendSlab } from '../../session/slabs.ts';
import type { Lane } from '../../transfer/lanes.ts';
import { DATA_HEAD_BYTES } from '../../wire/frame.ts';
import type { Message } from '../../wire/messages.ts';
import type { Order, Word } from './words.ts';

/** Blocks that were given to the thread and are not with its socket yet: one being encrypted, one behind it, one being read. */
const DEPTH = 3;

/** How long a thread may take to sign off (ms): it does so between two blocks. */
const CLOSE_MS = 1_000;

interface Waiter<T> { resolve(value: T): void; reject(failure: Failure): void }

export class ThreadLane implements Lane {
  /** Resolves when the server lets it join; rejects when it does not, or cannot be asked. */
  readonly opened: Promise<void>;
  /** Resolves when the thread has done with it, or is dead. */
  readonly closed: Promise<void>;
  readonly #port: MessagePort;
  readonly #inbox: Received[] = [];
  readonly #free: Buffer[] = [];
  #reader: Waiter<Received> | undefined;
  #roomWaiters: Waiter<void>[] = [];
  #opening: Waiter<void> | undefined;
  #failure: Failure | undefined;
  #cancelled = false;
  /** Blocks with the thread; bytes that were ever given to it, and those that are known to have arrived. */
  #out = 0;
  #handed = 0;
  #arrived = 0;

  constructor(port: MessagePort) {
    this.#port = port;
    this.opened = new Promise((resolve, reject) => { this.#opening = { resolve, reject }; });
    this.opened.catch(() => {}); // whoever opens it may be gone
    this.closed = new Promise((resolve) => { port.once('close', resolve); });
    port.on('message', (word: Word) => this.#hear(word));
    port.once('close', () => this.#fail(new Failure('LOST', 'the thread of the connection ended', { who: 'here' })));
  }

  get open(): boolean { return this.#failure === undefined; }
  get unpaid(): number { return this.#handed - this.#arrived; }

  next(): Promise<Received> {
    const first = this.#inbox.shift();
    if (first !== undefined) return Promise.resolve(first);
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => { this.#reader = { resolve, reject }; });
  }

  affords(_size: number, frames: number): boolean {
    if (this.#failure !== undefined) throw this.#failure;
    return this.#out + frames <= DEPTH;
  }

  async credit(size: number, frames = 1): Promise<void> {
    while (!this.affords(size, frames)) await new Promise<void>((resolve, reject) => { this.#roomWaiters.push({ resolve, reject }); });
  }

  room(size: number): Promise<void> {
    return this.credit(size);
  }

  data(frame: Buffer, offset: number, size: number, written: () => void): number {
    if (this.#failure === undefined) {
      const block = this.#free.pop() ?? Buffer.from(new SharedArrayBuffer(DATA_HEAD_BYTES + BLOCK_BYTES));
      frame.copy(block, DATA_HEAD_BYTES, DATA_HEAD_BYTES, DATA_HEAD_BYTES + size);
      this.#out += 1;
      this.#order({ do: 'send', memory: block.buffer as unknown as SharedArrayBuffer, offset, size });
    }
    this.#handed += size;
    written();
    return size;
  }

  consumed(bulk: number): void { this.#order({ do: 'consumed', bulk }); }
  say(message: Message): void { this.#order({ do: 'say', message }); }
  hurry(): void { this.#order({ do: 'hurry' }); }

  cancel(failure: Failure): void {
    if (this.#failure !== undefined) return;
    this.#cancelled = true;
    this.#order({ do: 'cancel', code: failure.code, message: failure.message });
    this.#fail(failure);
  }

  /** Has the thread sign off. Resolves when it has, or does not answer; at once, where it was cancelled: whoever interrupts does not wait for a block. */
  async close(): Promise<void> {
    this.#order({ do: 'close' });
    this.#fail(new Failure('CANCELLED', 'the lane is over', { who: 'here' }));
    const timer = setTimeout(() => this.#port.close(), CLOSE_MS);
    const closed = this.closed.then(() => clearTimeout(timer));
    if (!this.#cancelled) await closed;
  }

  #order(order: Order): void {
    this.#port.postMessage(order); // dropped when nobody is there any more
  }

  #hear(word: Word): void {
    if (word.said === 'failed') return this.#fail(new Failure(word.code, word.message, { who: 'network' }));
    if (word.said === 'lent') return this.#opening?.resolve();
    if (word.said === 'received') return this.#came(word.received);
    this.#out -= 1;
    this.#arrived = word.arrived;
    this.#free.push(Buffer.from(word.memory));
    for (const waiter of this.#roomWaiters.splice(0)) waiter.resolve();
  }

  #came(received: Received): void {
    if (received.kind === 'data') {
      const { buffer } = received.bytes;
      if (buffer instanceof SharedArrayBuffer) lendSlab(received.bytes, () => this.#order({ do: 'reuse', memory: buffer }));
    }
    if (this.#failure !== undefined) return;
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader !== undefined) reader.resolve(received);
    else this.#inbox.push(received);
  }

  #fail(failure: Failure): void {
    if (this.#failure !== undefined) return;
    this.#failure = failure;
    this.#inbox.length = 0;
    this.#free.length = 0;
    this.#opening?.reject(failure);
    this.#reader?.reject(failure);
    for (const waiter of this.#roomWaiters.splice(0)) waiter.reject(failure);
  }
}
