/**
 * Command: what one entry of the table states, and how its words become a call.
 *
 * Two makers: `remote` for commands that talk to a server, `plain` for the others. Both tie the flags a command
 * declares to the type its function receives. A command is data until it is called: functions live in files
 * that are loaded only then, so that `wherry --help` loads nothing.
 */
import { newAction } from '../client/action.ts';
import type { Client } from '../client/api.ts';
import type { RemotePath } from '../path.ts';
import type { Right } from '../rights.ts';
import { Failure } from '../errors.ts';
import { printable } from '../printable.ts';
import type { Spot } from './advice.ts';
import { parseArguments, type Flags, type Values } from './arguments.ts';
import { OF_SHAPE, type Completes } from './line/kinds.ts';
import type { Listings } from './line/listings.ts';
import { insteadOf } from './instead.ts';
import { parseDuration } from './measures.ts';
import { promptPlaces, shellPlaces, type Places, type Shape } from './places.ts';
import type { Report } from './report.ts';
import { orStopped } from './signals.ts';
import { closest } from '../suggest.ts';
import type { Terminal } from './terminal.ts';

/** Letters of a word that is no command. */
const MAX_SHOWN_WORD = 60;

/** A connection with the two folders that relative paths start from. */
export interface Session {
  client: Client;
  /** The remote folder. */
  cwd: RemotePath;
  /** The one before, for `cd -`, on the same server; and the same of the local folder. */
  cwdBefore?: RemotePath | undefined;
  localBefore?: string | undefined;
  /** The local folder, absolute. The process's own current folder is never changed. */
  localFolder: string;
  /** Whether transfers show how far they are; left out: they do. */
  progress?: boolean;
  /** Whether it was said that mput and mget take all words as sources. */
  toldMany?: boolean;
  /** Set by `bye`. */
  ended: boolean;
  /** Words that stand for the beginning of a command, and what that is. */
  readonly names: Map<string, string>;
  /** How many files are being sourced inside each other. */
  depth?: number;
  /** The jobs that were started here, and of which it is not told yet that they ended. */
  jobs?: Set<number>;
  /** What is kept for completion at a prompt. */
  listings?: Listings;
}

/** What a running command works with. */
export interface Context {
  readonly terminal: Terminal;
  readonly report: Report;
  /** Where what is to be typed next will be typed. */
  readonly spot: Spot;
  readonly settings: Settings;
  /** Aborted with a `Failure` as its reason: ^C, SIGTERM, or the deadline. */
  readonly signal: AbortSignal;
  readonly session: Session | undefined;
}

export interface Work extends Context {
  readonly session: Session;
  /** What the command does is one action, which `undo` reverses as a whole. */
  readonly action: string;
}

/** Flags common to all commands, as read. */
export interface Settings {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly help: boolean;
  readonly server: string | undefined;
  readonly home: string | undefined;
  readonly deadline: string | undefined;
  readonly retry: string | undefined;
  readonly noInput: boolean;
}

export interface Call<F extends Flags> extends Places {
  readonly flags: Values<F>;
}

/** Where a command exists. */
export type Where = 'shell' | 'prompt' | 'both';

interface Description<F extends Flags> {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly where: Where;
  /** The words after the name, as the shell takes them; `promptWords` where the prompt differs. */
  readonly words: string;
  readonly promptWords?: string;
  readonly shape?: Shape;
  /** A word to be read behind those that were typed: a target that a flag names, or the command's name implies. */
  readonly last?: (flags: Values<F>, at: 'shell' | 'prompt') => string | undefined;
  /** What the prompt completes its words with, place by place, the last one repeating; left out: what follows from the shape. */
  readonly completes?: readonly Completes[];
  /** Commands that may stand behind its name, with their words. */
  readonly carries?: readonly string[];
  /** Its words are names that are yet to be made: a pattern in them is not looked up. */
  readonly isNew?: true;
  /** Where the first word says what to do: the flags that each of these takes, and so does no word (''); those left out here are for all. */
  readonly actions?: Readonly<Record<string, readonly (keyof F & string)[]>>;
  /** A flag that, when given, takes the place of all words. */
  readonly instead?: string;
  /** Least and most words besides flags. */
  readonly count: readonly [least: number, most: number];
  readonly summary: string;
  /** Further sentences for `help NAME`. */
  readonly details?: readonly string[];
  readonly flags: F;
  readonly examples: readonly [string, ...string[]];
  /** The rights without which it can do nothing. */
  readonly needs: readonly Right[];
}

/** A command line that was understood. */
export interface Ready {
  readonly settings: Settings;
  readonly server: string | undefined;
  /** The words besides flags. */
  readonly words: readonly string[];
  /** All of them, as they were given. */
  readonly typed: readonly string[];
  run(context: Context): Promise<number>;
  /** What it does where the server does not answer; undefined: it fails. */
  readonly away: ((context: Context) => Promise<number>) | undefined;
}

export interface Command extends Required<Omit<Description<Flags>, 'last' | 'isNew' | 'instead' | 'actions'>> {
  readonly isNew: boolean;
  /** Whether the flags, or the command's name, say where to, so that all words are sources. */
  hasTarget(words: readonly string[]): boolean;
  /** Whether it needs a connection. */
  readonly connects: boolean;
  /** Reads the words; runs nothing. Throws USAGE. */
  read(words: readonly string[], at: 'shell' | 'prompt', exists: (name: string) => boolean): Ready;
}

interface RemoteCommand<F extends Flags> extends Description<F> {
  run(work: Work, call: Call<F>): Promise<number>;
  /** With --background, where the server does not answer. */
  away?(context: Context, call: Call<F>): Promise<number>;
}

interface PlainCommand<F extends Flags> extends Description<F> {
  run(context: Context, call: Call<F>): Promise<number>;
}

/** A command on a server. It resolves with its exit code. */
export function remote<const F extends Flags>(given: RemoteCommand<F>): Command {
  return build(given, true, (context, call) => {
    const { session } = context;
    if (session === undefined) throw new Failure('INTERNAL', `${given.name} was run without a connection`);
    return given.run({ ...context, session, action: newAction() }, call);
  }, given.away);
}

/** A command that connects by itself, or not at all. */
export function plain<const F extends Flags>(given: PlainCommand<F>): Command {
  return build(given, false, (context, call) => given.run(context, call));
}

/** A command that only asks another process of this machine, a server or the agent for jobs, and tells: nothing is left to tidy up. So ^C and a deadline end it at once, whatever it waits for. */
export function asking<const F extends Flags>(given: PlainCommand<F>): Command {
  return build(given, false, (context, call) => orStopped(given.run(context, call), context.signal));
}

function build<F extends Flags>(given: Description<F>, connects: boolean, run: (context: Context, call: Call<F>) => Promise<number>, away?: (context: Context, call: Call<F>) => Promise<number>): Command {
  const { name, aliases, where, words, promptWords, shape, last, completes, carries, isNew, instead, actions = {}, count, summary, details, flags, examples, needs } = given;
  return {
    name, where, words, count, summary, flags, examples, needs, connects, aliases: aliases ?? [], details: details ?? [],
    promptWords: promptWords ?? words, shape: shape ?? 'plain', isNew: isNew === true,
    completes: completes ?? OF_SHAPE[shape ?? 'plain'], carries: carries ?? [],
    hasTarget: (typed) => last?.(parseArguments(flags, typed).values, 'prompt') !== undefined,
    read(typed, at, exists) {
      const parsed = parseArguments(flags, typed, at === 'shell');
      const { json, quiet, verbose, help, server, home, deadline, retry, 'no-input': noInput = false } = parsed.common;
      if (retry !== undefined) parseDuration(retry, '--retry');
      const settings = { json, quiet, verbose, help, server, home, deadline, retry, noInput };
      // Who asks for help need not get the rest right.
      if (help) return { settings, server: undefined, words: parsed.words, typed, run: () => Promise.resolve(0), away: undefined };
      checkActions(name, actions, parsed.values, parsed.words[0]);
      if (instead === undefined || parsed.values[instead] === undefined) checkCount(name, count, parsed.words.length);
      else if (parsed.words.length > 0) throw new Failure('USAGE', `--${instead} says what, so that no further words are needed`, { hint: `type: ${name} --${instead} FILE` });
      const more = parsed.words.length === 0 ? undefined : last?.(parsed.values, at);
      const all = more === undefined ? parsed.words : [...parsed.words, more];
      const places = at === 'shell' ? shellPlaces(shape ?? 'plain', all, exists) : promptPlaces(shape ?? 'plain', all);
      const call = { ...places, flags: parsed.values };
      const isJob = away !== undefined && parsed.values['background'] === true;
      return { settings, server: places.server, words: parsed.words, typed, run: (context) => run(context, call), away: isJob ? (context) => away(context, call) : undefined };
    },
  };
}

/** A flag that is for another action of the command would be passed over without a word, and not do what it was typed for. */
function checkActions(name: string, actions: Readonly<Record<string, readonly string[]>>, values: Readonly<Record<string, unknown>>, action = ''): void {
  if (!Object.hasOwn(actions, action)) return;
  for (const [flag, value] of Object.entries(values)) {
    const takers = Object.keys(actions).filter((one) => actions[one]!.includes(flag));
    const isGiven = Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;
    if (!isGiven || takers.length === 0 || takers.includes(action)) continue;
    const called = (one: string): string => (one === '' ? name : `${name} ${one}`);
    throw new Failure('USAGE', `--${flag} is not for ${action === '' ? `${name} alone` : called(action)}`, { hint: `it is for ${takers.map(called).join(' and ')}` });
  }
}

function checkCount(name: string, [least, most]: Description<Flags>['count'], found: number): void {
  if (found < least) throw new Failure('USAGE', found === 0 ? `${name} needs to know what` : `${name} needs ${least} words, not ${found}`);
  if (found > most) throw new Failure('USAGE', most === 0 ? `${name} takes no words` : `${name} takes at most ${most === 1 ? '1 word' : `${most} words`}, not ${found}`, {
    hint: most === 0 ? undefined : 'put quotes around a name with spaces',
  });
}

function commandsAt(commands: readonly Command[], place: 'shell' | 'prompt'): Command[] {
  return commands.filter(({ where }) => where === 'both' || where === place);
}

/** The command called `word` in a place, by its name or another one, in any letter case. */
export function lookUp(commands: readonly Command[], word: string, place: 'shell' | 'prompt'): Command | undefined {
  const name = word.toLowerCase();
  return commandsAt(commands, place).find((command) => command.name === name || command.aliases.includes(name));
}

function misplaced(name: string, place: 'shell' | 'prompt'): Failure {
  if (place === 'shell') return new Failure('USAGE', `${name} is a word of the prompt`, { hint: 'wherry alone opens it' });
  return new Failure('USAGE', `${name} is typed outside of the prompt`, { hint: `say bye, then type in the shell: wherry ${name}` });
}

/** A line pasted by mistake is one word of thousands of letters; its beginning tells which. */
export function shownWord(word: string): string {
  return printable(word.length > MAX_SHOWN_WORD ? `${word.slice(0, MAX_SHOWN_WORD)}…` : word);
}

/** As `lookUp`. Throws USAGE, with the closest name. */
export function findCommand(commands: readonly Command[], word: string, place: 'shell' | 'prompt'): Command {
  const found = lookUp(commands, word, place);
  if (found !== undefined) return found;
  const elsewhere = lookUp(commands, word, place === 'shell' ? 'prompt' : 'shell');
  if (elsewhere !== undefined) throw misplaced(elsewhere.name, place);
  if (place === 'prompt' && word.toLowerCase() === 'wherry') throw new Failure('USAGE', 'at the prompt, commands are typed without the word wherry', { hint: 'leave it out; help lists what can be typed here' });
  const there = commandsAt(commands, place);
  const instead = insteadOf(word);
  if (instead !== undefined) throw new Failure('USAGE', `there is no command ${printable(word)}`, { hint: instead });
  const near = closest(word, there.flatMap((command) => [command.name, ...command.aliases]));
  const prefix = place === 'shell' ? 'wherry ' : '';
  throw new Failure('USAGE', word === '' ? 'an empty word is no command' : `there is no command ${shownWord(word)}`, { hint: near === undefined ? `${prefix}help lists all of them` : `did you mean ${prefix}${near}?` });
}
