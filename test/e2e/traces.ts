/** What a failure says, and what it must not leave behind: the questions every test of bad input asks. */
import { createHash } from 'node:crypto';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Ran, Rig } from './rig.ts';

/** What `--json` says of a failure. */
export interface Told {
  readonly event: string;
  readonly code: string;
  readonly path: string | null;
  readonly who: string | null;
  readonly retry: boolean;
  readonly message: string;
  readonly hint: string | null;
  readonly exit: number;
}

/** The objects of `--json`, in order. */
export function events<T = Told>(ran: Ran, event?: string): T[] {
  const all = ran.stdout.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as T & { event: string });
  return event === undefined ? all : all.filter((each) => each.event === event);
}

/** The only failure that a command with `--json` told. */
export function failureOf(ran: Ran): Told {
  const told = events(ran, 'error');
  expect(told, `${ran.stdout}${ran.stderr}`).toHaveLength(1);
  return told[0]!;
}

/** Every name below a folder with what is there: a digest of the bytes, and the mode. The staging folder is left out. */
export async function contents(folder: string, below = ''): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of await readdir(join(folder, below))) {
    const path = join(below, name);
    if (path === '.wherry') continue;
    const stats = await lstat(join(folder, path));
    const mode = (stats.mode & 0o7777).toString(8);
    found[path] = stats.isFile() ? `${mode} ${createHash('sha256').update(await readFile(join(folder, path))).digest('hex')}` : `${mode} ${stats.isDirectory() ? 'folder' : 'other'}`;
    if (stats.isDirectory()) Object.assign(found, await contents(folder, path));
  }
  return found;
}

/** The names in the staging folder of a served or local folder, but for what is kept for undo. */
export async function staged(folder: string): Promise<string[]> {
  return (await readdir(join(folder, '.wherry')).catch(() => [])).filter((name) => name !== 'kept');
}

/** Waits until nothing is staged: a server learns of a broken connection in its own time. */
export async function nothingStaged(folder: string): Promise<void> {
  await until(async () => (await staged(folder)).length === 0, async () => `still staged: ${(await staged(folder)).join(', ')}`);
}

/** The same server process answers as before. */
export async function expectAlive(rig: Rig, pid = rig.server!.pid): Promise<void> {
  const ran = await rig.run(['ls', ':']);
  expect(ran.code, `${ran.stderr}${rig.log.join('\n')}`).toBe(0);
  expect([rig.server!.pid, rig.server!.exitCode, rig.server!.signalCode]).toEqual([pid, null, null]);
}

/** Asks until the answer is yes, for at most 20 s: a bound for a machine that is busy, not a measure. */
export async function until(condition: () => boolean | Promise<boolean>, explain: () => string | Promise<string> = () => 'it did not happen'): Promise<void> {
  const end = performance.now() + 20_000;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(await explain());
    await pause(20);
  }
}
