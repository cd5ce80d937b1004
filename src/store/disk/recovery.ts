/** Recovery: what is done in the stage with what processes that are gone have left behind, and how a part is put to rest. */
import { renameSync, rmdirSync } from 'node:fs';
import { kindOf } from './attributes.ts';
import { isLiving } from './living.ts';
import { textOf } from './names.ts';
import type { Folder } from './walk.ts';

/** A part in use on another machine or in another container is taken over when it was not written for so long, in ms. */
const FOREIGN_SILENCE = 120_000;

export function putBack(folder: Folder, live: string, size: number): void {
  const part = `${live.slice(0, live.indexOf('.'))}.part`;
  const resting = folder.look(part);
  if (size === 0 || (resting !== undefined && resting.size > size)) folder.removeQuietly(live);
  else renameSync(folder.at(live), folder.at(part));
}

/** Puts back the parts, and removes what batches had staged, of processes that are gone. */
export function recover(folder: Folder): void {
  for (const { name: raw } of folder.names()) {
    const name = textOf(raw) ?? '';
    const live = name.endsWith('.live');
    if (!live && !name.endsWith('.tmp') && !name.endsWith('.new')) continue;
    const stats = folder.look(name);
    const living = isLiving(name.split('.')[live ? 1 : 0] ?? '');
    if (stats === undefined || (living ?? Date.now() - stats.mtimeMs < FOREIGN_SILENCE)) continue;
    try {
      if (live && stats.nlink === 1) putBack(folder, name, stats.size);
      else if (kindOf(stats) === 'folder') removeFolderQuietly(folder, name);
      else folder.removeQuietly(name);
    } catch {
      // Another process recovers the same stage, and was quicker.
    }
  }
}

/** Removes a folder of a batch: nothing but files is ever in one. */
export function removeFolderQuietly(stage: Folder, name: string): void {
  try {
    using folder = stage.enter(name);
    for (const { name: file } of folder.names()) folder.removeQuietly(file);
    rmdirSync(stage.at(name));
  } catch {
    // Gone already, or a disk that fails.
  }
}
