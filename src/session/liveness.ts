/**
 * Liveness: from when something last happened on a connection to what is due: a question, an end, or nothing.
 * It decides and does nothing; `connection.ts` tells it what happens and asks it from time to time.
 */
import { Failure } from '../errors.ts';
import type { ConnectionLimits } from './limits.ts';

export interface Situation {
  /** We do not read at present, so that silence is ours. */
  readonly paused: boolean;
  /** Something we wrote has not been taken yet. */
  readonly unsent: boolean;
  /** No exchange is open. */
  readonly idle: boolean;
  /** A frame of the peer has begun and is not whole. */
  readonly inFrame: boolean;
  /** Bytes of ours that the network has taken so far; undefined: not known. */
  readonly taken: number | undefined;
}

export class Liveness {
  readonly #limits: ConnectionLimits;
  readonly #clock: () => number;
  #heard: number;
  #taken: number;
  #busy: number;
  #pinged = false;
  /** Of a frame that goes on: since when its bytes are counted, and how many came. */
  #counted: { since: number; bytes: number } | undefined;
  #takenBytes: number | undefined;
  /** When we last told a peer that we do not read from that we are there. */
  #reassured: number;

  /** `clock` is that of the waits it is asked about (ms). */
  constructor(limits: ConnectionLimits, clock = () => performance.now()) {
    this.#limits = limits;
    this.#clock = clock;
    this.#heard = this.#taken = this.#busy = this.#reassured = clock();
  }

  /** Bytes came, `inFrame` that had begun before; or they may come again from now on. */
  heard(bytes = 0, inFrame = false): void {
    this.#heard = this.#clock();
    this.#pinged = false;
    if (!inFrame) this.#counted = undefined;
    else if (this.#counted === undefined) this.#counted = { since: this.#heard, bytes };
    else this.#counted.bytes += bytes;
  }

  /** The peer took what we wrote, or there was nothing to take until now. */
  taken(): void { this.#taken = this.#clock(); }

  /** An exchange began or ended. */
  busy(): void { this.#busy = this.#clock(); }
  /** How long ago that was (ms). */
  get quietMs(): number { return this.#clock() - this.#busy; }

  /** Whether a wait that began at `since` has lasted too long. */
  stuck(since: number | undefined): boolean {
    return since !== undefined && this.#clock() - since > this.#limits.progressMs;
  }

  /** While we do not read, its questions wait with the rest; one of ours tells the peer that we are there. */
  #reassure(now: number, everyMs: number): 'ping' | undefined {
    if (now - Math.max(this.#reassured, this.#heard) <= everyMs) return undefined;
    this.#reassured = now;
    return 'ping';
  }

  /** Whether a frame comes too slowly. While we do not read, that is our doing. */
  #drips(now: number, { paused, inFrame }: Situation): boolean {
    if (paused || !inFrame) this.#counted = undefined;
    const { slowAfterMs, leastPerSecond } = this.#limits;
    if (this.#counted === undefined || now - this.#counted.since <= slowAfterMs) return false;
    const slow = this.#counted.bytes < (leastPerSecond * slowAfterMs) / 1000;
    this.#counted = { since: now, bytes: 0 };
    return slow;
  }

  /** Whether nothing of what waits to be sent has been taken for too long. */
  #unread(now: number, { unsent, taken }: Situation): boolean {
    if (taken !== this.#takenBytes) this.#taken = now;
    this.#takenBytes = taken;
    return unsent && now - this.#taken > (taken === undefined ? this.#limits.progressMs : this.#limits.unreadMs);
  }

  /** A failure: the connection must end for it. */
  due(situation: Situation): 'ping' | Failure | undefined {
    const { paused, idle } = situation;
    const now = this.#clock();
    const { pingAfterMs, deadAfterMs, idleMs } = this.#limits;
    if (this.#drips(now, situation)) return new Failure('TIMEOUT', 'what the other side sends comes too slowly', { who: 'network', hint: 'run the same command again: what was sent is kept' });
    if (!paused && now - this.#heard > deadAfterMs) return new Failure('LOST', 'the other side has not answered for a while', { who: 'network', hint: 'run the same command again: what was sent is kept' });
    if (this.#unread(now, situation)) return new Failure('TIMEOUT', 'the other side takes nothing any more', { who: 'network' });
    if (idle && now - this.#busy > idleMs) return new Failure('TIMEOUT', 'nothing was asked for a long time', { who: 'rule', hint: 'connect again' });
    if (paused) return this.#reassure(now, pingAfterMs);
    if (this.#pinged || now - this.#heard <= pingAfterMs) return undefined;
    this.#pinged = true;
    return 'ping';
  }
}
