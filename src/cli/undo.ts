/**
 * undo: reverses the last thing that was done to the server from this device, or takes that back.
 *
 * What it comes to is asked of the server first where somebody can be asked: files that were new would go, and that is a
 * deletion as any other. Of many names the first are shown; a program is told of all.
 */
import type { Undone, UndoOptions, UndoStep } from '../client/api.ts';
import { Failure } from '../errors.ts';
import { printable } from '../printable.ts';
import { askingAt } from './ask.ts';
import type { Work } from './command.ts';
import { DONE, EXITS, exitOf } from './exits.ts';
import { repeatedly, unanswered } from './files.ts';
import { formatCount, formatDuration, formatSize, plural } from './measures.ts';
import { reasonOf } from './signals.ts';

interface UndoFlags {
  readonly yes: boolean;
  readonly force: boolean;
  readonly redo: boolean;
  readonly 'dry-run': boolean;
}

/** Names in a question. */
const MAX_NAMED = 3;
/** Names that are shown to people; the rest is counted. */
const MAX_SHOWN = 20;

export async function undo(work: Work, { flags, remote: [path = ''] }: { flags: UndoFlags; remote: readonly string[] }): Promise<number> {
  // Who names a file wants that one back, and no others.
  if (!/^[./]*$/.test(path)) throw new Failure('USAGE', 'undo reverses the whole of the last command, and takes no path', { hint: 'wherry undo -n : says what that would be' });
  const { session, report, signal } = work;
  const { force, redo } = flags;
  try {
    if (flags['dry-run']) return await repeatedly(work, () => told(work, { force, redo, dryRun: true }));
    if (!(await agrees(work, flags))) return DONE;
    return await told(work, { force, redo });
  } catch (error) {
    const failure = reasonOf(error, signal);
    await report.failed(flags['dry-run'] || signal.aborted ? failure : Failure.from(unanswered(failure, 'wherry undo -n')));
    return signal.aborted || session.ended ? EXITS[failure.code] : exitOf(1, report.failures);
  }
}

/** Does it, or says what would be done, and tells of each name. */
async function told(work: Work, options: UndoOptions): Promise<number> {
  const { session, report, signal } = work;
  const dry = options.dryRun === true;
  const steps: UndoStep[] = [];
  let lines = Promise.resolve();
  let shown = 0;
  const onStep = (step: UndoStep): void => {
    shown += 1;
    if (shown > MAX_SHOWN && !report.json) return;
    if (report.json) lines = lines.then(() => tell(work, step, dry));
    else steps.push(step);
  };
  const undone = await session.client.undo({ ...options, signal, onStep });
  await lines;
  for (const step of steps) await tell(work, step, dry);
  await report.done(...summary(undone, Math.max(0, undone.done + undone.failed - MAX_SHOWN), options));
  return undone.failed === 0 ? DONE : exitOf(undone.done + undone.failed, report.failures);
}

async function tell({ report }: Work, step: UndoStep, dry: boolean): Promise<void> {
  const { what, path, to, bytes, failure } = step;
  if (failure !== undefined) await report.failed(failure, printable(path));
  else await report[dry ? 'answer' : 'done'](lineOf(step, dry), { event: dry ? 'planned' : 'undone', verb: 'undo', what, path, ...(to !== undefined && { to }), bytes });
}

function lineOf({ what, path, to, bytes }: UndoStep, dry: boolean): string {
  const name = printable(path);
  const [did, would] = WORDS[what](name, formatSize(bytes), printable(to ?? ''));
  return dry ? `would ${would}` : did;
}

/** What was done, and what would be. */
const WORDS: Readonly<Record<UndoStep['what'], (name: string, size: string, to: string) => readonly [string, string]>> = {
  remove: (name) => [`removed ${name}`, `remove ${name}`],
  removeFolder: (name) => [`removed the folder ${name}`, `remove the folder ${name}`],
  replace: (name, size) => [`put back ${name}, ${size}`, `put back ${name}, ${size}`],
  restore: (name, size) => [`brought back ${name}, ${size}`, `bring back ${name}, ${size}`],
  restoreFolder: (name, size) => [`brought back the folder ${name}, ${size}`, `bring back the folder ${name}, ${size}`],
  makeFolder: (name) => [`made the folder ${name} again`, `make the folder ${name} again`],
  rename: (name, _, to) => [`renamed ${name} to ${to}`, `rename ${name} to ${to}`],
  lost: (name) => [`left ${name} as it is`, `leave ${name} as it is`],
};

function summary({ at, done, failed }: Undone, more: number, { dryRun = false, redo = false }: UndoOptions): [string, object] {
  const verb = redo ? 'redone' : 'undone';
  const what = dryRun ? `${plural(done, 'name')} would be ${verb}` : `${verb}: ${plural(done, 'name')}`;
  const parts = [`${what}, done ${formatDuration(Math.max(0, Date.now() - at))} ago`, ...(failed > 0 ? [`${formatCount(failed)} failed`] : []), ...(more > 0 ? [`${formatCount(more)} more than shown`] : [])];
  return [parts.join(', '), { event: 'summary', verb: redo ? 'redo' : 'undo', planned: dryRun, done, failed, at: new Date(at).toISOString() }];
}

/** How many files that were new would go, the first of them by name, and how many other names it is about. */
async function removals({ session, signal }: Work, redo: boolean): Promise<{ names: string[]; removed: number; other: number }> {
  const sum = { names: [] as string[], removed: 0, other: 0 };
  await session.client.undo({
    redo, signal, dryRun: true,
    onStep({ what, path, failure }) {
      if (failure !== undefined) return;
      sum[what === 'remove' ? 'removed' : 'other'] += 1;
      if (what === 'remove' && sum.names.length < MAX_NAMED) sum.names.push(path);
    },
  });
  return sum;
}

/** Whether what was new may go. */
async function agrees(work: Work, { yes, force, redo }: UndoFlags): Promise<boolean> {
  const asking = askingAt(work, yes || force);
  if (asking === undefined) return true;
  const { names: gone, removed, other } = await repeatedly(work, () => removals(work, redo));
  if (removed === 0) return true;
  const names = gone.map((path) => printable(path)).join(', ');
  const more = removed > gone.length ? ` and ${formatCount(removed - gone.length)} more` : '';
  const ok = await asking.agrees(`remove ${names}${more}${other > 0 ? `, and undo the rest (${plural(other, 'name')})` : ''}?`);
  work.signal.throwIfAborted();
  return ok;
}
