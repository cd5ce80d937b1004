/**
 * Seating: which worker the connections of an address go to. Pure.
 *
 * All connections of one address go to one worker: what is counted for each address is counted there, a further
 * connection of a client finds what its first one does, and one that comes back finds its unfinished upload even when
 * the end of the last connection is still being dealt with. A new address goes to the worker with the fewest
 * connections, of several the one that got none for the longest. Addresses without a connection are remembered up to a
 * bound, those that left last for longest.
 */
import { networkOf } from '../network.ts';

export interface Seat {
  /** Which worker: 0 and up. */
  readonly place: number;
  /** The connection has ended. Calling it again does nothing. */
  leave(): void;
}

/** Addresses without a connection that are remembered, at some 100 bytes: a busy day of a small server. */
const MAX_REMEMBERED = 10_000;

interface Party { readonly place: number; connections: number }

export class Seating {
  /** Connections at each place. */
  readonly #taken: number[];
  /** Places, those that got a new address longest ago first. */
  readonly #order: number[];
  readonly #parties = new Map<string, Party>();
  /** Where addresses without a connection were, those that left first at the front. */
  readonly #left = new Map<string, number>();

  constructor(places: number) {
    this.#taken = Array.from({ length: places }, () => 0);
    this.#order = this.#taken.map((_, place) => place);
  }

  /** A place for one more connection of `address`. */
  seat(address: string): Seat {
    const who = networkOf(address);
    const party = this.#parties.get(who) ?? { place: this.#left.get(who) ?? this.#freest(), connections: 0 };
    this.#left.delete(who);
    this.#parties.set(who, party);
    party.connections += 1;
    this.#taken[party.place]! += 1;
    let seated = true;
    return {
      place: party.place,
      leave: () => {
        if (seated) this.#leave(who, party);
        seated = false;
      },
    };
  }

  #leave(who: string, party: Party): void {
    this.#taken[party.place]! -= 1;
    party.connections -= 1;
    if (party.connections > 0) return;
    this.#parties.delete(who);
    this.#left.set(who, party.place);
    const [longest] = this.#left.keys();
    if (this.#left.size > MAX_REMEMBERED) this.#left.delete(longest!);
  }

  #freest(): number {
    const place = this.#order.reduce((best, other) => (this.#taken[other]! < this.#taken[best]! ? other : best));
    this.#order.push(...this.#order.splice(this.#order.indexOf(place), 1));
    return place;
  }
}
