/**
 * Gate: whose turn it is to sign in. So many of one address at the same time, and of strangers so many a second; the
 * others wait for their turn. Knows no protocol.
 *
 * A crowd behind one NAT begins at once and is through in a moment, so it waits rather than fails; a flood from one
 * address costs its few places, and a bounded number of sockets that nothing was read from. A sign-in takes the time of
 * some hundred small requests, most of it for cryptography, so that what strangers may take of it is bounded too: those
 * who are signed in keep their share. Addresses take turns, so that a flood from one of them does not hold up another's.
 */
import type { Socket } from 'node:net';
import { networkOf } from '../network.ts';
import type { Strangers } from './strangers.ts';

/** Sockets of one address that may wait: a lecture hall. Beyond it is a flood. */
const MAX_WAITING = 200;

export interface GateLimits {
  /** Of one address at the same time. */
  readonly perAddress: number;
  /** Nobody waits longer (ms). */
  readonly waitMs: number;
}

export interface Entering {
  /** Whether somebody has signed in from there before. */
  readonly known: boolean;
  /** It is this socket's turn. `leave` must be called once it counts no more; calling it again does nothing. */
  admit(leave: () => void): void;
  /** Too many wait already, or it waited too long. */
  refuse(): void;
}

interface Turn { readonly known: boolean; begin(): void }
/** All of one address. */
interface Party { readonly network: string; inside: number; readonly waiting: Set<Turn> }

export class Gate {
  #limits: GateLimits;
  /** Those from addresses that are not known. */
  readonly #strangers: Strangers;
  readonly #parties = new Map<string, Party>();
  /** Those with room for a stranger of theirs; the first is the next. */
  readonly #next = new Set<Party>();
  /** Until strangers may come in again. */
  #pausing = false;

  constructor(limits: GateLimits, strangers: Strangers) {
    this.#limits = limits;
    this.#strangers = strangers;
  }

  /** From now on; those inside stay, and those who wait already do so as long as they would have. */
  set limits(limits: GateLimits) {
    this.#limits = limits;
    for (const party of this.#parties.values()) this.#call(party);
  }

  /** Lets `socket` of `address` in, now or when there is room. One that is closed while it waits is forgotten. */
  enter(address: string, socket: Socket, entering: Entering): void {
    const network = networkOf(address);
    const party = this.#parties.get(network) ?? { network, inside: 0, waiting: new Set() };
    if (party.waiting.size >= MAX_WAITING) return entering.refuse();
    const over = (): void => {
      clearTimeout(timer);
      socket.off('close', gone);
      party.waiting.delete(turn);
    };
    const gone = (): void => { over(); this.#forget(party); };
    const turn = { known: entering.known, begin: (): void => { over(); this.#admit(party, entering); } };
    const timer = setTimeout(() => { gone(); entering.refuse(); }, this.#limits.waitMs).unref();
    socket.once('close', gone);
    this.#parties.set(network, party);
    party.waiting.add(turn);
    this.#call(party);
  }

  /** The address has somebody who waits, and perhaps room: lets in who is known, and strangers when it is the address's turn. */
  #call(party: Party): void {
    for (const turn of party.waiting) {
      if (party.inside >= this.#limits.perAddress) return;
      if (turn.known) turn.begin();
      else this.#next.add(party);
    }
    this.#proceed();
  }

  /** Lets in strangers, one of each address in turn, as many as may come now. */
  #proceed(): void {
    for (const party of this.#next) {
      const turn = [...party.waiting].find(({ known }) => !known);
      if (turn === undefined || party.inside >= this.#limits.perAddress) this.#next.delete(party);
      else if (this.#strangers.take()) {
        this.#next.delete(party);
        this.#next.add(party); // behind the others; it is met again
        turn.begin();
      } else {
        return this.#pause();
      }
    }
  }

  #pause(): void {
    if (this.#pausing) return;
    this.#pausing = true;
    void this.#strangers.wait().then(() => {
      this.#pausing = false;
      this.#proceed();
    });
  }

  #admit(party: Party, { admit }: Entering): void {
    party.inside += 1;
    let inside = true;
    admit(() => {
      if (!inside) return;
      inside = false;
      party.inside -= 1;
      this.#call(party);
      this.#forget(party);
    });
  }

  #forget(party: Party): void {
    if (party.inside > 0 || party.waiting.size > 0) return;
    this.#parties.delete(party.network);
    this.#next.delete(party);
  }
}
