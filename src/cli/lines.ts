/**
 * Lines: what a person types, or a script feeds, one line at a time on demand.
 *
 * Between two calls the input is paused and a terminal is in its ordinary mode, so that ^C during a command is a
 * signal, a child process can use the terminal, and what was typed ahead waits in the kernel. Lines that arrived
 * together (a paste, a file) are kept until asked for; at most one read of the input, 64 KiB, is ever waiting.
 */
import { createInterface, type Interface } from 'node:readline';

export interface LineStreams {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown };
  /** Where the prompt is shown and the typing echoed; only used with a terminal. */
  readonly output: NodeJS.WritableStream;
}

/** The words that could stand at the end of the line typed so far. */
export type Completer = (line: string) => readonly string[];

export class Lines {
  readonly #input: LineStreams['input'];
  readonly #reader: Interface;
  readonly #interactive: boolean;
  readonly #waiting: string[] = [];
  #ended = false;
  #wanted: ((line: string | undefined) => void) | undefined;
  #remember = true;

  constructor({ input, output }: LineStreams, completer: Completer = () => []) {
    this.#input = input;
    this.#interactive = input.isTTY === true;
    this.#reader = createInterface({
      input, terminal: this.#interactive, crlfDelay: Infinity, historySize: 100,
      ...(this.#interactive ? { output } : {}),
      completer: (line: string) => [[...completer(line)], line],
    });
    this.#reader.on('line', (line) => {
      this.#waiting.push(line);
      this.#hand();
    });
    this.#reader.on('close', () => {
      this.#ended = true;
      this.#hand();
    });
    this.#reader.on('SIGINT', () => this.#drop(output));
    // Answers to questions are no commands to be found again with the arrow keys.
    this.#reader.on('history', (history) => {
      if (!this.#remember) history.shift();
    });
    this.#rest();
  }

  /** The next line; undefined at the end of the input (^D). The prompt is shown to a terminal only. */
  next(prompt: string, remember = true): Promise<string | undefined> {
    return new Promise((resolve) => {
      this.#wanted = resolve;
      this.#remember = remember;
      if (this.#waiting.length === 0 && !this.#ended) this.#listen(prompt);
      this.#hand();
    });
  }

  /** Gives the input back. */
  close(): void {
    this.#reader.close();
  }

  #listen(prompt: string): void {
    if (!this.#interactive) {
      this.#reader.resume();
      return;
    }
    this.#input.setRawMode?.(true);
    this.#reader.setPrompt(prompt);
    this.#reader.prompt();
  }

  #rest(): void {
    if (this.#ended) return;
    this.#reader.pause();
    if (this.#interactive) this.#input.setRawMode?.(false);
  }

  /** Gives the oldest line to who waits for one. */
  #hand(): void {
    const wanted = this.#wanted;
    if (wanted === undefined || (this.#waiting.length === 0 && !this.#ended)) return;
    this.#wanted = undefined;
    this.#rest();
    wanted(this.#waiting.shift());
  }

  /** ^C at the prompt: the line stays on the screen and is forgotten; a new prompt follows below it. */
  #drop(output: NodeJS.WritableStream): void {
    this.#reader.write(null, { ctrl: true, name: 'e' });
    output.write('^C\n');
    this.#reader.write(null, { ctrl: true, name: 'u' });
    this.#reader.prompt();
  }
}
