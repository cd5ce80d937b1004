import { describe, expect, test } from 'vitest';
import { Failure } from '../src/errors.ts';
import { checkName, foldKey, isReserved, isWithin, parsePath, resolvePath, ROOT } from '../src/path.ts';
import { refused, taken } from './e2e/corpus.ts';

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return error instanceof Failure ? error.code : `not a Failure: ${String(error)}`;
  }
  return 'accepted';
}

describe('A1, A4, A5, A9, A12: a path from the wire', () => {
  test.each(['', 'a', 'a/b', 'a b', 'a"b', "it's", 'é', '日本', '👩‍👧', 'a\\b', 'a:b', '...', '.hidden', 'x'.repeat(255), 'Wherry', 'wherry'])('accepts %j', (text) => {
    expect(parsePath(text)).toBe(text);
  });

  test.each([
    '/', '/a', 'a/', 'a//b', '.', '..', 'a/..', '../a', 'a/./b', 'a\0b', 'a\nb', 'a\x1b[0m', 'a\x7f', 'a\x9b', 'a\u2028b', 'a\u202eb',
    'x'.repeat(256), 'é'.repeat(128), Array(65).fill('a').join('/'), 'a/'.repeat(32_768), '\ud800', '\udc00a',
    '.wherry', '.WHERRY', '.wherry.', '.wherry ', '.whe\u200drry', '．wherry', '.ｗherry', 'a/.wherry/b', 'WHERRY~1', '.wherry:x', '.wherry::$DATA',
  ])('refuses %j', (text) => {
    expect(codeOf(() => parsePath(text))).toBe('BADNAME');
  });

  test('depth 64 is the deepest', () => {
    const deepest = Array(64).fill('d').join('/');
    expect(parsePath(deepest)).toBe(deepest);
  });
});

test('A2: what a person types becomes the same path that the wire takes, or none', () => {
  for (const { path: typed } of [...refused('/outside/secret'), ...taken]) {
    let path;
    try {
      path = resolvePath(ROOT, typed);
    } catch (error) {
      expect((error as Failure).code, typed).toBe('BADNAME');
      continue;
    }
    expect(parsePath(path), typed).toBe(path);
  }
});

test('A11: a folder holds what is below it by whole names, never what only begins alike', () => {
  const cases: readonly (readonly [string, string, boolean])[] = [['a', 'a', true], ['a/b', 'a', true], ['a/b/c', 'a/b', true], ['ab', 'a', false], ['a b', 'a', false], ['a.b', 'a', false], ['ab/c', 'a', false], ['a', 'a/b', false], ['a/bc', 'a/b', false], ['x', '', true]];
  for (const [path, top, within] of cases) expect([path, top, isWithin(parsePath(path), parsePath(top))]).toEqual([path, top, within]);
});

describe('a path from a person', () => {
  test.each([
    ['', 'a/b', 'a/b'], ['a', 'b', 'a/b'], ['a', '..', ''], ['a', '/b', 'b'], ['a/b', '../c', 'a/c'], ['', './a//b/', 'a/b'], ['a', '/', ''], ['a', '', 'a'],
  ])('from %j, %j is %j', (from, text, path) => {
    expect(resolvePath(parsePath(from), text)).toBe(path);
  });

  test.each(['..', '../a', 'a/../../b', '/..'])('%j leads above the served folder', (text) => {
    expect(codeOf(() => resolvePath(ROOT, text))).toBe('BADNAME');
  });
});

test('A7: names that some disk would take for the same have one key', () => {
  for (const [a, b] of [['README', 'readme'], ['é', 'e\u0301'], ['ﬁ', 'fi'], ['straße', 'STRASSE'], ['ς', 'Σ']] as const) expect(foldKey(a)).toBe(foldKey(b));
  expect(foldKey('a')).not.toBe(foldKey('b'));
});

test('A9: a reserved name is recognised wherever it stands, an ordinary one is not', () => {
  expect(isReserved('.wherry')).toBe(true);
  expect(isReserved('.wherryx')).toBe(false);
  expect(checkName('.gitignore')).toBe('.gitignore');
});
