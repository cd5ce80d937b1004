/**
 * Log: what happens in a server, as data, and two ways to print it: JSON lines for programs, one line of text each for people.
 *
 * An event has a name of the closed list below; all else in it is plain values. Text in it may come from peers and
 * disks and is made printable here, once, for both ways. A `Secret` is kept out by the type of an event; the
 * exceptions are the first ticket and spoken codes (`TOLD_ONCE`), which are there to be read, work once and expire.
 * The only file that knows the logging library.
 */
import { inspect } from 'node:util';
import { pino } from 'pino';
import { printable } from '../printable.ts';
import type { Tellable } from '../secret.ts';

/** Every event of a server, with how people read it. */
const EVENTS = {
  listening: 'listening on',
  invited: 'new ticket',
  'invite-revoked': 'ticket withdrawn',
  code: 'new code,',
  'code-closed': '',
  enrolled: 'new device',
  revoked: 'device revoked',
  'account-changed': 'account',
  'token-changed': 'token',
  'worker-started': 'worker started',
  'worker-ended': 'worker ended',
  swept: 'forgotten unfinished uploads',
  warning: 'warning',
  reloaded: 'configuration read again',
  'handed-over': 'the new version serves; finishing what runs here, process',
  stopping: 'stopping',
  stopped: 'stopped',
  connected: 'connected',
  refused: 'refused',
  banned: 'banned',
  'ban-lifted': 'ban lifted',
  'signed-in': 'signed in',
  disconnected: 'disconnected',
  lane: 'further connection of',
  action: '',
  metrics: 'metrics on',
} as const satisfies Record<string, string>;

export type EventName = keyof typeof EVENTS;

export interface ServerEvent {
  readonly event: EventName;
  readonly [key: string]: Tellable;
}

export interface LogOptions {
  readonly format: 'json' | 'text';
  /** Takes one line, with its line break. */
  readonly write: (line: string) => void;
  readonly now?: () => Date;
}

/** Values of events that let somebody in; whoever keeps events leaves them out. */
export const TOLD_ONCE: readonly string[] = ['ticket', 'spoken'];

/** Longest text of one value: a path fits, a flood does not. */
const MAX_TEXT = 4096;

/** A function that prints events. The JSON lines start with `event` and end with `time`, in UTC. */
export function createLog({ format, write, now = () => new Date() }: LogOptions): (event: ServerEvent) => void {
  if (format === 'text') return (event) => write(`${clock(now())} ${textOf(event)}\n`);
  // The library prints a level first; with the events as its levels, that is the event's name.
  const names = Object.keys(EVENTS) as EventName[];
  const lines = pino<EventName>(
    {
      base: null, timestamp: false, level: names[0]!, useOnlyCustomLevels: true,
      customLevels: Object.fromEntries(names.map((name, index) => [name, index + 1])) as Record<EventName, number>,
      formatters: { level: (name) => ({ event: name }) },
    },
    { write },
  );
  return ({ event, ...rest }) => lines[event]({ ...clean(rest), time: now().toISOString() });
}

/** Values as they may be printed: text harmless and of bounded length, lists and numbers as they are, the rest as text. */
export function clean(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [key, cleanValue(value)]));
}

function cleanValue(value: unknown): unknown {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
  if (Array.isArray(value)) return value.map(cleanValue);
  if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) return clean({ ...value });
  const text = printable(typeof value === 'string' ? value : value instanceof Error ? value.message : inspect(value, { breakLength: Infinity }));
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT - 1)}…` : text;
}

/** `event` in words, then who, what and where first, then what else there is as `key=value`. */
function textOf(event: ServerEvent): string {
  const { event: name, account, device, verb, way, path, to, address, outcome, message, ticket, reachable, spoken, at, ...rest } = clean(event);
  const words = [
    EVENTS[name as EventName], account, device === account ? undefined : device, verb ?? way, path === undefined ? undefined : quote(path), to === undefined ? undefined : `→ ${quote(to)}`, address,
    outcome === 'ok' ? undefined : outcome, typeof spoken === 'string' ? joinBy(spoken, at) : undefined, message,
  ];
  const more = Object.entries(rest).map(([key, value]) => `${key}=${Array.isArray(value) ? value.join(',') : String(value)}`);
  void [ticket, reachable]; // people are shown them by whoever started the server
  return [...words, ...more].filter((word) => word !== undefined && word !== '').join(' ');
}

/** How a code is used: on the network it is found by itself, on the machine of a server that no network reaches by its address. */
export function joinBy(spoken: string, at: unknown): string {
  return typeof at === 'string' ? `on this machine: wherry join ${spoken}@${at}` : `on the same network: wherry join ${spoken}`;
}

/** Paths from the served folder; quoted when a space would make them read as two. */
function quote(path: unknown): string {
  const text = `/${String(path)}`;
  return text.includes(' ') ? `"${text}"` : text;
}

function clock(time: Date): string {
  return time.toISOString().replace('T', ' ').slice(0, 19);
}

/** A listener that throws is a fault of its own, and must not become one of the transfer it was told about. */
export function guarded(onEvent: ((event: ServerEvent) => void) | undefined): (event: ServerEvent) => void {
  return (event) => {
    try {
      onEvent?.(event);
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error));
    }
  };
}
