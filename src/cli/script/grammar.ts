/**
 * Grammar: what a line at the prompt, or of a script, says to do. Pure.
 *
 *     line    = [ "-" ] [ "@" ] [ step { ( ";" | "&&" | "||" ) step } [ ";" ] ]
 *     step    = words [ ( ">" | ">>" ) FILE ] [ "|" SHELL ] [ "&" ]   |   "!" SHELL
 *     SHELL   = what a shell on this machine is given: up to the next ";", "&&" or "||" behind "|", else up to the end
 *
 * As in `sh`, "&" also ends a step, `#` at the start of a word begins a comment, and all of these are plain letters in quotes. Other than
 * there, `-` before a line forgives its failure and `@` silences it (as in batches of `sftp`), and a shell gets its words unread.
 */
import { Failure } from '../../errors.ts';
import { MAX_LINE, OPERATORS, readWord, type Word } from './words.ts';

/** What the step before must have come to for this one to be done: anything, success, or failure. */
export type Joint = ';' | '&&' | '||';

export interface Step {
  readonly joint: Joint;
  /** The command and its words; none when the step is a `shell` alone. */
  readonly words: readonly Word[];
  /** `!SHELL`: a command of this machine; '' for a shell to type in. */
  readonly shell: string | undefined;
  /** A file here that the answers go to. */
  readonly into: { readonly file: Word; readonly append: boolean } | undefined;
  /** A command of this machine that reads the answers. */
  readonly pipe: string | undefined;
  /** Ended by `&`: as a job. */
  readonly isJob: boolean;
}

export interface Line {
  readonly isForgiven: boolean;
  readonly isSilent: boolean;
  readonly steps: readonly Step[];
}

/** What a line says. Throws USAGE. */
export function parseLine(text: string): Line {
  if (text.length > MAX_LINE) throw new Failure('USAGE', `the line is longer than ${MAX_LINE} characters`);
  const [prefix = ''] = /^\s*[-@]*/.exec(text) ?? [];
  const marks = prefix.trim();
  if (marks.length > 2 || (marks.length === 2 && marks[0] === marks[1])) throw new Failure('USAGE', `${marks} before a command means nothing`, { hint: '- forgives a failure, @ silences, -@ does both' });
  return { isForgiven: marks.includes('-'), isSilent: marks.includes('@'), steps: new Reader(text, prefix.length).steps() };
}

class Reader {
  readonly #text: string;
  #at: number;

  constructor(text: string, at: number) {
    this.#text = text;
    this.#at = at;
  }

  steps(): Step[] {
    const steps: Step[] = [];
    let joint: Joint = ';';
    for (;;) {
      const step = this.#step(joint);
      if (step === undefined && joint !== ';') throw new Failure('USAGE', `there is no command behind ${joint}`);
      if (step !== undefined) steps.push(step);
      const next = this.#joint();
      if (next === undefined) return steps;
      if (step === undefined) throw new Failure('USAGE', `there is no command before ${next}`, { hint: `quote a name that has ${next[0]!} in it` });
      joint = next;
      if (step.isJob && joint !== ';') throw new Failure('USAGE', `& ${joint}: how a job ends is not known yet`, { hint: 'wait waits for it' });
    }
  }

  /** What joins the next step; undefined at the end. `&` has ended one already. */
  #joint(): Joint | undefined {
    this.#space();
    if (this.#at >= this.#text.length) return undefined;
    for (const joint of ['&&', '||', ';'] as const) {
      if (!this.#text.startsWith(joint, this.#at)) continue;
      this.#at += joint.length;
      return joint;
    }
    return ';';
  }

  #step(joint: Joint): Step | undefined {
    this.#space();
    if (this.#text[this.#at] === '!') {
      const shell = this.#text.slice(this.#at + 1).trim();
      this.#at = this.#text.length;
      return { joint, words: [], shell, into: undefined, pipe: undefined, isJob: false };
    }
    const words = this.#words();
    if (words.length === 0) {
      const letter = this.#text[this.#at];
      if (letter === '>' || letter === '|' && this.#text[this.#at + 1] !== '|') throw new Failure('USAGE', `there is no command before ${letter}`, { hint: `quote a name that has ${letter} in it` });
      if (letter === '&' && this.#text[this.#at + 1] !== '&') throw new Failure('USAGE', 'there is no command before &', { hint: 'quote a name that has & in it' });
      return undefined;
    }
    const into = this.#into();
    const pipe = this.#pipe();
    if (into !== undefined && pipe !== undefined) throw new Failure('USAGE', 'the answers cannot go to a file and to a command', { hint: '| tee FILE does both' });
    const isJob = this.#text[this.#at] === '&' && this.#text[this.#at + 1] !== '&';
    if (isJob) this.#at += 1;
    if (isJob && (into !== undefined || pipe !== undefined)) throw new Failure('USAGE', 'a job answers to nobody: & does not go with > or |', { hint: 'jobs -l N shows what it said' });
    return { joint, words, shell: undefined, into, pipe, isJob };
  }

  #words(): Word[] {
    const words: Word[] = [];
    for (this.#space(); this.#at < this.#text.length && !OPERATORS.test(this.#text[this.#at]!); this.#space()) words.push(this.#word());
    return words;
  }

  #word(): Word {
    const { word, end } = readWord(this.#text, this.#at, OPERATORS);
    if (this.#text[end] === '>' && /^\d+$/.test(this.#text.slice(this.#at, end))) throw new Failure('USAGE', `${word.text}>: only answers go to a file, with >`, { hint: `put a space before > if ${word.text} is a name` });
    this.#at = end;
    return word;
  }

  #into(): Step['into'] {
    if (this.#text[this.#at] !== '>') return undefined;
    const append = this.#text[this.#at + 1] === '>';
    this.#at += append ? 2 : 1;
    const [file, ...more] = this.#words();
    if (file === undefined || more.length > 0) throw new Failure('USAGE', `behind ${append ? '>>' : '>'} stands one file name`, { hint: 'quote a name with spaces' });
    if (this.#text[this.#at] === '>') throw new Failure('USAGE', 'the answers can go to one file only');
    return { file, append };
  }

  #pipe(): string | undefined {
    if (this.#text[this.#at] !== '|' || this.#text[this.#at + 1] === '|') return undefined;
    const start = this.#at + 1;
    this.#at = endOfShell(this.#text, start);
    const command = this.#text.slice(start, this.#at).trim();
    if (command === '') throw new Failure('USAGE', 'there is no command behind |', { hint: 'as in: ls | grep report' });
    return command;
  }

  /** To the next letter that counts; a comment ends the line. */
  #space(): void {
    while (this.#at < this.#text.length && /\s/.test(this.#text[this.#at]!)) this.#at += 1;
    if (this.#text[this.#at] === '#') this.#at = this.#text.length;
  }
}

/**
 * Where what a shell is given ends: before `;`, `&&`, `||` or a comment, outside its quotes and parentheses. Its single `|`
 * and `&` are its own.
 */
function endOfShell(text: string, start: number): number {
  let quote: string | undefined;
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const letter = text[at]!;
    if (letter === '\\' && quote !== "'") at += 1;
    else if (quote !== undefined) quote = letter === quote ? undefined : quote;
    else if (/['"`]/.test(letter)) quote = letter;
    else if (letter === '(') depth += 1;
    else if (letter === ')') depth -= 1;
    else if (letter === '#' && /\s/.test(text[at - 1]!)) return at;
    else if (depth > 0) continue;
    else if (letter === ';' || text.startsWith('&&', at) || text.startsWith('||', at)) return at;
  }
  return text.length;
}
