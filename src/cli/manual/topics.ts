/**
 * Topics: what concerns all commands: exit codes, places, the environment, files. Pure. `help TOPIC` shows one, the manual
 * page all. What each exit code means stands here in words; which failure has which is `exits.ts`.
 */
import type { Command } from '../command.ts';
import { DONE, EXITS, SOME_FAILED, UNHEARD, USAGE } from '../exits.ts';
import type { Section } from './blocks.ts';

export interface Topic extends Section {
  /** What is typed behind help. */
  readonly name: string;
}

/** Every exit code there is, in words. */
export const EXIT_MEANINGS: ReadonlyMap<number, string> = new Map([
  [DONE, 'all done and verified'],
  [SOME_FAILED, 'some of several items failed, or something that has no code of its own: a disk, a mistake of Wherry'],
  [USAGE, 'what was typed makes no sense, or a name cannot be one'],
  [EXITS.CONNECT, 'no connection, or no Wherry at the other end'],
  [EXITS.IDENTITY, 'the server has another key than the one that was joined'],
  [EXITS.AUTH, 'not signed in, or not allowed'],
  [EXITS.NOTFOUND, 'no such file, folder or server'],
  [EXITS.EXISTS, 'something is in the way, or is of another kind than expected'],
  [EXITS.NOSPACE, 'no space left, or the quota is used up'],
  [EXITS.VERIFY, 'what arrived is not what was sent'],
  [EXITS.CHANGED, 'the source changed while it was read'],
  [EXITS.BUSY, 'temporary: the same command again is safe, and may succeed'],
  [EXITS.DEADLINE, 'the time of --deadline has passed'],
  [EXITS.CANCELLED, 'interrupted (^C)'],
  [UNHEARD, 'the reader of the answers went away'],
  [EXITS.TERMINATED, 'ended by SIGTERM'],
]);

const EXIT: Topic = {
  name: 'exit', title: 'Exit codes', blocks: [
    { text: 'Of one thing that was asked for the exit code is its own; of several it is 1 when some failed. The numbers never change.' },
    { terms: [...EXIT_MEANINGS].map(([code, meaning]) => [String(code), meaning]) },
    { text: 'With --json each failure is an object with code, path, who, retry, message, hint and exit. At the prompt, exit ends the session, as bye does.' },
  ],
};

const PLACES: Topic = {
  name: 'places', title: 'Places', blocks: [
    { text: 'A place on a server is [NAME]:PATH. An empty NAME is the default server: the one of --server, else of $WHERRY_SERVER, else the one joined first. PATH begins at the served folder. At the prompt the server is known: photos and :photos are the same place there, and : alone is the folder one is in.' },
    { terms: [
      [':', 'the served folder of the default server'], [':photos/one.jpg', 'a file in it'], ['lab:photos', 'the same of the server lab'],
      ['./lab:photos', 'a file here whose name has a colon'], ['photos/', 'with a slash behind: a folder, to put things into'],
      ['./:photos', 'at the prompt: a file whose name begins with a colon; so does quoting it'],
      ['photos/.', 'what is in the folder, not the folder'], ['-', 'standard input or output, in place of a file here'],
    ] },
  ],
};

const SYNTAX: Topic = {
  name: 'syntax', title: 'Lines of the prompt', blocks: [
    { text: 'Lines at the prompt, and of a batch, are read as sh reads them. Words are separated by spaces; quotes and backslashes keep letters that mean something.' },
    { terms: [
      ["'...' \"...\" \\", 'keep spaces and all that follows here'], ['# ...', 'at the start of a word: a comment'],
      ['A ; B', 'A, then B'], ['A && B', 'B if A went well'], ['A || B', 'B if A failed'], ['A &', 'A as a job that goes on by itself'],
      ['A > FILE', 'the answers of A to a file here; >> adds to it'], ['A | COMMAND', 'the answers of A to a command of this machine'], ['!COMMAND', 'a command of this machine; ! alone, a shell'],
      ['* ? [a-z] [!a-z]', 'in a name: any letters, one, one of a set'], ['**', 'any folders; at the end, all files below'], ['{a,b}', 'a and b'], ['~/', 'in a place here: the home folder'],
      ['-A', 'A may fail'], ['@A', 'A says nothing but what failed; -@A does both'],
    ] },
    { text: 'Patterns stand for what is sent, fetched, listed or removed; where something goes to, and a new name, is typed as it is. Names that begin with a dot are matched by a pattern that does. A pattern that nothing matches is an error. In the shell a name on the server may be a pattern too, in quotes, where no name is just so.' },
  ],
};

const ENVIRONMENT: Topic = {
  name: 'environment', title: 'Environment', blocks: [
    { terms: [
      ['WHERRY_HOME', 'the folder with this device\'s key and the servers it knows; --home goes before it'],
      ['WHERRY_SERVER', 'the server that an empty NAME means, by its name or as HOST[:PORT]#sha256:FINGERPRINT; --server goes before it'],
      ['WHERRY_TICKET', 'the ticket for wherry join, so that it is in no command line'],
      ['WHERRY_TOKEN', 'a token to sign in with, in place of this device\'s key'],
      ['EDITOR', 'the program that edit opens; VISUAL goes before it'],
      ['VISUAL', 'the same, first of the two'],
      ['LS_COLORS', 'the colours of names in lists, as dircolors writes them'],
      ['NO_COLOR', 'when set, no colours; nor with TERM=dumb'],
      ['PAGER', 'the program that shows long help, and files with more, on a terminal; less by default, cat for none'],
      ['SHELL', 'what runs !COMMAND at the prompt'],
    ] },
  ],
};

const FILES: Topic = {
  name: 'files', title: 'Files', blocks: [
    { terms: [
      ['~/.config/wherry/device.key', 'the private key of this device; who has it is this device'],
      ['~/.config/wherry/servers.json', 'the servers this device has joined, with their keys'],
      ['~/.config/wherry/bookmarks.json', 'the bookmarks of the prompt'],
      ['~/.config/wherry/rc', 'lines that each prompt begins with, as alias'],
      ['~/.local/state/wherry/history/', 'what was typed at the prompt, a file for each server; lines with a space before them, or with what looks like a password, a token or a code, are left out'],
      ['~/.local/state/wherry/begun/', 'folders that were cut on the way to a new name, so that the same command goes on there; a file each, for 7 days'],
      ['~/.local/state/wherry/jobs/', 'the jobs, one file each, and the log of the agent that runs them'],
      ['~/.local/share/wherry/servers/', 'for each served folder the key of its server and the devices it knows; --state names another place'],
      ['/etc/wherry/wherry.toml', 'the configuration file of a server that --config auto means for root and services; ~/.config/wherry/server.toml for others'],
      ['.wherry/', 'at the top of a folder that is served or fetched into: files that have not arrived yet. What is in it goes on after a cut; it is removed when empty'],
    ] },
    { text: 'Where $WHERRY_HOME is set, all of them are in that folder but .wherry. Where $XDG_CONFIG_HOME, $XDG_DATA_HOME or $XDG_STATE_HOME is set, it takes the place of ~/.config, ~/.local/share or ~/.local/state.' },
  ],
};

export const TOPICS: readonly Topic[] = [EXIT, PLACES, SYNTAX, ENVIRONMENT, FILES];

/** The exit codes that a script has to expect of the command, besides 0 and 2. */
export function exitsOf({ connects, shape, needs, count: [, most] }: Command): number[] {
  if (!connects) return [];
  const moves = shape === 'put' || shape === 'get';
  return [
    ...(most > 1 && shape !== 'change' ? [SOME_FAILED] : []), EXITS.CONNECT, EXITS.IDENTITY, EXITS.AUTH,
    ...(shape === 'plain' && needs.length === 0 ? [] : [EXITS.NOTFOUND]),
    ...(moves || needs.some((right) => right !== 'list' && right !== 'read') ? [EXITS.EXISTS] : []),
    ...(moves ? [EXITS.NOSPACE, EXITS.VERIFY, EXITS.CHANGED] : []), EXITS.BUSY,
  ];
}
