import { describe, expect, test } from 'vitest';
import { MAX_LINE, quoted, splitWords } from '../../../src/cli/script/words.ts';

describe('a prompt line is split as sh splits it', () => {
  test.each<[line: string, words: string[]]>([
    ['', []],
    ['   \t ', []],
    ['put a b', ['put', 'a', 'b']],
    ['  put   a\tb  ', ['put', 'a', 'b']],
    ["put 'two words'", ['put', 'two words']],
    ['put "two words"', ['put', 'two words']],
    ['put two\\ words', ['put', 'two words']],
    [`put "it's"`, ['put', "it's"]],
    [`put 'say "hi"'`, ['put', 'say "hi"']],
    ['put "a\\"b\\\\c\\d"', ['put', 'a"b\\c\\d']],
    ["put 'a\\b'", ['put', 'a\\b']],
    ['put a"b c"d', ['put', 'ab cd']],
    ["put ''", ['put', '']],
    ['put a # a comment', ['put', 'a']],
    ['# only a comment', []],
    ['put a#b', ['put', 'a#b']],
    ['put "#a"', ['put', '#a']],
    ['put \\#a', ['put', '#a']],
    ['put $HOME ~ *.txt a;b', ['put', '$HOME', '~', '*.txt', 'a;b']],
    ['put 日本語 "👩‍👧 é"', ['put', '日本語', '👩‍👧 é']],
  ])('%j gives %j', (line, words) => {
    expect(splitWords(line)).toEqual(words);
  });

  test.each(['plain', 'two words', "it's", '', 'a"b\\c', '#x', '$HOME', 'é', '-x'])('%j is read back as it was quoted', (word) => {
    expect(splitWords(quoted(word))).toEqual([word]);
  });

  test.each(['put "a', "put 'a", 'put a\\', 'x'.repeat(MAX_LINE + 1)])('%.20j… is refused as a usage error', (line) => {
    expect(() => splitWords(line)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});
