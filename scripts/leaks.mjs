/**
 * Leaks: whether a secret that tests made stands in anything that was written while they ran. The runner asks at its end.
 *
 * In a folder of traces there are files of two kinds. `*.secrets`: a JSON object a line, of what kind a secret is and how it could be written.
 * `*.out`: a line of JSON with who wrote it (the words of the command, and which stream or file), and behind it the bytes. What the product
 * means to print is in `MEANT`. Reads; changes nothing.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** @typedef {{ kind: string, values: string[] }} Secret */
/** @typedef {{ words: readonly string[], stream: string }} Writer */
/** @typedef {{ kind: string, file: string, writer: Writer, line: number, around: string }} Leak */

/** Shorter ones are words that stand anywhere. */
const LEAST = 12;
/** Of a code, which is two words of four letters or more: one beside the other they stand nowhere else. */
const LEAST_CODE = 9;
/** What of a secret is looked up first. */
const HEAD = 8;

/** Where a secret of a kind is shown on purpose: to whoever asked for it, on standard output. @type {Readonly<Record<string, (writer: Writer, line: string) => boolean>>} */
const MEANT = {
  // A person sees what they are shown, and what they type themselves.
  ticket: ({ words, stream }, line) => (stream === 'terminal' && ['serve', 'invite', 'join'].includes(words[0] ?? '')) || stream === 'stdout' && (words[0] === 'invite' || (words[0] === 'serve' && (line.startsWith('{"event":"listening"') || !line.startsWith('{')))),
  // It is there to be said: the server's own log has it too, so that who stands beside it can read it. Its audit has not.
  code: ({ words, stream }, line) => (stream === 'terminal' && ['serve', 'invite', 'join'].includes(words[0] ?? '')) || words[0] === 'invite' || (words[0] === 'serve' && (line.startsWith('{') ? line.startsWith('{"event":"code"') : line.includes('wherry join '))),
  token: ({ words, stream }) => stream === 'stdout' && words[0] === 'token' && words.includes('create'),
};

/** What was looked for in how many bytes, and where it was found. @param {string} folder @returns {{ secrets: number, bytes: number, leaks: Leak[] }} */
export function findLeaks(folder) {
  const names = readdirSync(folder).sort();
  /** @type {Map<string, { kind: string, value: string }[]>} */
  const heads = new Map();
  const secrets = new Set();
  for (const name of names.filter((one) => one.endsWith('.secrets'))) {
    for (const line of readFileSync(join(folder, name), 'utf8').split('\n').filter((text) => text !== '')) {
      const { kind, values } = /** @type {Secret} */ (JSON.parse(line));
      secrets.add(values[0]);
      for (const value of values.filter((text) => text.length >= (kind === 'code' ? LEAST_CODE : LEAST))) {
        const head = value.slice(0, HEAD);
        const same = heads.get(head) ?? [];
        if (!same.some((one) => one.value === value)) heads.set(head, [...same, { kind, value }]);
      }
    }
  }
  let bytes = 0;
  const leaks = names.filter((one) => one.endsWith('.out')).flatMap((name) => {
    const text = readFileSync(join(folder, name), 'latin1');
    bytes += text.length;
    return leaksIn(text, heads).map((leak) => ({ file: name, ...leak }));
  });
  return { secrets: secrets.size, bytes, leaks };
}

/** @param {string} text @param {Map<string, { kind: string, value: string }[]>} heads @returns {Omit<Leak, 'file'>[]} */
function leaksIn(text, heads) {
  const begin = text.indexOf('\n') + 1;
  const writer = /** @type {Writer} */ (JSON.parse(text.slice(0, begin)));
  const first = new Set([...heads.keys()].map((head) => head.charCodeAt(0)));
  /** @type {Omit<Leak, 'file'>[]} */
  const leaks = [];
  for (let at = begin; at < text.length; at += 1) {
    if (!first.has(text.charCodeAt(at))) continue;
    const here = at;
    const found = (heads.get(text.slice(here, here + HEAD)) ?? []).filter(({ value }) => text.startsWith(value, here)).sort((a, b) => b.value.length - a.value.length)[0];
    if (found !== undefined) {
      const { kind, value } = found;
      at += value.length - 1; // one way to write it may be a part of another
      const start = text.lastIndexOf('\n', here - 1) + 1;
      const end = text.indexOf('\n', here);
      const line = text.slice(start, end < 0 ? text.length : end);
      if (MEANT[kind]?.(writer, line) === true) continue;
      // Not the secret itself: this is printed too.
      leaks.push({ kind, writer, line: text.slice(begin, here).split('\n').length, around: line.slice(Math.max(0, here - start - 60), here - start) });
    }
  }
  return leaks;
}

/** One line for a person. @param {Leak} leak */
export function leakText({ kind, writer, line, around }) {
  return `a ${kind} stands in what "wherry ${writer.words.map((word) => word.slice(0, 40)).join(' ')}" wrote to ${writer.stream}, line ${line}, behind: ${JSON.stringify(around)}`;
}
