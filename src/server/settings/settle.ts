/**
 * Settle: what a server runs with, and where each of it comes from: a flag, else the configuration file, else the default.
 *
 * What is settled becomes the options of a server here, and nowhere else. Pure, and light: it is used without a file too.
 */
import type { ServeOptions } from '../config.ts';
import type { LimitOptions } from '../limits.ts';
import { type Key, KEYS, type Setting, SETTINGS, usualOf, type Value, type Values } from './table.ts';

/** What flags say: the values, and for those who ask how they were written. */
export type Given = { readonly [K in Key]?: { readonly value: Value<K>; readonly written: unknown; readonly flag: string } | undefined };

export interface Origin { readonly key: Key; readonly written: unknown; readonly from: string }

export interface Settled {
  readonly values: Values;
  /** Of every key, in the order of the table; `written` undefined where nothing is. */
  readonly origins: readonly Origin[];
}

/** A file that was read, and what it says. */
export interface Source {
  readonly file: string;
  readonly values: Values;
  readonly written: ReadonlyMap<Key, { readonly value: unknown; readonly line: number }>;
}

export function settle(given: Given, from?: Source): Settled {
  const values: Record<string, unknown> = {};
  const origins = KEYS.map((key): Origin => {
    const flag = given[key];
    const line = from?.written.get(key);
    values[key] = flag?.value ?? from?.values[key] ?? usualOf(key);
    if (flag !== undefined) return { key, written: flag.written, from: flag.flag };
    return line === undefined ? { key, written: (SETTINGS[key] as Setting).default, from: 'default' } : { key, written: line.value, from: `${from!.file}:${line.line}` };
  });
  return { values, origins };
}

/** What is settled, as options of a server. */
export function optionsOf(values: Values): ServeOptions {
  const { ticket = 'none' } = values;
  return {
    listen: values.listen, state: values.state, name: values.name, workers: values.workers, graceMs: values.grace, upgradeGraceMs: values.upgrade_grace, similarNames: values.allow_similar_names, portableNames: values.portable_names,
    role: ticket === 'none' ? undefined : ticket, ticket: ticket !== 'none', ticketMs: values.ticket_life, serveThis: values.serve_this,
    limits: limitsOf(values), memory: values['limits.memory'], undo: { keepMs: values['undo.keep'], bytes: values['undo.space'] }, rate: values['rates.server'], accountRate: values['rates.account'],
    audit: values.audit, metrics: values['metrics.listen'], metricsFromAnywhere: values['metrics.from_anywhere'],
  };
}

/** Values that are settled have all of these. */
function limitsOf(values: Values): LimitOptions {
  return {
    connections: values['limits.max_connections']!, connectionsPerAddress: values['limits.max_connections_per_address']!, pendingPerAddress: values['limits.max_unauthenticated_per_address']!,
    unauthenticated: { from: values['limits.unauthenticated_from']!, percent: values['limits.unauthenticated_percent']!, full: values['limits.unauthenticated_full']! },
    strangersAtOnce: values['limits.strangers_at_once']!, strangersPerSecond: values['limits.strangers_per_second']!, filesPerConnection: values['limits.max_files_per_connection']!,
    handshakeMs: values['limits.handshake']!, signInMs: values['limits.sign_in']!, pingAfterMs: values['limits.ping_after']!, deadAfterMs: values['limits.dead_after']!,
    progressMs: values['limits.progress']!, unreadMs: values['limits.unread']!, slowAfterMs: values['limits.slow_after']!, leastPerSecond: values['limits.least_rate']!, idleMs: values['limits.idle']!,
    bans: { points: values['bans.points']!, pointsWhereKnown: values['bans.points_where_known']!, withinMs: values['bans.within']!, banMs: values['bans.length']!, longestBanMs: values['bans.longest']! },
    neverBanned: values['bans.never']!,
  };
}
