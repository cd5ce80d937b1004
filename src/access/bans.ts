/**
 * Bans: which addresses may not come in for a while, because of what came from them. Pure; one table for a whole server.
 *
 * What somebody does wrong before they are signed in costs their network points, and whoever has too many in half an hour is
 * banned for a time, the next time for longer. Points are about what attempts cost the server, not about guessing: keys and tickets
 * cannot be guessed, and spoken codes have tries of their own. So accounts are never locked, and a network from which
 * somebody has signed in is given ten times as many: behind the one address of a school the mistakes of all add up.
 * The table is bounded. When it is full, whoever merely has points is forgotten first, those who did something longest ago before
 * the others; then those whose ban is over; a ban that runs never.
 */
import { Failure } from '../errors.ts';
import type { ProofKind } from '../identity.ts';
import { isNetwork, networkOf, Networks } from '../network.ts';

/** What an attempt is worth in points. */
export const OFFENCES = {
  /** A key or a ticket that the server does not know: typed by nobody, so eight of them are a program. */
  credentials: 2,
  /** A spoken code that is wrong, or one exchange about it more than a network may begin: people mistype. */
  code: 1,
  /** What is no TLS, or breaks the protocol: no client of ours does. */
  garbage: 3,
  /** A handshake or a sign-in that did not end in its time, an exchange about a code that was begun and left: bad networks do that too. */
  slow: 1,
  /** A ticket that was used or has expired, shown by somebody who has it, or a code when none is open or too many others try one: a class that was told the same one. */
  late: 0.25,
  /** A connection more than strangers of one network may make: sixty of those are a program. */
  flood: 0.25,
} as const;
export type Offence = keyof typeof OFFENCES;

/** Failures of which it is known what they say about somebody. */
const BLAMED = new WeakMap<Failure, Offence>();

/** Marks a failure as that of somebody who did this. */
export function blamed(failure: Failure, offence: Offence): Failure {
  BLAMED.set(failure, offence);
  return failure;
}

/** Marks a failure as that of somebody who is no guesser, but comes late. */
export function late(failure: Failure): Failure { return blamed(failure, 'late'); }

/** What a sign-in that was refused for `error` says about where it came from. */
export function offenceOf(error: unknown, kind: ProofKind): Offence | undefined {
  if (!(error instanceof Failure)) return undefined;
  const offence = BLAMED.get(error);
  if (offence !== undefined || error.code !== 'AUTH') return offence;
  return kind === 'code' ? 'code' : 'credentials';
}

export interface BanLimits {
  /** Points that are a ban, and within which time (ms). */
  readonly points: number;
  readonly withinMs: number;
  /** The same, for networks from which somebody has signed in lately. */
  readonly pointsWhereKnown: number;
  /** How long the first ban lasts; each further one half as long again, up to the longest; that is also how long one is remembered (ms). */
  readonly banMs: number;
  readonly longestBanMs: number;
}

export const BAN_LIMITS: BanLimits = {
  points: 15, // a person who tries everything twice stays below
  withinMs: 30 * 60_000,
  pointsWhereKnown: 150,
  banMs: 30 * 60_000,
  longestBanMs: 24 * 3_600_000, // addresses change hands
};

/** Networks that are remembered, each for some 200 bytes: more than a small botnet. */
export const MAX_NETWORKS = 10_000;
/** How long a sign-in speaks for its network: until the same time tomorrow. */
const KNOWN_MS = 24 * 3_600_000;
/** How much longer each ban is than the one before. */
const GROWTH = 1.5;
/** Points are added up in so many parts of the time in which they count, so that a flood takes no memory. */
const PARTS = 30;

/** A ban as its owner is shown it; times are milliseconds since 1970. */
export interface Ban { readonly address: string; readonly until: number; readonly count: number; readonly offence: Offence }

export interface BansOptions {
  readonly limits?: Partial<BanLimits>;
  /** Networks that are neither scored nor banned. Throws USAGE for what is none. */
  readonly allow?: readonly string[];
  readonly now?: () => number;
  onBan(ban: Ban): void;
}

/** What there is of one network: its name and the rest. */
type Of<T> = readonly (readonly [network: string, T])[];
/** All of it, for another process; plain data. At most `MAX_NETWORKS` of each list, times in milliseconds since 1970. */
export interface KeptBans {
  /** Points that count, all as if they had come at once at that time. */
  readonly points: Of<{ readonly points: number; readonly at: number }>;
  readonly bans: Of<Banned>;
  /** Until when it is known. */
  readonly known: Of<number>;
}

interface Points { readonly part: number; points: number }
type Banned = Omit<Ban, 'address'>;

export class Bans {
  #limits: BanLimits;
  #allowed: Networks;
  readonly #now: () => number;
  readonly #onBan: (ban: Ban) => void;
  /** Those with points; who did something last is last. */
  readonly #points = new Map<string, Points[]>();
  /** Those that are banned, or were. */
  readonly #bans = new Map<string, Banned>();
  /** Until when somebody's sign-in speaks for them; who signed in last is last. */
  readonly #known = new Map<string, number>();
  /** No ban is over before: a full table is not searched in vain for each attempt. */
  #firstEnd = Infinity;

  constructor({ limits, allow = [], now = Date.now, onBan }: BansOptions) {
    this.#limits = { ...BAN_LIMITS, ...limits };
    this.#allowed = new Networks(allow);
    this.#now = now;
    this.#onBan = onBan;
  }

  /** From now on; what runs stays as it is, but for who is never banned now. Throws USAGE for what is no network. */
  adjust(limits: BanLimits, allow: readonly string[]): void {
    this.#allowed = new Networks(allow);
    this.#liftAllowed();
    // The parts in which points are added up are of another length then.
    if (limits.withinMs !== this.#limits.withinMs) this.#points.clear();
    this.#limits = limits;
  }

  isBanned(address: string): boolean {
    const ban = this.#bans.get(networkOf(address));
    return ban !== undefined && ban.until > this.#now() && !this.#allowed.has(address);
  }

  /** Whether somebody has signed in from its network lately. */
  isKnown(address: string): boolean {
    return (this.#known.get(networkOf(address)) ?? 0) > this.#now();
  }

  /** Somebody has signed in from there. */
  welcome(address: string): void {
    const network = networkOf(address);
    this.#known.delete(network);
    this.#known.set(network, this.#now() + KNOWN_MS);
    forgetFirst(this.#known, MAX_NETWORKS);
  }

  /** Something was wrong about an attempt from there. */
  offend(address: string, offence: Offence): void {
    if (this.#allowed.has(address) || this.isBanned(address)) return;
    const network = networkOf(address);
    const points = this.#add(network, OFFENCES[offence]);
    const most = this.isKnown(address) ? this.#limits.pointsWhereKnown : this.#limits.points;
    if (points >= most) this.#ban(network, offence);
  }

  /** The bans that run, those that end first at the front. */
  list(): Ban[] {
    const running = [...this.#bans].filter(([, { until }]) => until > this.#now());
    return running.map(([address, ban]) => ({ address, ...ban })).toSorted((a, b) => a.until - b.until);
  }

  /** All of it, as it is now. */
  kept(): KeptBans {
    const [now, partMs] = [this.#now(), this.#limits.withinMs / PARTS];
    const points = [...this.#points].map(([network, parts]) => [network, { points: parts.reduce((sum, one) => sum + one.points, 0), at: parts.at(-1)!.part * partMs }] as const);
    return { points: points.filter(([, { at }]) => at > now - this.#limits.withinMs), bans: [...this.#bans], known: [...this.#known].filter(([, until]) => until > now) };
  }

  /** Takes over what another process kept, of another version perhaps: what is not as it should be is left out, and nothing lasts longer than it may here. */
  take(kept: unknown): void {
    const now = this.#now();
    const { points, bans, known } = (typeof kept === 'object' && kept !== null ? kept : {}) as Partial<Record<keyof KeptBans, unknown>>;
    for (const [network, until] of listed(known)) if (isNumber(until) && until > now) this.#known.set(network, Math.min(until, now + KNOWN_MS));
    for (const [network, ban] of listed(bans)) {
      const { until, count, offence } = fields(ban);
      if (!isNumber(until) || !isNumber(count) || count < 1 || typeof offence !== 'string' || !Object.hasOwn(OFFENCES, offence)) continue;
      if (this.#makeRoom()) this.#bans.set(network, { until: Math.min(until, now + this.#limits.longestBanMs), count: Math.floor(count), offence: offence as Offence });
    }
    for (const [network, some] of listed(points)) {
      const { points: sum, at } = fields(some);
      if (!isNumber(sum) || !isNumber(at) || !(sum > 0) || this.#points.size + this.#bans.size >= MAX_NETWORKS) continue;
      this.#points.set(network, [{ part: Math.floor((Math.min(at, now) / this.#limits.withinMs) * PARTS), points: sum }]);
    }
    this.#firstEnd = 0;
    this.#liftAllowed();
  }

  /** Whom a ban of an address, or a network as `list` shows it, is about; of all of them without one. */
  banned(address?: string): string[] {
    return this.list().map((ban) => ban.address).filter((network) => address === undefined || network === networkOf(address));
  }

  /** Ends the ban of an address or a network as `list` shows it, and forgets what was; returns whom it was about. Undefined: all. */
  lift(address?: string): string[] {
    const lifted = this.banned(address);
    for (const network of lifted) {
      this.#bans.delete(network);
      this.#points.delete(network);
    }
    return lifted;
  }

  #liftAllowed(): void {
    for (const network of this.#bans.keys()) if (this.#allowed.has(network.replace('/64', ''))) this.#bans.delete(network);
  }

  #add(network: string, points: number): number {
    const part = Math.floor((this.#now() / this.#limits.withinMs) * PARTS);
    const counting = (this.#points.get(network) ?? []).filter((one) => one.part > part - PARTS);
    const latest = counting.at(-1);
    if (latest?.part === part) latest.points += points;
    else counting.push({ part, points });
    this.#points.delete(network);
    if (this.#makeRoom()) this.#points.set(network, counting);
    return counting.reduce((sum, one) => sum + one.points, 0);
  }

  #ban(network: string, offence: Offence): void {
    const { banMs, longestBanMs } = this.#limits;
    const last = this.#bans.get(network);
    const count = last === undefined || last.until + longestBanMs < this.#now() ? 1 : last.count + 1;
    const until = this.#now() + Math.min(longestBanMs, banMs * GROWTH ** (count - 1));
    this.#points.delete(network);
    this.#bans.delete(network);
    if (!this.#makeRoom()) return;
    this.#bans.set(network, { until, count, offence });
    this.#firstEnd = Math.min(this.#firstEnd, until);
    this.#onBan({ address: network, until, count, offence });
  }

  /** Room for one network more. False: there are bans only. */
  #makeRoom(): boolean {
    if (this.#points.size + this.#bans.size < MAX_NETWORKS) return true;
    if (this.#points.size > 0) forgetFirst(this.#points, this.#points.size - 1);
    else this.#forgetPast();
    return this.#points.size + this.#bans.size < MAX_NETWORKS;
  }

  #forgetPast(): void {
    if (this.#firstEnd > this.#now()) return;
    this.#firstEnd = Infinity;
    for (const [network, { until }] of this.#bans) {
      if (until <= this.#now()) this.#bans.delete(network);
      else this.#firstEnd = Math.min(this.#firstEnd, until);
    }
  }
}

/** The entries of a list that another process sent, as far as each is about a network. */
function listed(list: unknown): [network: string, rest: unknown][] {
  const entries: readonly unknown[] = Array.isArray(list) ? list.slice(0, MAX_NETWORKS) : [];
  return entries.flatMap((entry): [string, unknown][] => (Array.isArray(entry) && typeof entry[0] === 'string' && isNetwork(entry[0]) ? [[entry[0], entry[1]]] : []));
}

function fields(value: unknown): Record<string, unknown> { return typeof value === 'object' && value !== null ? value as Record<string, unknown> : {}; }
function isNumber(value: unknown): value is number { return typeof value === 'number' && Number.isFinite(value); }

function forgetFirst(map: Map<string, unknown>, most: number): void {
  for (const key of map.keys()) {
    if (map.size <= most) return;
    map.delete(key);
  }
}
