/** Action: what a drive tells the log of each thing that was done, once, when it is over. */
import type { Code } from '../errors.ts';
import type { RemotePath } from '../path.ts';

export const VERBS = ['stat', 'list', 'read', 'receive', 'pack', 'receiveBatch', 'finishFolders', 'makeFolder', 'setAttributes', 'move', 'remove', 'rehearseUndo', 'undo', 'usage', 'space', 'probe', 'measureUp', 'measureDown'] as const;
export type Verb = (typeof VERBS)[number];

/** One finished action, for the log. */
export interface Action {
  readonly verb: Verb;
  readonly path: RemotePath;
  /** The new name, of a move. */
  readonly to?: RemotePath;
  readonly outcome: 'ok' | Code;
  /** File bytes that went in or out. */
  readonly bytes?: number;
  /** How long it took, in milliseconds. */
  readonly ms: number;
}

/** Tells the end of one action. */
export type Over = (outcome: 'ok' | Code, bytes?: number) => void;

/** Reports the end of one action, the first time it is called and never again. */
export function once(onAction: (action: Action) => void, verb: Verb, path: RemotePath, to?: RemotePath): Over {
  const began = performance.now();
  let told = false;
  return (outcome, bytes) => {
    if (told) return;
    told = true;
    onAction({ verb, path, ...(to !== undefined && { to }), outcome, ...(bytes !== undefined && { bytes }), ms: Math.round(performance.now() - began) });
  };
}
