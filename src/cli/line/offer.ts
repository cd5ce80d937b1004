/**
 * What is shown while a line is being typed: lines above it, at once or only when the person says so, since a list of hundreds would
 * take away what stands on the screen. The line, with the cursor in it, is drawn again below.
 */
import type { Interface, Key } from 'node:readline';
import type { LineStreams } from './lines.ts';

type Output = LineStreams['output'];

/** Lines between what was on the screen and the line. */
export function showAbove(reader: Interface, output: Output, lines: readonly string[]): void {
  const left = leave(reader);
  output.write(`\n${lines.map((line) => `${line}\n`).join('')}`);
  comeBack(reader, output, left);
}

/** A question below the line, which the next key answers. */
export class Offer {
  readonly #reader: Interface;
  readonly #output: Output;
  readonly #lines: readonly string[];
  readonly #left: Left;

  constructor(reader: Interface, output: Output, question: string, lines: readonly string[]) {
    [this.#reader, this.#output, this.#lines] = [reader, output, lines];
    this.#left = leave(reader);
    output.write(`\n${question} `);
  }

  /** Shows the lines, or not; whether the key has meant only that. Any other key is a no, and what it is besides: whoever types on has answered. */
  answer(text: string | undefined, { name = '', ctrl = false }: Key): boolean {
    const letter = ctrl ? '' : (text ?? '').toLowerCase();
    const agreed = letter === 'y' || letter === ' ' || (name === 'tab' && !ctrl);
    this.#conclude(agreed ? this.#lines : []);
    return agreed || letter === 'n' || /^(?:return|enter|escape|backspace|delete)$/.test(name) || (ctrl && name === 'g');
  }

  decline(): void {
    this.#conclude([]);
  }

  #conclude(lines: readonly string[]): void {
    this.#output.write(`\n${lines.map((line) => `${line}\n`).join('')}`);
    comeBack(this.#reader, this.#output, this.#left);
  }
}

interface Left { readonly rows: number; readonly behind: number }

/** To the end of the line on the screen; how many rows it takes above that, and how many letters the cursor goes back. */
function leave(reader: Interface): Left {
  const behind = [...reader.line.slice(reader.cursor)].length;
  reader.write(null, { ctrl: true, name: 'e' });
  return { rows: reader.getCursorPos().rows, behind };
}

function comeBack(reader: Interface, output: Output, { rows, behind }: Left): void {
  // Drawing again begins so many rows further up.
  output.write('\n'.repeat(rows));
  reader.prompt(true);
  for (let left = 0; left < behind; left += 1) reader.write(null, { name: 'left' });
}
