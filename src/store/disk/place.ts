/**
 * Place: the two ways to give a file or folder its name in one step, replacing what is there or refusing to.
 * Both take paths made by `Folder.at`; neither follows a link.
 */
import { linkSync, lstatSync, renameSync, unlinkSync } from 'node:fs';
import { Failure } from '../../errors.ts';

type Path = string | Buffer;

/** Systems and disks without hard links, or that forbid them for this file, say one of these. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EISDIR']);

/** Gives `from` the name `to`; a file or link that has it is replaced in the same step. */
export function placeOver(from: Path, to: Path): void {
  try {
    renameSync(from, to);
  } catch (error) {
    throw acrossDisks(error) ?? error;
  }
}

/**
 * Gives the file `from` the name `to` unless something has it (EEXIST). Atomic by `link`, which never replaces. Where the
 * disk knows no hard links it is a look and a rename, and somebody else may create the name between the two.
 */
export function placeAbsent(from: Path, to: Path): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (!NO_LINKS.has((error as NodeJS.ErrnoException).code ?? '')) throw acrossDisks(error) ?? error;
    placeFolderAbsent(from, to);
    return;
  }
  unlinkSync(from);
}

/** The same for a folder, which cannot be linked: a look and a rename. In between, only an empty folder could be replaced. */
export function placeFolderAbsent(from: Path, to: Path): void {
  if (lstatSync(to, { throwIfNoEntry: false }) !== undefined) throw Object.assign(new Error('exists'), { code: 'EEXIST' });
  placeOver(from, to);
}

function acrossDisks(error: unknown): Failure | undefined {
  if ((error as NodeJS.ErrnoException).code !== 'EXDEV') return undefined;
  return new Failure('UNSUPPORTED', 'another disk is mounted there, and nothing can be moved onto it in one step', {
    cause: error, hint: 'serve the folder on that disk by itself',
  });
}
