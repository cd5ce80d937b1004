/**
 * Lines of a script: what a file or a pipe feeds, one line at a time on demand.
 *
 * Between two calls the input is paused. Lines that arrived together are kept until asked for; at most one read of the
 * input, 64 KiB, is ever waiting.
 */
import { createInterface, type Interface } from 'node:readline';

export interface LineStreams {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown };
  /** Where the prompt is shown and the typing echoed; only used with a terminal. */
  readonly output: NodeJS.WritableStream;
}

export class Lines {
  readonly #reader: Interface;
  readonly #waiting: string[] = [];
  #ended = false;
  #wanted: ((line: string | undefined) => void) | undefined;

  constructor({ input }: Pick<LineStreams, 'input'>) {
    this.#reader = createInterface({ input, terminal: false, crlfDelay: Infinity });
    this.#reader.on('line', (line) => {
      this.#waiting.push(line);
      this.#hand();
    });
    this.#reader.on('close', () => {
      this.#ended = true;
      this.#hand();
    });
    this.#reader.pause();
  }

  /** The next line; undefined at the end of the input. */
  next(): Promise<string | undefined> {
    return new Promise((resolve) => {
      this.#wanted = resolve;
      if (this.#waiting.length === 0 && !this.#ended) this.#reader.resume();
      this.#hand();
    });
  }

  /** Gives the input back. */
  close(): void {
    this.#reader.close();
  }

  /** Gives the oldest line to who waits for one. */
  #hand(): void {
    const wanted = this.#wanted;
    if (wanted === undefined || (this.#waiting.length === 0 && !this.#ended)) return;
    this.#wanted = undefined;
    if (!this.#ended) this.#reader.pause();
    wanted(this.#waiting.shift());
  }
}
