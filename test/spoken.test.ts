import { describe, expect, test } from 'vitest';
import { closest } from '../src/suggest.ts';
import { CODE_WORDS } from '../src/codewords.ts';
import { formatCode, isCode, newCode, parseCode } from '../src/spoken.ts';

describe('the words of codes', () => {
  test('are 512, in order, each once, of four to eight plain letters', () => {
    expect(CODE_WORDS).toHaveLength(512);
    expect(CODE_WORDS).toEqual([...new Set(CODE_WORDS)].toSorted());
    expect(CODE_WORDS.filter((word) => !/^[a-z]{4,8}$/.test(word))).toEqual([]);
  });

  test('are so far apart that one wrong letter is no other word', () => {
    const known = new Set(CODE_WORDS);
    const slips = (word: string): string[] => Array.from({ length: word.length + 1 }, (_, at) => at).flatMap((at) => {
      const [head, tail] = [word.slice(0, at), word.slice(at)];
      const letters = 'abcdefghijklmnopqrstuvwxyz'.split('');
      const swapped = tail.length > 1 ? [head + tail[1]! + tail[0]! + tail.slice(2)] : [];
      return [head + tail.slice(1), ...swapped, ...letters.flatMap((letter) => [head + letter + tail, head + letter + tail.slice(1)])];
    });
    expect(CODE_WORDS.flatMap((word) => slips(word).filter((slip) => slip !== word && known.has(slip)))).toEqual([]);
  });

  test('are found again when a letter is missing', () => {
    const missed = CODE_WORDS.map((word) => [word, closest(word.slice(0, 2) + word.slice(3), CODE_WORDS)]).filter(([word, found]) => word !== found);
    expect(missed.length).toBeLessThan(CODE_WORDS.length / 20);
  });
});

describe('a code', () => {
  const CODE = { number: 7, words: ['crater', 'lantern'] } as const;

  test('is read as it was printed', () => {
    for (let time = 0; time < 50; time += 1) {
      const code = newCode();
      expect(parseCode(formatCode(code))).toEqual({ code, at: undefined });
    }
  });

  test.each(['7-crater-lantern', ' 7 Crater LANTERN ', '7–crater — lantern', '07-crater-lantern', '7, crater, lantern', '7_crater_lantern'])('is read from "%s"', (text) => {
    expect(isCode(text)).toBe(true);
    expect(parseCode(text).code).toEqual(CODE);
  });

  test.each([
    ['7-crater-lantern@192.168.1.5', { host: '192.168.1.5', port: 9437 }],
    ['7 crater lantern @ box.local:1234', { host: 'box.local', port: 1234 }],
    ['7-crater-lantern@[2001:db8::1]:5', { host: '2001:db8::1', port: 5 }],
  ])('may say where the server is: %s', (text, at) => {
    expect(parseCode(text)).toEqual({ code: CODE, at });
  });

  test.each([
    ['crater-lantern', /begins with a number/], ['0-crater-lantern', /begins with a number/], ['100-crater-lantern', /begins with a number/],
    ['7-crater', /two words/], ['7', /two words/], ['7-crater-lantern-crater', /two words/], ['7-crater-lantrn', /"lantrn" is not a word of a code/],
    ['7-crater-lantern@', /no address/], ['7-crater-lantern@host:0', /no address/], ['7-crater-lantern@host:70000', /no address/], ['7-crater-lantern@a@b', /at most one address/],
    [`7-${'x'.repeat(600)}`, /far too long/],
  ])('is refused when it is "%s"', (text, why) => {
    expect(() => parseCode(text)).toThrow(expect.objectContaining({ code: 'USAGE', message: expect.stringMatching(why) }));
  });
});
