/**
 * Settings: every key of the configuration file, in one table. The schema, the defaults, the page of documentation and
 * the example file are made from it, and nothing else knows the keys: a new one is a row here, and whoever uses it.
 *
 * A key with a dot stands in a table of the file: `limits.memory` is `memory` below `[limits]`. Defaults are written as in the
 * file. Pure, and light: a server without a configuration file loads this for its defaults.
 */
import { sizeIn, timeIn } from '../../amounts.ts';

interface About {
  /** What it is for, in sentences. */
  readonly about: string;
  /** Where no value can stand for what happens without the key: that, in words. */
  readonly usual?: string;
  /** A value to show where there is no default. */
  readonly example?: string | readonly string[];
  /** Whether a change is taken over by a reload; else the server has to be started again. */
  readonly reloads: boolean;
}

export type Setting = About & (
  | { readonly kind: 'folder' | 'name'; readonly default?: undefined }
  | { readonly kind: 'address'; readonly default?: undefined }
  | { readonly kind: 'addresses' | 'networks'; readonly default: readonly string[] }
  | { readonly kind: 'flag'; readonly default: boolean }
  | { readonly kind: 'choice'; readonly default: string; readonly of: Readonly<Record<string, string>> }
  | { readonly kind: 'number'; readonly default: number; readonly min: number; readonly max: number; readonly or?: readonly string[] }
  | { readonly kind: 'time' | 'size'; readonly default?: string; readonly min?: string; readonly max: string }
);

export const SETTINGS = {
  'folder': { kind: 'folder', usual: 'the DIR of the command line', example: '/srv/files', reloads: false, about: 'The folder to serve.' },
  'serve_this': { kind: 'flag', default: false, reloads: false, about: 'Serve it even if it is the whole disk, a home folder, a folder of the system, or holds the server\'s own program or settings, as --yes-serve-this.' },
  'listen': { kind: 'addresses', default: [':9437'], reloads: true, about: 'Where to listen: HOST:PORT, [IPv6]:PORT, :PORT for every address, a HOST or a PORT. At most 16.' },
  'state': { kind: 'folder', usual: 'one of its own for each folder, below the data folder of the user', example: '/var/lib/wherry', reloads: false, about: 'Where the server keeps its key, the devices it knows and its socket.' },
  'name': { kind: 'name', usual: 'the name of the machine, up to its first dot', example: 'files', reloads: true, about: 'What the server calls itself to those who join: up to 63 letters, digits and hyphens.' },
  // What a process of its own costs only pays for those who serve many at once.
  'workers': { kind: 'number', default: 1, min: 1, max: 32, or: ['auto'], reloads: false, about: 'Processes to spread many clients over; "auto" is one for each processor, at most 8.' },
  // What service managers wait for at least.
  'grace': { kind: 'time', default: '10s', max: '24h', reloads: true, about: 'How long running transfers may go on after a stop.' },
  // As long as a day's work may run on; a transfer that takes longer goes on by the same command.
  'upgrade_grace': { kind: 'time', default: '24h', max: '7d', reloads: true, about: 'How long running transfers may go on at the old version after `wherry upgrade`.' },
  'portable_names': { kind: 'flag', default: false, reloads: false, about: 'Refuse new names that Windows could not store: devices as CON, characters as : and ?, a dot or space at the end, short names as ABCDEF~1.' },
  'allow_similar_names': { kind: 'flag', default: false, reloads: false, about: 'Accept names that differ only in letter case or Unicode form.' },
  'ticket': {
    kind: 'choice', default: 'none', of: { none: 'no ticket', ro: 'list and read', rw: 'everything', drop: 'add new files, and see nothing' }, reloads: true,
    about: 'The rights of the ticket that is printed at the start, and of those of "wherry invite" that name none. With none there is no ticket at the start, and "wherry invite" gives rw.',
  },
  // Long enough to walk to the other machine, short enough that a forgotten ticket is worth nothing.
  'ticket_life': { kind: 'time', default: '10m', min: '1s', max: '30d', reloads: true, about: 'How long a ticket can be used, where "wherry invite --for" does not say. Codes live no longer either.' },
  // Whoever reads the audit wants no gap in it that a reload made.
  'audit': { kind: 'flag', default: true, reloads: false, about: 'Keep an audit of who did what in the state folder; false as --no-audit.' },
  // What somebody did by mistake is mostly missed within a day; and of a disk that others fill, a tenth of what is free may be taken at any size.
  'undo.keep': { kind: 'time', default: '24h', max: '365d', reloads: false, about: 'How long what puts replace and rm takes away is kept for "wherry undo". It stays on the disk that long, secrets too; "0" keeps nothing.' },
  'undo.space': { kind: 'size', default: '1GiB', max: '1024TiB', reloads: false, about: 'How much of it is kept, the oldest going first, and never more than a tenth of what is free on the disk. It counts in no quota; "0" keeps nothing.' },
  'rates.server': { kind: 'size', usual: 'as fast as it goes', example: '100MiB', min: '1KiB', max: '1TiB', reloads: true, about: 'Bytes a second of all transfers together, each way, as --rate.' },
  'rates.account': { kind: 'size', usual: 'as fast as it goes', example: '10MiB', min: '1KiB', max: '1TiB', reloads: true, about: 'The same of each account that has no rate of its own ("wherry account change NAME --rate SIZE").' },
  'metrics.listen': { kind: 'address', usual: 'nowhere', example: '127.0.0.1:9438', reloads: false, about: 'Where metrics and health are listened for over HTTP, as --metrics.' },
  'metrics.from_anywhere': { kind: 'flag', default: false, reloads: false, about: 'Let that be an address that other machines reach, as --metrics-from-anywhere.' },
  // What the usual limit of 1,024 open files leaves room for when most connections are idle.
  'limits.max_connections': { kind: 'number', default: 1000, min: 1, max: 100_000, reloads: true, about: 'Connections at once, signed in or not, at all addresses that are listened at. Further ones are closed.' },
  // A lecture hall behind one NAT, and lanes for some of them.
  'limits.max_connections_per_address': { kind: 'number', default: 256, min: 1, max: 100_000, reloads: true, about: 'The same, of one address.' },
  // More than a household or an office behind one address ever begins at once.
  'limits.max_unauthenticated_per_address': { kind: 'number', default: 20, min: 1, max: 10_000, reloads: true, about: 'Connections of one address that may be signing in at once. Further ones wait.' },
  // The reasons of the defaults from here on are in the table of docs/operation.md, and where each is enforced.
  'limits.unauthenticated_from': { kind: 'number', default: 256, min: 1, max: 100_000, reloads: true, about: 'From so many connections on that are not signed in, some new ones cost one of them its place, drawn at random.' },
  'limits.unauthenticated_percent': { kind: 'number', default: 30, min: 1, max: 100, reloads: true, about: 'How many of a hundred new ones do from there on.' },
  'limits.unauthenticated_full': { kind: 'number', default: 512, min: 1, max: 100_000, reloads: true, about: 'From so many on all new ones do. Not below unauthenticated_from.' },
  'limits.strangers_at_once': { kind: 'number', default: 250, min: 1, max: 100_000, reloads: true, about: 'Sign-ins from addresses where nobody has signed in for a day: so many at once.' },
  'limits.strangers_per_second': { kind: 'number', default: 20, min: 1, max: 10_000, reloads: true, about: 'So many a second after that; further ones wait.' },
  'limits.max_files_per_connection': { kind: 'number', default: 64, min: 1, max: 256, reloads: true, about: 'Requests of one connection that have a file open at once, of those that send and of those that receive; further ones wait.' },
  'limits.handshake': { kind: 'time', default: '10s', min: '100ms', max: '10m', reloads: true, about: 'How long a connection may take to its first byte, and from there to the end of the TLS handshake.' },
  'limits.sign_in': { kind: 'time', default: '30s', min: '100ms', max: '10m', reloads: true, about: 'How long it may take from there until it is signed in.' },
  'limits.ping_after': { kind: 'time', default: '15s', min: '1s', max: '24h', reloads: true, about: 'After so long a silence the other side is asked whether it is there.' },
  'limits.dead_after': { kind: 'time', default: '45s', min: '1s', max: '24h', reloads: true, about: 'After so long a silence the connection ends. Not below ping_after.' },
  'limits.progress': { kind: 'time', default: '10m', min: '1s', max: '7d', reloads: true, about: 'How long one wait for the next word or credit of the other side may last.' },
  'limits.unread': { kind: 'time', default: '1m', min: '1s', max: '24h', reloads: true, about: 'How long the other side may take nothing of what it asked for.' },
  'limits.slow_after': { kind: 'time', default: '30s', min: '1s', max: '24h', reloads: true, about: 'Over so long a time a frame that has begun must bring least_rate.' },
  'limits.least_rate': { kind: 'size', default: '1KiB', min: '1B', max: '1GiB', reloads: true, about: 'Bytes a second inside a frame that has begun, at least.' },
  'limits.idle': { kind: 'time', default: '12h', min: '1s', max: '30d', reloads: true, about: 'How long a connection may stay open without any request.' },
  'limits.memory': { kind: 'size', default: '128MiB', min: '16MiB', max: '64GiB', reloads: false, about: 'Memory for what all connections together have received and not yet written. Not the memory of the process, which needs about 100 MiB besides.' },
  'bans.points': { kind: 'number', default: 15, min: 1, max: 1_000_000, reloads: true, about: 'An address that has so many points is banned; docs/operation.md says what is worth how many.' },
  'bans.points_where_known': { kind: 'number', default: 150, min: 1, max: 1_000_000, reloads: true, about: 'The same for an address from which somebody has signed in within a day. Not below points.' },
  'bans.within': { kind: 'time', default: '30m', min: '1s', max: '7d', reloads: true, about: 'How long points count.' },
  'bans.length': { kind: 'time', default: '30m', min: '1s', max: '30d', reloads: true, about: 'How long the first ban lasts. Each further one is half as long again. Bans that run stay as they are at a reload, but for what bans.never has.' },
  'bans.longest': { kind: 'time', default: '24h', min: '1s', max: '30d', reloads: true, about: 'How long one lasts at most, and how long it is remembered. Not below length.' },
  'bans.never': { kind: 'networks', default: [], example: ['10.0.0.0/8', '2001:db8::/32'], reloads: true, about: 'Networks that get no points and are never banned, as those of a proxy that does not pass on addresses. At most 256.' },
  'log.format': { kind: 'choice', default: 'text', of: { text: 'a line for people', json: 'a JSON object a line, on standard output' }, reloads: true, about: 'How the log is written, as with --json.' },
} as const satisfies Readonly<Record<string, Setting>>;

export type Key = keyof typeof SETTINGS;
export const KEYS = Object.keys(SETTINGS) as Key[];

type ValueOf<S extends Setting> =
  S extends { kind: 'flag' } ? boolean
  : S extends { kind: 'time' | 'size' } ? number
  : S extends { kind: 'number'; or: readonly (infer W)[] } ? number | W
  : S extends { kind: 'number' } ? number
  : S extends { kind: 'choice' } ? keyof S['of']
  : S extends { kind: 'addresses' | 'networks' } ? readonly string[]
  : string;

/** What a key comes to: times in milliseconds, sizes in bytes. */
export type Value<K extends Key> = ValueOf<(typeof SETTINGS)[K]>;
export type Values = { readonly [K in Key]?: Value<K> | undefined };

/** Keys that have a default which can be written down. */
type DefaultKey = { [K in Key]: 'default' extends keyof (typeof SETTINGS)[K] ? K : never }[Key];

/** The default of a key, as a value. */
export function defaultOf<K extends DefaultKey>(key: K): Value<K> {
  return usualOf(key) as Value<K>;
}

/** The same for any key: undefined where no value can be the default. */
export function usualOf(key: Key): unknown {
  const { kind, default: written }: Setting = SETTINGS[key];
  if (written === undefined) return undefined;
  if (kind === 'time') return timeIn(written);
  return kind === 'size' ? sizeIn(written) : written;
}

/** The table of the file that a key stands in, and its name there. */
export function placeOf(key: Key): { readonly table: string | undefined; readonly name: string } {
  const dot = key.lastIndexOf('.');
  return dot < 0 ? { table: undefined, name: key } : { table: key.slice(0, dot), name: key.slice(dot + 1) };
}
