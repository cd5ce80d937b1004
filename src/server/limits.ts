/**
 * Limits: everything that bounds what others may do to a server, in one object that whoever starts it can fill in part.
 *
 * The defaults and their reasons stand where each is enforced; the table in `docs/operation.md` lists them all. What is not
 * here is part of the protocol or of a format, and is the same for everybody.
 */
import { BAN_LIMITS, type BanLimits } from '../access/bans.ts';
import { EARLY_DROP, NATIVE_LIMITS, type NativeLimits } from '../doors/limits.ts';
import type { EarlyDrop } from '../doors/lobby.ts';
import type { TurnstileLimits } from '../doors/turnstile.ts';
import { Failure } from '../errors.ts';
import { Networks } from '../network.ts';
import { CONNECTION_LIMITS, type ConnectionLimits } from '../session/limits.ts';

export interface ServerLimits extends TurnstileLimits, Omit<NativeLimits, keyof ConnectionLimits>, ConnectionLimits {
  /** From when on connections that are not signed in are dropped, in all processes together. */
  readonly unauthenticated: EarlyDrop;
  readonly bans: BanLimits;
  /** Networks that are neither scored nor banned: `ADDRESS` or `ADDRESS/BITS`. */
  readonly neverBanned: readonly string[];
}

/** What a caller of `serve` may choose of them. */
export type LimitOptions = Partial<Omit<ServerLimits, 'bans' | 'unauthenticated'>> & { readonly bans?: Partial<BanLimits>; readonly unauthenticated?: Partial<EarlyDrop> };

export const DEFAULT_LIMITS: ServerLimits = {
  ...CONNECTION_LIMITS,
  ...NATIVE_LIMITS,
  connections: 1000, // a server of 128 MiB for connections has some use for so many, and a descriptor for each
  connectionsPerAddress: 256, // a lecture hall behind one NAT, and lanes for some of them (up to 15 a transfer); three quarters are left for others
  unauthenticated: EARLY_DROP,
  bans: BAN_LIMITS,
  neverBanned: [],
};

/** Completes what was chosen. Throws USAGE for what cannot be meant. */
export function resolveLimits(options: LimitOptions = {}): ServerLimits {
  const limits = { ...DEFAULT_LIMITS, ...options, unauthenticated: { ...EARLY_DROP, ...options.unauthenticated }, bans: { ...BAN_LIMITS, ...options.bans } };
  const { neverBanned, unauthenticated, bans, ...plain } = limits;
  for (const [name, value] of [...Object.entries(plain), ...Object.entries(unauthenticated), ...Object.entries(bans)]) {
    if (!(typeof value === 'number' && value > 0)) throw new Failure('USAGE', `the limit ${name} is a number above 0`, { who: 'here' });
  }
  if (unauthenticated.full < unauthenticated.from) throw new Failure('USAGE', 'the limit unauthenticated.full is not below unauthenticated.from', { who: 'here' });
  void new Networks(neverBanned); // throws for what is no network
  return limits;
}
