/**
 * Removal: rm and rmdir. At a terminal, what goes is asked about item by item, with what it is and holds, unless -f or -y is given.
 * An empty folder goes with rmdir without a question: nothing is lost with it.
 */
import type { Entry } from '../client/api.ts';
import { Failure } from '../errors.ts';
import { printable } from '../printable.ts';
import { askingAt, type Asking } from './ask.ts';
import type { Work } from './command.ts';
import { advised, each, mustStat, statLine, unanswered } from './files.ts';
import { formatSize, plural } from './measures.ts';
import { mustHave } from './rehearsal.ts';

interface RemoveFlags {
  readonly recursive: boolean;
  readonly force: boolean;
  readonly yes: boolean;
  readonly 'dry-run': boolean;
}

export function remove(work: Work, { flags, remote }: { flags: RemoveFlags; remote: readonly string[] }): Promise<number> {
  const { session, report, signal, action } = work;
  if (flags['dry-run']) return each(work, remote, (typed, path) => rehearseRemove(work, flags, typed, path));
  const asking = askingAt(work, flags.yes || flags.force);
  return each(work, remote, async (typed, path) => {
    if (asking !== undefined && !(await agrees(work, flags, asking, typed, path))) return;
    try {
      await session.client.remove(path, flags.recursive ? { signal, action, deep: true } : { signal, action, kind: 'file' });
    } catch (error) {
      if (isWanted(flags, error)) return;
      throw advised(unanswered(error, statLine(path)), 'ISDIR', 'wherry rm -r removes a folder with all in it');
    }
    await report.done(`removed ${printable(typed)}`, { event: 'removed', path });
  });
}

/** As `rm -f` everywhere: what is not there is what was wanted. */
function isWanted(flags: RemoveFlags, error: unknown): boolean {
  return flags.force && Failure.from(error).code === 'NOTFOUND';
}

async function agrees(work: Work, flags: RemoveFlags, asking: Asking, typed: string, path: string): Promise<boolean> {
  if (asking.rest !== undefined) return asking.rest;
  const entry = await seen(work, path);
  // What is not there, or will be refused, is told without a question.
  if (entry === undefined || (entry !== 'unseen' && entry.kind === 'folder' && !flags.recursive)) return true;
  const ok = await asking.agrees(`remove ${entry === 'unseen' ? printable(typed) : await described(work, entry, typed, path)}?`);
  work.signal.throwIfAborted();
  return ok;
}

/** What is there; an account may be allowed to remove what it may not see. */
async function seen({ session, signal }: Work, path: string): Promise<Entry | 'unseen' | undefined> {
  try {
    return await session.client.stat(path, { signal });
  } catch (error) {
    if (Failure.from(error).code === 'DENIED') return 'unseen';
    throw error;
  }
}

/** `the folder old with 12 files, 3.4 MiB`, `report.pdf, 8 B`. */
async function described({ session, signal }: Work, entry: Entry, typed: string, path: string): Promise<string> {
  if (entry.kind !== 'folder') return entry.kind === 'file' ? `${printable(typed)}, ${formatSize(entry.size)}` : `the link ${printable(typed)}`;
  const { files, bytes, unlisted = 0 } = await session.client.usage(path, { signal });
  return `the folder ${printable(typed)} with ${plural(files, 'file')}, ${formatSize(bytes)}${unlisted > 0 ? `, ${plural(unlisted, 'name')} in it not to be shown` : ''}`;
}

async function rehearseRemove(work: Work, flags: RemoveFlags, typed: string, path: string): Promise<void> {
  mustHave(work, ['delete']);
  try {
    const entry = await mustStat(work, path);
    if (entry.kind === 'folder' && !flags.recursive) throw new Failure('ISDIR', 'is a folder', { path, who: 'server', hint: 'wherry rm -r removes a folder with all in it' });
    await work.report.answer(`would remove ${await described(work, entry, typed, path)}`, { event: 'planned', verb: 'rm', path, kind: entry.kind, ...(entry.kind === 'folder' ? await work.session.client.usage(path, { signal: work.signal }) : { files: 1, bytes: entry.size }) });
  } catch (error) {
    if (!isWanted(flags, error)) throw error;
  }
}

export function removeFolder(work: Work, { flags, remote }: { flags: { 'dry-run': boolean }; remote: readonly string[] }): Promise<number> {
  return each(work, remote, async (typed, path) => {
    if (flags['dry-run']) return rehearseRemoveFolder(work, typed, path);
    await work.session.client.remove(path, { signal: work.signal, action: work.action, kind: 'folder' }).catch((error: unknown) => {
      throw advised(unanswered(error, statLine(path)), 'NOTEMPTY', 'wherry rm -r removes a folder with all in it');
    });
    await work.report.done(`removed ${printable(typed)}`, { event: 'removed', path });
  });
}

async function rehearseRemoveFolder(work: Work, typed: string, path: string): Promise<void> {
  mustHave(work, ['delete']);
  const entry = await mustStat(work, path);
  if (entry.kind !== 'folder') throw new Failure('NOTDIR', 'not a folder', { path, who: 'server' });
  for await (const { entries, unlisted } of work.session.client.list(path, { signal: work.signal })) {
    if (entries.length + unlisted > 0) throw new Failure('NOTEMPTY', 'the folder is not empty', { path, who: 'server', hint: 'wherry rm -r removes a folder with all in it' });
  }
  await work.report.answer(`would remove ${printable(typed)}`, { event: 'planned', verb: 'rmdir', path });
}
