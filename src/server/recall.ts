/**
 * Recall: what accounts that may not replace files have put lately, as the drives of a process ask for it: by calls that may go to the
 * process that keeps it. What is noted in one go is told together, since a pack has thousands of files.
 */
import type { Memory } from '../drive/recent.ts';
import { putKey } from '../drive/recent.ts';
import type { Level } from '../store/vault.ts';
import type { Accounting } from './accounting.ts';

/** Files that are told together: those of a pack. */
const MAX_TOLD = 4096;

export function memoryOf(accounting: Pick<Accounting, 'remember' | 'recall'>): Memory {
  let noted: { readonly owner: string; readonly level: Level; readonly keys: string[] } | undefined;
  const tell = (): void => {
    if (noted !== undefined) void accounting.remember(noted.owner, noted.keys, noted.level).catch(() => undefined); // costs a refusal
    noted = undefined;
  };
  return {
    note(owner, path, digest, level) {
      if (noted !== undefined && (noted.owner !== owner || noted.level !== level || noted.keys.length >= MAX_TOLD)) tell();
      if (noted === undefined) setImmediate(tell);
      noted ??= { owner, level, keys: [] };
      noted.keys.push(putKey(path, digest));
    },
    async has(owner, path, digest, level) {
      tell();
      return await accounting.recall(owner, putKey(path, digest), level).catch(() => 0) === 1;
    },
  };
}
