/** Refusals: what every store says in the same words when what is there is not what was meant. */
import { Failure } from '../errors.ts';
import { ROOT, type RemotePath } from '../path.ts';
import { printable } from '../printable.ts';

/** A digest was named, and the file that is there has another: `there`, in hexadecimal; undefined: none is there. */
export function differs(path: RemotePath, there: string | undefined): Failure {
  const message = there === undefined ? 'there is no file of this name (any more)' : `the file that is there is another one: its digest is blake3 ${there}`;
  return new Failure('PRECONDITION', message, { path, hint: there === undefined ? 'leave --if-match out, if it is to be made anew' : 'look at it first; leave --if-match out to do it all the same' });
}

/** Somebody wrote to the file, or put another in its place, between the look and the act. */
export function changedMeanwhile(path: RemotePath): Failure {
  return new Failure('PRECONDITION', 'the file that is there was changed in this moment', { path, hint: 'look at it first' });
}

/** `folds`: the disk itself takes both names for the same. */
export function similarName(path: string, name: string, other: string, folds = false): Failure {
  return new Failure('EXISTS', `"${printable(name)}" differs only in letter case or Unicode form from "${printable(other)}", which is there already`, {
    path, hint: folds ? 'choose another name: for this disk both are the same' : 'choose another name, or let the server accept both with --allow-similar-names',
  });
}

export function unportableName(path: string, name: string, why: string): Failure {
  return new Failure('BADNAME', `the name "${printable(name)}" ${why}, and Windows could not store it`, { path, hint: 'choose another name; the server was told to take only --portable-names' });
}

export function rootRefused(): Failure {
  return new Failure('ISDIR', 'this is the served folder itself', { path: ROOT, hint: 'name a file or folder in it' });
}
