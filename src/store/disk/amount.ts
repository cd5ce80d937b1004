/**
 * Amount: how much a folder holds, before it is kept as a whole. One in which another disk is mounted cannot be: its names
 * would go, and come, with it; neither is one that is too deep to be walked. Memory is bounded by the depth.
 */
import type { Stats } from 'node:fs';
import type { Held } from '../undo.ts';
import { kindOf } from './attributes.ts';
import type { Folder } from './walk.ts';

/** Entries looked at in one step: some 10 ms. */
const STEP = 2000;
/** Each level holds a descriptor; a tree this deep was not made here. */
const MAX_LEVELS = 256;
/** More is never kept, and need not be counted. */
const MAX_ENTRIES = 100_000;

/** Of the folder `name`, itself included; undefined when it cannot be kept. */
export function* amountOf(parent: Folder, name: string, stats: Stats): Generator<undefined, Held | undefined> {
  const sum = { bytes: 0, entries: 1 };
  return (yield* add(sum, parent, name, stats.dev, MAX_LEVELS)) ? sum : undefined;
}

/** The same at once. */
export function amountNow(parent: Folder, name: string, stats: Stats): Held | undefined {
  const counting = amountOf(parent, name, stats);
  for (;;) {
    const { value, done } = counting.next();
    if (done === true) return value;
  }
}

function* add(sum: { bytes: number; entries: number }, parent: Folder, name: string | Buffer, dev: number, levels: number): Generator<undefined, boolean> {
  if (levels === 0 || parent.look(name)?.dev !== dev) return false;
  using folder = parent.enter(name);
  const folders: (string | Buffer)[] = [];
  for (const entry of folder.names()) {
    sum.entries += 1;
    if (sum.entries > MAX_ENTRIES) return false;
    if (sum.entries % STEP === 0) yield;
    if (entry.isDirectory()) folders.push(entry.name);
    else {
      const stats = folder.look(entry.name);
      if (stats !== undefined && kindOf(stats) === 'file') sum.bytes += stats.size;
    }
  }
  for (const one of folders) if (!(yield* add(sum, folder, one, dev, levels - 1))) return false;
  return true;
}
