/**
 * Command: what one entry of the table states, and how its words become a call.
 *
 * Two makers: `remote` for commands that talk to a server, `plain` for the others. Both tie the flags a command
 * declares to the type its function receives. A command is data until it is called: functions live in files
 * that are loaded only then, so that `wherry --help` loads nothing.
 */
import type { Client } from '../client/api.ts';
import type { RemotePath } from '../path.ts';
import type { Right } from '../rights.ts';
import { Failure } from '../errors.ts';
import { printable } from '../printable.ts';
import { parseArguments, type Flags, type Values } from './arguments.ts';
import { promptPlaces, shellPlaces, type Places, type Shape } from './places.ts';
import type { Report } from './report.ts';
import { closest } from './suggest.ts';
import type { Terminal } from './terminal.ts';

/** A connection with the two folders that relative paths start from. */
export interface Session {
  client: Client;
  /** The remote folder. */
  cwd: RemotePath;
  /** The local folder, absolute. The process's own current folder is never changed. */
  localFolder: string;
  /** Set by `bye`. */
  ended: boolean;
}

/** What a running command works with. */
export interface Context {
  readonly terminal: Terminal;
  readonly report: Report;
  readonly settings: Settings;
  /** Aborted with a `Failure` as its reason: ^C, SIGTERM, or the deadline. */
  readonly signal: AbortSignal;
  readonly session: Session | undefined;
}

export interface Work extends Context {
  readonly session: Session;
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
  run(context: Context): Promise<number>;
}

export interface Command extends Required<Description<Flags>> {
  /** Whether it needs a connection. */
  readonly connects: boolean;
  /** Reads the words; runs nothing. Throws USAGE. */
  read(words: readonly string[], at: 'shell' | 'prompt', exists: (name: string) => boolean): Ready;
}

interface RemoteCommand<F extends Flags> extends Description<F> {
  run(work: Work, call: Call<F>): Promise<number>;
}

interface PlainCommand<F extends Flags> extends Description<F> {
  run(context: Context, call: Call<F>): Promise<number>;
}

/** A command on a server. It resolves with its exit code. */
export function remote<const F extends Flags>(given: RemoteCommand<F>): Command {
  return build(given, true, (context, call) => {
    const { session } = context;
    if (session === undefined) throw new Failure('INTERNAL', `${given.name} was run without a connection`);
    return given.run({ ...context, session }, call);
  });
}

/** A command that connects by itself, or not at all. */
export function plain<const F extends Flags>(given: PlainCommand<F>): Command {
  return build(given, false, (context, call) => given.run(context, call));
}

function build<F extends Flags>(given: Description<F>, connects: boolean, run: (context: Context, call: Call<F>) => Promise<number>): Command {
  const { name, aliases, where, words, promptWords, shape, count, summary, details, flags, examples, needs } = given;
  return {
    name, where, words, count, summary, flags, examples, needs, connects, aliases: aliases ?? [], details: details ?? [],
    promptWords: promptWords ?? words, shape: shape ?? 'plain',
    read(typed, at, exists) {
      const parsed = parseArguments(flags, typed, at === 'shell');
      const { json, quiet, verbose, help, server, home, deadline, 'no-input': noInput = false } = parsed.common;
      const settings = { json, quiet, verbose, help, server, home, deadline, noInput };
      // Who asks for help need not get the rest right.
      if (help) return { settings, server: undefined, words: parsed.words, run: () => Promise.resolve(0) };
      checkCount(name, count, parsed.words.length);
      const places = at === 'shell' ? shellPlaces(shape ?? 'plain', parsed.words, exists) : promptPlaces(shape ?? 'plain', parsed.words);
      return { settings, server: places.server, words: parsed.words, run: (context) => run(context, { ...places, flags: parsed.values }) };
    },
  };
}

function checkCount(name: string, [least, most]: Description<Flags>['count'], found: number): void {
  if (found < least) throw new Failure('USAGE', found === 0 ? `${name} needs to know what` : `${name} needs ${least} words, not ${found}`);
  if (found > most) throw new Failure('USAGE', most === 0 ? `${name} takes no words` : `${name} takes at most ${most === 1 ? '1 word' : `${most} words`}, not ${found}`, {
    hint: 'put quotes around a name with spaces',
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

/** As `lookUp`. Throws USAGE, with the closest name. */
export function findCommand(commands: readonly Command[], word: string, place: 'shell' | 'prompt'): Command {
  const found = lookUp(commands, word, place);
  if (found !== undefined) return found;
  const there = commandsAt(commands, place);
  const near = closest(word, there.flatMap((command) => [command.name, ...command.aliases]));
  const prefix = place === 'shell' ? 'wherry ' : '';
  throw new Failure('USAGE', `there is no command ${printable(word)}`, { hint: near === undefined ? `${prefix}help lists all of them` : `did you mean ${prefix}${near}?` });
}
