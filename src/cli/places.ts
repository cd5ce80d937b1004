/**
 * Places: which words of a command are files here and which are on the server.
 *
 * In the shell a remote place is `[NAME]:PATH`; an empty NAME is the default server. A word is one when the part
 * before its first colon is letters, digits, `.`, `_` and `-`, and no local file has exactly that name. At the
 * prompt the server is known, and position decides; a colon before a place there means the same place.
 */
import { Failure } from '../errors.ts';
import { printable } from '../printable.ts';

/** How a command reads its words: `put` LOCAL… [REMOTE], `get` REMOTE… [LOCAL], all `remote`, `change` OLD NEW, `chmod` MODE and then all remote, or `plain` words of its own. */
export type Shape = 'put' | 'get' | 'remote' | 'change' | 'chmod' | 'plain';

export interface Places {
  readonly words: readonly string[];
  readonly local: readonly string[];
  /** Paths on the server, as typed, without the server's name. */
  readonly remote: readonly string[];
  /** The server named in the words; undefined: the default one. */
  readonly server: string | undefined;
}

/** Standard input or output in place of a local file. */
export const STANDARD = '-';

const REMOTE = /^([A-Za-z0-9._-]*):(.*)$/s;

export interface Remote {
  readonly server: string;
  readonly path: string;
}

/** The word as `[NAME]:PATH`; undefined when it is no such word. `exists` says whether a local file has a name. */
export function parseRemote(word: string, exists: (name: string) => boolean): Remote | undefined {
  const match = REMOTE.exec(word);
  if (match === null || exists(word)) return undefined;
  return { server: match[1]!, path: match[2]! };
}

/** The places of a command typed in the shell. Throws USAGE. */
export function shellPlaces(shape: Shape, words: readonly string[], exists: (name: string) => boolean): Places {
  if (shape === 'plain') return { words, local: [], remote: [], server: undefined };
  if (shape === 'chmod') return { ...shellPlaces('remote', words.slice(1), exists), words };
  const found = words.map((word) => parseRemote(word, exists));
  const last = words.length - 1;
  if (shape === 'put') {
    const target = last > 0 ? found[last] : undefined;
    if (last === 0 && found[0] !== undefined) throw new Failure('USAGE', 'there is nothing to send', { hint: `name the file first: wherry put FILE ${printable(words[0]!)}` });
    const local = target === undefined ? words : words.slice(0, last);
    for (const [index, word] of local.entries()) if (found[index] !== undefined) throw notLocal(word);
    return { words, local, remote: target === undefined ? [] : [target.path], server: oneServer([target]) };
  }
  const local = shape === 'get' && last > 0 && found[last] === undefined ? [words[last]!] : [];
  const remotes = words.slice(0, words.length - local.length).map((word, index) => found[index] ?? bare(shape, word, index, found[0]));
  return { words, local, remote: remotes.map(({ path }) => path), server: oneServer(remotes) };
}

function notLocal(word: string): Failure {
  return new Failure('USAGE', `${printable(word)} reads as a place on the server, and put sends what is here`, { hint: 'name files or folders here first, and one place on the server last; a file whose name has a colon is written ./NAME' });
}

/** A word without a colon is refused rather than guessed at: `wherry rm notes` could be meant for this machine. */
function bare(shape: Shape, word: string, index: number, first: Remote | undefined): Remote {
  // The new name of something can only be where the old one is.
  if (shape === 'change' && index > 0 && first !== undefined) return { server: first.server, path: word };
  const hint = `write :${printable(word)} for a place on the server${shape === 'get' ? '; only the last word of get may be a place here' : ''}`;
  throw new Failure('USAGE', `${printable(word)} is not a place on the server`, { hint });
}

/** The one server that all remote places name; undefined for the default one. */
function oneServer(remotes: readonly (Remote | undefined)[]): string | undefined {
  const names = new Set(remotes.filter((remote) => remote !== undefined).map(({ server }) => server));
  if (names.size > 1) throw new Failure('USAGE', `all words of one command must name the same server, not ${[...names].map((name) => `${name}:`).join(' and ')}`);
  const [name] = names;
  return name === undefined || name === '' ? undefined : name;
}

/** A place on the server as the shell has it is the same place; a name that begins with a colon is `./:NAME`. */
function withoutColon(word: string): string {
  return !word.startsWith(':') ? word : word === ':' ? '.' : word.slice(1);
}

/** The places of a command typed at the prompt. A colon before a place on the server may be left out. */
export function promptPlaces(shape: Shape, words: readonly string[]): Places {
  const places = { words, local: [], remote: [], server: undefined };
  if (shape === 'plain') return places;
  if (shape === 'chmod') return { ...promptPlaces('remote', words.slice(1)), words };
  const [others, last] = [words.slice(0, -1), words.at(-1)];
  if (shape === 'put') return words.length === 1 ? { ...places, local: words } : { ...places, local: others, remote: words.slice(-1).map(withoutColon) };
  const hasTarget = shape === 'get' && others.length > 0 && !isOnServer(last!);
  return { ...places, remote: (hasTarget ? others : words).map(withoutColon), local: hasTarget ? [last!] : [] };
}

/** Whether a word says by its colon that it is on the server: as in the shell, the last one of `get` then is no place here. */
export function isOnServer(word: string): boolean {
  return word.startsWith(':');
}
