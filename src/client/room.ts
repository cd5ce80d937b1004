/**
 * Room: whether a folder can fit where it is to arrive, known before its first byte.
 *
 * Only what surely cannot fit is refused: what the target holds already is taken off, as if all of it were replaced, and so is what rests of
 * broken tries. Where much is free nothing is counted, since counting takes a walk; a disk that fills up all the same ends the
 * transfer (`tally.ts`). What cannot be told, because it may not be seen or asked, refuses nothing.
 */
import { Failure } from '../errors.ts';
import type { RemotePath } from '../path.ts';
import type { TransferOptions } from './api.ts';
import { stagedIn, type LocalPlace } from './local.ts';
import type { Requester } from './requester.ts';
import { FILES_AT_ONCE } from './tree.ts';

/** With more than this free a folder is not counted first. */
const MUCH = 4 * 2 ** 30;
/** A server gives up what it keeps for undo, at most a tenth of what is free, and what it staged long ago. */
const GIVEN_UP = 1.25;
/** Files of which a part may rest at a server: those that were on their way in a few broken tries. */
const RESTING = 4 * FILES_AT_ONCE;

/** Throws NOSPACE. */
export async function checkRoomHere(requester: Requester, from: RemotePath, place: LocalPlace, options: TransferOptions): Promise<void> {
  if (!isCountable(options)) return;
  const { free } = await place.vault.space();
  if (free > MUCH) return;
  const total = await known(requester.ask({ kind: 'usage', path: from }, 'used', options.signal), options);
  if (total === undefined || total.bytes <= free) return;
  const there = place.exists ? (await place.vault.usage(place.path)).bytes : 0;
  refuse(total.bytes - there - (await stagedIn(place)), free, 'here');
}

/** Throws NOSPACE. `there`: whether the folder `to` is there, or may be. */
export async function checkRoomThere(requester: Requester, source: LocalPlace, to: RemotePath, there: boolean, options: TransferOptions): Promise<void> {
  if (!isCountable(options)) return;
  const room = await known(requester.ask({ kind: 'space' }, 'room', options.signal), options);
  if (room === undefined || room.free > MUCH) return;
  const needed = await leastOf(source);
  if (needed <= room.free * GIVEN_UP) return;
  const used = there ? await known(requester.ask({ kind: 'usage', path: to }, 'used', options.signal), options) : { bytes: 0 };
  if (used !== undefined) refuse(needed - used.bytes, room.free * GIVEN_UP, 'server', room.free);
}

/** What is left out is not known to a count. */
function isCountable({ exclude, update }: TransferOptions): boolean {
  return update !== true && (exclude === undefined || exclude.length === 0);
}

async function known<T>(asked: Promise<T>, { signal }: TransferOptions): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (signal?.aborted === true || (error instanceof Failure && error.code === 'LOST')) throw error;
    return undefined;
  }
}

/** Bytes of a folder here, but for the largest files: parts of these may be at the server. */
async function leastOf({ vault, path }: LocalPlace): Promise<number> {
  let bytes = 0;
  let largest: number[] = [];
  for await (const { entries } of vault.list(path, { deep: true })) {
    const sizes = entries.filter(({ kind }) => kind === 'file').map(({ size }) => size);
    bytes += sizes.reduce((sum, size) => sum + size, 0);
    largest = [...largest, ...sizes].toSorted((one, other) => other - one).slice(0, RESTING);
  }
  return bytes - largest.reduce((sum, size) => sum + size, 0);
}

function refuse(needed: number, room: number, who: 'here' | 'server', free = room): void {
  if (needed <= room) return;
  throw new Failure('NOSPACE', `${needed} bytes do not fit: the disk has ${free} bytes free`, { who });
}
