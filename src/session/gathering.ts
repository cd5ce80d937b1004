/**
 * Gathering: what one connection holds of what came in, out of the budget: the bulk frame or the long word that is coming, and
 * all that was handed on and not released yet. A word is asked for when it begins, with what it comes to when it is expanded. It does not know whose it is, nor when to read: it says what cannot be taken now, and
 * has its owner called when that may have changed.
 */
import { Arrival, expectedOf, type Allowed } from './arrival.ts';
import type { Budget } from './budget.ts';
import type { Received } from './line.ts';
import { FRAME_COST, type MachineEvent } from './machine.ts';
import { PIECE_BYTES } from './slabs.ts';

/** What a connection that holds nothing always gets: as much as a piece of a file costs. */
const SMALL = PIECE_BYTES + 8 + FRAME_COST;

export class Gathering implements Allowed {
  readonly #budget: Budget;
  readonly #retry: () => void;
  readonly #deliver: (exchange: number, what: Received) => void;
  #held = 0;
  /** Of that, what was taken for a word that is coming. */
  #expected = 0;
  /** Whether it holds more than it was offered. */
  #excepted = false;
  /** Whether it may hold more than anybody offers. */
  #forced = false;
  /** Whether something could not be taken, and nothing was released since; and whether that was so when it was asked last. */
  #refused = false;
  #stood = false;
  #arriving: Arrival | undefined;

  /** `retry` may be called as long as this has not ended; `deliver` gets each part of a frame that is whole. */
  constructor(budget: Budget, retry: () => void, deliver: (exchange: number, what: Received) => void) {
    this.#budget = budget;
    this.#retry = retry;
    this.#deliver = deliver;
    budget.enter();
  }

  /** The exchange of the frame that is coming. */
  get exchange(): number { return this.#arriving!.exchange; }

  /** Where the bytes that come next belong, if that is known. */
  landing(): Uint8Array | undefined { return this.#arriving?.landing(); }

  /** Takes `bytes` for something that is here already; false: not now. */
  take(bytes: number): boolean {
    if (this.#expected < bytes) return this.reserve(bytes, true);
    this.release(this.#expected - bytes); // taken when it began
    this.#expected = 0;
    return true;
  }

  /** A word of which this is the head has begun to come, or none has (undefined); false: no more of it now. */
  expect(head: Parameters<typeof expectedOf>[0] | undefined): boolean {
    const bytes = head === undefined ? 0 : expectedOf(head);
    if (bytes > 0 && this.#expected === 0) {
      if (!this.reserve(bytes, true)) return false;
      this.#expected = bytes;
    } else if (bytes === 0) {
      const expected = this.#expected;
      this.#expected = 0;
      if (expected > 0) this.release(expected);
    }
    return true;
  }

  offers(bytes: number): boolean { return this.#budget.offers(bytes, this.#held); }

  /** Whether it could take nothing since this was asked before, because of what it holds, of which nothing was released meanwhile. */
  standsStill(): boolean {
    const stood = this.#stood;
    this.#stood = this.#refused;
    return stood && this.#refused;
  }

  /**
   * Takes all that comes until what it holds is offered again. What is held may be of one exchange, and its consumer may wait for another, whose
   * bytes are behind them: for who has few connections and trusts the windows he gave.
   */
  force(): void { this.#forced = true; }

  reserve(bytes: number, whole: boolean): boolean {
    this.#refused = !this.#forced && !this.#reserve(bytes, whole);
    if (this.#refused) return false;
    if (this.#forced) this.#budget.force(bytes);
    this.#held += bytes;
    return true;
  }

  #reserve(bytes: number, whole: boolean): boolean {
    if (!whole || bytes <= SMALL) return this.#budget.reserve(bytes, this.#held, this.#retry);
    const taken = this.#budget.reserveWhole(bytes, this.#held, !this.#excepted, this.#retry);
    this.#excepted ||= taken === 'excepted';
    return taken !== undefined;
  }

  release(bytes: number): void {
    this.#held -= bytes;
    this.#refused = this.#stood = false;
    this.#forced &&= this.#held > 0 && !this.offers(0);
    if (this.#excepted && (this.#held === 0 || this.offers(0))) {
      this.#excepted = false;
      this.#budget.settle();
    }
    this.#budget.release(bytes);
  }

  /** A frame begins; false: not now. */
  begin(event: MachineEvent & { event: 'begin' }): boolean {
    const arriving = new Arrival(event);
    if (!this.#opened(arriving)) return false;
    this.#arriving = arriving;
    return true;
  }

  /** Takes the bytes of a frame that has begun; false: not all of them now. */
  piece(piece: MachineEvent & { event: 'piece' }): boolean {
    const arriving = this.#arriving!;
    while (piece.bytes.byteLength > 0) {
      if (!this.#opened(arriving)) return false;
      const added = arriving.add(piece.bytes);
      piece.bytes = piece.bytes.subarray(added);
      const part = arriving.part();
      if (part === undefined) continue;
      if (piece.last && piece.bytes.byteLength === 0) this.#arriving = undefined;
      this.#deliver(arriving.exchange, part);
    }
    return true;
  }

  /** Whether what comes next of a frame has a place. */
  #opened(arriving: Arrival): boolean { return arriving.begin(this); }

  /** Nothing comes any more. What was handed on is still to be released. */
  end(): void {
    this.#budget.forget(this.#retry);
    this.release(this.#expected + (this.#arriving?.bulk ?? 0));
    this.#expected = 0;
    this.#arriving = undefined;
    this.#budget.part();
  }
}
