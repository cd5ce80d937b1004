/**
 * Hush: the input between two lines. It rests, in the terminal's ordinary mode; or, while a command draws at the bottom of the
 * terminal, what is typed is not shown there, and waits for the next line.
 *
 * The terminal's own echo would move its cursor away from what is drawn again and again. Without the echo there are no signals by
 * keys either, so they are sent here, to this process alone: nothing else reads this terminal meanwhile.
 */
import type { Key } from 'node:readline';
import type { LineStreams } from './lines.ts';

/** As much as a terminal keeps of a line that nobody reads. */
export const MAX_AHEAD = 4_096;

const SIGNALS: Readonly<Record<string, NodeJS.Signals>> = { '\u0003': 'SIGINT', '\u001a': 'SIGTSTP', '\u001c': 'SIGQUIT' };

export class Hush {
  readonly #input: LineStreams['input'];
  #count = 0;
  #isResting = false;

  constructor(input: LineStreams['input']) {
    this.#input = input;
  }

  /** Keys come, and are not shown: somebody types a line. */
  wake(): void {
    this.#isResting = false;
    this.#read(true);
  }

  /** Nobody types a line. */
  rest(): void {
    this.#isResting = true;
    this.#read(this.#count > 0);
  }

  /** Keys are read, and not shown, also between lines, until what is returned is disposed. */
  begin(): Disposable {
    const change = (by: number): void => {
      this.#count += by;
      if (this.#isResting) this.rest();
    };
    let isOver = false;
    change(1);
    return {
      [Symbol.dispose]: () => {
        if (!isOver) change(-1);
        isOver = true;
      },
    };
  }

  /** Whether a key that came while a command draws was a signal, which has been sent. One that stops this process leaves the terminal in its ordinary mode until it goes on. */
  signals({ sequence = '' }: Key): boolean {
    const signal = this.#isResting && this.#count > 0 ? SIGNALS[sequence] : undefined;
    if (signal === undefined) return false;
    if (process.listenerCount(signal) === 0) {
      this.#input.setRawMode?.(false);
      if (signal === 'SIGTSTP') process.once('SIGCONT', () => { if (this.#isResting) this.rest(); });
    }
    process.kill(process.pid, signal);
    return true;
  }

  #read(reads: boolean): void {
    this.#input.setRawMode?.(reads);
    if (reads) this.#input.resume();
    else this.#input.pause();
  }
}
