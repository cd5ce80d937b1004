/**
 * Kept: files that an account which may not replace any offers once more, and that are there because it put them there itself. Whether they
 * still have the same bytes is read, not believed; what somebody else has put in their place is a name that is taken.
 */
import { createHasher, sameDigest } from '../digest.ts';
import { readPack } from '../pack.ts';
import { below, child, type RemotePath, ROOT } from '../path.ts';
import type { BatchOptions, BatchResult, Level, Vault } from '../store/vault.ts';
import type { Memory } from './recent.ts';

/** Bytes read at a time. */
const PIECE = 1 << 20;

/** `alive` is asked with each piece of a file that is read. */
export interface Own { readonly vault: Vault; readonly owner: string; readonly recent: Memory; alive(): void }

/** Whether the file at `path` is one that the owner, an account or a device or token of it, has put there lately, and has these bytes now. */
export async function isOwn({ vault, owner, recent, alive }: Own, path: RemotePath, digest: Uint8Array, level: Level): Promise<boolean> {
  if (!await recent.has(owner, path, digest, level)) return false;
  try {
    await using file = await vault.read(path);
    const hasher = createHasher();
    const piece = Buffer.allocUnsafe(Math.min(PIECE, Math.max(1, file.entry.size)));
    for (let at = 0, count = 0; (count = await file.read(piece, at)) > 0; at += count) {
      alive();
      hasher.update(piece.subarray(0, count));
    }
    return sameDigest(hasher.digest(), digest);
  } catch {
    alive();
    return false; // gone, or no file any more
  }
}

/** Receives a pack in which nothing is replaced; `keeps`: what is there and its own counts as stored. What came is remembered. */
export async function receiveOwn(own: Own, top: RemotePath, pack: Uint8Array, options: BatchOptions, keeps: boolean): Promise<BatchResult> {
  const offered = new Map([...filesIn(pack)].map((file) => [file.path as string, file])); // the pack may be handed over
  const result = await own.vault.receiveBatch(top, pack, options);
  const [problems, kept] = [[] as BatchResult['problems'][number][], { files: 0, bytes: 0 }];
  for (const problem of result.problems) {
    const file = offered.get(problem.path);
    offered.delete(problem.path);
    if (keeps && file !== undefined && problem.code === 'EXISTS' && (await isOwn(own, below(top, file.path), file.digest, options.level))) {
      kept.files += 1;
      kept.bytes += file.size;
    } else problems.push(problem);
  }
  for (const { path, digest } of offered.values()) own.recent.note(own.owner, below(top, path), digest, options.level);
  return { ...result, files: result.files + kept.files, bytes: result.bytes + kept.bytes, kept: kept.bytes, problems };
}

function* filesIn(pack: Uint8Array): Generator<{ readonly path: RemotePath; readonly digest: Uint8Array; readonly size: number }> {
  let folder = ROOT;
  for (const record of readPack(pack)) {
    if (record.kind === 'folder') folder = record.path;
    else yield { path: child(folder, record.name), digest: Uint8Array.from(record.digest), size: record.data.byteLength };
  }
}
