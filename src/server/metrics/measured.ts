/**
 * Measured: what is counted of a server: the families of its registry, filled from every event, also where the log hears of many as one.
 *
 * Nothing in here is about one person or one file. Bytes and transfers count when an action is over. What is read from
 * the process is the front's; each worker tells its own share once a second.
 */
import { VERBS } from '../../drive/action.ts';
import { CODES } from '../../errors.ts';
import { SOFTWARE_VERSION } from '../../version.ts';
import type { EventName, ServerEvent } from '../log.ts';
import type { Registry } from './registry.ts';

/** What a process that holds connections has in hand at the moment. */
export interface Load {
  /** Requests that run. */
  readonly requests: number;
  /** Bytes of its budget that are in use. */
  readonly held: number;
  /** Resident memory, in bytes. */
  readonly resident: number;
}

export interface MeasuredOptions {
  readonly registry: Registry;
  /** Of all processes that hold connections, by the number of the worker; 0: this process. */
  loads(): readonly (readonly [worker: number, load: Load])[];
  /** Bytes that connections may hold. */
  memory(): number;
  /** Whether the served folder is at its place and can be read. */
  folder(): boolean;
  audit(): { readonly works: boolean; readonly written: number; readonly lost: number; readonly gone: number } | undefined;
}

/** Which way the bytes of an action go, seen from the server. */
const WAYS: Readonly<Record<string, 'in' | 'out'>> = { receive: 'in', receiveBatch: 'in', read: 'out', pack: 'out' };
const OUTCOMES = ['ok', ...Object.keys(CODES)];
const CODE_NAMES = Object.keys(CODES);
const DIRECTIONS = ['in', 'out'] as const;
/** Seconds: what nobody notices, up to what everybody does. */
const LAG_BOUNDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];
/** How often the lag of the event loop is taken (ms). */
const LAG_EVERY_MS = 500;

/** Adds the families, and counts what it is told until it is disposed. */
export class Measured implements Disposable {
  /** What is done about each event that counts. */
  readonly #counts: Counts;
  readonly #timer: NodeJS.Timeout;
  #connections = 0;

  constructor({ registry, loads, memory, folder, audit }: MeasuredOptions) {
    this.#counts = {
      ...countsOf(registry),
      'disconnected': () => { this.#connections = Math.max(0, this.#connections - 1); },
    };
    const { connected } = this.#counts;
    this.#counts['connected'] = (event) => {
      this.#connections += 1;
      connected?.(event);
    };
    const began = performance.now();
    registry.gauge('wherry_build_info', 'Always 1; what runs is in the labels.', () => [[{ version: SOFTWARE_VERSION, node: process.versions.node }, 1]]);
    registry.gauge('wherry_uptime_seconds', 'Since the server was started.', () => (performance.now() - began) / 1000);
    registry.gauge('wherry_connections', 'Connections that are open, signed in or not.', () => this.#connections);
    registry.gauge('wherry_requests_running', 'Transfers and other requests that run now.', () => sum(loads().map(([, { requests }]) => requests)));
    registry.gauge('wherry_budget_used_bytes', 'Bytes that connections hold at the moment.', () => sum(loads().map(([, { held }]) => held)));
    registry.gauge('wherry_budget_limit_bytes', 'Bytes that connections may hold together.', memory);
    registry.gauge('process_resident_memory_bytes', 'Resident memory of the process that listens.', () => process.memoryUsage.rss());
    registry.gauge('wherry_worker_resident_memory_bytes', 'Resident memory of each worker process; none without --workers.', () => loads().filter(([worker]) => worker > 0).map(([worker, { resident }]) => [{ worker }, resident]));
    registry.gauge('wherry_folder_up', '1 while the served folder is the one that was there at the start, and can be read.', () => (folder() ? 1 : 0));
    registry.gauge('wherry_audit_up', '1 while the audit can be written; 0 when it cannot, or is off.', () => (audit()?.works === true ? 1 : 0));
    registry.counted('wherry_audit_records_total', 'Records written to the audit since the start.', () => audit()?.written ?? 0);
    registry.counted('wherry_audit_records_lost_total', 'Records that could not be written to the audit since the start.', () => audit()?.lost ?? 0);
    registry.gauge('wherry_audit_records_missing', 'Records of the audit that were written, and were not in its folder when that was seen: at the start, or since.', () => audit()?.gone ?? 0);
    const lag = registry.histogram('wherry_event_loop_lag_seconds', 'How late the process that listens comes to what is due, twice a second.', LAG_BOUNDS);
    this.#timer = everyLag((seconds) => lag.observe(seconds));
  }

  event(event: ServerEvent): void {
    this.#counts[event.event]?.(event);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

type Counts = Partial<Record<EventName, (event: ServerEvent) => void>>;

function countsOf(registry: Registry): Counts {
  const connected = registry.counter('wherry_connections_total', 'Connections that completed a handshake.', {});
  const refused = registry.counter('wherry_connections_refused_total', 'Connections that were closed before a sign-in, by why.', { code: CODE_NAMES });
  const signedIn = registry.counter('wherry_sign_ins_total', 'Sign-ins, by how they ended.', { outcome: OUTCOMES });
  const enrolled = registry.counter('wherry_enrolments_total', 'Devices that came in by a ticket or a code.', {});
  const ended = registry.counter('wherry_workers_ended_total', 'Worker processes that ended and were replaced.', {});
  const unlogged = registry.counter('wherry_events_lost_total', 'Events of workers that could not be told in time.', {});
  return {
    'connected': () => connected.add({}),
    // Of a session it is a sign-in that was refused; of none, a connection.
    'refused': ({ code, session }) => (session === undefined ? refused.add({ code: code as string }) : signedIn.add({ outcome: code as string })),
    'signed-in': () => signedIn.add({ outcome: 'ok' }),
    'enrolled': () => enrolled.add({}),
    'worker-ended': () => ended.add({}),
    'warning': ({ lost }) => { if (typeof lost === 'number') unlogged.add({}, lost); },
    'action': actionsOf(registry),
  };
}

function actionsOf(registry: Registry): (event: ServerEvent) => void {
  const actions = registry.counter('wherry_actions_total', 'Finished actions on the served folder, by how they ended.', { verb: VERBS, outcome: OUTCOMES });
  const transfers = registry.counter('wherry_transfers_total', 'Finished files and batches of files, by how they ended.', { direction: DIRECTIONS, outcome: OUTCOMES });
  const bytes = registry.counter('wherry_file_bytes_total', 'File bytes of finished transfers.', { direction: DIRECTIONS });
  return (event) => {
    const { verb, outcome, bytes: moved = 0 } = event as ServerEvent & { verb: string; outcome: string; bytes?: number };
    actions.add({ verb, outcome });
    const direction = Object.hasOwn(WAYS, verb) ? WAYS[verb]! : undefined;
    if (direction === undefined) return;
    transfers.add({ direction, outcome });
    bytes.add({ direction }, moved);
  };
}

/** Tells again and again how late this process is. */
function everyLag(tell: (seconds: number) => void): NodeJS.Timeout {
  let due = performance.now() + LAG_EVERY_MS;
  return setInterval(() => {
    const now = performance.now();
    tell(Math.max(0, now - due) / 1000);
    due = now + LAG_EVERY_MS;
  }, LAG_EVERY_MS).unref();
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
