/** Explained: what became of an item of a put or get, in the terms of whoever asked for it: why it was cancelled, and what came too late to be asked about. Pure. */
import type { Item } from '../client/api.ts';
import { Failure } from '../errors.ts';
import { reasonOf } from './signals.ts';

const ASKS_AGAIN = 'it came after you were asked; run the same command again, which asks about it';

/** An item whose files were asked about: what is in the way now has come since. */
export function late(item: Item, hint = ASKS_AGAIN): Item {
  const { failure } = item;
  return {
    ...item, problems: item.problems.map((problem) => (problem.code === 'EXISTS' ? { ...problem, hint } : problem)),
    failure: failure?.code === 'EXISTS' && failure.who !== 'rule' ? new Failure('EXISTS', failure.message, { path: failure.path, who: failure.who, hint, cause: failure }) : failure,
  };
}

/** An item that was cancelled, with the reason of the cancellation in place of its echo. */
export function explained(item: Item, signal: AbortSignal): Item {
  return item.failure === undefined || !signal.aborted ? item : { ...item, failure: reasonOf(item.failure, signal) };
}
