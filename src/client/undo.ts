/** Undo: the request that reverses the last action of this device or token, and what is heard of it. */
import { Failure } from '../errors.ts';
import { displayPath } from '../path.ts';
import { printable } from '../printable.ts';
import type { Message } from '../wire/messages.ts';
import { tagOf } from './action.ts';
import { heardPath } from './heard.ts';
import type { Requester } from './requester.ts';

/** Calls that name the same action are undone together. */
export interface Acting {
  /** As `newAction` gives it; by default each call is an action by itself. */
  readonly action?: string | undefined;
}

export interface UndoOptions {
  readonly signal?: AbortSignal | undefined;
  /** Change nothing, and tell what would be done. */
  readonly dryRun?: boolean | undefined;
  /** Undo also what somebody has changed since; what that replaces is kept, for `redo`. */
  readonly force?: boolean | undefined;
  /** Take back the last undo instead. */
  readonly redo?: boolean | undefined;
  /** Called for each step, from the last to the first. */
  readonly onStep?: ((step: UndoStep) => void) | undefined;
}

/** What became, or would become, of one name. */
export interface UndoStep {
  /** `remove`, `removeFolder`: what was new goes. `replace`: the old version comes back. `restore`, `restoreFolder`, `makeFolder`: what was removed comes back. `lost`: it was not kept. */
  readonly what: Message<'undone'>['steps'][number]['what'];
  readonly path: string;
  /** Of a rename: the name it gets back. */
  readonly to: string | undefined;
  /** File bytes that come back, or go. */
  readonly bytes: number;
  readonly failure: Failure | undefined;
}

export interface Undone {
  /** When the action was done, by the server's clock (ms since 1970). */
  readonly at: number;
  /** Names that are as before, or would be. */
  readonly done: number;
  readonly failed: number;
}

export async function undo(requester: Requester, { signal, dryRun = false, force = false, redo = false, onStep }: UndoOptions): Promise<Undone> {
  using exchange = await requester.open({ kind: 'undo', redo, force, rehearse: dryRun, action: tagOf() }, signal);
  const sum = { at: 0, done: 0, failed: 0 };
  for (;;) {
    const received = await exchange.next();
    if (received.kind !== 'message' || received.message.kind !== 'undone') return sum;
    const { at, steps } = received.message;
    sum.at = at / 1000;
    for (const { path, to, what, bytes, code, message } of steps) {
      const shown = displayPath(heardPath(path));
      const failure = code === undefined ? undefined : new Failure(code, printable(message ?? 'it could not be undone'), { path: shown, who: 'server' });
      sum[failure === undefined ? 'done' : 'failed'] += 1;
      onStep?.({ what, path: shown, to: to === undefined ? undefined : displayPath(heardPath(to)), bytes, failure });
    }
    exchange.consumed(received.bulk);
  }
}
