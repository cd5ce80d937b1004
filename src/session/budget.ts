/**
 * Budget: the bytes that all connections of this process may hold for their consumers, in one number.
 *
 * What is taken is reserved before its first byte is kept, and released when its consumer has it. Each connection may hold
 * as much as is left for others: one alone half of the budget, each of many an equal share, and whoever comes last still
 * finds something (Choudhury and Hahne, "Dynamic queue length thresholds", 1998). A connection that may take nothing stops
 * reading, and the network slows the sender down. One that holds nothing may always take one piece: without that, others
 * could starve it. What is larger and has to be whole, such as a pack, may be taken beyond that by a few connections at a time,
 * in turn. So the bound is the budget, these few, and one piece for each connection; `slabs.ts` says how small a piece is.
 */
import { Windows } from './windows.ts';

/** 128 MiB: with it, a server with 200 busy connections stays small, and each has room for what a disk needs to stay busy. */
export const DEFAULT_BUDGET = 128 << 20;
/** A client has one server to take from: half of it keeps the whole process below 150 MiB where its disk is slow. */
const CLIENT_BUDGET = 64 << 20;

/**
 * What an open connection costs besides: its objects, TLS, and what Node and the system's allocator keep of what passed (measured at
 * 200 that are busy: 300 to 500 KiB; an idle one takes 60 KiB).
 */
const CONNECTION_BYTES = 448 << 10;
/** Of the budget, what open connections may take by themselves: some of it must be left to use. */
const CONNECTIONS_SHARE = 3 / 4;

/** Connections that may take something whole beyond what they are offered, at a time: enough to keep a disk busy. At most 16 MiB. */
export const MAX_EXCEPTED = 16;

export class Budget {
  readonly limit: number;
  /** What of it the windows of exchanges may take. */
  readonly windows: Windows;
  #used = 0;
  #connections = 0;
  readonly #waiting = new Set<() => void>();
  #excepted = 0;
  /** Those of the waiting who would go on with an exception. */
  readonly #inLine = new Set<() => void>();

  /** `onTheWay`: what the windows of exchanges may take, held or not. */
  constructor(limit = DEFAULT_BUDGET, onTheWay = limit) {
    this.limit = limit;
    this.windows = new Windows(onTheWay);
  }

  get used(): number { return this.#used; }

  /** A connection was opened, which takes its part of what there is; or has ended. */
  enter(): void { this.#connections += 1; }
  part(): void { this.#connections -= 1; }

  get #free(): number { return this.limit - Math.min(this.limit * CONNECTIONS_SHARE, this.#connections * CONNECTION_BYTES) - this.#used; }

  /** Whether who holds `held` may hold `bytes` more. */
  offers(bytes: number, held: number): boolean { return held + bytes <= this.#free; }

  /** Takes `bytes` if they are offered, or if `held` (what the caller has already) is 0; else `retry` is called once, later. */
  reserve(bytes: number, held: number, retry: () => void): boolean {
    if (held > 0 && !this.offers(bytes, held)) {
      this.#waiting.add(retry);
      return false;
    }
    this.#used += bytes;
    return true;
  }

  /**
   * Takes `bytes` that have to be whole, if they are offered; or else as an exception, if `mayExcept` and not too many have one: whoever got one
   * calls `settle` when what it holds is offered again, or nothing. Undefined: not now; `retry` is called once, later.
   */
  reserveWhole(bytes: number, held: number, mayExcept: boolean, retry: () => void): 'offered' | 'excepted' | undefined {
    const offered = this.offers(bytes, held);
    if (!offered && (!mayExcept || this.#excepted >= MAX_EXCEPTED)) {
      this.#waiting.add(retry);
      if (mayExcept) this.#inLine.add(retry);
      return undefined;
    }
    if (!offered) this.#excepted += 1;
    this.#used += bytes;
    return offered ? 'offered' : 'excepted';
  }

  /** Takes `bytes` that nobody offers. */
  force(bytes: number): void { this.#used += bytes; }

  /** An exception is over. */
  settle(): void {
    this.#excepted -= 1;
    for (const retry of [...this.#inLine]) {
      if (this.#excepted >= MAX_EXCEPTED) return;
      this.forget(retry);
      retry();
    }
  }

  /** Whoever waits asks again when it has given back some of what it holds, or has an exception; others are asked as long as they take what became free. */
  release(bytes: number): void {
    this.#used -= bytes;
    for (let used = -1; used !== this.#used && this.#waiting.size > 0 && this.#free > 0;) {
      used = this.#used;
      const [retry] = this.#waiting;
      this.#waiting.delete(retry!);
      retry!();
    }
  }

  /** `retry` will not be called any more. */
  forget(retry: () => void): void {
    this.#waiting.delete(retry);
    this.#inLine.delete(retry);
  }
}

/** The budget of what this process serves; a program that serves several folders has one for all. */
export const processBudget = new Budget();
/** That of all its clients. As much as elsewhere may be on the way: far away that is the speed, and what is on the line is not held here. */
export const clientBudget = new Budget(CLIENT_BUDGET, DEFAULT_BUDGET);
