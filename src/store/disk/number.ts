/**
 * Number: by what a folder is known whatever stands at its path, and what is said when another one stands there.
 *
 * Device and inode. A disk that is not mounted leaves the empty folder below it at the same path, and what is put there then lies on the
 * disk of the system, unseen as soon as the right one is mounted again: so a server compares before it does anything. Disks that give no
 * numbers cannot be compared, and are taken for the same. A disk that comes back under another device number is another one here.
 */
import { type BigIntStats, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Failure, fromErrno } from '../../errors.ts';

/** Why a folder is not the one that is meant, in words. */
export interface Other {
  readonly why: string;
  /** For whoever runs the server: which one it is, and which it should be. */
  readonly numbers?: string;
}

/** `DEVICE:INODE` of what is at `path`; undefined where there is nothing, or the disk gives no numbers. */
export async function numberOf(path: string): Promise<string | undefined> {
  return stat(path, { bigint: true }).then(numberIn, () => undefined);
}

/** Why the folder at `path` is not the one with `number`; undefined: it is. */
export async function whyOther(path: string, number: string): Promise<Other | undefined> {
  return stat(path, { bigint: true }).then((about) => differs(about, number), unreachable);
}

export function isFolder(path: string, number: string): boolean {
  return whyOtherNow(path, number) === undefined;
}

/** Throws IO, which may be tried again, unless `path` is the folder with `number`. At once. */
export function refuseOtherFolder(path: string, number: string): void {
  const other = whyOtherNow(path, number);
  if (other !== undefined) throw otherFolder(other);
}

/** For whoever asked; where the folder is, is no business of theirs. */
export function otherFolder({ why }: Other): Failure {
  return new Failure('IO', `the folder of this server is not the one that was there at its start: ${why}`, {
    who: 'server', retry: true, hint: 'whoever runs the server has to mount it or put it back; where the new one is meant, to start the server again',
  });
}

function whyOtherNow(path: string, number: string): Other | undefined {
  try {
    return differs(statSync(path, { bigint: true }), number);
  } catch (error) {
    return unreachable(error);
  }
}

function numberIn({ dev, ino }: BigIntStats): string | undefined {
  return ino === 0n ? undefined : `${dev}:${ino}`;
}

function differs(about: BigIntStats, number: string): Other | undefined {
  const now = numberIn(about);
  return now === undefined || now === number ? undefined : { why: 'another one stands in its place', numbers: `device and inode ${now}, at the start ${number}` };
}

function unreachable(error: unknown): Other {
  const { code, message } = fromErrno(error);
  return { why: code === 'NOTFOUND' ? 'there is none now' : `it cannot be reached (${message})` };
}
