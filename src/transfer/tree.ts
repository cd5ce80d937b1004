/**
 * Trees: the server's halves of sending and receiving a folder in one exchange, without a round trip per file.
 *
 * Small files travel in packs, which pass through here unread: the store fills and empties them. What a pack cannot
 * hold is told beside it: large files (the client moves each in an exchange of its own), folders that are complete,
 * and problems. Everything but a small acknowledgement is paid for with credit, so a slow side slows the other's
 * walk. Memory does not grow with the tree.
 */
import { Failure } from '../errors.ts';
import { parsePath, type RemotePath } from '../path.ts';
import type { Exchange } from '../session/exchange.ts';
import type { BatchOptions, BatchResult, FolderAttributes, Level, PackStep, Problem } from '../store/vault.ts';
import { cut, MAX_LISTED } from '../wire/messages.ts';
import { Ahead } from './ahead.ts';
import { InOrder } from './inorder.ts';

/** Packs on their way to the disk at once: one being written, others waiting there, so that it never waits for the network. */
export const MAX_PACKS = 4;

/** Where a tree goes: a drive, or a vault. */
export interface TreeSink {
  receiveBatch(top: RemotePath, pack: Uint8Array, options: BatchOptions): Promise<BatchResult>;
  finishFolders(top: RemotePath, folders: readonly FolderAttributes[], level: Level): Promise<readonly Problem[]>;
}

/** Upper bound of what one path and its numbers take in a message. */
function sizeOf(listed: { readonly path: string; readonly message?: string }): number {
  return listed.path.length * 3 + (listed.message?.length ?? 0) * 3 + 48;
}

/** `all` in portions that fit a message, each with an upper bound of its size. */
function* portions<T extends { readonly path: string; readonly message?: string }>(all: readonly T[]): Generator<{ part: readonly T[]; size: number }> {
  for (let first = 0; first < all.length; first += MAX_LISTED) {
    const part = all.slice(first, first + MAX_LISTED);
    yield { part, size: part.reduce((sum, listed) => sum + sizeOf(listed), 48) };
  }
}

/** Says problems as they cross the wire. */
export async function sayProblems(exchange: Exchange, problems: readonly Problem[], skipped = 0): Promise<void> {
  const short = problems.map(({ path, code, message }) => ({ path, code, message: cut(message, 512) }));
  for (const { part, size } of portions(short)) await exchange.sayBulk({ kind: 'problems', problems: part, skipped: 0 }, size);
  if (skipped > 0) await exchange.sayBulk({ kind: 'problems', problems: [], skipped }, 48);
}

export async function sayFolders(exchange: Exchange, folders: readonly FolderAttributes[]): Promise<void> {
  for (const { part, size } of portions(folders)) await exchange.sayBulk({ kind: 'folders', folders: part }, size);
}

/** Sends a whole tree, which `pack` reads as there is room: the answer to `getTree`, but for its last word. */
export async function sendTree(exchange: Exchange, pack: (room: () => Promise<ArrayBuffer>) => AsyncIterable<PackStep>): Promise<void> {
  using ahead = new Ahead(exchange);
  for await (const step of pack(ahead.room)) {
    await ahead.send(step.pack);
    for (const { part, size } of portions(step.large)) {
      await exchange.sayBulk({ kind: 'large', files: part.map(({ path, kind, size: bytes, mtime, mode }) => ({ name: path, kind, size: bytes, mtime, mode })) }, size);
    }
    await sayProblems(exchange, step.problems, step.skipped);
    if (step.same !== undefined) await exchange.sayBulk({ kind: 'same', ...step.same }, 32);
    await sayFolders(exchange, step.folders);
  }
}

/** Receives a whole tree: what follows `putTree`, up to its `finish`. */
export async function receiveTree(exchange: Exchange, sink: TreeSink, top: RemotePath, options: BatchOptions): Promise<void> {
  const work = new InOrder(MAX_PACKS, (failure) => exchange.cancel(failure));
  // A sink may take its time before a pack gets to the disk: an account's room is asked for first.
  const finish = async (folders: readonly FolderAttributes[]): Promise<readonly Problem[]> => {
    await work.soFar();
    return sink.finishFolders(top, folders, options.level);
  };
  try {
    for (;;) {
      const received = await exchange.next();
      if (received.kind === 'batch') {
        await work.add(() => sink.receiveBatch(top, received.pack, options), async ({ files, bytes, problems, kept }) => {
          exchange.consumed(received.bulk);
          await sayProblems(exchange, problems);
          await exchange.sayBulk({ kind: 'batched', files, bytes, ...(kept !== undefined && kept > 0 && { kept }) }, 48);
        });
      } else if (received.kind === 'message' && received.message.kind === 'folders') {
        const folders = received.message.folders.map((folder) => ({ ...folder, path: parsePath(folder.path) }));
        await work.add(() => finish(folders), async (problems) => {
          exchange.consumed(received.bulk);
          await sayProblems(exchange, problems);
        });
      } else if (received.kind === 'message' && received.message.kind === 'finish') break;
      else throw new Failure('INTERNAL', 'unexpected word in a tree');
    }
  } catch (error) {
    exchange.cancel(Failure.from(error)); // ends what waits for the peer
    await work.idle().catch(() => {});
    throw error;
  }
  await work.idle();
}
