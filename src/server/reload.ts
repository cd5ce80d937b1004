/**
 * Reload: a new configuration for a server that runs, all of it or nothing.
 *
 * What is different is told by the keys of the file. Where one of them cannot change while a server runs, or the new one
 * cannot be read or had, the old one stays, and the log says why.
 */
import { isDeepStrictEqual } from 'node:util';
import { Failure } from '../errors.ts';
import { type Config, type Reread, resolveConfig, type ServeOptions } from './config.ts';
import type { ServerEvent } from './log.ts';
import { keyBlamed } from './settings/blame.ts';
import { type Key, SETTINGS } from './settings/table.ts';

/** What each key has become. A key that is missing here does not compile; those that are left out are nothing a running server has. */
const PARTS: Readonly<Record<Exclude<Key, 'serve_this' | 'metrics.from_anywhere' | 'log.format'>, (config: Config) => unknown>> = {
  'folder': ({ dir }) => dir,
  'listen': ({ listen }) => listen,
  'state': ({ state }) => state,
  'name': ({ name }) => name,
  'workers': ({ workers }) => workers,
  'grace': ({ graceMs }) => graceMs,
  'upgrade_grace': ({ upgradeGraceMs }) => upgradeGraceMs,
  'allow_similar_names': ({ similarNames }) => similarNames,
  'portable_names': ({ portableNames }) => portableNames,
  'ticket': ({ role, ticket }) => [role, ticket],
  'ticket_life': ({ ticketMs }) => ticketMs,
  'audit': ({ audit }) => audit,
  'undo.keep': ({ keep }) => keep.ms,
  'undo.space': ({ keep }) => keep.bytes,
  'rates.server': ({ rate }) => rate,
  'rates.account': ({ accountRate }) => accountRate,
  'metrics.listen': ({ metrics }) => metrics,
  'limits.max_connections': ({ limits }) => limits.connections,
  'limits.max_connections_per_address': ({ limits }) => limits.connectionsPerAddress,
  'limits.max_unauthenticated_per_address': ({ limits }) => limits.pendingPerAddress,
  'limits.unauthenticated_from': ({ limits }) => limits.unauthenticated.from,
  'limits.unauthenticated_percent': ({ limits }) => limits.unauthenticated.percent,
  'limits.unauthenticated_full': ({ limits }) => limits.unauthenticated.full,
  'limits.strangers_at_once': ({ limits }) => limits.strangersAtOnce,
  'limits.strangers_per_second': ({ limits }) => limits.strangersPerSecond,
  'limits.max_files_per_connection': ({ limits }) => limits.filesPerConnection,
  'limits.handshake': ({ limits }) => limits.handshakeMs,
  'limits.sign_in': ({ limits }) => limits.signInMs,
  'limits.ping_after': ({ limits }) => limits.pingAfterMs,
  'limits.dead_after': ({ limits }) => limits.deadAfterMs,
  'limits.progress': ({ limits }) => limits.progressMs,
  'limits.unread': ({ limits }) => limits.unreadMs,
  'limits.slow_after': ({ limits }) => limits.slowAfterMs,
  'limits.least_rate': ({ limits }) => limits.leastPerSecond,
  'limits.idle': ({ limits }) => limits.idleMs,
  'limits.memory': ({ memory }) => memory,
  'bans.points': ({ limits }) => limits.bans.points,
  'bans.points_where_known': ({ limits }) => limits.bans.pointsWhereKnown,
  'bans.within': ({ limits }) => limits.bans.withinMs,
  'bans.length': ({ limits }) => limits.bans.banMs,
  'bans.longest': ({ limits }) => limits.bans.longestBanMs,
  'bans.never': ({ limits }) => limits.neverBanned,
};

/** A server, as far as this is about it. */
export interface Reloadable {
  /** What it runs with. */
  readonly config: Config;
  /** Runs with another one from now on. When it rejects, nothing has changed. */
  adopt(config: Config): Promise<void>;
  onEvent(event: ServerEvent): void;
}

/** Reads the configuration again and has it taken over; the keys that changed. Rejects with why not. */
export async function reload(reread: ServeOptions['reread'], server: Reloadable): Promise<readonly string[]> {
  let reading: Reread | undefined;
  try {
    if (reread === undefined) throw new Failure('USAGE', 'this server was started without a configuration file: there is nothing to read again', { who: 'rule', hint: 'start it with --config FILE' });
    reading = await reread();
    const changed = [...await takeOver(reading, server), ...(reading.changed ?? [])];
    reading.applied?.();
    server.onEvent({ event: 'reloaded', changed });
    return changed;
  } catch (error) {
    const { message, hint } = Failure.from(error);
    server.onEvent({ event: 'warning', message: `the configuration was not taken over, all is as before: ${message}${hint === undefined ? '' : `; ${hint}`}` });
    throw error;
  } finally {
    reading?.over?.();
  }
}

/** The keys that changed. Rejects with the place in the file, where it is about one of its keys. */
async function takeOver({ dir, options, place = () => undefined }: Reread, server: Reloadable): Promise<readonly Key[]> {
  try {
    const config = await resolveConfig(dir, options);
    const changed = changedKeys(server.config, config);
    const fixed = changed.filter((key) => !SETTINGS[key].reloads);
    if (fixed.length > 0) throw cannotChange(fixed, place);
    await server.adopt(config);
    return changed;
  } catch (error) {
    const failure = Failure.from(error);
    const { code, message, path, who, retry, hint, cause } = failure;
    // What is told of keys by name has their places; and whether the server stops is no matter of the file.
    const at = code === 'SHUTDOWN' || failure instanceof Fixed ? undefined : place(keyBlamed(failure, options));
    throw at === undefined ? failure : new Failure(code, `${at}: ${message}`, { path, who, retry, hint, cause });
  }
}

/** Keys that cannot change, told with their places. */
class Fixed extends Failure {}

function cannotChange(keys: readonly Key[], place: (key: string) => string | undefined): Failure {
  const told = keys.map((key) => [place(key), key].filter((part) => part !== undefined).join(': '));
  return new Fixed('USAGE', `${told.join(', ')} cannot change while the server runs: nothing was changed`, { who: 'rule', hint: 'start the server again for that, or put it back as it was' });
}

/** The keys that are different. */
function changedKeys(before: Config, after: Config): Key[] {
  return (Object.keys(PARTS) as (keyof typeof PARTS)[]).filter((key) => !isDeepStrictEqual(PARTS[key](before), PARTS[key](after)));
}
