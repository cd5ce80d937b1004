/** Limits: how long a connection may be silent, stuck or idle. Defaults with their reasons; enforced in `connection.ts`. */

export interface ConnectionLimits {
  /** Silence after which we ask whether the peer is there, and after which we give it up (ms). */
  readonly pingAfterMs: number;
  readonly deadAfterMs: number;
  /** How long one wait for the peer's next word, credit or read may last (ms); Infinity: as long as it answers pings. */
  readonly progressMs: number;
  /** How long a connection may stay without any request (ms). */
  readonly idleMs: number;
}

export const CONNECTION_LIMITS: ConnectionLimits = {
  pingAfterMs: 15_000, // half of the shortest NAT time-outs in use
  deadAfterMs: 45_000, // three pings
  progressMs: 600_000, // a pipe into `put -` may pause; a dead disk does not come back
  idleMs: 12 * 3_600_000, // a prompt left open overnight
};
