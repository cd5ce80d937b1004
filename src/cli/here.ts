/**
 * Here: the little the command line asks of this machine's folders by itself: is there such a name, where does
 * `lcd` lead, what does `lls` show. Transfers never go through this file.
 */
import { lstatSync, statSync, type Stats } from 'node:fs';
import { lstat, readdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, resolve } from 'node:path';
import { MODE_MASK, type Entry } from '../entry.ts';
import { Failure, fromErrno } from '../errors.ts';
import { meansContents } from '../path.ts';

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

/** Whether something to be sent is a folder; a link to one is as well. */
export function isFolderHere(here: Here, typed: string): boolean {
  try {
    return statSync(resolveHere(here, typed), { throwIfNoEntry: false })?.isDirectory() ?? false;
  } catch {
    return false; // why it cannot be looked at is told when it is to be sent
  }
}

/** A local path as typed, seen from the local folder; a slash at its end, which asks for a folder, is kept. */
export function localPath(here: Here, typed: string): string {
  // `put "$UNSET" :` must not send the current folder.
  if (typed === '') throw new Failure('USAGE', 'an empty name', { who: 'here', hint: 'name a file or folder; the folder here is .' });
  const path = resolveHere(here, typed);
  return typed.endsWith('/') && !path.endsWith('/') ? `${path}/` : path;
}

/** As `localPath`, of something to be sent: `/.` at its end, which asks for what is in the folder, is kept. */
export function localSource(here: Here, typed: string): string {
  const path = localPath(here, typed);
  return meansContents(typed) ? `${path.replace(/\/+$/, '')}/.` : path;
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

/** Entries looked at together: enough to keep a disk busy, little enough to keep in hand. */
const AT_ONCE = 64;

/** What is in a local folder. What vanishes meanwhile is not there. */
export async function localEntries(here: Here, typed = '.'): Promise<Entry[]> {
  const folder = resolveHere(here, typed);
  const names = await readdir(folder).catch((error: unknown) => {
    throw fromErrno(error, typed, 'here');
  });
  const entries: Entry[] = [];
  for (let at = 0; at < names.length; at += AT_ONCE) {
    const found = await Promise.all(names.slice(at, at + AT_ONCE).map(async (name) => entryOf(name, await lstat(resolve(folder, name)).catch(() => undefined))));
    entries.push(...found.filter((entry) => entry !== undefined));
  }
  return entries;
}

/** What a word of `lls` names, as it was typed; undefined for a folder, or a link to one. Throws NOTFOUND, NOTDIR. */
export async function localFile(here: Here, typed: string): Promise<Entry | undefined> {
  const path = localPath(here, typed);
  // A link that leads nowhere is shown as what it is.
  const about = await stat(path).catch(async (error: unknown) => lstat(path).catch(() => { throw fromErrno(error, typed, 'here'); }));
  if (about.isDirectory()) return undefined;
  return entryOf(typed, await lstat(path).catch((error: unknown) => { throw fromErrno(error, typed, 'here'); }));
}

function entryOf(name: string, stats: Stats | undefined): Entry | undefined {
  if (stats === undefined) return undefined;
  const kind = stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : stats.isSymbolicLink() ? 'link' : 'other';
  return { name, kind, size: stats.size, mtime: Math.floor(stats.mtimeMs * 1000), mode: stats.mode & MODE_MASK };
}
