/**
 * Config: what one server runs with. Options and environment go in, one frozen value comes out.
 *
 * Every default stands here with its reason, and nothing below reads the environment. The folder to serve and the
 * state folder are made absolute and free of links once, at the start, so that what they mean cannot change later.
 */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import { availableParallelism, homedir, hostname } from 'node:os';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { Failure, fromErrno } from '../errors.ts';
import { PART_DAYS } from '../keeping.ts';
import { printable } from '../printable.ts';
import { type Role, ROLES } from '../rights.ts';
import { numberOf } from '../store/disk/number.ts';
import { type LimitOptions, resolveLimits, type ServerLimits } from './limits.ts';
import { type Listen, parseListen, parseListens } from './listen.ts';
import type { ServerEvent } from './log.ts';
import { mayBeServed } from './served.ts';
import { defaultOf } from './settings/table.ts';

/** What a caller of `serve` may choose. */
export interface ServeOptions {
  /** `HOST:PORT`, `[::1]:PORT`, `:PORT`, `HOST` or `PORT`; port 0 is any free one. Default: every address at 9437. */
  readonly listen?: readonly string[] | undefined;
  /** Folder for the key, the devices and the administration socket. Default: one of its own per served folder, below the user's data folder. */
  readonly state?: string | undefined;
  /** What the first ticket allows; default `rw`: who starts a server on their own folder means to use it. */
  readonly role?: Role | undefined;
  /** Whether there is a first ticket; default yes. */
  readonly ticket?: boolean | undefined;
  /** How long tickets can be used where nothing else is said, in milliseconds; default 10 minutes. */
  readonly ticketMs?: number | undefined;
  /** What the server calls itself: 1 to 63 letters, digits and hyphens. Default: the first label of the machine's name. */
  readonly name?: string | undefined;
  /** Whether a spoken code is opened too, and announced on the local network; default no. */
  readonly code?: boolean | undefined;
  /** How long running transfers may go on after a stop, in milliseconds; default 10,000, what service managers wait for at least. */
  readonly graceMs?: number | undefined;
  /** How long transfers that run may go on in this process when a new version has taken over, in milliseconds; default a day. */
  readonly upgradeGraceMs?: number | undefined;
  /** How the version that is installed now is started, for `wherry upgrade`; without it there is none. */
  readonly upgrade?: Upgrade | undefined;
  /** Whether names that differ only in letter case or Unicode form may stand side by side; default no. */
  readonly similarNames?: boolean | undefined;
  /** Whether new names that Windows could not store are refused; default no. */
  readonly portableNames?: boolean | undefined;
  /** What puts replace and removals take away is kept so long (ms; default a day) and so much of it (bytes; default 1 GiB), for `undo`; either 0: nothing is. */
  readonly undo?: { readonly keepMs?: number | undefined; readonly bytes?: number | undefined } | undefined;
  /** Processes that connections are spread over, at most 32; `auto`: one for each processor, at most 8. Default 1, this process alone. */
  readonly workers?: number | 'auto' | undefined;
  /** Bytes a second of all transfers together, each way; default: as fast as it goes. */
  readonly rate?: number | undefined;
  /** The same of each account that has no rate of its own. */
  readonly accountRate?: number | undefined;
  /** What others may do at most; each has a default. */
  readonly limits?: LimitOptions | undefined;
  /** Whether an audit is kept in the state folder: who did what, in a chain that shows changes; default yes. */
  readonly audit?: boolean | undefined;
  /** Where metrics and health are listened for over HTTP, as `HOST:PORT` or `PORT`; default nowhere. */
  readonly metrics?: string | undefined;
  /** Whether `metrics` may be an address that other machines reach; default no. */
  readonly metricsFromAnywhere?: boolean | undefined;
  /** Whether to serve a folder that is hardly ever meant: the whole disk, a home folder, a folder of the system, one with this program or its settings in it. Default no. */
  readonly serveThis?: boolean | undefined;
  /** The file that these options come from, which must not be served. */
  readonly settingsFile?: string | undefined;
  /** Bytes that all connections may hold for the disk; by default 128 MiB, for all servers of the process together. */
  readonly memory?: number | undefined;
  /** Reads again what may change while it runs, for `reload`; without it there is nothing to reload. */
  readonly reread?: (() => Promise<Reread>) | undefined;
  /** Told everything that happens, in order. */
  readonly onEvent?: ((event: ServerEvent) => void) | undefined;
  /** Stops the server. */
  readonly signal?: AbortSignal | undefined;
}

/** How the version that is installed now is started. */
export interface Upgrade {
  /** The program and its words. */
  readonly command: readonly string[];
  /** The environment that it is started with. */
  env(): Readonly<Record<string, string | undefined>>;
}

/** What a reload brings. */
export interface Reread {
  /** The folder, and all options as they are to be now. */
  readonly dir: string;
  readonly options: ServeOptions;
  /** What else is different, that the server itself does not know of. */
  readonly changed?: readonly string[] | undefined;
  /** Where a key of the configuration file stands in it, `FILE:LINE`, or the file where that leaves it out; undefined: it is not from there. */
  place?(key: string): string | undefined;
  /** Called when the server has taken them over, all of them. */
  applied?(): void;
  /** Called at the end, whatever came of it. */
  over?(): void;
}

/** Always one address: what is not said is this machine alone. */
export type MetricsListen = Listen & { readonly host: string };

export interface Config {
  /** The served folder, absolute and without links. */
  readonly dir: string;
  /** The number of that folder, as it was then: another one at its path is not served. Undefined where its disk gives none. */
  readonly number: string | undefined;
  readonly state: string;
  /** Where the owner's commands look for running servers, absolute and without links. */
  readonly servers: string;
  readonly listen: readonly Listen[];
  readonly role: Role;
  /** Whether a ticket is made at the start. */
  readonly ticket: boolean;
  readonly name: string;
  /** Whether a spoken code is opened at the start. */
  readonly code: boolean;
  readonly graceMs: number;
  readonly upgradeGraceMs: number;
  readonly similarNames: boolean;
  readonly portableNames: boolean;
  /** What is kept for undo: for how long, and how much. */
  readonly keep: { readonly ms: number; readonly bytes: number };
  readonly audit: boolean;
  /** Where metrics are listened for; undefined: nowhere. */
  readonly metrics: MetricsListen | undefined;
  readonly ticketMs: number;
  readonly sweepAgeMs: number;
  /** Processes that connections are spread over; 1: this process alone. */
  readonly workers: number;
  readonly rate: number | undefined;
  readonly accountRate: number | undefined;
  /** Threads for the disk, of each process. */
  readonly diskThreads: number;
  readonly limits: ServerLimits;
  /** Undefined: the budget of the process. */
  readonly memory: number | undefined;
}

/** What cannot be chosen; the defaults of what can are in the table of settings. */
const FIXED = {
  sweepAgeMs: PART_DAYS * 86_400_000,
  /** One thread keeps a disk's queue filled while the other waits for a flush. */
  diskThreads: 2,
} as const;

/** Beside the server's own. */
const METRICS_PORT = 9438;
/** An invite that is open longer than this is a key under the doormat. */
export const MAX_INVITE_MS = 30 * 86_400_000;
/** A token may last for years, but what somebody mistypes must still be a date. */
export const MAX_TOKEN_MS = 3650 * 86_400_000;
/** With more, the share of each of the memory for connections is a few frames, and they wait for each other instead of working. */
const MAX_WORKERS = 32;
/** Beyond, other things than the processors decide: what is not used had better be left to them. */
const MAX_AUTO_WORKERS = 8;
/** Below, a connection looks like one that has died. */
export const MIN_RATE = 1024;
/** A stop that takes longer is not one. */
const MAX_GRACE_MS = 86_400_000;
/** What somebody misses after a year comes from a backup. */
const MAX_KEEP_MS = 365 * 86_400_000;
/** An old version that runs for longer than this is not being upgraded. */
const MAX_UPGRADE_GRACE_MS = 7 * 86_400_000;

/** Checks and completes the options. Throws USAGE, NOTFOUND, NOTDIR or DENIED for a folder that cannot be served. */
export async function resolveConfig(dir: string, options: ServeOptions = {}, env: NodeJS.ProcessEnv = process.env): Promise<Config> {
  const served = await servedFolder(dir);
  const servers = await realState(serversFolder(env));
  const state = await realState(options.state ?? join(servers, nameFor(served)));
  await mayBeServed(served, options.serveThis ?? false, { env, settingsFile: options.settingsFile, state: options.state, program: { main: process.argv[1], node: process.execPath } });
  // Nothing lies outside of the whole disk, and who means to serve that has said so.
  if (isInside(state, served) && dirname(served) !== served) {
    throw new Failure('USAGE', `the server's own key would lie inside the folder it serves: ${printable(state)}`, { path: state, who: 'here', hint: 'serve a folder inside it, or choose a place outside with --state' });
  }
  const { role = 'rw', name = plainHostName() } = options;
  if (!Object.hasOwn(ROLES, role)) throw new Failure('USAGE', `there is no role "${printable(role)}"`, { who: 'here', hint: `roles: ${Object.keys(ROLES).join(', ')}` });
  if (!isHostName(name)) throw new Failure('USAGE', `"${printable(name)}" cannot be the name of a server`, { who: 'here', hint: 'a name has 1 to 63 letters, digits and hyphens' });
  const wanted = options.listen ?? [];
  const listen = parseListens(wanted.length > 0 ? wanted : defaultOf('listen'));
  return Object.freeze({
    ...FIXED, ...numbersOf(options), dir: served, number: await numberOf(served), state, servers, role, name, listen, workers: workersFor(options.workers), memory: options.memory,
    similarNames: options.similarNames ?? false, portableNames: options.portableNames ?? false, keep: keepOf(options), ticket: options.ticket ?? true, code: options.code ?? false, limits: resolveLimits(options.limits),
    audit: options.audit ?? true, metrics: metricsAt(options.metrics, options.metricsFromAnywhere ?? false),
  });
}

function numbersOf(options: ServeOptions): Pick<Config, 'graceMs' | 'upgradeGraceMs' | 'ticketMs' | 'rate' | 'accountRate'> {
  const { upgradeGraceMs = defaultOf('upgrade_grace'), graceMs = defaultOf('grace'), ticketMs = defaultOf('ticket_life'), rate, accountRate } = options;
  if (!(graceMs >= 0 && graceMs <= MAX_GRACE_MS)) throw new Failure('USAGE', 'graceMs is a number of milliseconds up to a day', { who: 'here' });
  if (!(upgradeGraceMs >= 0 && upgradeGraceMs <= MAX_UPGRADE_GRACE_MS)) throw new Failure('USAGE', 'upgradeGraceMs is a number of milliseconds up to a week', { who: 'here' });
  if (!(ticketMs > 0 && ticketMs <= MAX_INVITE_MS)) throw new Failure('USAGE', 'a ticket is for at most 30 days', { who: 'here' });
  if (!((rate ?? Infinity) >= MIN_RATE && (accountRate ?? Infinity) >= MIN_RATE)) throw new Failure('USAGE', `a rate is at least ${MIN_RATE} bytes a second`, { who: 'here', hint: 'for example --rate 10M' });
  return { graceMs, upgradeGraceMs, ticketMs, rate, accountRate };
}

function keepOf({ undo: { keepMs = defaultOf('undo.keep'), bytes = defaultOf('undo.space') } = {} }: ServeOptions): Config['keep'] {
  if (!(keepMs >= 0 && keepMs <= MAX_KEEP_MS && bytes >= 0)) throw new Failure('USAGE', 'what undo keeps is at least 0 bytes, for 0 milliseconds to a year', { who: 'here', hint: '0 keeps nothing' });
  return { ms: keepMs, bytes };
}

/** What the server calls itself: the first label of the machine's name, in characters that every client accepts as a name. */
function plainHostName(): string {
  return hostname().split('.', 1)[0]!.replace(/[^A-Za-z0-9-]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 63) || 'server';
}

/** Whether every client accepts it as the name of a server, and a certificate as that of a host. */
export function isHostName(name: string): boolean {
  return /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(name);
}

function workersFor(asked: ServeOptions['workers']): number {
  if (asked === 'auto') return Math.min(availableParallelism(), MAX_AUTO_WORKERS);
  const workers = asked ?? defaultOf('workers');
  if (typeof workers === 'number' && Number.isInteger(workers) && workers >= 1 && workers <= MAX_WORKERS) return workers;
  throw new Failure('USAGE', `a server has 1 to ${MAX_WORKERS} workers`, { who: 'here', hint: 'for example --workers 4, or --workers auto: one for each processor' });
}

/** The folder below which every server of this user keeps its state, unless it is told another place. */
export function serversFolder(env: NodeJS.ProcessEnv = process.env): string {
  const { WHERRY_HOME: home, XDG_DATA_HOME: data } = env;
  return resolve(home ? join(home, 'servers') : join(data || join(homedir(), '.local', 'share'), 'wherry', 'servers'));
}

/** Numbers about a server are for whoever watches this machine, not for everybody who can reach it. */
function metricsAt(text: string | undefined, fromAnywhere: boolean): MetricsListen | undefined {
  if (text === undefined) return undefined;
  const { host = '127.0.0.1', port } = parseListen(text, METRICS_PORT);
  if (!fromAnywhere && host !== 'localhost' && host !== '::1' && !/^127(\.\d{1,3}){3}$/.test(host)) {
    throw new Failure('USAGE', `metrics on ${printable(host)} would be open to other machines, to everybody who reaches it`, { path: text, who: 'here', hint: 'choose 127.0.0.1, or add --metrics-from-anywhere (from_anywhere = true below [metrics]) if a firewall decides who reads them' });
  }
  return { host, port };
}

async function servedFolder(dir: string): Promise<string> {
  try {
    const path = await realpath(dir);
    if (!(await stat(path)).isDirectory()) throw new Failure('NOTDIR', 'not a folder');
    await access(path, constants.R_OK | constants.X_OK);
    return path;
  } catch (error) {
    const why = fromErrno(error);
    throw new Failure(why.code, `cannot serve ${printable(dir)}: ${why.message}`, { path: dir, who: 'here', hint: 'give the folder to serve: wherry serve DIR', cause: error });
  }
}

/** The state folder by its real name, as far as it exists: it is made later. */
async function realState(path: string): Promise<string> {
  const absolute = resolve(path);
  try {
    return await realpath(absolute);
  } catch {
    const above = dirname(absolute);
    return above === absolute ? absolute : join(await realState(above), relative(above, absolute));
  }
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && resolve(way) !== way);
}

/** 64 bits of the folder's name: short, because the path of a Unix socket has room for about 100 bytes only. */
function nameFor(served: string): string {
  return createHash('sha256').update(served).digest('hex').slice(0, 16);
}
