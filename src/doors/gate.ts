/**
 * Gate: how many connections of one address may be signing in at the same time. The others wait for their turn.
 *
 * A crowd behind one NAT begins at once and is through in a moment, so it waits rather than fails; a flood from one
 * address costs its few places, and a bounded number of sockets that nothing was read from. Knows no protocol.
 */
import type { Socket } from 'node:net';

/** Sockets of one address that may wait: a lecture hall. Beyond it is a flood. */
const MAX_WAITING = 200;

export interface Entering {
  /** It is this socket's turn. `leave` must be called once it counts no more; calling it again does nothing. */
  admit(leave: () => void): void;
  /** Too many wait already, or it waited too long. */
  refuse(): void;
}

export class Gate {
  readonly #most: number;
  readonly #waitMs: number;
  readonly #inside = new Map<string, number>();
  readonly #queues = new Map<string, Set<() => void>>();

  /** At most `most` of one address inside; nobody waits longer than `waitMs`. */
  constructor(most: number, waitMs: number) {
    this.#most = most;
    this.#waitMs = waitMs;
  }

  /** Lets `socket` of `address` in, now or when there is room. One that is closed while it waits is forgotten. */
  enter(address: string, socket: Socket, entering: Entering): void {
    if ((this.#inside.get(address) ?? 0) < this.#most) return this.#admit(address, entering);
    const queue = this.#queues.get(address) ?? new Set();
    if (queue.size >= MAX_WAITING) return entering.refuse();
    const over = (): void => {
      clearTimeout(timer);
      socket.off('close', over);
      queue.delete(turn);
      if (queue.size === 0) this.#queues.delete(address);
    };
    const turn = (): void => { over(); this.#admit(address, entering); };
    const timer = setTimeout(() => { over(); entering.refuse(); }, this.#waitMs).unref();
    socket.once('close', over);
    this.#queues.set(address, queue.add(turn));
  }

  #admit(address: string, { admit }: Entering): void {
    this.#inside.set(address, (this.#inside.get(address) ?? 0) + 1);
    let inside = true;
    admit(() => {
      if (!inside) return;
      inside = false;
      const left = this.#inside.get(address)! - 1;
      if (left > 0) this.#inside.set(address, left);
      else this.#inside.delete(address);
      const [next] = this.#queues.get(address) ?? [];
      next?.();
    });
  }
}
