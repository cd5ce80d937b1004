/** Limits: how long a connection may be silent, stuck or idle. Defaults with their reasons; enforced in `connection.ts`. */

export interface ConnectionLimits {
  /** Silence after which we ask whether the peer is there, and after which we give it up (ms). */
  readonly pingAfterMs: number;
  readonly deadAfterMs: number;
  /** How long one wait for the peer's next word, credit or read may last (ms); Infinity: as long as it answers pings. */
  readonly progressMs: number;
  /** How long a peer may take nothing of what was sent to it, byte by byte (ms). */
  readonly unreadMs: number;
  /** A frame that has begun must bring `leastPerSecond` bytes a second, looked at over so long (ms). */
  readonly slowAfterMs: number;
  readonly leastPerSecond: number;
  /** How long a connection may stay without any request (ms). */
  readonly idleMs: number;
}

export const CONNECTION_LIMITS: ConnectionLimits = {
  pingAfterMs: 15_000, // half of the shortest NAT time-outs in use
  deadAfterMs: 45_000, // three pings
  progressMs: 600_000, // a pipe into `put -` may pause; a dead disk does not come back
  unreadMs: 60_000, // four of our pings; who is asked to show more at once has credit for that, and reads
  slowAfterMs: 30_000, // time for a line that comes back
  leastPerSecond: 1024, // what no line is slower than; a pipe into `put -` pauses between frames, not within
  idleMs: 12 * 3_600_000, // a prompt left open overnight
};

/** How often limits are looked at (ms): often enough for those above. */
export const TICK_MS = 5_000;
/** A client that may read no more looks as often whether it ever will: also a slow disk has given back something by then. */
export const LOOK_MS = 1_000;
