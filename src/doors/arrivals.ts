/**
 * Arrivals: how many connections strangers of one network may make, whether or not they get anywhere. Pure, but for the clock.
 *
 * Strangers wait for their turn to sign in, which comes so many times a second for all of them. Whoever makes many more
 * connections than can ever have a turn is turned away at once, before a byte is read: waiting costs twice as much as being refused, and
 * takes the place of others who wait. A crowd that comes at once behind one address is let in whole, and when one of it
 * has signed in they are strangers no more. Those who are known are not asked about here.
 */
import { Allowances } from '../allowances.ts';

/** A lecture hall: what waits of one address at most, and what signs in of it; then a quarter of the turns of all strangers, by default. A person makes one in some seconds. */
const PACE = { atOnce: 220, perSecond: 5 };

export class Arrivals {
  readonly #networks: Allowances;

  /** `clock` in milliseconds. */
  constructor(clock?: () => number) {
    this.#networks = new Allowances(clock);
  }

  /** One more stranger. False: it is one too many of its network. */
  take(address: string): boolean { return this.#networks.take('connection', address, PACE); }
}
