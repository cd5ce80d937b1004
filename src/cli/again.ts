/**
 * Again: the command that goes on with a transfer that was cut off, and leads to the same place. Pure.
 *
 * The same words do, and are told as they were typed where a person interrupted. Of a folder that was not there before, put leaves
 * out by `--update` what has arrived: whatever has its name there is whole, and came from here. Where it could not be noted that a
 * folder took the target as its name, the same words would put it into that by then; `FOLDER/.` puts what is in it there.
 */
import type { Item } from '../client/api.ts';
import { printable } from '../printable.ts';
import type { Spot } from './advice.ts';
import { isCut } from './going.ts';
import { quoted } from './script/words.ts';

export interface Typed {
  readonly verb: 'put' | 'get';
  /** The flags as read: a word for those that have a value, several for those that can be given often. */
  readonly flags: Readonly<Record<string, boolean | string | readonly string[] | undefined>>;
  readonly source: string;
  readonly target: string;
}

/** How a transfer goes on. */
export interface Again {
  /** Whether the folder took the target as its name. */
  readonly isNamed: boolean;
  /** The command, where it is not told as the same one. */
  readonly line: string | undefined;
  /** What is to be known before it is typed. */
  readonly warning: string | undefined;
}

/** With --if-absent what has arrived is in the way of the same command. Without it, files of others could be replaced: so it stays. */
const ARRIVED_EXISTS = 'because of --if-absent, files that have arrived will be told as existing';

export type AgainOf = (item: Item) => Again | undefined;

/** What was typed, and what came of it. */
interface Ran {
  readonly verb: 'put' | 'get';
  readonly flags: Typed['flags'] & { readonly 'if-absent': boolean };
  readonly local: readonly string[];
  readonly remote: readonly string[];
  readonly naming: { readonly isNamed: boolean; readonly isKept: boolean; readonly isFresh: boolean };
  /** Whether a person interrupted it, or its time is over. */
  readonly signal: AbortSignal;
}

/** How an item goes on. */
export function againAs(spot: Spot, { verb, flags: typed, local, remote, naming, signal }: Ran): AgainOf {
  const [source = '', target = ''] = verb === 'put' ? [local[0], remote[0]] : [remote[0], local[0]];
  return ({ kind, failure }) => {
    const isFolder = kind === 'folder';
    const leaves = verb === 'put' && isFolder && naming.isFresh && (signal.aborted || isCut(failure));
    const flags = leaves ? { ...typed, update: true } : { ...typed };
    const same = signal.aborted || leaves ? sameAgain(spot, { verb, flags, local, remote }) : undefined;
    return {
      isNamed: isFolder && naming.isNamed,
      line: isFolder && !naming.isKept ? contentsAgain(spot, { verb, flags, source, target }) : same,
      warning: isFolder && typed['if-absent'] && !(leaves && same !== undefined) ? ARRIVED_EXISTS : undefined,
    };
  };
}

/** What to type so that the contents of the folder `source` go on to `target`. */
export function contentsAgain({ place, server }: Spot, { verb, flags, source, target }: Typed): string {
  const remote = (path: string): string => (place === 'prompt' ? undashed(path) : `${server ?? ''}:${path}`);
  const contents = `${source.replace(/\/+$/, '')}/.`;
  const words = verb === 'put' ? [undashed(contents), remote(target)] : [remote(contents), undashed(target)];
  const program = place === 'prompt' ? [] : ['wherry'];
  return [...program, verb, ...flagWords(flags), ...words].map((word) => quoted(printable(word))).join(' ');
}

/** A line longer than this says less than «the same command», which the shell's history has. */
const LONGEST_LINE = 400;

/** The words of a put or get as they were typed, sources first; undefined where that would be too long to be read. */
function sameAgain({ place, server }: Spot, { verb, flags, local, remote }: { verb: 'put' | 'get'; flags: Typed['flags']; local: readonly string[]; remote: readonly string[] }): string | undefined {
  const there = (place === 'prompt' ? remote : remote.map((path) => `${server ?? ''}:${path}`)).map(undashed);
  const named = verb === 'put' && place === 'shell' && remote.length === 0 && server !== undefined ? [`${server}:`] : there;
  const words = verb === 'put' ? [...local.map(undashed), ...named] : [...there, ...local.map(undashed)];
  const line = [...(place === 'prompt' ? [] : ['wherry']), verb, ...flagWords(flags), ...words].map((word) => quoted(printable(word))).join(' ');
  return line.length > LONGEST_LINE ? undefined : line;
}

/** The word in a form that is no flag. */
function undashed(word: string): string {
  return word.startsWith('-') && word !== '-' ? `./${word}` : word;
}

function flagWords(flags: Typed['flags']): string[] {
  return Object.entries(flags).flatMap(([name, value]) => {
    if (value === true) return [`--${name}`];
    return (typeof value === 'string' ? [value] : Array.isArray(value) ? (value as readonly string[]) : []).flatMap((one) => (one.startsWith('-') ? [`--${name}=${one}`] : [`--${name}`, one]));
  });
}
