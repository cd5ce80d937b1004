import readQr from 'qr/decode.js';
import { encode } from 'uqr';
import { describe, expect, test } from 'vitest';
import { drawQr } from '../../../src/cli/meet/qr.ts';

const TICKET = 'wherry1-WH9TC-PZHB5-T777B-2V00F-QKFMD-QCH7R-VE906-TRR31-EAJMZ-VPYPJ-7SGM7-23C7Z-D75RW-8ZR01-000T1-5ZT8W-MC3';

function lines(columns: number, coloured: boolean): readonly string[] {
  const drawn = drawQr(TICKET, columns, coloured);
  if (typeof drawn === 'number') throw new Error(`does not fit: ${drawn}`);
  return drawn;
}

/** The cells that a person sees as dark, from the half blocks; where there is no colour, what is drawn is light. */
function darkCells(drawn: readonly string[], coloured: boolean): boolean[][] {
  return drawn.flatMap((line) => {
    const cells = [...line.replace(/\u001b\[[\d;]*m/g, '')];
    const rows = [cells.map((cell) => '█▀'.includes(cell)), cells.map((cell) => '█▄'.includes(cell))];
    return coloured ? rows : rows.map((row) => row.map((drawnOn) => !drawnOn));
  });
}

/** A picture of the terminal, as a camera has it: so many pixels for each cell. */
function picture(dark: readonly (readonly boolean[])[], pixels: number): { width: number; height: number; data: Uint8Array } {
  const [width, height] = [dark[0]!.length * pixels, dark.length * pixels];
  const data = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) data.fill(dark[Math.floor(y / pixels)]![Math.floor(x / pixels)] === true ? 0 : 255, (y * width + x) * 4, (y * width + x) * 4 + 3);
  }
  return { width, height, data };
}

describe('a ticket as a QR code', () => {
  test.each([[80, true], [80, false], [40, true], [40, false]])('is read by a program that has nothing in common with the one that made it (%d columns, colour: %s)', (columns, coloured) => {
    expect(readQr(picture(darkCells(lines(columns, coloured), coloured), 6))).toBe(TICKET.toUpperCase());
  });

  test.each([true, false])('is what the encoder says, in capitals, with a quiet zone of four cells all around (colour: %s)', (coloured) => {
    const { size, data } = encode(TICKET.toUpperCase(), { border: 0, ecc: 'L' });
    const dark = darkCells(lines(80, coloured), coloured);
    const inner = dark.slice(4, 4 + size).map((row) => row.slice(4, 4 + size));
    expect(inner).toEqual(data);
    const around = dark.slice(0, size + 8).flatMap((row, y) => row.filter((_, x) => y < 4 || y >= size + 4 || x < 4 || x >= size + 4));
    expect(around.some(Boolean)).toBe(false);
  });

  test('fits a terminal of 40 columns, with a smaller quiet zone', () => {
    for (const line of lines(40, false)) expect(line.length).toBeLessThanOrEqual(40);
    expect(lines(40, false)[0]).toMatch(/^█+$/);
  });

  test('says how many columns it needs where there are too few', () => {
    expect(drawQr(TICKET, 36, true)).toBe(37);
    expect(drawQr(TICKET, 37, true)).not.toBe(37);
  });

  test('brings its own black and white where there is colour, and ends them in each line', () => {
    for (const line of lines(80, true)) expect(line).toMatch(/^\u001b\[38;5;16;48;5;231m[^\u001b]+\u001b\[0m$/);
  });
});
