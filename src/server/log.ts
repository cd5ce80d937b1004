/**
 * Log: what happens in a server, as data, and two ways to print it: JSON lines for programs, one line of text each for people.
 *
 * An event has a name of the closed list below; all else in it is plain values. Text in it may come from peers and
 * disks and is made printable here, once, for both ways. Secrets are kept out by those who make events; the one
 * exception is the first ticket, which is there to be read, works once and expires.
 * The only file that knows the logging library.
 */
import { inspect } from 'node:util';
import { pino } from 'pino';
import { printable } from '../printable.ts';

/** Every event of a server, with how people read it. */
const EVENTS = {
  listening: 'listening on',
  invited: 'new ticket',
  enrolled: 'new device',
  revoked: 'device revoked',
  swept: 'forgotten unfinished uploads',
  warning: 'warning',
  stopping: 'stopping',
  stopped: 'stopped',
  connected: 'connected',
  refused: 'refused',
  'signed-in': 'signed in',
  disconnected: 'disconnected',
  action: '',
} as const satisfies Record<string, string>;

export type EventName = keyof typeof EVENTS;

export interface ServerEvent {
  readonly event: EventName;
  readonly [key: string]: unknown;
}

export interface LogOptions {
  readonly format: 'json' | 'text';
  /** Takes one line, with its line break. */
  readonly write: (line: string) => void;
  readonly now?: () => Date;
}

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
function clean(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [key, cleanValue(value)]));
}

function cleanValue(value: unknown): unknown {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
  if (Array.isArray(value)) return value.map(cleanValue);
  const text = printable(typeof value === 'string' ? value : value instanceof Error ? value.message : inspect(value, { breakLength: Infinity }));
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT - 1)}…` : text;
}

/** `event` in words, then who, what and where first, then what else there is as `key=value`. */
function textOf(event: ServerEvent): string {
  const { event: name, account, verb, path, to, address, outcome, message, ticket, ...rest } = clean(event);
  const words = [
    EVENTS[name as EventName], account, verb, path === undefined ? undefined : quote(path), to === undefined ? undefined : `→ ${quote(to)}`, address,
    outcome === 'ok' ? undefined : outcome, message,
  ];
  const more = Object.entries(rest).map(([key, value]) => `${key}=${Array.isArray(value) ? value.join(',') : String(value)}`);
  void ticket; // people are shown it by whoever started the server
  return [...words, ...more].filter((word) => word !== undefined && word !== '').join(' ');
}

/** Paths from the served folder; quoted when a space would make them read as two. */
function quote(path: unknown): string {
  const text = `/${String(path)}`;
  return text.includes(' ') ? `"${text}"` : text;
}

function clock(time: Date): string {
  return time.toISOString().replace('T', ' ').slice(0, 19);
}
