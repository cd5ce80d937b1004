/**
 * Failure: the one error class, and the one closed list of codes.
 *
 * Everything that goes wrong is a `Failure` with a code from this list; each door maps the codes by a
 * `Record<Code, …>`, so that a new code does not compile until every door knows it. A failure is data:
 * what failed (`path`), whose fault it is (`who`), whether trying again can help (`retry`) and what to
 * type next (`hint`). Messages are for people; programs read `code`.
 * A plain `Error` that reaches a door is a bug of ours and becomes `INTERNAL`.
 */

/** Codes with their number on the wire. Numbers are never reused. */
export const CODES = {
  PROTOCOL: 1, // the peer broke the protocol
  VERSION: 2, // no common version, or something else listens there
  LIMIT: 3, // a stated limit was exceeded
  TIMEOUT: 4, // the peer was silent, or made no progress, for too long
  CONNECT: 5, // no connection could be made
  LOST: 6, // the connection broke
  IDENTITY: 10, // the server's key is not the pinned one
  AUTH: 11, // the credentials were not accepted
  DENIED: 12, // the rights do not allow it
  NOTFOUND: 20,
  EXISTS: 21,
  NOTDIR: 22,
  ISDIR: 23,
  NOTEMPTY: 24,
  BADNAME: 25,
  PRECONDITION: 26,
  BUSY: 27,
  UNSUPPORTED: 28, // not a file or folder, or not built
  NOSPACE: 30,
  QUOTA: 31,
  IO: 32,
  CHANGED: 33, // the source changed while it was read
  VERIFY: 34, // the digest of what arrived is not that of what was sent
  CANCELLED: 40,
  SHUTDOWN: 41,
  DEADLINE: 42,
  TERMINATED: 43,
  USAGE: 50,
  INTERNAL: 60,
} as const;

export type Code = keyof typeof CODES;

/** Whose side of the transfer a failure belongs to. */
export const PARTIES = ['here', 'network', 'server', 'rule'] as const;
export type Party = (typeof PARTIES)[number];

/** Codes after which the same request may succeed unchanged. */
const RETRY: ReadonlySet<Code> = new Set<Code>(['TIMEOUT', 'CONNECT', 'LOST', 'BUSY', 'CHANGED', 'CANCELLED', 'SHUTDOWN', 'VERIFY']);

export interface FailureDetails {
  /** What it happened to: a path, an address, a word of the command line. */
  path?: string | undefined;
  who?: Party | undefined;
  /** Whether the same request may succeed unchanged; by default what the code says. */
  retry?: boolean | undefined;
  /** The next thing to type or do. */
  hint?: string | undefined;
  cause?: unknown;
}

export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: Code;
  readonly path: string | undefined;
  readonly who: Party | undefined;
  readonly retry: boolean;
  readonly hint: string | undefined;

  constructor(code: Code, message: string, details: FailureDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.path = details.path;
    this.who = details.who;
    this.retry = details.retry ?? RETRY.has(code);
    this.hint = details.hint;
  }

  /** Anything thrown, as a failure: a `Failure` stays itself, the rest is `INTERNAL`. */
  static from(error: unknown): Failure {
    if (error instanceof Failure) return error;
    if (folderIsGone(error)) return new Failure('NOTFOUND', 'the current folder here was removed', { who: 'here', hint: 'go to another folder first', cause: error });
    if (error instanceof Error && error.name === 'AbortError') return new Failure('CANCELLED', 'cancelled', { cause: error });
    const text = error instanceof Error ? error.message : String(error);
    return new Failure('INTERNAL', `internal error: ${text}`, { cause: error });
  }

  /** The same failure, told about `path` and the party it happened at where these were not known yet. */
  at(path: string | undefined, who?: Party): Failure {
    if (this.path !== undefined && (this.who !== undefined || who === undefined)) return this;
    return new Failure(this.code, this.message, {
      path: this.path ?? path, who: this.who ?? who, retry: this.retry, hint: this.hint, cause: this.cause,
    });
  }
}

/** Whoever needs the folder that the process runs in learns so only when it asks for it, anywhere. */
function folderIsGone(error: unknown): boolean {
  const { code, syscall } = Object(error) as NodeJS.ErrnoException;
  return code === 'ENOENT' && syscall === 'uv_cwd';
}

/** Of a disk on which nobody may write, whatever rights there are. */
export const READ_ONLY = 'the disk is read-only';

/** What the operating system's errors mean to us. A name that is missing here becomes `IO`. */
const ERRNO: Readonly<Record<string, readonly [Code, string]>> = {
  ENOENT: ['NOTFOUND', 'no such file or folder'],
  EEXIST: ['EXISTS', 'already exists'],
  ENOTDIR: ['NOTDIR', 'not a folder'],
  EISDIR: ['ISDIR', 'is a folder'],
  ENOTEMPTY: ['NOTEMPTY', 'the folder is not empty'],
  EACCES: ['DENIED', 'permission denied'],
  EPERM: ['DENIED', 'not permitted'],
  EROFS: ['DENIED', READ_ONLY],
  ENOSPC: ['NOSPACE', 'no space left on the disk'],
  EDQUOT: ['QUOTA', 'the disk quota is used up'],
  EFBIG: ['NOSPACE', 'larger than this disk allows'],
  ENAMETOOLONG: ['BADNAME', 'the name is too long for this disk'],
  EILSEQ: ['BADNAME', 'this disk does not accept the name'],
  EINVAL: ['BADNAME', 'this disk does not accept the name'],
  ELOOP: ['DENIED', 'a symbolic link, which is never followed'],
  EXDEV: ['UNSUPPORTED', 'on another disk'],
  EMFILE: ['BUSY', 'too many files are open'],
  ENFILE: ['BUSY', 'too many files are open on this machine'],
  EBUSY: ['BUSY', 'in use'],
  ETXTBSY: ['BUSY', 'in use'],
  ENXIO: ['UNSUPPORTED', 'neither a file nor a folder'],
};

/** Calls that are given a name: only of these EINVAL says that the disk does not take it. Of others (a flush, a write) it says that the disk cannot do that. */
const NAMING: ReadonlySet<string> = new Set(['open', 'mkdir', 'rename', 'link', 'symlink', 'lstat', 'stat', 'unlink', 'rmdir', 'opendir', 'scandir', 'copyfile', 'realpath']);

/** An error of `node:fs` as a failure about `path` at `who`; a `Failure` is only told where it happened. */
export function fromErrno(error: unknown, path?: string, who?: Party): Failure {
  if (error instanceof Failure) return error.at(path, who);
  const { code: errno, syscall } = Object(error) as NodeJS.ErrnoException;
  if (errno === undefined || folderIsGone(error)) return Failure.from(error).at(path, who);
  const known = errno === 'EINVAL' && !NAMING.has(syscall ?? '') ? undefined : ERRNO[errno];
  const [code, text] = known ?? ['IO', `disk error ${errno}`];
  return new Failure(code, text, { path, who, cause: error });
}
