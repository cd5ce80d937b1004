import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Failure } from '../../../src/errors.ts';
import { parseLine } from '../../../src/cli/script/grammar.ts';

/** A line as short text: the steps with their joints, words joined by spaces, and what becomes of the answers. */
function read(line: string): string {
  const { isForgiven, isSilent, steps } = parseLine(line);
  const shown = steps.map(({ joint, words, shell, into, pipe, isJob }, index) => [
    ...(index === 0 ? [] : [joint]), ...(shell === undefined ? words.map(({ text }) => `<${text}>`) : [`!${shell}`]),
    ...(into === undefined ? [] : [`${into.append ? '>>' : '>'}${into.file.text}`]), ...(pipe === undefined ? [] : [`|${pipe}`]), ...(isJob ? ['&'] : []),
  ].join(' '));
  return [...(isForgiven ? ['-'] : []), ...(isSilent ? ['@'] : []), ...shown].join(' ');
}

describe('a line', () => {
  test.each([
    ['', ''], ['  # nothing', ''], ['ls', '<ls>'],
    ['put a b; ls', '<put> <a> <b> ; <ls>'], ['ls;', '<ls>'], ['a;b', '<a> ; <b>'],
    ['get a && rm a || pwd', '<get> <a> && <rm> <a> || <pwd>'],
    ['put big &', '<put> <big> &'], ['put big & ls', '<put> <big> & ; <ls>'],
    ['ls > names.txt', '<ls> >names.txt'], ['ls>>"two words"', '<ls> >>two words'],
    ['ls | grep a | wc -l; pwd', '<ls> |grep a | wc -l ; <pwd>'],
    ['ls | grep "a;b" && pwd', '<ls> |grep "a;b" && <pwd>'],
    ['ls | (cat; echo x); pwd', '<ls> |(cat; echo x) ; <pwd>'],
    ['ls | cat # one; rm -r everything', '<ls> |cat'],
    ['!echo a; echo b', '!echo a; echo b'], ['!', '!'], ['pwd && !echo a | cat', '<pwd> && !echo a | cat'],
    ['-rm a', '- <rm> <a>'], ['@ls', '@ <ls>'], ['-@rm a', '- @ <rm> <a>'], ['  @-rm a', '- @ <rm> <a>'],
    ["put 'a;b' \"c&d\" e\\|f g\\>h", '<put> <a;b> <c&d> <e|f> <g>h>'],
  ])('%j says %j', (line, meaning) => {
    expect(read(line)).toBe(meaning);
  });

  test.each([
    'put "a', "ls '", 'a \\', '; ls', '&& ls', 'ls &&', 'ls ||', 'ls ; ; ls', '> x', '| cat', '& ls', 'ls >', 'ls > a b', 'ls > a > b', 'ls |', 'ls | ; pwd',
    'ls > a | cat', 'put a & && ls', 'ls | cat > a &&', 'ls > x &', 'ls 2> errors', '--ls', `ls ${'x'.repeat(70_000)}`,
  ])('%.30j is refused as a usage error', (line) => {
    expect(() => parseLine(line)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });

  test('of any letters is understood or refused, and never anything else', () => {
    const letters = fc.array(fc.constantFrom(...Array.from("ab '\"\\;&|>!#-@*?[]{},~() \t")), { maxLength: 40 }).map((all) => all.join(''));
    fc.assert(fc.property(letters, (line) => {
      try {
        parseLine(line);
      } catch (error) {
        expect(error).toBeInstanceOf(Failure);
        expect(error).toMatchObject({ code: 'USAGE' });
      }
    }), { numRuns: 3000 });
  });
});

describe('a word', () => {
  const wordOf = (line: string) => parseLine(line).steps[0]!.words[0]!;

  test.each([
    ['*.txt', '*.txt'], ["'*'.txt", undefined], ['\\*.txt', undefined], ["'a*'*", 'a\\**'], ['{a,b}', '{a,b}'], ['a[b]', 'a[b]'], ['plain', undefined],
  ])('%s is the pattern %s', (line, pattern) => {
    expect(wordOf(line).pattern).toBe(pattern);
  });

  test.each([['~', true], ['~/a', true], ['~a', false], ["'~'", false], ['\\~/a', false], ['a~', false]])('%s leads from the home folder: %s', (line, is) => {
    expect(wordOf(line).fromHome).toBe(is);
  });
});
