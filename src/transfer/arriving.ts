/**
 * Arriving: how much of a file that is sent has arrived, told as it becomes known, whichever lanes it went over.
 *
 * What was given to a socket may wait there, in the system and on the line for minutes, so it is no measure of how far a transfer is.
 * The receiver pays credit back for what it has put where it belongs; that is looked at here. It says nothing about digests: what
 * has arrived and is wrong is found at the end.
 */
import { OnTheWay } from './delivery.ts';
import type { Lane } from './lanes.ts';

/** As often as a person is shown how far it is (ms). */
const LOOK_EVERY_MS = 100;

export class Arriving implements Disposable {
  readonly #tell: (bytes: number) => void;
  readonly #ways = new Map<Lane, OnTheWay>();
  readonly #timer: NodeJS.Timeout;

  /** `tell` is called with how many more bytes of the file have arrived. */
  constructor(tell: (bytes: number) => void) {
    this.#tell = tell;
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
  }

  /** What goes over `lane` from now on, until `end`. */
  over(lane: Lane): OnTheWay {
    const way = new OnTheWay(this.#tell);
    this.#ways.set(lane, way);
    return way;
  }

  /** `lane` carries nothing any more. */
  end(lane: Lane): void {
    this.#ways.delete(lane);
  }

  #look(): void {
    for (const [lane, way] of this.#ways) way.settle(lane.unpaid);
  }

  /** The receiver has said that it has all of it. */
  all(): void {
    for (const way of this.#ways.values()) way.settle(0);
  }

  /** Nothing is told any more. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#ways.clear();
  }
}
