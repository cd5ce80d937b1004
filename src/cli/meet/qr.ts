/**
 * QR: a short text as a code that a phone's camera reads, drawn with half blocks, two rows of the code in one line.
 *
 * A ticket is drawn in capital letters, which mean the same and make the code a third smaller. The quiet zone around it is part
 * of the drawing: without, cameras do not find the code. Where there is colour, dark is black and light is white
 * whatever the terminal's own colours are; where there is none, light is drawn, which is right on dark terminals.
 * The only file that knows the library.
 */
import { encode } from 'uqr';

/** What the standard asks for, and what cameras of today do with where that has no room. */
const QUIET = [4, 2] as const;
/** Black on white of the fixed part of the 256 colours, which themes leave alone. */
const PAPER = '\u001b[38;5;16;48;5;231m';
const PLAIN = '\u001b[0m';

/** The lines, of at most `columns`; a number says how many columns would be needed. */
export function drawQr(text: string, columns: number, coloured: boolean): readonly string[] | number {
  const { size, data } = encode(text.toUpperCase(), { border: 0, ecc: 'L' });
  const quiet = QUIET.find((zone) => size + 2 * zone <= columns);
  if (quiet === undefined) return size + 2 * QUIET.at(-1)!;
  const isDark = (row: number, column: number): boolean => data[row - quiet]?.[column - quiet] === true;
  const side = size + 2 * quiet;
  return Array.from({ length: Math.ceil(side / 2) }, (_, line) => {
    const cells = Array.from({ length: side }, (__, column) => block(isDark(2 * line, column), 2 * line + 1 < side ? isDark(2 * line + 1, column) : coloured ? false : undefined, coloured));
    return coloured ? PAPER + cells.join('') + PLAIN : cells.join('');
  });
}

/** One character for two cells; `below` undefined: there is no second one. What is drawn is dark on paper, else light on the dark terminal. */
function block(above: boolean, below: boolean | undefined, coloured: boolean): string {
  const [top, bottom] = coloured ? [above, below === true] : [!above, below === false];
  if (top) return bottom ? '█' : '▀';
  return bottom ? '▄' : ' ';
}
