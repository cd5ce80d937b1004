/**
 * Advice: what to type next after a failure that came without a hint of its own. One table by code, pure.
 *
 * Whoever knows more about a failure gives it a hint where it is made; this is for the rest, so that no failure
 * leaves a person without a next step. Codes that always come with a hint, or explain themselves, are not here.
 *
 * Hints are written wherever a failure is made, as one types them in the shell for the default server. Here, and only here,
 * they become what has to be typed where the person is: at the prompt, or for another server.
 */
import { READ_ONLY, type Code, type Failure } from '../errors.ts';

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

/** Permissions say nothing about a disk on which nobody may write. */
const UNWRITABLE: Hint = { here: 'choose another folder, or have the disk mounted for writing', server: 'ask the owner of the server to have its disk mounted for writing' };

/** What fits one command better than the rest. */
const HINTS_OF: Readonly<Record<string, Readonly<Partial<Record<Code, Hint>>>>> = {
  put: {
    ISDIR: 'name another target; a slash behind a folder means into it',
    NOTFOUND: { here: 'check the name; ls lists the folder here', server: 'make the folder first: wherry mkdir -p :FOLDER' },
  },
  get: { ISDIR: 'name another target; a slash behind a folder means into it' },
  change: { ISDIR: 'choose another new name; a slash behind NEW means into that folder' },
};

/** Where the person is who reads the advice. */
export interface Spot {
  readonly place: 'shell' | 'prompt';
  /** The server that was named; undefined: the default one. */
  readonly server: string | undefined;
}

export type Advice = (failure: Pick<Failure, 'code' | 'who' | 'hint' | 'message'>, verb?: string) => string | undefined;

/** The next thing to type or do, as it is typed at `spot`; the failure's own hint comes first. Undefined where there is nothing to add. */
export function adviseAt(spot: Spot): Advice {
  return ({ code, who, hint, message }, verb = '') => {
    const known = message === READ_ONLY ? UNWRITABLE : HINTS_OF[verb]?.[code] ?? HINTS[code];
    const found = hint ?? (typeof known === 'object' ? known[who === 'here' ? 'here' : 'server'] : known);
    return found === undefined ? undefined : typedAt(spot, found);
  };
}

/** A command on files of the server, or on jobs, up to the end of its clause. */
const COMMAND = /\bwherry ((?:put|get|change|ls|cat|rm|mkdir|rmdir|stat|du|df|find|hash|chmod|more|edit|undo|help|jobs|wait|fg|bg|pause|kill|queue)\b[^;]*)/g;
/** A place on the default server. */
const PLACE = /(?<= ):/g;

function typedAt({ place, server }: Spot, hint: string): string {
  if (place === 'shell') return server === undefined ? hint : hint.replace(COMMAND, (command) => command.replace(PLACE, `${server}:`));
  const here = hint.replace('ls lists the folder here', 'lls lists the folder here').replace(/(?<!wherry )\b(?:ls -ld|mkdir)\b/, '!$&');
  // What can be done in the shell only is said for the shell.
  return / in the shell\b/.test(here) ? here : here.replace(COMMAND, (_, command: string) => command.replace(/ :(?=\s|$)/g, '').replace(PLACE, ''));
}
