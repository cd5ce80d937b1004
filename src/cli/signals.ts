/**
 * Signals of the process as one `AbortSignal` for each command. ^C and SIGTERM cancel, and say with which failure;
 * a second signal leaves at once, for a command that does not end.
 */
import { Failure } from '../errors.ts';
import { EXITS } from './exits.ts';

export interface Stop extends Disposable {
  readonly signal: AbortSignal;
}

/** Commands that a run can be continued after, by the same words. */
const RESUMABLE: ReadonlySet<string> = new Set(['put', 'get', 'mput', 'mget', 'reput', 'reget']);

/** How a command goes on that was interrupted; undefined: nothing of it is kept. */
export function resumeHint(command: string): string | undefined {
  return RESUMABLE.has(command) ? 'run the same command again to resume' : undefined;
}

/** What SIGHUP does instead of ending the command, in this process. */
let onHangup: (() => void) | undefined;

/** Until it is disposed, SIGHUP does `action` and ends nothing: so a service is told to read its configuration again. */
export function takeHangup(action: () => void): Disposable {
  onHangup = action;
  return { [Symbol.dispose]() { onHangup = undefined; } };
}

/** A signal that aborts after `milliseconds` with DEADLINE; never, when there are none. */
export function stopAfter(milliseconds: number | undefined, hint: string | undefined): Stop {
  const controller = new AbortController();
  const timer = milliseconds === undefined ? undefined : setTimeout(() => {
    controller.abort(new Failure('DEADLINE', 'the deadline has passed', { hint }));
  }, milliseconds);
  timer?.unref();
  return { signal: controller.signal, [Symbol.dispose]: () => clearTimeout(timer) };
}

/**
 * A signal that aborts at ^C (CANCELLED), at SIGTERM or SIGHUP (TERMINATED) or after `deadlineMs` (DEADLINE), with the failure
 * as its reason; `hinted` tells, when it happens, how to go on. Disposing gives the process's signals back.
 */
export function stopOnSignals(hinted: () => string | undefined, deadlineMs?: number): Stop {
  const controller = new AbortController();
  const deadline = stopAfter(deadlineMs, hinted());
  const end = (failure: Failure) => {
    if (controller.signal.aborted) process.exit(EXITS[failure.code]);
    controller.abort(failure);
  };
  const interrupt = () => end(new Failure('CANCELLED', 'interrupted', { hint: hinted() }));
  const terminate = () => end(new Failure('TERMINATED', 'ended by a signal', { hint: hinted() }));
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', terminate);
  const hangup = () => (onHangup ?? terminate)(); // the terminal is closed: the part is kept
  process.on('SIGHUP', hangup);
  return {
    signal: AbortSignal.any([controller.signal, deadline.signal]),
    [Symbol.dispose]() {
      deadline[Symbol.dispose]();
      process.off('SIGINT', interrupt);
      process.off('SIGTERM', terminate);
      process.off('SIGHUP', hangup);
    },
  };
}

/** What really ended a command: the reason of its signal, when that was aborted, explains whatever else was thrown. */
export function reasonOf(error: unknown, signal: AbortSignal): Failure {
  return signal.aborted && signal.reason instanceof Failure ? signal.reason : Failure.from(error);
}

/** What `running` comes to, or as soon as `signal` is aborted its reason; for what takes no signal and can be left where it is. */
export async function orStopped<T>(running: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = (): void => {};
  const stopped = new Promise<never>((_, reject) => { stop = () => reject(reasonOf(undefined, signal)); });
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  try {
    return await Promise.race([running, stopped]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Runs `one` with a signal that aborts with `signal`, or after `milliseconds` with DEADLINE; throws what really ended it. */
export async function within<T>(milliseconds: number | undefined, { signal, hint }: { signal: AbortSignal; hint: string | undefined }, one: (limited: AbortSignal) => Promise<T>): Promise<T> {
  const deadline = stopAfter(milliseconds, hint);
  const limited = AbortSignal.any([signal, deadline.signal]);
  try {
    return await one(limited);
  } catch (error) {
    throw reasonOf(error, limited);
  } finally {
    deadline[Symbol.dispose]();
  }
}
