/** Ends: why a connection ends that nobody did anything wrong on, and what to do next. */
import { Failure } from '../errors.ts';

export function stopping(): Failure {
  return new Failure('SHUTDOWN', 'the server is stopping', { who: 'server', hint: 'run the same command again when it is back: what was sent is kept' });
}

export function lost(what: string, cause?: unknown): Failure {
  return new Failure('LOST', what, { who: 'network', hint: 'run the same command again: what was sent is kept', cause });
}
