/**
 * Grace: what is to stop is given a moment to end in order, so that what was sent is kept, and what was asked is answered; then its
 * connection is closed, since one that takes nothing any more would hold it for as long as it takes to be given up.
 */
import type { Client } from '../../client/api.ts';

/** Many round trips; and a person who typed ^Z waits no longer for the prompt. */
const GRACE_MS = 1000;

/** Closes `client` a moment after `signal` fires, unless it is disposed by then. */
export function closeSoonAfter(signal: AbortSignal, client: () => Client): Disposable {
  return soonAfter(signal, GRACE_MS, () => void client().close().catch(() => undefined));
}

/** Does `close` so long after `signal` fires, unless it is disposed by then. */
export function soonAfter(signal: AbortSignal, milliseconds: number, close: () => void): Disposable {
  let timer: NodeJS.Timeout | undefined;
  const soon = (): void => { timer = setTimeout(close, milliseconds); };
  if (signal.aborted) soon();
  else signal.addEventListener('abort', soon, { once: true });
  return {
    [Symbol.dispose]() {
      clearTimeout(timer);
      signal.removeEventListener('abort', soon);
    },
  };
}
