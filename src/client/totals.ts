/**
 * Totals: how many files and bytes a transfer will move, counted by a walk beside it, once it has lasted long enough to be worth it.
 * Counts only; what goes wrong here goes wrong in the transfer too, and is told there. A part of several sources that cannot be counted
 * leaves no total at all, since a total of the rest would be passed on the way.
 */
import { resolvePath, ROOT, type RemotePath } from '../path.ts';
import type { TransferOptions } from './api.ts';
import { openSource } from './local.ts';
import type { Requester } from './requester.ts';
import type { Tally } from './tally.ts';

interface Count { readonly files: number; readonly bytes: number }

/** What one source holds. */
export type Counting = (source: string) => Promise<Count>;

export async function countLocal(local: string): Promise<Count> {
  await using place = await openSource(local);
  return await place.vault.usage(place.path);
}

export function countRemote(requester: Requester, path: RemotePath, options: TransferOptions): Promise<Count> {
  return requester.ask({ kind: 'usage', path }, 'used', options.signal);
}

/** The same of a source as it was named. */
export function countingRemote(requester: Requester, options: TransferOptions): Counting {
  return (remote) => countRemote(requester, resolvePath(ROOT, remote), options);
}

/** Counts after `countAfter` if the caller is not done with it before. With patterns to leave out, or `update`, a count would be wrong, so there is none. */
export function expectLater(tally: Tally, options: TransferOptions, count: () => Promise<Count>): Disposable {
  const { countAfter, exclude, update } = options;
  const wanted = countAfter !== undefined && update !== true && (exclude === undefined || exclude.length === 0);
  const timer = wanted ? setTimeout(() => void expect(tally, count), countAfter) : undefined;
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}

async function expect(tally: Tally, count: () => Promise<Count>): Promise<void> {
  try {
    const { files, bytes } = await count();
    tally.expect(files, bytes);
  } catch {
    // no totals
  }
}

/** One source after the other: the transfer itself should have the disk. */
export async function countAll(sources: readonly string[], count: Counting): Promise<Count> {
  let [files, bytes] = [0, 0];
  for (const source of sources) {
    const one = await count(source);
    files += one.files;
    bytes += one.bytes;
  }
  return { files, bytes };
}
