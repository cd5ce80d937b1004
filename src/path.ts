/**
 * RemotePath: a checked path below the served folder, the only form in which a name from outside travels.
 *
 * Components joined by `/`, no leading or trailing slash, `''` is the served folder itself. Only this file
 * makes one, and it is asked wherever text enters: wire, command line, prompt. A path never contains an
 * empty component, `.`, `..`, NUL, control or bidirectional-override characters, a lone surrogate, or the
 * reserved staging folder in any spelling; so code that holds a RemotePath need not look at it again.
 * Names are kept exactly as given: no normalisation. `foldKey` says which names are too alike to coexist.
 */
import { Failure } from './errors.ts';
import { printable } from './printable.ts';

declare const checked: unique symbol;
export type RemotePath = string & { readonly [checked]: true };

/** The served folder itself. */
export const ROOT = '' as RemotePath;

/** Staging folder of every store; no path may name it. */
export const RESERVED = '.wherry';

/** Linux NAME_MAX, in bytes of UTF-8: longer names cannot be stored on any common disk. */
export const MAX_NAME_BYTES = 255;
/** Linux PATH_MAX, in bytes: the longest path a client could open. */
export const MAX_PATH_BYTES = 4096;
/** Deepest tree accepted: each level costs an open descriptor while it is walked. */
export const MAX_DEPTH = 64;

const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
/** Bidirectional controls make a name read as another one (Unicode TR36). */
const BIDI = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
/** Characters that some file systems (HFS+) ignore when they compare names. */
const IGNORABLE = /[\u00ad\u034f\u180b-\u180e\u200b-\u200d\u2060\ufe00-\ufe0f\ufeff]/g;

function refuse(name: string, why: string, hint?: string): never {
  const shown = name.length > 80 ? `${name.slice(0, 77)}…` : name;
  throw new Failure('BADNAME', `the name "${printable(shown)}" ${why}`, { path: printable(shown), hint });
}

/** The name itself if it may stand as one component, else `BADNAME`. */
export function checkName(name: string): string {
  if (name === '' || name === '.' || name === '..') refuse(name, 'is not a name');
  // Counting bytes is the costly part, and 3 bytes a UTF-16 unit is the worst case.
  if (name.length * 3 > MAX_NAME_BYTES && Buffer.byteLength(name) > MAX_NAME_BYTES) refuse(name, `is longer than ${MAX_NAME_BYTES} bytes`);
  if (name.includes('/')) refuse(name, 'contains a slash');
  if (CONTROL.test(name)) refuse(name, 'contains a control character', 'rename it first: such names cannot be shown safely');
  if (BIDI.test(name)) refuse(name, 'contains a text-direction character', 'rename it first: such names read as other names');
  if (!name.isWellFormed()) refuse(name, 'is not valid Unicode');
  if (isReserved(name)) refuse(name, `is reserved for unfinished uploads`);
  return name;
}

/** Whether a file system could take `name` for the staging folder: letter case, width, ignorable characters,
 *  trailing dots and spaces (Windows), an 8.3 alias (Windows) or a stream suffix (NTFS). */
export function isReserved(name: string): boolean {
  const first = name.charCodeAt(0);
  // Ordinary names are recognised by their first letters alone.
  if (first > 0x2f && first < 0x7f && first !== 0x57 && first !== 0x77) return false;
  const folded = name.replace(IGNORABLE, '').normalize('NFKC').toLowerCase().split(':')[0]!.replace(/[. ]+$/, '').trimStart();
  return folded === RESERVED || /^wherry~\d+$/.test(folded);
}

/** Names with the same key are the same name on some disk: NFKC and letter case folded. */
export function foldKey(name: string): string {
  // toUpperCase first folds what toLowerCase alone leaves apart: ß and ss, final sigma, ſ.
  return name.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC');
}

/** A path in its one canonical spelling, as it comes over the wire. Throws `BADNAME`. */
export function parsePath(text: string): RemotePath {
  if (text === '') return ROOT;
  return fromComponents(text.split('/', MAX_DEPTH + 1), text);
}

function fromComponents(names: readonly string[], text: string): RemotePath {
  if (names.length > MAX_DEPTH) refuse(text, `is deeper than ${MAX_DEPTH} folders`);
  if (text.length > MAX_PATH_BYTES || Buffer.byteLength(text) > MAX_PATH_BYTES) refuse(text, `is longer than ${MAX_PATH_BYTES} bytes`);
  for (const name of names) checkName(name);
  return names.join('/') as RemotePath;
}

/** What a person typed, seen from the folder `from`: `/` leads to the served folder, `..` upwards, never above it. */
export function resolvePath(from: RemotePath, text: string): RemotePath {
  if (text.length > MAX_PATH_BYTES) refuse(text, `is longer than ${MAX_PATH_BYTES} bytes`);
  const names = text.startsWith('/') ? [] : components(from);
  for (const name of text.split('/')) {
    if (name === '' || name === '.') continue;
    if (name !== '..') names.push(name);
    else if (names.pop() === undefined) refuse(text, 'leads above the served folder', 'paths start at the served folder: /');
  }
  return fromComponents(names, names.join('/'));
}

/** Whether what a person typed ends in `.` (`photos/.`, or `.` itself): as for `cp`, what is in the folder is meant, not the folder. */
export function meansContents(typed: string): boolean {
  return /(?:^|\/)\.\/*$/.test(typed);
}

/** The components, outermost first; none for the served folder. */
export function components(path: RemotePath): string[] {
  return path === '' ? [] : path.split('/');
}

/** `path` one step deeper. `name` must have passed `checkName`, or is checked here. */
export function child(path: RemotePath, name: string): RemotePath {
  checkName(name);
  return (path === '' ? name : `${path}/${name}`) as RemotePath;
}

/** `tail` below `head`; both are checked already. Throws `BADNAME` when together they are too long or too deep. */
export function below(head: RemotePath, tail: RemotePath): RemotePath {
  if (head === '' || tail === '') return head || tail;
  return parsePath(`${head}/${tail}`);
}

/** The folder that holds `path`; the served folder holds itself. */
export function parentOf(path: RemotePath): RemotePath {
  const cut = path.lastIndexOf('/');
  return (cut < 0 ? '' : path.slice(0, cut)) as RemotePath;
}

/** The last component; `''` for the served folder. */
export function baseName(path: RemotePath): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Whether `path` is `top` or lies below it, by components: `a/b` is in `a`, `ab` is not. */
export function isWithin(path: RemotePath, top: RemotePath): boolean {
  return top === '' || path === top || path.startsWith(`${top}/`);
}

/** What is left of `path` below `top`, where that is spelled as in `path` or as a disk could hold it to be the same; `''` for `top` itself, undefined where it is not in it. */
export function foldedTail(path: RemotePath, top: RemotePath): RemotePath | undefined {
  const [names, tops] = [components(path), components(top)];
  if (names.length < tops.length || tops.some((name, at) => foldKey(name) !== foldKey(names[at]!))) return undefined;
  return names.slice(tops.length).join('/') as RemotePath;
}

/** The path as people see it: from the served folder, escaped. */
export function displayPath(path: RemotePath): string {
  return printable(`/${path}`);
}
