import { describe, expect, test } from 'vitest';
import { expandBraces, MAX_BRACED } from '../src/braces.ts';

describe('braces', () => {
  test.each([
    ['a', ['a']], ['{a,b}', ['a', 'b']], ['x{a,b}y', ['xay', 'xby']], ['{a,b}{c,d}', ['ac', 'ad', 'bc', 'bd']], ['{a,{b,c}d}', ['a', 'bd', 'cd']],
    ['{a}', ['{a}']], ['{a,b', ['{a,b']], ['a,b}', ['a,b}']], ['{,a}', ['', 'a']], ['\\{a,b}', ['\\{a,b}']], ['{a\\,b,c}', ['a\\,b', 'c']], ['{{a,b}', ['{a', '{b']], ['{x{a,b}}', ['{xa}', '{xb}']],
  ])('%s is %j', (pattern, all) => {
    expect(expandBraces(pattern)).toEqual(all);
  });

  test.each([['many words', '{0,1,2,3,4,5,6,7,8,9}'.repeat(4)], ['deep', `${'{a,'.repeat(8000)}b${'}'.repeat(8000)}`]])('%s are refused', (_, pattern) => {
    expect(() => expandBraces(pattern)).toThrow(expect.objectContaining({ code: 'USAGE' }));
    expect(MAX_BRACED).toBeLessThan(10_000);
  });
});
