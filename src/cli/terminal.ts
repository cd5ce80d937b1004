/**
 * Terminal: the one voice. The only file that writes to standard output and standard error, or reads standard input.
 *
 * Data goes to standard output, words to standard error. One status line may stand at the bottom of a terminal;
 * whatever else is written takes it away first. Colour and status lines are for terminals that can show them
 * (`NO_COLOR`, `TERM=dumb`). A reader that went away (`wherry put x : | true`) ends nothing: what is written to it is
 * dropped, and whoever writes only for the reader looks at `isHeard`.
 */
import { styleText } from 'node:util';
import { Failure, fromErrno } from '../errors.ts';
import { Lines, type Completer } from './lines.ts';
import type { Output } from './report.ts';

/** Below this a terminal's claim about its width is not believed: nothing readable fits. */
const LEAST_WIDTH = 20;
const USUAL_WIDTH = 80;

/** Carriage return, then erase to the end of the line (ECMA-48 EL). */
const ERASE = '\r\u001b[K';

export class Terminal implements Output {
  readonly #input = process.stdin;
  readonly #output = process.stdout;
  readonly #errors = process.stderr;
  readonly #dumb: boolean;
  readonly #colour: boolean;
  #status = '';
  #lines: Lines | undefined;
  #heard = true;
  /** Whether words on standard error still go anywhere. */
  #worded = true;
  #fault: Failure | undefined;

  constructor(environment: Readonly<Record<string, string | undefined>> = process.env) {
    this.#dumb = environment['TERM'] === 'dumb';
    this.#colour = !this.#dumb && (environment['NO_COLOR'] ?? '') === '';
    // Without listeners an error of these streams would end the process, and with it a transfer that nobody needs to read of.
    this.#output.on('error', (error: NodeJS.ErrnoException) => this.#lost(error));
    this.#errors.on('error', () => { this.#worded = false; });
  }

  /** Whether somebody still takes what goes to standard output. */
  get isHeard(): boolean {
    return this.#heard;
  }

  /** Why standard output takes no more, where that is not its reader's wish: a full disk, most often. */
  get fault(): Failure | undefined {
    return this.#fault;
  }

  /** The first error is the one that tells; the stream accepts nothing after it. */
  #lost(error: NodeJS.ErrnoException): void {
    if (!this.#heard) return;
    this.#heard = false;
    if (error.code !== 'EPIPE') this.#fault = fromErrno(error, 'standard output', 'here');
  }

  /** Whether a person can be asked: standard input is a terminal, and so is one of the outputs. */
  get canAsk(): boolean {
    return this.#input.isTTY && (this.#output.isTTY || this.#errors.isTTY);
  }

  /** Whether answers are read by a person: lists may stand in columns. */
  get isShown(): boolean {
    return this.#output.isTTY;
  }

  /** Whether a status line can be redrawn in place. */
  get canRedraw(): boolean {
    return this.#errors.isTTY && !this.#dumb;
  }

  /** Columns of the terminal. */
  get width(): number {
    return Math.max(LEAST_WIDTH, (this.#output.isTTY ? this.#output.columns : this.#errors.columns) || USUAL_WIDTH);
  }

  /** To standard output; resolves when the system has taken it, so that a slow reader slows us, or when nobody will. */
  data(text: string | Uint8Array): Promise<void> {
    this.status('');
    if (!this.#heard) return Promise.resolve();
    return new Promise((resolve) => this.#output.write(text, (error) => {
      if (error) this.#lost(error);
      resolve();
    }));
  }

  /** One line to standard error; a failure begins in red where there is colour. */
  say(line: string, failure = false): void {
    this.status('');
    if (!this.#worded) return;
    const coloured = failure && this.#colour && this.#errors.isTTY;
    this.#errors.write(`${coloured ? line.replace(/^[^:]+:/, (head) => styleText('red', head)) : line}\n`);
  }

  /** The line at the bottom, in place of the last one; '' takes it away. Nothing where it cannot be redrawn. */
  status(line: string): void {
    if (!this.canRedraw || !this.#worded || (line === '' && this.#status === '')) return;
    this.#status = line;
    this.#errors.write(ERASE + line);
  }

  /** Asks one question and resolves with the answer, '' at the end of the input. */
  async ask(question: string): Promise<string> {
    if (!this.canAsk) throw new Failure('USAGE', 'there is nobody to ask: standard input is not a terminal');
    this.status('');
    const lines = this.#lines ?? new Lines(this.#streams());
    try {
      return (await lines.next(question, false)) ?? '';
    } finally {
      if (lines !== this.#lines) lines.close();
    }
  }

  /** Standard input, line by line, for the prompt. Call once. */
  lines(completer?: Completer): Lines {
    this.#lines = new Lines(this.#streams(), completer);
    return this.#lines;
  }

  /** Standard input as bytes; throws the signal's reason when that is aborted. Not while commands are read from it. */
  async *bytes(signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    if (this.#lines !== undefined) throw new Failure('USAGE', 'standard input is where the commands come from', { hint: 'name a file, or use wherry put - :NAME in the shell' });
    // A read that waits for a person or a pipe ends in no other way.
    const stop = () => this.#input.destroy(Failure.from(signal?.reason));
    signal?.throwIfAborted();
    signal?.addEventListener('abort', stop, { once: true });
    try {
      yield* this.#input as AsyncIterable<Uint8Array>;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  /** Standard input as text, up to `limit` bytes. Throws LIMIT when there is more. */
  async text(limit: number, signal?: AbortSignal): Promise<string> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of this.bytes(signal)) {
      size += chunk.byteLength;
      if (size > limit) throw new Failure('LIMIT', `standard input is longer than ${limit} bytes`, { who: 'here' });
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  }

  /** Nothing more is read: a standard input that somebody keeps open must not keep the process alive. */
  close(): void {
    this.#input.destroy();
  }

  #streams() {
    return { input: this.#input, output: this.#output.isTTY ? this.#output : this.#errors };
  }
}
