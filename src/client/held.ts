/**
 * Held: which small files of a folder that is about to be fetched are here already, so that a folder that was cut goes on, whoever cut it.
 *
 * Size, time and mode only say which files are worth reading. Each is told by the digest of its bytes, and the server leaves it out if its
 * own bytes have the same: nothing is kept on the word of a size or a time. Large files are compared by blocks in their own exchanges.
 * Found once for all tries of a transfer, and never a reason to fail: what cannot be told is fetched.
 */
import { below, type RemotePath } from '../path.ts';
import type { HeldFile, TransferOptions } from './api.ts';
import { digestIn } from './digests.ts';
import type { LocalPlace } from './local.ts';

type Plans = typeof import('./plan.ts');

/** Files read at once: enough that the disk and this thread do not wait for each other. */
const AT_ONCE = 8;

/** Of the files at `place`, those that `find` takes for the same, with their digests; none where nothing would be replaced, or `update` decides. */
export async function heldAt(place: LocalPlace, target: string, replaceable: ReadonlySet<string> | undefined, options: TransferOptions, find: (plan: Plans) => Promise<readonly RemotePath[]>): Promise<readonly HeldFile[]> {
  const { update, ifAbsent, remembered, signal } = options;
  if (update === true || (ifAbsent === true && replaceable === undefined)) return [];
  const known = remembered?.held.get(target);
  if (known !== undefined) return known;
  const held = place.exists ? await told(place, signal, find) : [];
  const wanted = ifAbsent === true ? held.filter(({ path }) => replaceable?.has(path)) : held;
  remembered?.held.set(target, wanted);
  return wanted;
}

async function told({ vault, path }: LocalPlace, signal: AbortSignal | undefined, find: (plan: Plans) => Promise<readonly RemotePath[]>): Promise<HeldFile[]> {
  const held: HeldFile[] = [];
  try {
    const paths = await find(await import('./plan.ts'));
    for (let at = 0; at < paths.length; at += AT_ONCE) {
      signal?.throwIfAborted();
      held.push(...await Promise.all(paths.slice(at, at + AT_ONCE).map(async (each) => ({ path: each, digest: await digestIn(vault, below(path, each)) }))));
    }
  } catch {
    // may not be listed, or not be read: whatever it is, it is met again by what fetches it
  }
  return held;
}
