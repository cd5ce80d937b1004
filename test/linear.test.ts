/**
 * D6: what reads the words of a peer takes as long as there is to read: four times as much takes four times as long, and not sixteen. It is
 * the ratio of two times of one program, one after the other, the least of several runs each, and no time by itself, that is judged.
 */
import { expect, test } from 'vitest';
import { expandBraces } from '../src/braces.ts';
import { markLeft, readLeft } from '../src/left.ts';
import { printable } from '../src/printable.ts';
import { splitWords } from '../src/cli/script/words.ts';
import { compileExclude } from '../src/store/exclude.ts';
import { Machine } from '../src/session/machine.ts';
import { decodeMessage, encodeMessage } from '../src/wire/messages.ts';
import { HEADER_BYTES } from '../src/wire/frame.ts';
import { AUTH, HELLO } from './session/speakers.ts';

/** Twice the ratio of what grows with its input, and half of that of what grows with its square. */
const MOST = 8;
/** So many, and each so short, that some of them are not interrupted however busy the machine is. */
const RUNS = 25;

/** The least time of some runs of `use`, after one to warm up. */
function least(use: () => void): number {
  use();
  let best = Infinity;
  for (let run = 0; run < RUNS; run += 1) {
    const began = performance.now();
    use();
    best = Math.min(best, performance.now() - began);
  }
  return best;
}

const names = (count: number): string[] => Array.from({ length: count }, (_, at) => `folder-${at % 100}/a name of a file ${at}`);

/** What reads, and how much of it is read at first, so that it takes some milliseconds. */
const READERS: Readonly<Record<string, [number, (size: number) => () => void]>> = {
  'text that is shown, with control characters': [40_000, (size) => {
    const text = 'a\u001b[2J\u202e\n'.repeat(size / 8);
    return () => void printable(text);
  }],
  'names that a client has already': [500, (size) => {
    const [marked, asked] = [markLeft(names(size), Infinity), names(size)];
    return () => { const has = readLeft(marked); for (const name of asked) has(name); };
  }],
  // A page has at most 1,000 names, so it is read again and again.
  'a page of a listing': [250, (size) => {
    const body = encodeMessage(1, { kind: 'entries', unlisted: 0, entries: names(size).map((name) => ({ name, kind: 'file' as const, size: 1, mtime: 1, mode: 0o644 })) }).subarray(HEADER_BYTES);
    return () => { for (let again = 0; again < 5; again += 1) decodeMessage('entries', body); };
  }],
  'pings in one piece': [1_000, (size) => {
    const bytes = Buffer.concat([encodeMessage(0, HELLO), encodeMessage(0, AUTH), ...Array.from({ length: size }, (_, token) => encodeMessage(0, { kind: 'ping', token }))]);
    return () => {
      const machine = new Machine('server');
      machine.receive(bytes.subarray(0, encodeMessage(0, HELLO).length));
      machine.receive(bytes.subarray(encodeMessage(0, HELLO).length));
    };
  }],
  'names that a pattern is tried on': [1_000, (size) => {
    const [excluded, paths] = [compileExclude(['*a*b*c*d', '**/x/**/y', '{a,b}*']), names(size)];
    return () => { for (const path of paths) excluded(path, path.slice(path.lastIndexOf('/') + 1), false); };
  }],
  'a line of words in quotes': [15_000, (size) => {
    const line = `"a b" 'c d' \\e `.repeat(size / 16);
    return () => { for (let again = 0; again < 5; again += 1) splitWords(line); };
  }],
};

test.each(Object.entries(READERS))('D6: %s: four times as much takes less than eight times as long', (_, [size, reader]) => {
  const [once, fourfold] = [least(reader(size)), least(reader(4 * size))];
  expect(fourfold / once, `${once.toFixed(2)} ms, and ${fourfold.toFixed(2)} ms`).toBeLessThan(MOST);
});

test('D6: braces that stand for more than may be are refused before they are written out', () => {
  expect(() => expandBraces('{a,b}'.repeat(40))).toThrow(expect.objectContaining({ code: expect.stringMatching(/^(?:LIMIT|USAGE)$/) as string }) as Error);
});
