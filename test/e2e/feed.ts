/** Transfers held in flight: standard input that the test feeds step by step, so that a moment can be chosen without waiting for time to pass. */
import type { ChildProcess } from 'node:child_process';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { finished, type Ran, type RunOptions } from './rig.ts';
import { staged, until } from './traces.ts';

export const MIB = 1 << 20;

/** Bytes that are not all alike, the same for the same number. */
export function bytes(count: number, seed = 1): Buffer {
  const all = Buffer.alloc(count);
  for (let at = 0, value = seed; at < count; at += 4) {
    value = (Math.imul(value, 1_664_525) + 1_013_904_223) >>> 0;
    if (at + 4 <= count) all.writeUInt32LE(value, at);
  }
  return all;
}

/** A `put -` of which some bytes have arrived on the server, and which waits for more. */
export interface Fed {
  readonly child: ChildProcess;
  readonly over: Promise<Ran>;
}

/** A device that can start commands: that of the rig, or another one of its server. */
export interface Device {
  readonly served: string;
  spawn(words: readonly string[], options?: RunOptions): ChildProcess;
}

/** Starts `put - TARGET` with `first` as its beginning, and resolves when the server has staged all of that. */
export async function fed(rig: Device, target: string, first: Buffer, words: readonly string[] = []): Promise<Fed> {
  const before = await stagedBytes(rig.served);
  const child = rig.spawn(['put', '-', target, '--json', ...words]);
  const over = finished(child);
  child.stdin!.on('error', () => {});
  child.stdin!.write(first);
  await until(async () => (await stagedBytes(rig.served)) >= before + first.byteLength, async () => `staged ${await stagedBytes(rig.served)} of ${first.byteLength}: ${(await Promise.race([over, Promise.resolve(undefined)]))?.stdout}`);
  return { child, over };
}

/** Bytes in staged files that are in use now. */
export async function stagedBytes(folder: string): Promise<number> {
  let sum = 0;
  for (const name of await staged(folder)) if (name.endsWith('.live')) sum += (await lstat(join(folder, '.wherry', name)).catch(() => undefined))?.size ?? 0;
  return sum;
}

/** Resolves when what is staged rests for its next try. */
export async function resting(folder: string): Promise<void> {
  await until(async () => {
    const names = await staged(folder);
    return names.length > 0 && names.every((name) => name.endsWith('.part'));
  });
}

/** A file that is fed in two goes: what is staged when it is cut, and the rest. */
export const WHOLE = bytes(24 * MIB);
export const FIRST = WHOLE.subarray(0, 8 * MIB);
export const REST = WHOLE.subarray(FIRST.byteLength);
