import { describe, expect, test } from 'vitest';
import { compileExclude } from '../../src/store/exclude.ts';

const leavesOut = (pattern: string, path: string): boolean => compileExclude([pattern])(path, path.slice(path.lastIndexOf('/') + 1), false);

describe('D6: a pattern of a peer', () => {
  test.each([
    ['(a+)+b', 'aab'], ['[a-z]+1', 'zz1'], ['a|b', 'a'], ['@(a|b)', 'a'], ['+(a)', 'aa'], ['(a)', 'a'], ['a{2}', 'aa'], ['a$', 'a'], ['^a', 'a'], ['[ab]{2}', 'ab'],
  ])('is no regular expression: %s means itself, and not %s', (pattern, regular) => {
    expect(leavesOut(pattern, regular)).toBe(false);
    expect(leavesOut(pattern, pattern.replaceAll(/\[[^\]]*\]/g, (one) => one[1]!))).toBe(true);
  });

  test.each(['(a+)+b', '((a|a)+)+b', '([a-z]+)+1', `${'[a-z]+'.repeat(40)}1`, `${'{a,aa}'.repeat(6)}b`, '*a*a*a*b'])('takes no time that grows with a power of the name: %s', (pattern) => {
    // What it must not take is longer than any test waits.
    expect(leavesOut(pattern, 'a'.repeat(200))).toBe(false);
  });

  test('stands for a bounded number of patterns, however they are written', () => {
    for (const patterns of [['{a,aa}'.repeat(20)], ['{a,b}{c,d}{e,f}{g,h}{i,j}{k,l}{m,n}'], Array<string>(101).fill('a'), ['x'.repeat(257)]]) {
      expect(() => compileExclude(patterns), String(patterns)).toThrow(expect.objectContaining({ code: expect.stringMatching(/^(?:LIMIT|USAGE)$/) as string }) as Error);
    }
  });
});

test('braces are written out, also nested ones and parts of a path', () => {
  for (const name of ['a.js', 'b/c.ts', 'd.tsx']) expect(leavesOut('*.{js,ts{,x}}', name)).toBe(true);
  expect(leavesOut('{src,test}/**/*.js', 'test/a/b.js')).toBe(true);
  expect(leavesOut('{src,test}/**/*.js', 'other/a/b.js')).toBe(false);
});
