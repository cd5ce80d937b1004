/**
 * Undo: what a store writes down of an action, so that it can be reversed, and whether it still can be.
 *
 * An action is all that one command did, however many requests that took; each step of it is one name that was made,
 * replaced, taken away or changed. They are reversed from the last to the first, each only where what the action left is still
 * there: what somebody has done to a name since is never undone with it, unless that is asked for. Pure; a store
 * says what is where and does the work. A step that is reversed already stands in nobody's way, so that trying again is safe.
 */
import type { Kind } from '../entry.ts';
import { type Code, Failure } from '../errors.ts';
import type { RemotePath } from '../path.ts';

/** Whose action it is (a device or token), and a tag of it: 16 hexadecimal digits, later ones higher. */
export interface Keep { readonly by: string; readonly action: string }

/** Something that has a name; `id` tells two things apart that look alike. */
export interface Seen { readonly kind: Kind; readonly id: number; readonly size: number; readonly mtime: number }

/** What is kept in all, of a folder with all in it. */
export interface Held { readonly bytes: number; readonly entries: number }

/** What was done to one name. `kept`: where the store has what was there before. */
export type Step =
  /** Nothing was there before. Small files of a batch are known by size and time alone: a look at each would cost more than undo is worth. */
  | { readonly does: 'new'; readonly path: RemotePath; readonly kind: Kind; readonly size: number; readonly mtime: number; readonly id?: number | undefined; readonly amount?: Held | undefined }
  | { readonly does: 'over'; readonly path: RemotePath; readonly left: Seen; readonly was: Seen; readonly kept: string }
  /** `kept` undefined: an empty folder, of which its mode is all there is to keep. */
  | { readonly does: 'gone'; readonly path: RemotePath; readonly was: Seen; readonly mode: number; readonly kept?: string | undefined; readonly amount?: Held | undefined }
  | { readonly does: 'made'; readonly path: RemotePath }
  | { readonly does: 'moved'; readonly path: RemotePath; readonly to: RemotePath; readonly id: number; readonly kind: Kind }
  /** What was there was not kept: too large, no room, or the disk cannot. */
  | { readonly does: 'lost'; readonly path: RemotePath };

/** What reversing a step comes to. */
export const REVERSALS = ['remove', 'removeFolder', 'replace', 'restore', 'restoreFolder', 'makeFolder', 'rename', 'lost'] as const;
export type Reversal = (typeof REVERSALS)[number];

/** A step as it would be, or was, reversed. */
export interface UndoStep {
  readonly what: Reversal;
  readonly path: RemotePath;
  /** The name it gets back, of a rename. */
  readonly to?: RemotePath | undefined;
  /** Of what comes back, or goes. */
  readonly bytes: number;
  /** How much more there is of bytes and names afterwards; left out: as much as before. */
  readonly change?: { readonly bytes: number; readonly files: number } | undefined;
  /** Why not: somebody changed what is there, or it failed. */
  readonly problem?: { readonly code: Code; readonly message: string } | undefined;
}

/** Which action it is, when it last did something (ms since 1970), and of how many steps. */
export interface Chosen { readonly action: string; readonly at: number; readonly steps: number }
export interface UndoPage extends Chosen { readonly page: readonly UndoStep[] }

/** Steps in one page: enough to cost little each, few enough for one message about them. */
export const UNDO_PAGE = 32;

/** Whether a step is to be reversed, is so already, or why not; with `forced` it could be all the same. */
export type Verdict = 'do' | 'done' | { readonly code: Code; readonly message: string; readonly forced: boolean };

type Look = (path: RemotePath) => Seen | undefined;

const CHANGED = { code: 'PRECONDITION', message: 'was changed since', forced: true } as const;
const GONE = { code: 'PRECONDITION', message: 'is gone since', forced: true } as const;
const TAKEN = { code: 'EXISTS', message: 'something else has the name since', forced: true } as const;
const FOLDER = { code: 'ISDIR', message: 'a folder has the name since', forced: false } as const;
const MOVED = { code: 'PRECONDITION', message: 'what was renamed is no longer there', forced: false } as const;
const LOST = { code: 'NOTFOUND', message: 'what was there before was not kept', forced: false } as const;

export function judge(step: Step, look: Look): Verdict {
  const now = look(step.path);
  switch (step.does) {
    case 'new': {
      if (now === undefined) return 'done';
      return now.kind === step.kind && (step.id === undefined || now.id === step.id) && (now.kind === 'folder' || alike(now, step)) ? 'do' : occupied(now, CHANGED);
    }
    case 'over': {
      if (now?.id === step.was.id) return 'done';
      if (now === undefined) return GONE;
      return now.id === step.left.id && alike(now, step.left) ? 'do' : occupied(now, CHANGED);
    }
    case 'gone': {
      if (now === undefined) return 'do';
      if (now.id === step.was.id || (step.kept === undefined && now.kind === 'folder')) return 'done';
      return occupied(now, TAKEN);
    }
    case 'made': {
      if (now === undefined) return 'done';
      return now.kind === 'folder' ? 'do' : { ...CHANGED, forced: false };
    }
    case 'moved': {
      const there = look(step.to);
      if (there?.id !== step.id) return now?.id === step.id ? 'done' : MOVED;
      return now === undefined || now.id === step.id ? 'do' : occupied(now, { ...TAKEN, forced: false });
    }
    case 'lost': return LOST;
  }
}

/** A folder is never replaced, whatever is asked for. */
function occupied(now: Seen, otherwise: Exclude<Verdict, string>): Verdict {
  return now.kind === 'folder' ? FOLDER : otherwise;
}

function alike(one: Pick<Seen, 'size' | 'mtime'>, other: Pick<Seen, 'size' | 'mtime'>): boolean {
  return one.size === other.size && one.mtime === other.mtime;
}

export function reversalOf(step: Step): UndoStep {
  switch (step.does) {
    case 'new': return { what: step.kind === 'folder' ? 'removeFolder' : 'remove', path: step.path, bytes: step.amount?.bytes ?? step.size };
    case 'over': return { what: 'replace', path: step.path, bytes: step.was.size };
    case 'gone': return { what: step.was.kind !== 'folder' ? 'restore' : step.kept === undefined ? 'makeFolder' : 'restoreFolder', path: step.path, bytes: step.amount?.bytes ?? step.was.size };
    case 'made': return { what: 'removeFolder', path: step.path, bytes: 0 };
    case 'moved': return { what: 'rename', path: step.to, to: step.path, bytes: 0 };
    case 'lost': return { what: 'lost', path: step.path, bytes: 0 };
  }
}

/** What would stand in the way of each step, from the last to the first, as if those before it were reversed. */
export function* rehearsal(steps: readonly Step[], look: Look): Generator<UndoStep> {
  /** What the steps so far would leave, where that is not what is there. */
  const would = new Map<RemotePath, Seen | undefined>();
  const seen: Look = (path) => (would.has(path) ? would.get(path) : look(path));
  for (const step of steps.toReversed()) {
    const verdict = judge(step, seen);
    const told = { ...reversalOf(step), ...(verdict !== 'done' && { change: changeOf(step, seen(step.path)) }) };
    yield typeof verdict === 'string' ? told : { ...told, problem: { code: verdict.code, message: verdict.message } };
    if (step.does === 'moved') {
      would.set(step.path, seen(step.to));
      would.set(step.to, undefined);
    } else if (step.does !== 'lost') would.set(step.path, 'was' in step ? step.was : undefined);
  }
}

/** What reversing a step adds, with what is there `now`. */
export function changeOf(step: Step, now: Seen | undefined): { bytes: number; files: number } {
  const there = { bytes: now?.size ?? 0, files: now === undefined ? 0 : 1 };
  switch (step.does) {
    case 'new': return { bytes: -(step.amount?.bytes ?? there.bytes), files: -(step.amount?.entries ?? there.files) };
    case 'over': return { bytes: step.was.size - there.bytes, files: 1 - there.files };
    case 'gone': return { bytes: (step.amount?.bytes ?? step.was.size) - there.bytes, files: (step.amount?.entries ?? 1) - there.files };
    case 'made': return { bytes: 0, files: -there.files };
    case 'moved':
    case 'lost': return { bytes: 0, files: 0 };
  }
}

/** A folder that is not empty stays, and what was not kept never comes back: neither keeps earlier actions from being undone. */
export function mayBeTriedAgain({ what, problem }: UndoStep): boolean {
  return problem !== undefined && what !== 'lost' && problem.code !== 'NOTEMPTY';
}

export function nothingToUndo(redo: boolean): Failure {
  return new Failure('NOTFOUND', redo ? 'there is nothing to redo' : 'there is nothing to undo', { hint: 'what you replace, remove or rename from now on can be undone for some time; wherry help undo says for how long' });
}

export function goneOn(): Failure {
  return new Failure('CHANGED', 'what was to be undone has gone on meanwhile', { hint: 'wait for its end, and run the same command again' });
}

/** What is kept for one step. */
export function heldFor(step: Step): Held {
  if (!('kept' in step) || step.kept === undefined) return { bytes: 0, entries: 0 };
  return step.does === 'gone' && step.amount !== undefined ? step.amount : { bytes: step.was.size, entries: 1 };
}

/** Cuts what is told into pages. */
export function* inPages(chosen: Chosen, steps: Iterable<UndoStep>): Generator<UndoPage, void> {
  let page: UndoStep[] = [];
  for (const step of steps) {
    page.push(step);
    if (page.length < UNDO_PAGE) continue;
    yield { ...chosen, page };
    page = [];
  }
  yield { ...chosen, page };
}
