/**
 * Turnstile: whether one more connection may come in at all, by how many there are and from where. Pure.
 *
 * There is one for all ports of a server, and it is asked before a byte is read or a door is chosen: whoever is turned away
 * costs a socket for a moment.
 */
import { networkOf } from '../network.ts';

export interface TurnstileLimits {
  /** Connections at once, signed in or not. */
  readonly connections: number;
  /** The same from one IPv4 address, or from one half of IPv6. */
  readonly connectionsPerAddress: number;
}

export interface Refusal { readonly code: 'LIMIT' | 'DENIED'; readonly reason: string }

export class Turnstile {
  #limits: TurnstileLimits;
  readonly #isBanned: (address: string) => boolean;
  readonly #inside = new Map<string, number>();
  #all = 0;

  constructor(limits: TurnstileLimits, isBanned: (address: string) => boolean = () => false) {
    this.#limits = limits;
    this.#isBanned = isBanned;
  }

  /** From now on; nobody who is inside has to leave. */
  set limits(limits: TurnstileLimits) { this.#limits = limits; }

  /** Lets one in, and returns what to call when it has left; calling that again does nothing. Or says why not. */
  enter(address: string): (() => void) | Refusal {
    if (this.#isBanned(address)) return { code: 'DENIED', reason: 'the address is banned' };
    const { connections, connectionsPerAddress } = this.#limits;
    if (this.#all >= connections) return { code: 'LIMIT', reason: `more than ${connections} connections` };
    const network = networkOf(address);
    const there = this.#inside.get(network) ?? 0;
    if (there >= connectionsPerAddress) return { code: 'LIMIT', reason: `more than ${connectionsPerAddress} connections from one address` };
    this.#all += 1;
    this.#inside.set(network, there + 1);
    let inside = true;
    return () => {
      if (inside) this.#leave(network);
      inside = false;
    };
  }

  #leave(network: string): void {
    this.#all -= 1;
    const left = this.#inside.get(network)! - 1;
    if (left > 0) this.#inside.set(network, left);
    else this.#inside.delete(network);
  }
}
