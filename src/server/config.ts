/**
 * Config: what one server runs with. Options and environment go in, one frozen value comes out.
 *
 * Every default stands here with its reason, and nothing below reads the environment. The folder to serve and the
 * state folder are made absolute and free of links once, at the start, so that what they mean cannot change later.
 */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { homedir } from 'node:os';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { Failure, fromErrno } from '../errors.ts';
import { printable } from '../printable.ts';
import { type Role, ROLES } from '../rights.ts';
import { DEFAULT_PORT } from '../ticket.ts';
import type { ServerEvent } from './log.ts';

/** What a caller of `serve` may choose. */
export interface ServeOptions {
  /** `HOST:PORT`, `[::1]:PORT`, `:PORT`, `HOST` or `PORT`; port 0 is any free one. Default: every address at 9437. */
  readonly listen?: readonly string[] | undefined;
  /** Folder for the key, the devices and the administration socket. Default: one of its own per served folder, below the user's data folder. */
  readonly state?: string | undefined;
  /** What the first ticket allows; default `rw`: who starts a server on their own folder means to use it. */
  readonly role?: Role | undefined;
  /** How long running transfers may go on after a stop, in milliseconds; default 10,000, what service managers wait for at least. */
  readonly graceMs?: number | undefined;
  /** Whether names that differ only in letter case or Unicode form may stand side by side; default no. */
  readonly similarNames?: boolean | undefined;
  /** Told everything that happens, in order. */
  readonly onEvent?: ((event: ServerEvent) => void) | undefined;
  /** Stops the server. */
  readonly signal?: AbortSignal | undefined;
}

/** An address to listen at; without a host, every address of the machine. */
export interface Listen { readonly host: string | undefined; readonly port: number }

export interface Config {
  /** The served folder, absolute and without links. */
  readonly dir: string;
  readonly state: string;
  /** Where the owner's commands look for running servers, absolute and without links. */
  readonly servers: string;
  readonly listen: readonly Listen[];
  readonly role: Role;
  readonly graceMs: number;
  readonly similarNames: boolean;
  readonly ticketMs: number;
  readonly sweepAgeMs: number;
  readonly workers: number;
  readonly maxConnections: number;
  readonly maxUnauthenticatedPerAddress: number;
}

const DEFAULTS = {
  role: 'rw',
  graceMs: 10_000,
  /** Long enough to walk to the other machine, short enough that a forgotten ticket is worth nothing. */
  ticketMs: 600_000,
  /** A part that nobody continued for a week will not be continued. */
  sweepAgeMs: 7 * 86_400_000,
  /** One thread keeps a disk's queue filled while the other waits for a flush. */
  workers: 2,
  /** What the usual limit of 1,024 open files leaves room for when most connections are idle. */
  maxConnections: 1000,
  /** More than a household or an office behind one address ever begins at once. */
  maxUnauthenticatedPerAddress: 20,
} as const;

/** More addresses than a machine needs to name one by one. */
const MAX_LISTEN = 16;
/** An invite that is open longer than this is a key under the doormat. */
export const MAX_INVITE_MS = 30 * 86_400_000;
/** A stop that takes longer is not one. */
const MAX_GRACE_MS = 86_400_000;

/** Checks and completes the options. Throws USAGE, NOTFOUND, NOTDIR or DENIED for a folder that cannot be served. */
export async function resolveConfig(dir: string, options: ServeOptions = {}, env: NodeJS.ProcessEnv = process.env): Promise<Config> {
  const served = await servedFolder(dir);
  const servers = await realState(serversFolder(env));
  const state = await realState(options.state ?? join(servers, nameFor(served)));
  if (isInside(state, served)) {
    throw new Failure('USAGE', `the server's own key would lie inside the folder it serves: ${printable(state)}`, { path: state, who: 'here', hint: 'serve a folder inside it, or choose a place outside with --state' });
  }
  const { role = DEFAULTS.role, graceMs = DEFAULTS.graceMs } = options;
  if (!Object.hasOwn(ROLES, role)) throw new Failure('USAGE', `there is no role "${printable(role)}"`, { who: 'here', hint: `roles: ${Object.keys(ROLES).join(', ')}` });
  if (!(graceMs >= 0 && graceMs <= MAX_GRACE_MS)) throw new Failure('USAGE', 'graceMs is a number of milliseconds up to a day', { who: 'here' });
  const listen = (options.listen ?? []).map(parseListen);
  if (listen.length > MAX_LISTEN) throw new Failure('USAGE', `at most ${MAX_LISTEN} addresses to listen at`, { who: 'here' });
  return Object.freeze({
    ...DEFAULTS, dir: served, state, servers, role, graceMs,
    listen: listen.length > 0 ? listen : [{ host: undefined, port: DEFAULT_PORT }],
    similarNames: options.similarNames ?? false,
  });
}

/** The folder below which every server of this user keeps its state, unless it is told another place. */
export function serversFolder(env: NodeJS.ProcessEnv = process.env): string {
  const { WHERRY_HOME: home, XDG_DATA_HOME: data } = env;
  return resolve(home ? join(home, 'servers') : join(data || join(homedir(), '.local', 'share'), 'wherry', 'servers'));
}

/** Reads one `--listen`. Throws USAGE. */
export function parseListen(text: string): Listen {
  if (isIPv6(text)) return { host: text, port: DEFAULT_PORT };
  const match = /^(?:\[([^\]]+)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text);
  if (match === null) throw badListen(text);
  const [, ipv6, plain, digits] = match;
  if (ipv6 !== undefined && !isIPv6(ipv6)) throw badListen(text);
  // A number alone is a port, as nobody means the address 0.0.36.221 by 9437.
  const alone = digits === undefined && plain !== undefined && /^\d{1,5}$/.test(plain);
  const port = Number(alone ? plain : (digits ?? DEFAULT_PORT));
  const host = alone ? '' : (ipv6 ?? plain ?? '');
  if (port > 65535 || (text !== '*' && text === '')) throw badListen(text);
  return { host: host === '' || host === '*' ? undefined : host, port };
}

function badListen(text: string): Failure {
  return new Failure('USAGE', `"${printable(text)}" is not an address to listen at`, { who: 'here', hint: 'for example --listen 127.0.0.1:9437, --listen [::1]:9437, --listen :9437' });
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
