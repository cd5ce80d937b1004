/**
 * Entry: what of the events of a server, and of what its owner asks it for, goes into its audit.
 *
 * Of events everything but what lets somebody in; warnings only where they count what is missing. Of requests the values
 * that are named here and no others: a new verb does not compile until somebody has decided which of its values are
 * recorded, so that a password in a request is not. Text is made printable and is cut, as in the log. Pure.
 */
import type { Failure } from '../../errors.ts';
import { clean, type ServerEvent, TOLD_ONCE } from '../log.ts';
import type { AdminRequest, AdminVerb, Says } from '../requests.ts';
import type { Body } from './record.ts';

/** The values of each request that are recorded; undefined: it changes nothing, and is not recorded at all. */
const TOLD: { readonly [V in AdminVerb]: readonly (keyof Says<V> & string)[] | undefined } = {
  'folder': undefined,
  'invite': ['role', 'forMs', 'name', 'account'],
  'invite list': undefined,
  'invite revoke': ['id'],
  'code': ['role', 'forMs', 'account'],
  'devices list': undefined,
  'devices revoke': ['name'],
  'account add': ['name', 'rights', 'roots', 'rules', 'quotaBytes', 'quotaFiles', 'rate', 'sshKeys'],
  'account change': ['name', 'rights', 'roots', 'rules', 'quotaBytes', 'quotaFiles', 'rate', 'sshKeys'],
  'account show': undefined,
  'account list': undefined,
  'account remove': ['name'],
  'account password': ['name'],
  // Nothing changes, but somebody has tried a password.
  'account check': ['name'],
  'token create': ['account', 'name', 'path', 'rights', 'forMs', 'bytes', 'files', 'uses', 'from'],
  'token list': undefined,
  'token revoke': ['name'],
  'reload': [],
  'upgrade': [],
  'bans list': undefined,
  'bans lift': ['address'],
  'rehearse': undefined,
  'metrics': undefined,
  'health': undefined,
};

/** Values of events that are not kept: what lets somebody in, what is about this machine and nobody's deed, and what a record has of its own. */
const LEFT_OUT: ReadonlySet<string> = new Set([...TOLD_ONCE, 'reachable', 'active', 'time', 'seq', 'prev']);

/** Connections come in by one door so far. */
const DOOR = 'native';

/** What is recorded of an event; undefined: nothing. */
export function entryOf(event: ServerEvent, now = new Date()): Body | undefined {
  const time = now.toISOString();
  const { event: name, lost, worker, session, ...rest } = event;
  if (name === 'warning') return lost === undefined ? undefined : { time, event: 'audit-lost', ...clean({ records: lost, worker }) };
  const kept = Object.fromEntries(Object.entries(rest).filter(([key]) => !LEFT_OUT.has(key)));
  return { time, event: name, ...clean({ session, ...(session !== undefined && { door: DOOR }), ...kept, worker }) };
}

/** What is recorded of a request that was answered, or was not, with why. */
export function actOf(request: AdminRequest, failure: Failure | undefined, now = new Date()): Body | undefined {
  const keys = TOLD[request.verb];
  if (keys === undefined) return undefined;
  const said = Object.fromEntries(keys.map((key) => [key, (request as Readonly<Record<string, unknown>>)[key]]));
  return { time: now.toISOString(), event: 'asked', verb: request.verb, ...clean({ values: said }), outcome: failure?.code ?? 'ok' };
}
