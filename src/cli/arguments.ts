/**
 * Arguments: the words after a command, as its entry in the table describes them. Pure.
 *
 * A command states its flags once, as data; what it gets has a property for each of them with the type the
 * data says, so that a flag that is read and not declared does not compile. Scanning is `node:util`'s; the
 * messages are ours, because they name the closest known flag.
 */
import { parseArgs } from 'node:util';
import { Failure } from '../errors.ts';
import type { Completes } from './line/kinds.ts';
import { closest } from '../suggest.ts';

export interface Flag {
  /** One letter. */
  readonly short?: string;
  /** What stands for the value in the usage; without it the flag is on or off. */
  readonly value?: string;
  /** What the prompt completes the value with. */
  readonly completes?: Completes;
  /** May be given several times. */
  readonly many?: true;
  /** What it does, in help; an empty one is accepted for habit's sake and not shown. */
  readonly summary: string;
}

export type Flags = Readonly<Record<string, Flag>>;

export type Values<F extends Flags> = {
  readonly [Name in keyof F]: F[Name] extends { many: true } ? readonly string[] : F[Name] extends { value: string } ? string | undefined : boolean;
};

/** Flags that every command takes. */
export const COMMON = {
  json: { summary: 'answer with one JSON object a line' },
  quiet: { short: 'q', summary: 'say nothing but what failed' },
  verbose: { short: 'v', summary: 'name each file' },
  deadline: { value: 'TIME', summary: 'give up after this long, as 30s or 10m (exit code 12)' },
  retry: { value: 'TIME', summary: 'also without a terminal: connect again for so long after a break' },
  help: { short: 'h', summary: 'show this' },
} as const satisfies Flags;

/** Flags that every command of the shell takes besides, and that make no sense once connected. */
export const SHELL_ONLY = {
  server: { value: 'NAME', summary: 'the server that an empty NAME means' },
  home: { value: 'DIR', summary: 'the folder with this device\'s key and the servers it knows' },
  'no-input': { summary: 'never ask anything' },
} as const satisfies Flags;

export interface Parsed<F extends Flags> {
  readonly values: Values<F>;
  /** The flags of `COMMON`, and of `SHELL_ONLY` where they were allowed. */
  readonly common: Values<typeof COMMON> & Partial<Values<typeof SHELL_ONLY>>;
  readonly words: readonly string[];
  /** Where each of `words` stands among all that were given. */
  readonly indexes: readonly number[];
}

/** More words than any command line has a use for: the system's own limit on argument bytes is reached first. */
const MAX_WORDS = 100_000;

/**
 * Flags and other words told apart; `--` ends the flags. Flags are the command's `own`, the common ones, and those
 * of the shell when `shell` is set. Throws USAGE for a flag that is unknown, or lacks its value.
 */
export function parseArguments<const F extends Flags>(own: F, words: readonly string[], shell = false): Parsed<F> {
  if (words.length > MAX_WORDS) throw new Failure('USAGE', `more than ${MAX_WORDS} words`);
  const flags = allFlags(own, shell);
  const options = Object.fromEntries(Object.entries(flags).map(([name, flag]) => [name, {
    type: flag.value === undefined ? 'boolean' as const : 'string' as const,
    ...(flag.short === undefined ? {} : { short: flag.short }),
  }]));
  const { tokens } = parseArgs({ args: [...words], options, strict: false, allowPositionals: true, tokens: true });
  const values = new Map<string, boolean | string | string[]>();
  for (const [name, flag] of Object.entries(flags)) {
    if (flag.many === true) values.set(name, []);
    else if (flag.value === undefined) values.set(name, false);
  }
  const rest: string[] = [];
  const indexes: number[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') {
      rest.push(token.value);
      indexes.push(token.index);
    }
    if (token.kind !== 'option') continue;
    const flag = Object.hasOwn(flags, token.name) ? flags[token.name] : undefined;
    if (flag === undefined) throw unknownFlag(flags, token.rawName, words[token.index] ?? '');
    const value = valueOf(flag, token.rawName, token.value, token.inlineValue === true);
    const earlier = values.get(token.name);
    if (Array.isArray(earlier)) earlier.push(String(value));
    else values.set(token.name, value);
  }
  // Filled from the same tables that the types are computed from.
  const all = Object.fromEntries(values);
  return { values: all as Values<F>, common: all as Parsed<F>['common'], words: rest, indexes };
}

/** All flags of one command. Where its own use the same letter as a common one (`ls -h`), its own meaning holds. */
export function allFlags(own: Flags, shell: boolean): Flags {
  const letters = new Set(Object.values(own).map(({ short }) => short));
  const common = Object.entries<Flag>(shell ? { ...COMMON, ...SHELL_ONLY } : COMMON).map(([name, flag]) => {
    const { short, ...rest } = flag;
    return [name, short === undefined || letters.has(short) ? rest : flag] as const;
  });
  return { ...own, ...Object.fromEntries(common) };
}

function valueOf(flag: Flag, typed: string, value: string | undefined, inline: boolean): string | boolean {
  if (flag.value === undefined) {
    if (value !== undefined) throw new Failure('USAGE', `${typed} takes no value`);
    return true;
  }
  // `--server --json`: the value was forgotten; one that really begins so can be written with `=`.
  if (value === undefined || (!inline && value.startsWith('-') && value !== '-')) {
    throw new Failure('USAGE', `${typed} needs a value: ${flag.value}`, { hint: `write ${typed} ${flag.value}` });
  }
  return value;
}

/** `word` has the flag in it: a whole name behind a single dash, as find has them, is read letter by letter. */
function unknownFlag(flags: Flags, typed: string, word: string): Failure {
  const shown = Object.entries(flags).filter(([, flag]) => flag.summary !== '').map(([name]) => name);
  const single = /^-([a-z][a-z-]+)(?:=|$)/.exec(word)?.[1];
  const name = typed.startsWith('--') ? closest(typed.slice(2), shown) : single === undefined ? undefined : closest(single, shown);
  return new Failure('USAGE', `there is no flag ${name === undefined || single === undefined ? typed : `-${single}`}`, { hint: name === undefined ? undefined : `did you mean --${name}?` });
}
