/**
 * Limits of the doors: how long somebody may take to come in, and how much at a time. Defaults with their reasons; `docs/operation.md`
 * has the table of all limits with where each is enforced.
 */
import type { ConnectionLimits } from '../session/limits.ts';
import type { GateLimits } from './gate.ts';
import type { EarlyDrop } from './lobby.ts';

export interface NativeLimits extends Partial<ConnectionLimits> {
  /** To the first byte, and from there to the end of the TLS handshake (ms). */
  readonly handshakeMs: number;
  /** From there to a proof that was accepted (ms). */
  readonly signInMs: number;
  /** Connections from one address that may be signing in at a time; further ones wait, up to `handshakeMs`. */
  readonly pendingPerAddress: number;
  /** Sign-ins from addresses where nobody has signed in lately: so many at once, and so many a second after that. */
  readonly strangersAtOnce: number;
  readonly strangersPerSecond: number;
  /** Requests of one connection that have a file open at a time, of those that send one and of those that receive one; further ones wait. */
  readonly filesPerConnection: number;
}

export const NATIVE_LIMITS: NativeLimits = {
  handshakeMs: 10_000, // three round trips over the worst line
  signInMs: 30_000, // a server whose disk is busy needs some of it to look a device up
  pendingPerAddress: 20, // more than a household or an office behind one address ever begins at once
  strangersAtOnce: 250, // a lecture hall that joins in the same minute
  strangersPerSecond: 20, // at 2 to 3 ms each a twentieth of a processor; a person who waits for one of many addresses does not notice
  filesPerConnection: 64, // a client has four at a time; a library may have more
};

/** When the system asks a silent peer whether it is there (ms): long after our own questions, for what does not speak our protocol yet. */
export const KEEP_ALIVE_MS = 30_000;

/** Who waits in a lecture hall of 220 behind one NAT is not dropped, and half of the usual 1,000 connections stay for those who are signed in. */
export const EARLY_DROP: EarlyDrop = { from: 256, percent: 30, full: 512 };

/** What may change while connections are open: all of it is for new ones. */
export interface Adjustments<Limits extends NativeLimits = NativeLimits> { readonly certificate: string; readonly name: string; readonly limits: Limits }

/** Those of whose turn it is to sign in. */
export function gateLimits({ pendingPerAddress: perAddress, handshakeMs: waitMs }: NativeLimits): GateLimits {
  return { perAddress, waitMs };
}
