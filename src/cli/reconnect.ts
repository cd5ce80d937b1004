/**
 * Reconnect: a session whose connection broke gets a new one, with the folders one was in.
 *
 * Again and again, with a countdown: for ten minutes where a person can look and interrupt, else only for the time of `--retry` or up
 * to the `--deadline`; a script without either hears of the break at once. A server with another key, or one that refuses, is not
 * asked again. The remote folder may be gone by then; the nearest one above it takes its place.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '../client/api.ts';
import { Failure, type Code } from '../errors.ts';
import { displayPath, parentOf, ROOT } from '../path.ts';
import { waitBefore } from './backoff.ts';
import type { Settings, Work } from './command.ts';
import { parseDuration } from './measures.ts';
import { reasonOf } from './signals.ts';
import type { Terminal } from './terminal.ts';
import { columnsOf, fit } from './width.ts';

/** A server that is restarted, or a network that changes, is back by then; longer, somebody should look. */
const PATIENCE_MS = 600_000;
const TICK_MS = 1_000;

/** After these, connecting may succeed a little later. */
const PASSING: ReadonlySet<Code> = new Set<Code>(['CONNECT', 'LOST', 'TIMEOUT', 'SHUTDOWN', 'BUSY']);

/** Where the countdown is shown, if not as a status of its own. */
export interface Notes { note(text: string | undefined): void }

interface Waiting extends Pick<Work, 'settings' | 'signal'> {
  readonly terminal: Terminal;
  readonly notes?: Notes | undefined;
  /** What is waited for: a connection that was lost, or one that there was never. */
  readonly about: string;
}

/** Connects again when the connection broke since the last command: the folders one was in are kept. */
export async function reconnect(work: Work): Promise<void> {
  if (!(await isClosed(work.session.client))) return;
  work.terminal.say('the connection is lost; connecting again');
  await again({ ...work, about: 'connection lost' }, () => open(work), 0);
  await settle(work);
}

/** Connects again, once, where the connection broke. Throws what that failed with. */
export async function reconnectNow(work: Work): Promise<void> {
  if (!(await isClosed(work.session.client))) return;
  await open(work);
  await settle(work);
}

/** Whether connecting may succeed a little later. */
export function isPassing(error: unknown): boolean {
  return PASSING.has(Failure.from(error).code);
}

/** Whether a break that happens is followed by another connection. */
export function persists({ terminal, settings }: Pick<Work, 'terminal' | 'settings'>): boolean {
  return patienceOf(terminal, settings) > 0;
}

/** A new connection for the session in place of one that broke; undefined when there is none, and the break is to be told. */
export async function persist(work: Work, notes?: Notes): Promise<Client | undefined> {
  const { terminal, settings, session } = work;
  if (!persists(work)) return undefined;
  await again({ ...work, notes, about: 'connection lost' }, () => open(work), 1);
  if (!settings.json && !settings.quiet) terminal.say(notes === undefined ? 'connected again' : 'connected again; what arrived is kept, and the rest goes on');
  return session.client;
}

/** How long it is tried to connect again (ms). With a deadline alone for ever: the signal has it. */
function patienceOf(terminal: Terminal, { retry, deadline }: Settings): number {
  if (retry !== undefined) return parseDuration(retry, '--retry');
  if (deadline !== undefined) return Infinity;
  return terminal.canAsk ? PATIENCE_MS : 0;
}

/** Does `one` until it succeeds, with a wait before each try but those before `first`. Throws what it failed with last. */
export async function again<T>(waiting: Waiting, one: () => Promise<T>, first: 0 | 1): Promise<T> {
  const until = performance.now() + patienceOf(waiting.terminal, waiting.settings);
  for (let attempt = first; ; attempt += 1) {
    if (attempt > 0) await countDown(waiting, waitBefore(attempt, Math.random()), attempt);
    try {
      return await one();
    } catch (error) {
      const failure = reasonOf(error, waiting.signal);
      if (!PASSING.has(failure.code) || performance.now() >= until) throw failure;
    }
  }
}

async function open({ session, settings, signal }: Work): Promise<void> {
  const { connect } = await import('../client/client.ts');
  const { name, address, fingerprint } = session.client.server;
  session.client = await connect({ server: name ?? `${address}#${fingerprint}`, home: settings.home, signal });
}

/** The remote folder as it is now: where it is gone, the nearest one above it. */
async function settle({ session, signal, terminal }: Work): Promise<void> {
  const before = session.cwd;
  if (!session.client.server.rights.includes('list')) return;
  while (session.cwd !== ROOT) {
    const entry = await session.client.stat(`/${session.cwd}`, { signal });
    if (entry?.kind === 'folder') break;
    session.cwd = parentOf(session.cwd);
  }
  if (session.cwd !== before) terminal.say(`the folder ${displayPath(before)} is gone; now in ${displayPath(session.cwd)}`);
}

/** Waits, and says how long still: each second in place on a terminal, else once. */
async function countDown({ terminal, signal, settings, notes, about }: Waiting, milliseconds: number, attempt: number): Promise<void> {
  const end = performance.now() + milliseconds;
  using _ = terminal.hush();
  const show = (text: string | undefined): void => (notes === undefined ? terminal.status(text === undefined ? [] : [text]) : notes.note(text));
  const told = (seconds: number) => `${about}; trying again in ${seconds} s (try ${attempt}${terminal.canRedraw ? '; ^C gives up' : ''})`;
  if (!terminal.canRedraw && !settings.quiet && !settings.json) terminal.say(told(Math.ceil(milliseconds / TICK_MS)));
  try {
    for (let left = milliseconds; left > 0; left = end - performance.now()) {
      const seconds = Math.ceil(left / TICK_MS);
      // Whole seconds: the shortest form fits the narrowest terminal.
      if (!settings.quiet) show(fitting([told(seconds), `${about}; again in ${seconds} s`, `lost; again in ${seconds} s`], terminal.width - 1));
      await pause(Math.min(TICK_MS, left), undefined, { signal });
    }
  } catch {
    throw reasonOf(new Failure('CANCELLED', 'interrupted'), signal);
  } finally {
    show(undefined);
  }
}

/** The first text that fits; where none does, the shortest is cut. */
function fitting(texts: readonly string[], columns: number): string {
  return fit(texts.find((text) => columnsOf(text) <= columns) ?? texts.at(-1)!, columns);
}

/** Whether the connection has ended by now, as far as this process has heard. */
function isClosed(client: Client): Promise<boolean> {
  return Promise.race([client.closed.then(() => true), new Promise<boolean>((resolve) => setImmediate(() => resolve(false)))]);
}
