/**
 * Advice: what to type next after a failure that came without a hint of its own. One table by code, pure.
 *
 * Whoever knows more about a failure gives it a hint where it is made; this is for the rest, so that no failure
 * leaves a person without a next step. Codes that always come with a hint, or explain themselves, are not here.
 */
import type { Code, Failure } from '../errors.ts';

type Hint = string | { readonly here: string; readonly server: string };

const HINTS: Readonly<Partial<Record<Code, Hint>>> = {
  NOTFOUND: { here: 'check the name; ls lists the folder here', server: 'wherry ls :FOLDER lists what is there' },
  EXISTS: 'choose another name',
  NOTDIR: { here: 'name a folder, or another place', server: 'name a folder, or another place; wherry stat :PATH shows what something is' },
  ISDIR: 'name a file; wherry get fetches a folder whole',
  NOTEMPTY: 'wherry rm -r removes a folder with all in it',
  BADNAME: 'choose another name',
  BUSY: 'try again in a moment',
  UNSUPPORTED: 'only files and folders can be sent; name one',
  DENIED: { here: 'check who may read or write it: ls -ld', server: 'ask the owner of the server' },
  NOSPACE: { here: 'make room here, then run the same command again', server: 'make room on the server, then run the same command again; wherry df : shows how much is free' },
  QUOTA: 'remove what is not needed, then run the same command again',
  IO: { here: 'check the disk of this machine', server: 'check the disk of the server; its log says more' },
  CHANGED: 'run the same command again when nobody writes to the file',
  VERIFY: 'run the same command again; if it happens again, test the memory and disks of both machines',
  CONNECT: 'try again; the log of the server says more',
  LOST: 'run the same command again',
  TIMEOUT: 'run the same command again',
  SHUTDOWN: 'run the same command again when the server is back',
  LIMIT: 'ask for less at once, or try again later',
  PROTOCOL: 'compare wherry --version on both machines',
  VERSION: 'compare wherry --version on both machines',
  AUTH: 'ask the owner of the server for a new ticket, then: wherry join',
  INTERNAL: 'this is a mistake in Wherry; please report it with the command that was typed',
};

/** The next thing to type or do; the failure's own hint comes first. Undefined where there is nothing to add. */
export function advise({ code, who, hint }: Pick<Failure, 'code' | 'who' | 'hint'>): string | undefined {
  if (hint !== undefined) return hint;
  const known = HINTS[code];
  return typeof known === 'object' ? known[who === 'here' ? 'here' : 'server'] : known;
}
