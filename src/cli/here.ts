/**
 * Here: the little the command line asks of this machine's folders by itself: is there such a name, where does
 * `lcd` lead, what does `lls` show. Transfers never go through this file.
 */
import { lstatSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { Failure, fromErrno } from '../errors.ts';

/** Whether something has this name in the current folder, a link that leads nowhere included. */
export function existsHere(name: string): boolean {
  try {
    return name !== '' && lstatSync(name, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false; // too long for a name here, or below a file: what it is on the server is for the server to say
  }
}

/** A local path as typed, seen from the local folder; a slash at its end, which asks for a folder, is kept. */
export function localPath(folder: string, typed: string): string {
  // `put "$UNSET" :` must not send the current folder.
  if (typed === '') throw new Failure('USAGE', 'an empty name', { who: 'here', hint: 'name a file or folder; the folder here is .' });
  const path = resolve(folder, typed);
  return typed.endsWith('/') && !path.endsWith('/') ? `${path}/` : path;
}

/** The folder that `lcd` leads to: the home folder for no word. Throws NOTFOUND or NOTDIR. */
export async function localFolder(folder: string, typed: string | undefined): Promise<string> {
  const path = typed === undefined ? homedir() : resolve(folder, typed);
  const found = await stat(path).catch((error: unknown) => {
    throw fromErrno(error, typed, 'here');
  });
  if (!found.isDirectory()) throw new Failure('NOTDIR', 'not a folder', { path: typed, who: 'here' });
  return path;
}

/** The names in a local folder, sorted, with `/` behind folders and `@` behind links. */
export async function localNames(folder: string, typed = '.'): Promise<string[]> {
  const entries = await readdir(resolve(folder, typed), { withFileTypes: true }).catch((error: unknown) => {
    throw fromErrno(error, typed, 'here');
  });
  return entries
    .map((entry) => entry.name + (entry.isDirectory() ? '/' : entry.isSymbolicLink() ? '@' : ''))
    .sort((a, b) => (a < b ? -1 : 1));
}
