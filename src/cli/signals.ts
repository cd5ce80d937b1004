/**
 * Signals of the process as one `AbortSignal` for each command. ^C and SIGTERM cancel, and say with which failure;
 * a second signal leaves at once, for a command that does not end.
 */
import { Failure } from '../errors.ts';
import { EXITS } from './exits.ts';

export interface Stop extends Disposable {
  readonly signal: AbortSignal;
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
 * A signal that aborts at ^C (CANCELLED), at SIGTERM (TERMINATED) or after `deadlineMs` (DEADLINE), with the failure
 * as its reason; `hint` says how to go on. Disposing gives the process's signals back.
 */
export function stopOnSignals(hint: string | undefined, deadlineMs?: number): Stop {
  const controller = new AbortController();
  const deadline = stopAfter(deadlineMs, hint);
  const end = (failure: Failure) => {
    if (controller.signal.aborted) process.exit(EXITS[failure.code]);
    controller.abort(failure);
  };
  const interrupt = () => end(new Failure('CANCELLED', 'interrupted', { hint }));
  const terminate = () => end(new Failure('TERMINATED', 'ended by a signal', { hint }));
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', terminate);
  return {
    signal: AbortSignal.any([controller.signal, deadline.signal]),
    [Symbol.dispose]() {
      deadline[Symbol.dispose]();
      process.off('SIGINT', interrupt);
      process.off('SIGTERM', terminate);
    },
  };
}

/** What really ended a command: the reason of its signal, when that was aborted, explains whatever else was thrown. */
export function reasonOf(error: unknown, signal: AbortSignal): Failure {
  return signal.aborted && signal.reason instanceof Failure ? signal.reason : Failure.from(error);
}
