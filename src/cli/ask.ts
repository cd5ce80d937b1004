/**
 * Ask: may this be replaced, may that go? One question after the other, until the answer is for all the rest.
 *
 * Nobody is asked without a terminal, and not with --no-input, --json or --yes: then what was typed is what is meant. Silence
 * is a no, and so is what is not understood twice. Pure, but for the two functions that are given to it.
 */
import type { Context } from './command.ts';

export type Verdict = 'yes' | 'no' | 'all' | 'none';

const CHOICES = '[y/N/a/q]';
const MEANINGS = 'y yes, n no, a all, q none of the rest';

const WORDS: Readonly<Record<string, Verdict>> = { '': 'no', y: 'yes', yes: 'yes', n: 'no', no: 'no', a: 'all', all: 'all', q: 'none', quit: 'none', none: 'none' };

/** What was answered; undefined when that is none of the choices. */
export function verdictOf(typed: string): Verdict | undefined {
  const word = typed.trim().toLowerCase();
  return Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
}

export class Asking {
  readonly #ask: (question: string) => Promise<string>;
  readonly #say: (line: string) => void;
  #rest: boolean | undefined;

  constructor(ask: (question: string) => Promise<string>, say: (line: string) => void) {
    this.#ask = ask;
    this.#say = say;
  }

  /** The answer to everything that is still to come; undefined while that is open. */
  get rest(): boolean | undefined {
    return this.#rest;
  }

  /** `question` ends in a question mark. */
  async agrees(question: string): Promise<boolean> {
    if (this.#rest !== undefined) return this.#rest;
    let verdict = verdictOf(await this.#ask(`${question} ${CHOICES} `));
    if (verdict === undefined) {
      this.#say(MEANINGS);
      verdict = verdictOf(await this.#ask(`${question} ${CHOICES} `)) ?? 'no';
    }
    if (verdict === 'all' || verdict === 'none') this.#rest = verdict === 'all';
    return verdict === 'yes' || verdict === 'all';
  }
}

/** Who is to be asked; undefined when nobody is, and everything is agreed to. */
export function askingAt({ terminal, settings, signal }: Pick<Context, 'terminal' | 'settings' | 'signal'>, yes: boolean): Asking | undefined {
  if (yes || settings.noInput || settings.json || !terminal.canAsk) return undefined;
  return new Asking((question) => terminal.ask(question, signal), (line) => terminal.say(line));
}
