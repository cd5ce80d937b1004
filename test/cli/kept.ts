/**
 * Screens that are kept: what a terminal showed, in `docs/screens/NAME-COLUMNSxROWS.txt` for people to look at, and true
 * because the tests compare. `KEEP_SCREENS=1` writes them anew. What differs from run to run (times, rates, ports,
 * fingerprints, dates, this machine's name) is left as it was seen, and not compared; neither are spaces and breaks, nor the first row of a
 * screen that has scrolled, since a longer time may have broken a line and moved it.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect } from 'vitest';
import { columnsOf, loadWidths } from '../../src/cli/width.ts';
import type { Screen } from './screen.ts';

await loadWidths();

const FOLDER = resolve(import.meta.dirname, '../../docs/screens');

/** In this order: a fingerprint may contain what looks like a time. */
const VARYING: readonly (readonly [RegExp, string])[] = [
  [/(?:[█▀▄ ]*[█▀▄][█▀▄ ]*\n?)+/g, 'QR'],
  [/sha256:[\w-]+/g, 'FINGERPRINT'],
  [/wherry1-[0-9A-Z-]+/g, 'TICKET'],
  [/blake3 [0-9a-f]+/g, 'blake3 DIGEST'],
  [/(connected to .* as )\S+,/g, '$1DEVICE,'],
  [/as \S+, (?=read|add)/g, 'as DEVICE, '],
  [/this device is \S+ there/g, 'this device is DEVICE there'],
  [/\b\d{1,2}-[a-z]+-[a-z]+(?=[@\s]|$)/gm, 'CODE'],
  [/[\d.]+ (?:[KMGT]i)?B (?:free )?of [\d.]+ (?:[KMGT]i)?B/g, 'ROOM'],
  [/127\.0\.0\.1:\d+/g, 'ADDRESS'],
  [/\d{4}-\d\d-\d\d(?: \d\d:\d\d(?::\d\d)?)?/g, 'DATE'],
  [/[\d.]+ (?:[KMGT]i)?B\/s/g, 'RATE'],
  [/\b\d+:\d\d(?::\d\d)?\b/g, 'TIME'],
  [/\b[\d.]+ (?:ms|s|min)\b/g, 'TIME'],
  [/\b\d+%/g, 'SHARE'],
  [/\s+/g, ''],
];

function steady(text: string, columns: number): string {
  // A row that is full goes on in the next: a time broken by the edge is still one.
  const whole = text.split('\n').map((row) => (columnsOf(row) >= columns ? row : `${row}\n`)).join('');
  return VARYING.reduce((steadier, [varying, word]) => steadier.replace(varying, word), whole);
}

/** Compares what `screen` shows now with what is kept under `name`. `columns` and `rows` are those of the screen. */
export function keep(screen: Screen, name: string, columns: number, rows: number): void {
  const path = join(FOLDER, `${name}-${columns}x${rows}.txt`);
  const shown = `${screen.glass.join('\n').trimEnd()}\n`;
  if (process.env['KEEP_SCREENS'] === '1') {
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(path, shown);
  }
  const [now, before] = [steady(shown, columns), steady(readFileSync(path, 'utf8'), columns)];
  const shorter = Math.min(now.length, before.length);
  // Where hardly anything is steady, as around a QR code, all of it is compared that both have.
  const compared = screen.hasScrolled && shorter > columns ? shorter - columns : shorter;
  expect(now.slice(now.length - compared), `${path}; KEEP_SCREENS=1 writes it anew`).toBe(before.slice(before.length - compared));
}
