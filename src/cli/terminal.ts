/**
 * Terminal: the one voice. The only file that writes to standard output and standard error, or reads standard input.
 *
 * Data goes to standard output, words to standard error. A status of some rows may stand at the bottom of a terminal;
 * words are written above it, and data takes it away first. The cursor is hidden with it, and given back however the process ends. Colour and status lines are for terminals that can show them
 * (`NO_COLOR`, `TERM=dumb`). A reader that went away (`wherry put x : | true`) ends nothing: what is written to it is
 * dropped, and whoever writes only for the reader looks at `isHeard`.
 */
import type { Key } from 'node:readline';
import { styleText } from 'node:util';
import { Failure } from '../errors.ts';
import type { Editor } from './line/editor.ts';
import type { Habits } from './line/habits.ts';
import type { Lines } from './line/lines.ts';
import { paintBy, PLAIN, type Paint } from './line/lscolors.ts';
import { Outlet } from './outlet.ts';
import { NOTHING, redraw, SHOW, type Drawn } from './region.ts';
import type { Output } from './report.ts';

/** Below this a terminal's claim about its width is not believed: nothing readable fits. */
const LEAST_WIDTH = 20;
const USUAL_WIDTH = 80;
const USUAL_ROWS = 24;

export class Terminal implements Output {
  readonly #input = process.stdin;
  readonly #output = process.stdout;
  readonly #errors = process.stderr;
  readonly #dumb: boolean;
  readonly #colour: boolean;
  #status: Drawn = NOTHING;
  readonly #names: string | undefined;
  #editor: Editor | undefined;
  /** Whether standard input is where commands come from. */
  #commanded = false;
  readonly #own = new Outlet(this.#output, 'standard output');
  /** Where answers go at present. */
  #outlet = this.#own;
  /** How often something was written to standard output. */
  answers = 0;
  /** Whether words on standard error still go anywhere. */
  #worded = true;

  constructor(environment: Readonly<Record<string, string | undefined>> = process.env) {
    this.#dumb = environment['TERM'] === 'dumb';
    this.#names = environment['LS_COLORS'];
    this.#colour = !this.#dumb && (environment['NO_COLOR'] ?? '') === '';
    // Without a listener an error would end the process.
    this.#errors.on('error', () => { this.#worded = false; });
    process.once('exit', () => { if (this.#status !== NOTHING && this.#worded) this.#errors.write(SHOW); });
  }

  /** Whether somebody still takes what goes to standard output. */
  get isHeard(): boolean {
    return this.#outlet.isHeard;
  }

  /** Why standard output takes no more, where that is not its reader's wish: a full disk, most often. */
  get fault(): Failure | undefined {
    return this.#own.fault;
  }

  /** Whether a person can be asked: standard input is a terminal, and so is one of the outputs. */
  get canAsk(): boolean {
    return this.#input.isTTY && (this.#output.isTTY || this.#errors.isTTY);
  }

  /** Whether answers are read by a person: lists may stand in columns. */
  get isShown(): boolean {
    return this.#output.isTTY && this.#outlet === this.#own;
  }

  /** Whether a status line can be redrawn in place. */
  get canRedraw(): boolean {
    return this.#errors.isTTY && !this.#dumb;
  }

  /** Columns of the terminal. */
  get width(): number {
    return Math.max(LEAST_WIDTH, (this.#output.isTTY ? this.#output.columns : this.#errors.columns) || USUAL_WIDTH);
  }

  /** Rows of the terminal. */
  get rows(): number {
    return (this.#output.isTTY ? this.#output.rows : this.#errors.rows) || USUAL_ROWS;
  }

  /** Whether what is shown to a person may have colours. */
  get isColoured(): boolean {
    return this.#colour && this.isShown;
  }

  /** What gives names in lists their colours, by `LS_COLORS`. */
  get paint(): Paint {
    return this.isColoured ? paintBy(this.#names) : PLAIN;
  }

  /** What is typed is not shown, and waits for the prompt, until it is disposed: for commands of the prompt that draw a status again and again. */
  hush(): Disposable | undefined {
    return this.canRedraw && this.isShown ? this.#editor?.hush() : undefined;
  }

  /** Calls `listener` whenever the terminal has got another size, until it is disposed. */
  onResize(listener: () => void): Disposable {
    const stream = this.#output.isTTY ? this.#output : this.#errors;
    stream.on('resize', listener);
    return { [Symbol.dispose]: () => void stream.off('resize', listener) };
  }

  /** To standard output; resolves when the system has taken it, so that a slow reader slows us, or when nobody will. */
  data(text: string | Uint8Array): Promise<void> {
    this.status([]);
    this.answers += 1;
    return this.#outlet.write(text);
  }

  /** Answers go to `outlet`, and are not for a person's eyes, until what is returned is disposed. */
  divert(outlet: Outlet): Disposable {
    this.#outlet = outlet;
    return { [Symbol.dispose]: () => { this.#outlet = this.#own; } };
  }

  /** One line to standard error; a failure begins in red where there is colour. */
  say(line: string, failure = false): void {
    if (!this.#worded) return;
    const coloured = failure && this.#colour && this.#errors.isTTY;
    const text = `${coloured ? line.replace(/^[^:]+:/, (head) => styleText('red', head)) : line}\n`;
    this.#errors.write(this.#status === NOTHING ? text : redraw(this.#status, this.#status.rows, this.width, text));
  }

  /** The rows at the bottom, in place of the last ones; none takes them away. Nothing where they cannot be redrawn. */
  status(rows: readonly string[]): void {
    if (!this.canRedraw || !this.#worded || (rows.length === 0 && this.#status === NOTHING)) return;
    const text = redraw(this.#status, rows, this.width);
    this.#status = rows.length === 0 ? NOTHING : { rows, columns: this.width };
    if (text !== '') this.#errors.write(text);
  }

  /** Asks one question and resolves with the answer, '' at the end of the input. Throws CANCELLED at ^C, and the signal's reason. */
  async ask(question: string, signal?: AbortSignal): Promise<string> {
    if (!this.canAsk) throw new Failure('USAGE', 'there is nobody to ask: standard input is not a terminal');
    this.status([]);
    const { Editor } = await import('./line/editor.ts');
    const editor = this.#editor ?? new Editor(this.#streams());
    const stop = () => editor.refuse('');
    try {
      signal?.throwIfAborted();
      signal?.addEventListener('abort', stop, { once: true });
      const answer = await editor.next(question, false);
      signal?.throwIfAborted();
      if (editor.interrupted) throw new Failure('CANCELLED', 'interrupted');
      return answer ?? '';
    } finally {
      signal?.removeEventListener('abort', stop);
      if (editor !== this.#editor) editor.close();
    }
  }

  /** What a person types key by key, drawn as `rows` says after each, until `press` says that it was the last. What was drawn last stays. */
  async fill(press: (text: string | undefined, key: Key) => boolean, rows: (width: number, isColoured: boolean) => readonly string[]): Promise<void> {
    const { readKeys } = await import('./line/keys.ts');
    const drawn = (): readonly string[] => rows(this.width, this.#colour && this.#errors.isTTY);
    const draw = (): void => this.status(drawn().slice(1 - this.rows));
    const resized = this.onResize(draw);
    draw();
    await readKeys(this.#input, (text, key) => {
      const last = press(text, key);
      draw();
      return last;
    });
    resized[Symbol.dispose]();
    this.status([]);
    this.say(drawn().join('\n'));
  }

  /** Standard input, line by line, for the prompt. Call once. */
  async script(): Promise<Lines> {
    const { Lines } = await import('./line/lines.ts');
    this.#commanded = true;
    return new Lines(this.#streams());
  }

  /** What a person types at the prompt, with completion and history. Call once. */
  async editor(habits: Habits): Promise<Editor> {
    const { Editor } = await import('./line/editor.ts');
    this.#commanded = true;
    this.#editor = new Editor(this.#streams(), this.#dumb ? undefined : habits);
    return this.#editor;
  }

  /** Standard input as bytes; throws the signal's reason when that is aborted. Not while commands are read from it. */
  async *bytes(signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    if (this.#commanded) throw new Failure('USAGE', 'standard input is where the commands come from', { hint: 'name a file, or use wherry put - :NAME in the shell' });
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
