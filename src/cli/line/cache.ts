/** The command `cache`: which folders are kept for completion, and how to be rid of them. */
import { Failure } from '../../errors.ts';
import { displayPath } from '../../path.ts';
import { printable } from '../../printable.ts';
import type { Work } from '../command.ts';
import { DONE } from '../exits.ts';
import { formatDuration, plural } from '../measures.ts';

export async function cache({ session, report }: Work, { words: [word] }: { words: readonly string[] }): Promise<number> {
  const { listings } = session;
  if (word !== undefined && word !== 'flush') throw new Failure('USAGE', `cache cannot ${printable(word)}`, { hint: 'type cache, or cache flush' });
  if (word === 'flush') {
    const folders = listings?.forget() ?? 0;
    await report.done(`forgot ${plural(folders, 'folder')}`, { event: 'forgot', folders });
    return DONE;
  }
  const kept = listings?.folders ?? [];
  if (kept.length === 0) await report.done('no folder is kept', { event: 'kept', folders: 0 });
  for (const { folder, names, age } of kept) {
    await report.answer(`${displayPath(folder)}  ${plural(names, 'name')}, ${formatDuration(age)} old`, { event: 'kept', path: `/${folder}`, names, age });
  }
  return DONE;
}
