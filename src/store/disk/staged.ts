/** Staged: one small file of a batch, written whole under a name that nobody sees. */
import { closeSync } from 'node:fs';
import type { PackedFile } from '../../pack.ts';
import { closeQuietly, fill } from './attributes.ts';
import type { Stage } from './stage.ts';

/** Its descriptor stays open where it is `toFlush`. When it throws, nothing is left of it. */
export function writeStaged(stage: Stage, record: PackedFile, toFlush: boolean): { staged: string; fd: number } {
  const { fd, name } = stage.temporary(record.mode);
  let open = true;
  try {
    fill(fd, record.data, record.mtime);
    open = toFlush;
    if (!open) closeSync(fd);
    return { staged: name, fd };
  } catch (error) {
    if (open) closeQuietly(fd);
    stage.discard(name);
    throw error;
  }
}
