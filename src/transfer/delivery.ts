/**
 * Delivery: what was handed to one lane, and how much of it has arrived. A receiver gives credit back for what it has
 * put where it belongs, nearly in the order in which it came: as much as was paid back has come, and that is counted from
 * the first on. The rest is lost when the lane fails, and known when it comes again.
 */
import { Failure } from '../errors.ts';
import type { Lane } from './lanes.ts';

interface Handed { readonly offset: number; readonly size: number; readonly cost: number }

/** What is not known to have arrived, in order. */
export class OnTheWay {
  readonly #handed: Handed[] = [];
  readonly #tell: (bytes: number) => void;
  /** What all of it cost of the credit. */
  #cost = 0;
  /** Bytes of the file that are known to have arrived. */
  arrived = 0;

  /** `tell` is called with how many more bytes of the file are known to have arrived. */
  constructor(tell: (bytes: number) => void = () => {}) {
    this.#tell = tell;
  }

  get all(): readonly Handed[] { return this.#handed; }

  add(handed: Handed): void {
    this.#handed.push(handed);
    this.#cost += handed.cost;
  }

  /** Forgets what the receiver has paid back; `unpaid`: of the credit, Infinity when the lane is over. */
  settle(unpaid: number): void {
    for (let first = this.#handed[0]; first !== undefined; first = this.#handed[0]) {
      if (this.#cost - first.cost < unpaid) return;
      this.#cost -= first.cost;
      this.arrived += first.size;
      this.#handed.shift();
      this.#tell(first.size);
    }
  }
}

export class Delivery {
  /** Resolves when the lane carries nothing any more, however it ended. */
  readonly ended: Promise<void>;
  readonly #lane: Lane;
  readonly #onTheWay: OnTheWay;
  #stopped = false;
  #end: () => void = () => {};
  readonly #landed: Promise<void>;

  constructor(lane: Lane, onTheWay: OnTheWay) {
    this.#lane = lane;
    this.#onTheWay = onTheWay;
    this.ended = new Promise((resolve) => { this.#end = resolve; });
    this.#landed = this.#listen();
    this.#landed.catch(() => {}); // told by whoever sends next
  }

  /** The receiver wants no more over this lane. */
  get stopped(): boolean { return this.#stopped; }

  /** So much of the file was given to the lane, for so much of its credit. */
  handed(offset: number, size: number, cost: number): void {
    this.#onTheWay.add({ offset, size, cost });
    this.#onTheWay.settle(this.#lane.unpaid);
  }

  /** Resolves when the receiver has said that all has arrived. */
  async landed(): Promise<void> {
    this.#lane.hurry();
    await this.#landed;
    this.#onTheWay.settle(0);
  }

  /** What may not have arrived. */
  lost(): readonly Handed[] {
    return this.#onTheWay.all;
  }

  end(): void {
    this.#end();
  }

  async #listen(): Promise<void> {
    for (;;) {
      const received = await this.#lane.next(true); // it has nothing to say while it takes what comes
      if (received.kind !== 'message') throw new Failure('INTERNAL', 'data where it is sent');
      const { kind } = received.message;
      if (kind === 'landed' || kind === 'done') return;
      if (kind === 'enough') this.#stopped = true;
      else throw new Failure('INTERNAL', `unexpected ${kind} on a lane`);
    }
  }
}
