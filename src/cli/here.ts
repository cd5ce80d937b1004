/**
 * Here: the little the command line asks of this machine's folders by itself: is there such a name, where does
 * `lcd` lead, what does `lls` show. Transfers never go through this file.
 */
import { lstatSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, resolve } from 'node:path';
import { Failure, fromErrno } from '../errors.ts';

/** Where relative paths start from. Asked only for those: the folder may be gone, and who does not need it should not hear of it. */
interface Here { readonly localFolder: string }

/** The folder this process runs in, found out when it is first asked for, until another is set. */
export function startHere(): { localFolder: string } {
  let folder: string | undefined;
  return {
    get localFolder() { return (folder ??= process.cwd()); },
    set localFolder(path) { folder = path; },
  };
}

function resolveHere(here: Here, typed: string): string {
  return isAbsolute(typed) ? resolve(typed) : resolve(here.localFolder, typed);
}

/** Whether something has this name in the current folder, a link that leads nowhere included. */
export function existsHere(name: string): boolean {
  try {
    return name !== '' && lstatSync(name, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false; // too long for a name here, or below a file: what it is on the server is for the server to say
  }
}

/** A local path as typed, seen from the local folder; a slash at its end, which asks for a folder, is kept. */
export function localPath(here: Here, typed: string): string {
  // `put "$UNSET" :` must not send the current folder.
  if (typed === '') throw new Failure('USAGE', 'an empty name', { who: 'here', hint: 'name a file or folder; the folder here is .' });
  const path = resolveHere(here, typed);
  return typed.endsWith('/') && !path.endsWith('/') ? `${path}/` : path;
}

/** The folder that `lcd` leads to: the home folder for no word. Throws NOTFOUND or NOTDIR. */
export async function localFolder(here: Here, typed: string | undefined): Promise<string> {
  const path = typed === undefined ? homedir() : resolveHere(here, typed);
  const found = await stat(path).catch((error: unknown) => {
    throw fromErrno(error, typed, 'here');
  });
  if (!found.isDirectory()) throw new Failure('NOTDIR', 'not a folder', { path: typed, who: 'here' });
  return path;
}

/** The names in a local folder, sorted, with `/` behind folders and `@` behind links. */
export async function localNames(here: Here, typed = '.'): Promise<string[]> {
  const entries = await readdir(resolveHere(here, typed), { withFileTypes: true }).catch((error: unknown) => {
    throw fromErrno(error, typed, 'here');
  });
  return entries
    .map((entry) => entry.name + (entry.isDirectory() ? '/' : entry.isSymbolicLink() ? '@' : ''))
    .sort((a, b) => (a < b ? -1 : 1));
}
