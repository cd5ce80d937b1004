/**
 * Local: the person's own files as sources and targets of a transfer.
 *
 * A local folder is a vault like the server's, so that what a peer sends is confined, staged, verified and flushed
 * here by the same code as there. This is the only file of the client that knows so, and the only one that looks at
 * the local disk. The path a person typed is trusted and may lead through links; what lies below it, and every name
 * a server tells, is not.
 */
import { constants } from 'node:fs';
import { access, lstat, readdir, realpath, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { Failure, fromErrno } from '../errors.ts';
import { PART_DAYS } from '../keeping.ts';
import { checkName, meansContents, parsePath, RESERVED, ROOT, type RemotePath } from '../path.ts';
import { printable } from '../printable.ts';
import { openDisk } from '../store/disk/disk.ts';
import { compileExclude, type Excluded } from '../store/exclude.ts';
import type { Vault } from '../store/vault.ts';

/** A place on the local disk: a vault, and a path in it. Closing it gives up its descriptors. */
export interface LocalPlace extends AsyncDisposable {
  readonly vault: Vault;
  readonly path: RemotePath;
  readonly kind: 'file' | 'folder';
  /** Whether it was there before; a target need not be. */
  readonly exists: boolean;
  /** The last part of its name. */
  readonly name: string;
  /** As shown to the person. */
  readonly shown: string;
  /** The folder that the vault is of. */
  readonly root: string;
}

/** Threads for the files of a folder: one reads or writes while this one encrypts. */
const FOLDER_WORKERS = 1;
const DAY_MS = 86_400_000;

/** What is to be sent. Throws NOTFOUND and what else the disk says, or UNSUPPORTED for devices. */
export async function openSource(typed: string): Promise<LocalPlace> {
  const shown = printable(typed);
  // `put "$UNSET" :` must not send the current folder.
  if (typed === '') throw new Failure('USAGE', 'an empty name', { who: 'here', hint: 'name a file or folder; the current folder is .' });
  try {
    const real = await realpath(resolve(typed));
    const found = await stat(real);
    if (meansContents(typed) && !found.isDirectory()) throw new Failure('NOTDIR', 'not a folder', { path: shown, who: 'here' });
    // The name is the one that was typed: a link that is named is sent as what it points to, under its own name.
    const name = baseName(resolve(typed));
    if (found.isDirectory()) return place(await openDisk(real, { workers: FOLDER_WORKERS }), ROOT, { kind: 'folder', exists: true, name, shown, root: real });
    if (!found.isFile()) throw new Failure('UNSUPPORTED', 'neither a file nor a folder', { path: shown, who: 'here', hint: 'to send what a pipe says, type in the shell: wherry put - :NAME' });
    return place(await openDisk(dirname(real), { readHere: true }), parsePath(checkName(basename(real))), { kind: 'file', exists: true, name, shown, root: dirname(real) });
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
      const real = await realpath(full);
      const [root, path] = (await isStagedBeside(real)) ? [dirname(real), parsePath(checkName(basename(real)))] : [real, ROOT];
      return place(await openDisk(root, { workers: FOLDER_WORKERS, similarNames: true }), path, { kind: 'folder', exists: true, name: baseName(full), shown, root });
    }
    if (kind === 'file' && found?.isDirectory() === true) throw new Failure('ISDIR', 'is a folder', { path: shown, who: 'here' });
    // A file takes its name by a rename: that would not write into /dev/null, but put a file in its place.
    if (kind === 'file' && found?.isFile() === false) throw new Failure('UNSUPPORTED', 'neither a file nor a folder', { path: shown, who: 'here', hint: 'to write into a pipe or a device, type in the shell: wherry cat :NAME > PIPE' });
    const parent = await realpath(dirname(full)).catch((error: unknown) => { throw missingParent(error, dirname(typed)); });
    return place(await openDisk(parent, { workers: kind === 'folder' ? FOLDER_WORKERS : 0, readHere: kind === 'file', similarNames: true }), parsePath(checkName(baseName(full))), { kind, exists: found !== undefined, name: baseName(full), shown, root: parent });
  } catch (error) {
    throw explain(error, shown);
  }
}

/** What the kernel shows as files and stores nowhere: statfs(2) of procfs and sysfs. */
const UNREAL: ReadonlySet<number> = new Set([0x9fa0, 0x62656572]);

/** Throws DENIED where it is known that nothing can be stored for `typed`, as `openTarget` takes it. Nothing is written to find that out. */
export async function checkTaking(typed: string, kind: 'file' | 'folder'): Promise<void> {
  const full = resolve(typed);
  const folder = kind === 'folder' && (await isFolder(full)) ? full : dirname(full);
  const shown = printable(folder);
  await access(folder, constants.W_OK | constants.X_OK).catch((error: unknown) => { throw fromErrno(error, shown, 'here'); });
  if (UNREAL.has((await statfs(folder)).type)) throw new Failure('DENIED', 'no files can be stored in this folder here', { path: shown, who: 'here', hint: 'choose another folder' });
}

/** What storing in an open target failed with: a folder that is there, and takes no names, is told as such. */
export async function untaken(error: unknown, typed: string, kind: 'file' | 'folder'): Promise<Failure> {
  const failure = Failure.from(error);
  if (failure.code !== 'NOTFOUND' || failure.who !== 'here') return failure;
  return checkTaking(typed, kind).then(() => failure, (reason: unknown) => Failure.from(reason));
}

/** Bytes of what rests of broken tries at a target. */
export async function stagedIn({ root }: LocalPlace): Promise<number> {
  const stage = join(root, RESERVED);
  const names = await readdir(stage, { recursive: true }).catch(() => []);
  const sizes = await Promise.all(names.map((name) => lstat(join(stage, name)).then((about) => (about.isFile() ? about.size : 0), () => 0)));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Forgets what tries of long ago staged at a target. What cannot be removed stays there: it is no reason to fetch nothing. */
export async function sweepOld({ vault }: LocalPlace): Promise<void> {
  await vault.sweep(Date.now() - PART_DAYS * DAY_MS).catch(() => 0);
}

/** What of a folder is left out, as the walk of a store sees it. */
export function leftOut(patterns: readonly string[] | undefined): Excluded {
  return compileExclude(patterns);
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

/**
 * Whether what is missing of the folder may be staged beside it: the try that made the folder staged there, and was cut off.
 * Not when the staging folder is somebody else's, or on another disk than the folder.
 */
async function isStagedBeside(folder: string): Promise<boolean> {
  const [stage, found] = await Promise.all([lstat(join(dirname(folder), RESERVED)).catch(() => undefined), stat(folder)]);
  return stage?.isDirectory() === true && stage.uid === process.getuid?.() && stage.dev === found.dev && isName(basename(folder));
}

function isName(name: string): boolean {
  try {
    return checkName(name) === name;
  } catch {
    return false;
  }
}

function missingParent(error: unknown, parent: string): Failure {
  const failure = fromErrno(error, printable(parent), 'here');
  return failure.code === 'NOTFOUND' ? missingFolder(parent) : failure;
}

/** For a folder here that is to be there already; the hint makes it, typed in the shell. */
export function missingFolder(folder: string): Failure {
  const shown = printable(folder);
  const word = /^[\w@%+=:,./-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", `'\\''`)}'`;
  return new Failure('NOTFOUND', 'no such folder here', { path: shown, who: 'here', hint: `make it first: mkdir -p ${word}` });
}

function explain(error: unknown, shown: string): Failure {
  const failure = fromErrno(error, shown, 'here');
  if (failure.code !== 'NOTFOUND' || failure.message !== 'no such file or folder') return failure;
  return new Failure('NOTFOUND', 'no such file or folder here', { path: shown, who: 'here', hint: 'check the name; ls lists the folder here', cause: failure.cause });
}

function place(vault: Vault, path: RemotePath, about: Pick<LocalPlace, 'kind' | 'exists' | 'name' | 'shown' | 'root'>): LocalPlace {
  return { vault, path, ...about, [Symbol.asyncDispose]: () => vault[Symbol.asyncDispose]() };
}
