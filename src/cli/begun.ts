/**
 * Begun: puts and gets of a folder that took the target as its name, from before their first byte until they end well.
 *
 * By the rule of `cp` the same words mean another place once the target is there: in it, beside the half. What is noted here keeps
 * them meaning the first one. A file for each in the state folder of this device, mode 0600, named by a digest of its words: several
 * processes need no lock. At most 100, for as long as what arrived is kept, oldest first out. Nothing here rejects: what cannot be
 * read was never begun, and what cannot be written is told by `false`.
 */
import { createHash } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PART_DAYS } from '../keeping.ts';
import { privateFolder, readPrivate, writePrivate } from '../private.ts';
import { stateFolder } from './state.ts';

/** Paths are whole; of two commands with the same words the second goes on with the first. */
export interface Words {
  readonly verb: 'put' | 'get';
  /** Its fingerprint, and who one is there: names of servers change, and each account has folders of its own. */
  readonly server: string;
  readonly account: string;
  readonly source: string;
  readonly target: string;
}

/** More unfinished folders than anybody has in mind. */
const MAX_BEGUN = 100;
const LASTS_MS = PART_DAYS * 86_400_000;

/** Whether the command was begun, and has not ended well. */
export async function isBegun(home: string | undefined, words: Words): Promise<boolean> {
  try {
    const { at, ...noted } = JSON.parse((await readPrivate(pathOf(home, words))) ?? '') as Words & { at: unknown };
    return typeof at === 'number' && Math.abs(Date.now() - at) < LASTS_MS && textOf(noted) === textOf(words);
  } catch {
    return false;
  }
}

/** Notes that it is begun; whether that is on the disk. */
export async function begin(home: string | undefined, words: Words): Promise<boolean> {
  const path = pathOf(home, words);
  try {
    await privateFolder(dirname(path));
    await writePrivate(path, `${JSON.stringify({ ...words, at: Date.now() })}\n`);
    await sweep(dirname(path));
    return true;
  } catch {
    return false;
  }
}

/** It ended well, or nothing of it is there. */
export async function end(home: string | undefined, words: Words): Promise<void> {
  await rm(pathOf(home, words), { force: true }).catch(() => undefined);
}

/** Forgets what is too old or too much, and what a process that was killed left half written. */
async function sweep(folder: string): Promise<void> {
  const paths = (await readdir(folder)).map((name) => join(folder, name));
  const found = await Promise.all(paths.map(async (path) => ({ path, at: await stat(path).then(({ mtimeMs }) => mtimeMs, () => 0) })));
  const old = found.sort((one, other) => other.at - one.at).filter(({ at }, index) => index >= MAX_BEGUN || Date.now() - at > LASTS_MS);
  await Promise.all(old.map(({ path }) => rm(path, { force: true })));
}

function pathOf(home: string | undefined, words: Words): string {
  return join(stateFolder(home), 'begun', `${createHash('sha256').update(textOf(words)).digest('hex').slice(0, 32)}.json`);
}

/** The words in one order. */
function textOf({ verb, server, account, source, target }: Words): string {
  return JSON.stringify([verb, server, account, source, target]);
}
