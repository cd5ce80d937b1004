/**
 * Allowances: one of each network, of those that came last. Pure, but for the clock.
 *
 * A network is as much of an address as one person can have (`networkOf`), so that nobody gets more by changing the rest of it.
 */
import { Allowance } from './allowance.ts';
import { networkOf } from './network.ts';

/** So much at once, and so much a second after that. */
export interface Pace { readonly atOnce: number; readonly perSecond: number }

/** Networks that are remembered, each for some 200 bytes. Who is forgotten may begin anew. */
const MAX_NETWORKS = 1000;

export class Allowances {
  readonly #clock: () => number;
  /** Who took one last is last. */
  readonly #networks = new Map<string, Allowance>();

  /** `clock` in milliseconds. */
  constructor(clock = () => performance.now()) {
    this.#clock = clock;
  }

  /** Takes one from what the network of `address` has for `what`, if there is one. */
  take(what: string, address: string, { atOnce, perSecond }: Pace): boolean {
    const key = `${what} ${networkOf(address)}`;
    const allowance = this.#networks.get(key) ?? new Allowance(atOnce, perSecond, this.#clock);
    this.#networks.delete(key);
    this.#networks.set(key, allowance);
    if (this.#networks.size > MAX_NETWORKS) this.#networks.delete(this.#networks.keys().next().value!);
    return allowance.take();
  }
}
