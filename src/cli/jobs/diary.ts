/** Diary: what the agent did, a line each, in a file of bounded size. It never ends a job: a line that cannot be written is lost. */
import { appendFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { printable } from '../../printable.ts';

/** Two files of this size: some thousand lines, which is months of jobs. */
const MAX_BYTES = 256 << 10;

export type Diary = (line: string) => void;

export function openDiary(folder: string): Diary {
  const path = join(folder, 'agent.log');
  return (line) => {
    try {
      if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > MAX_BYTES) renameSync(path, `${path}.1`);
      appendFileSync(path, `${new Date().toISOString()} ${printable(line).slice(0, 1000)}\n`, { mode: 0o600 });
    } catch {
      // A full disk is told by the jobs themselves.
    }
  };
}
