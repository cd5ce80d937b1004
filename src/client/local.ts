/**
 * Local: the person's own files as sources and targets of a transfer.
 *
 * A local folder is a vault like the server's, so that what a peer sends is confined, staged, verified and flushed
 * here by the same code as there. This is the only file of the client that knows so, and the only one that looks at
 * the local disk. The path a person typed is trusted and may lead through links; what lies below it, and every name
 * a server tells, is not.
 */
import { lstat, realpath, stat } from 'node:fs/promises';
import { basename, dirname, resolve, sep } from 'node:path';
import { Failure, fromErrno } from '../errors.ts';
import { checkName, parsePath, ROOT, type RemotePath } from '../path.ts';
import { printable } from '../printable.ts';
import { openDisk } from '../store/disk/disk.ts';
import type { Vault } from '../store/vault.ts';

/** A place on the local disk: a vault, and a path in it. Closing it gives up its descriptors. */
export interface LocalPlace extends AsyncDisposable {
  readonly vault: Vault;
  readonly path: RemotePath;
  readonly kind: 'file' | 'folder';
  /** The last part of its name. */
  readonly name: string;
  /** As shown to the person. */
  readonly shown: string;
}

/** Threads for the files of a folder: one reads or writes while this one encrypts. */
const FOLDER_WORKERS = 1;

/** What is to be sent. Throws NOTFOUND and what else the disk says, or UNSUPPORTED for devices. */
export async function openSource(typed: string): Promise<LocalPlace> {
  const shown = printable(typed);
  // `put "$UNSET" :` must not send the current folder.
  if (typed === '') throw new Failure('USAGE', 'an empty name', { who: 'here', hint: 'name a file or folder; the current folder is .' });
  try {
    const real = await realpath(resolve(typed));
    const found = await stat(real);
    // The name is the one that was typed: a link that is named is sent as what it points to, under its own name.
    const name = baseName(resolve(typed));
    if (found.isDirectory()) return place(await openDisk(real, { workers: FOLDER_WORKERS }), ROOT, 'folder', name, shown);
    if (!found.isFile()) throw new Failure('UNSUPPORTED', 'neither a file nor a folder', { path: shown, who: 'here', hint: 'to send what a pipe says: wherry put - :NAME' });
    return place(await openDisk(dirname(real), { readHere: true }), parsePath(checkName(basename(real))), 'file', name, shown);
  } catch (error) {
    throw explain(error, shown);
  }
}

/** The last part of a full path; empty for the root of the disk. */
function baseName(path: string): string {
  return basename(path) === sep ? '' : basename(path);
}

/**
 * Where a file or folder is to arrive: below an existing folder, so that staging is on the same disk. `told`: its last component was
 * not typed by the person, but is the name it has on the server, and must not lead elsewhere.
 */
export async function openTarget(typed: string, kind: 'file' | 'folder', told = false): Promise<LocalPlace> {
  const shown = printable(typed);
  const full = resolve(typed);
  try {
    const found = await statOrNothing(full);
    if (kind === 'folder' && found !== undefined) {
      if (told && (await lstat(full)).isSymbolicLink()) throw new Failure('DENIED', 'a symbolic link, which is never followed', { path: shown, who: 'here', hint: 'name the folder it leads to, if you mean that' });
      if (!found.isDirectory()) throw new Failure('NOTDIR', 'is a file, and a folder is to arrive there', { path: shown, who: 'here', hint: 'name another target' });
      return place(await openDisk(await realpath(full), { workers: FOLDER_WORKERS, similarNames: true }), ROOT, 'folder', baseName(full), shown);
    }
    if (kind === 'file' && found?.isDirectory() === true) throw new Failure('ISDIR', 'is a folder', { path: shown, who: 'here' });
    const parent = await realpath(dirname(full)).catch((error: unknown) => { throw missingParent(error, dirname(typed)); });
    return place(await openDisk(parent, { workers: kind === 'folder' ? FOLDER_WORKERS : 0, similarNames: true }), parsePath(checkName(baseName(full))), kind, baseName(full), shown);
  } catch (error) {
    throw explain(error, shown);
  }
}

/** Whether `typed` is an existing folder, in which things are to be put under their own names. */
export async function isFolder(typed: string): Promise<boolean> {
  return (await statOrNothing(resolve(typed)))?.isDirectory() ?? false;
}

async function statOrNothing(path: string): Promise<Awaited<ReturnType<typeof stat>> | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fromErrno(error, printable(path), 'here');
  }
}

function missingParent(error: unknown, parent: string): Failure {
  const failure = fromErrno(error, printable(parent), 'here');
  return failure.code === 'NOTFOUND' ? new Failure('NOTFOUND', 'no such folder here', { path: printable(parent), who: 'here', hint: 'make it first: mkdir' }) : failure;
}

function explain(error: unknown, shown: string): Failure {
  const failure = fromErrno(error, shown, 'here');
  if (failure.code !== 'NOTFOUND' || failure.message !== 'no such file or folder') return failure;
  return new Failure('NOTFOUND', 'no such file or folder here', { path: shown, who: 'here', hint: 'at the prompt, lls lists the local folder', cause: failure.cause });
}

function place(vault: Vault, path: RemotePath, kind: 'file' | 'folder', name: string, shown: string): LocalPlace {
  return { vault, path, kind, name, shown, [Symbol.asyncDispose]: () => vault[Symbol.asyncDispose]() };
}
