/**
 * Trust: this device's own key and the servers it has joined, in one folder of its user.
 *
 *     device.key     the private key, PKCS8 PEM, made on first need
 *     servers.json   { default, servers: [{ name, addresses, pin, account, joined }] }
 *
 * A server is its key: the pin decides whether two entries are the same server, names and addresses do not.
 * A file that cannot be understood is reported and never overwritten, for what it held would be lost.
 */
import type { KeyObject } from 'node:crypto';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { Failure } from '../errors.ts';
import { PIN_BYTES } from '../identity.ts';
import { loadKey, privateFolder, readPrivate, writePrivate } from '../private.ts';
import { printable } from '../printable.ts';
import type { Address } from '../ticket.ts';

export interface KnownServer {
  /** What this device calls it. */
  readonly name: string;
  readonly addresses: readonly Address[];
  /** The pin of its key, 32 bytes. */
  readonly pin: Uint8Array;
  /** The name under which the server knows this device. */
  readonly account: string;
  /** When it was joined, ISO 8601. */
  readonly joined: string;
}

export interface Home {
  readonly path: string;
  /** This device's private key; made on first need. */
  deviceKey(): Promise<KeyObject>;
  servers(): Promise<readonly (KnownServer & { readonly isDefault: boolean })[]>;
  /** The server with this name, or the default one. Throws NOTFOUND, with what to type. */
  find(name?: string): Promise<KnownServer>;
  /**
   * Adds a server, or replaces the one with the same pin in its place; a name that another server has gets a number. The first becomes
   * the default. `keepName`: a server that is known stays known by the name it has.
   */
  remember(server: KnownServer, options?: { readonly keepName?: boolean }): Promise<Remembered>;
  /** Removes a server. When it was the default, the one joined first becomes it. Throws NOTFOUND. */
  forget(name: string): Promise<void>;
}

export interface Remembered {
  readonly name: string;
  readonly isDefault: boolean;
  /** What it was known as before; undefined: it was not. */
  readonly before: string | undefined;
}

interface Book { readonly default: string | undefined; readonly servers: readonly KnownServer[] }

/** Bounds the file, and the search through it; nobody joins more by hand. */
const MAX_SERVERS = 1000;
const NAME = /^[A-Za-z0-9._-]{1,64}$/;

/** Whether `name` can be the name of a server: 1 to 64 letters, digits, dots, hyphens and underscores. */
export function isServerName(name: string): boolean {
  return NAME.test(name);
}

/** Where the folder of this device is, whether it is there or not. */
export function homeFolder(path?: string): string {
  return resolve(path ?? defaultHome());
}

/** The folder of this device: `path`, else $WHERRY_HOME, else `wherry` in the XDG config folder. Made when something is written. */
export async function openHome(path?: string): Promise<Home> {
  const folder = homeFolder(path);
  await privateFolder(folder);
  const file = join(folder, 'servers.json');
  // One change at a time in this process; between processes the last one wins, whole.
  let last: Promise<unknown> = Promise.resolve();
  const change = <T>(action: (book: Book) => { book: Book; answer: T }): Promise<T> => {
    const turn = last.then(async () => {
      const { book, answer } = action(await readBook(file));
      await writeBook(file, book);
      return answer;
    });
    last = turn.catch(() => undefined);
    return turn;
  };
  return {
    path: folder,
    deviceKey: () => loadKey(join(folder, 'device.key')),
    servers: async () => {
      const book = await readBook(file);
      return book.servers.map((server) => ({ ...server, isDefault: server.name === book.default }));
    },
    find: async (name) => findIn(await readBook(file), name),
    remember: (server, { keepName = false } = {}) => change((book) => add(book, server, keepName)),
    forget: (name) => change((book) => {
      findIn(book, name);
      const servers = book.servers.filter((server) => server.name !== name);
      return { book: { default: book.default === name ? servers[0]?.name : book.default, servers }, answer: undefined };
    }),
  };
}

function defaultHome(): string {
  const { WHERRY_HOME: home, XDG_CONFIG_HOME: config } = process.env;
  return home || join(config || join(homedir(), '.config'), 'wherry');
}

function findIn(book: Book, name: string | undefined): KnownServer {
  const wanted = name ?? book.default;
  if (wanted === undefined) throw new Failure('NOTFOUND', 'this device has not joined a server yet', { who: 'here', hint: 'get a ticket with "wherry invite" on the server, then type: wherry join' });
  if (!isServerName(wanted)) throw new Failure('USAGE', `"${printable(wanted)}" is not the name of a server`, { who: 'here', hint: 'names have 1 to 64 letters, digits, dots, hyphens or underscores' });
  const server = book.servers.find((known) => known.name === wanted);
  if (server !== undefined) return server;
  const known = book.servers.map((other) => other.name).slice(0, 10).join(', ');
  throw new Failure('NOTFOUND', `this device knows no server named ${wanted}`, { who: 'here', hint: known === '' ? 'join one first: wherry join' : `it knows: ${known}; another is added by: wherry join` });
}

function add(book: Book, server: KnownServer, keepName: boolean): { book: Book; answer: Remembered } {
  if (!isServerName(server.name)) throw new Failure('USAGE', `"${printable(server.name)}" cannot be the name of a server`, { who: 'here', hint: 'names have 1 to 64 letters, digits, dots, hyphens or underscores' });
  const others = book.servers.filter((known) => !samePin(known.pin, server.pin));
  if (others.length >= MAX_SERVERS) throw new Failure('LIMIT', `this device knows ${MAX_SERVERS} servers already`, { who: 'here', hint: 'remove one that is gone from servers.json' });
  const replaced = book.servers.find((known) => samePin(known.pin, server.pin));
  // Scripts and habits go by the name: only who says so changes it.
  const name = keepName && replaced !== undefined ? replaced.name : freeName(server.name, new Set(others.map((known) => known.name)));
  const entry = { ...server, name };
  const servers = replaced === undefined ? [...others, entry] : book.servers.map((known) => (known === replaced ? entry : known));
  const standard = book.default === undefined || book.default === replaced?.name ? name : book.default;
  return { book: { default: standard, servers }, answer: { name, isDefault: standard === name, before: replaced?.name } };
}

/** `name`, or `name-2`, `name-3` … when it is taken, cut so that it stays a name. */
function freeName(name: string, taken: ReadonlySet<string>): string {
  for (let number = 1; ; number++) {
    const tail = number === 1 ? '' : `-${number}`;
    const free = name.slice(0, 64 - tail.length) + tail;
    if (!taken.has(free)) return free;
  }
}

function samePin(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

async function readBook(file: string): Promise<Book> {
  const text = await readPrivate(file);
  if (text === undefined) return { default: undefined, servers: [] };
  const broken = (why: string): Failure =>
    new Failure('IO', `${printable(file)} cannot be understood: ${why}`, { path: file, who: 'here', hint: 'repair it, or move it away and join again' });
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    throw broken('it is not JSON');
  }
  const { default: standard, servers } = (data ?? {}) as { default?: unknown; servers?: unknown };
  if (!Array.isArray(servers) || servers.length > MAX_SERVERS) throw broken('it has no list of servers');
  const known = servers.map((entry: unknown, index) => {
    const server = parseServer(entry);
    if (server === undefined) throw broken(`server ${index + 1} of the list is incomplete`);
    return server;
  });
  if (standard !== undefined && !known.some((server) => server.name === standard)) throw broken('its default is not among the servers');
  return { default: standard as string | undefined, servers: known };
}

function parseServer(entry: unknown): KnownServer | undefined {
  if (typeof entry !== 'object' || entry === null) return undefined;
  const { name, addresses, pin, account, joined } = entry as Record<string, unknown>;
  if (typeof name !== 'string' || !isServerName(name) || typeof account !== 'string' || typeof joined !== 'string') return undefined;
  if (typeof pin !== 'string' || !Array.isArray(addresses) || !addresses.every(isAddress)) return undefined;
  const bytes = new Uint8Array(Buffer.from(pin, 'base64url'));
  return bytes.byteLength === PIN_BYTES ? { name, addresses, pin: bytes, account, joined } : undefined;
}

function isAddress(value: unknown): value is Address {
  const { host, port } = (value ?? {}) as Record<string, unknown>;
  return typeof host === 'string' && Number.isInteger(port);
}

async function writeBook(file: string, book: Book): Promise<void> {
  const servers = book.servers.map(({ pin, ...rest }) => ({ ...rest, pin: Buffer.from(pin).toString('base64url') }));
  await writePrivate(file, `${JSON.stringify({ default: book.default, servers }, undefined, 2)}\n`);
}
