import { expect, test } from 'vitest';
import { matchesGlob } from '../../../src/cli/script/glob.ts';

test.each<[pattern: string, matching: string[], others: string[]]>([
  ['*.pdf', ['a.pdf', '.pdf', 'a.b.pdf'], ['a.PDF', 'a.pdfx', 'pdf']],
  ['?', ['a', '日', '👍'], ['', 'ab']],
  ['a*b*c', ['abc', 'aXbYc', 'abbc', 'abcbc'], ['ab', 'acb']],
  ['[a-c]x', ['ax', 'cx'], ['dx', 'x']],
  ['[!a-c]x', ['dx'], ['ax']],
  ['[]]', [']'], ['[]]']],
  ['[a', ['[a'], ['a']],
  ['\\*', ['*'], ['a', '\\*']],
  ['.+(x)$', ['.+(x)$'], ['ax']],
  ['', [''], ['a']],
  ['**', ['', 'abc'], []],
])('%s', (pattern, matching, others) => {
  for (const name of matching) expect([name, matchesGlob(pattern, name)]).toEqual([name, true]);
  for (const name of others) expect([name, matchesGlob(pattern, name)]).toEqual([name, false]);
});

test('a pattern that ruins regular expressions is answered', () => {
  expect(matchesGlob(`${'a*'.repeat(100)}b`, 'a'.repeat(255))).toBe(false);
});
