/**
 * Programs of this machine, as a shell would find them: what TAB offers behind `|` and `!`. Bounded, since a PATH can be long and its
 * folders large; whoever asks does not wait longer than for other names.
 */
import { constants } from 'node:fs';
import { access, readdir } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { printable } from '../../printable.ts';
import type { Candidate } from './kinds.ts';

const MAX_FOLDERS = 64;
const MAX_NAMES = 20_000;
/** Whether they may be run is looked up for so many at most. */
const MAX_CHECKED = 500;

/** The programs in the folders of `path` whose names begin with `stem`, in any letter case, sorted. */
export async function programNames(stem: string, path: string): Promise<Candidate[]> {
  if (stem.includes('/')) return [];
  const typed = stem.toLowerCase();
  const found = new Map<string, string>();
  for (const folder of new Set(path.split(delimiter).filter(isAbsolute).slice(0, MAX_FOLDERS))) {
    for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
      if (entry.isDirectory() || found.has(entry.name) || !entry.name.toLowerCase().startsWith(typed) || printable(entry.name) !== entry.name) continue;
      if (found.size >= MAX_NAMES) break;
      found.set(entry.name, join(folder, entry.name));
    }
  }
  const all = [...found].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const runs = all.length > MAX_CHECKED ? all.map(() => true) : await Promise.all(all.map(([, file]) => access(file, constants.X_OK).then(() => true, () => false)));
  return all.filter((_, index) => runs[index]).map(([word]) => ({ word, shown: word, folder: false }));
}
