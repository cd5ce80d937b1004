import fc from 'fast-check';
import { stringify } from 'smol-toml';
import { describe, expect, test } from 'vitest';
import { type Path, Places } from '../../../src/server/settings/locate.ts';

/** `line:column` of a path in a text of these lines. */
function at(lines: readonly string[], path: Path): string {
  const { line, column } = new Places(lines.join('\n')).of(path);
  return `${line}:${column}`;
}

describe('a key is found where its name begins', () => {
  test.each<[string, readonly string[], Path, string]>([
    ['at the top', ['a = 1', 'b = 2'], ['b'], '2:1'],
    ['behind spaces', ['  a = 1'], ['a'], '1:3'],
    ['below a comment with quotes in it', ['# it\'s "not', 'a = 1 # [x]', 'b = 2'], ['b'], '3:1'],
    ['in a table', ['a = 1', '[t]', 'a = 2'], ['t', 'a'], '3:1'],
    ['of a table itself', ['', ' [ t . u ]', 'a = 2'], ['t', 'u'], '2:8'],
    ['that is dotted, each part by itself', ['a . b.c = 1'], ['a', 'b', 'c'], '1:7'],
    ['that is dotted, its beginning', ['a . b.c = 1'], ['a', 'b'], '1:5'],
    ['in quotes, with a dot in it', ['"a.b".c = 1'], ['a.b', 'c'], '1:7'],
    ['in quotes, with an escape', ['"a\\u0062\\n" = 1'], ['ab\n'], '1:1'],
    ['in single quotes', ["'a\\b' = 1"], ['a\\b'], '1:1'],
    ['that is empty', ['x = 1', '"" = 1'], [''], '2:1'],
    ['behind a text of several lines', ['a = """', 'b = 1', '[t]', '""" # "', 'c = 1'], ['c'], '5:1'],
    ['behind such a text that ends in quotes', ['a = """x"""""', 'c = 1'], ['c'], '2:1'],
    ['behind such a text with an escaped quote', ['a = """\\"""', 'b = 1"""', 'c = 1'], ['c'], '3:1'],
    ['behind single quotes over lines', ["a = '''", "b = \\'", "''''", 'c = 1'], ['c'], '4:1'],
    ['behind a list over lines, with comments', ['a = [ # [', '  "]",', '  2, # ]', ']', 'c = 1'], ['c'], '5:1'],
    ['in a table within a line', ['a = { b = 1, "c" = { d = "}" } }', 'e = 1'], ['a', 'c', 'd'], '1:22'],
    ['behind one', ['a = { b = [{ c = 1 }], d = 2 }'], ['a', 'd'], '1:24'],
    ['behind an empty list and an empty table', ['a = []', 'b = {}', 'c = 1'], ['c'], '3:1'],
    ['of an element of a list', ['a = [1,', '  "x", 3]'], ['a', 1], '2:3'],
    ['in a table in a list', ['a = [{ b = 1 }, { b = 2 }]'], ['a', 1, 'b'], '1:19'],
    ['in the second table of an array', ['[[t]]', 'a = 1', '[[t]]', 'a = 2'], ['t', 1, 'a'], '4:1'],
    ['in a table below the last of an array', ['[[t]]', '[t.u]', 'a = 1', '[[t]]', '[t.u]', 'a = 2'], ['t', 1, 'u', 'a'], '6:1'],
    ['in an array below an array', ['[[t]]', '[[t.u]]', '[[t]]', '[[t.u]]', 'a = 1', '[[t.u]]', 'a = 2'], ['t', 1, 'u', 1, 'a'], '7:1'],
    ['behind a date and signs', ['a = 1979-05-27 07:32:00Z', 'b = -inf', 'c = 1_000'], ['c'], '3:1'],
    ['with lines that end as on Windows', ['a = 1\r', '[t]\r', 'b = 2\r'], ['t', 'b'], '3:1'],
    ['counted in characters', ['a = ["😀", 2]'], ['a', 1], '1:11'],
    ['that is not there, as what is nearest above it', ['', '[t]'], ['t', 'x'], '2:2'],
    ['that is nowhere, as the top', ['', 'a = 1'], ['x'], '1:1'],
  ])('%s', (_, lines, path, place) => {
    expect(at(lines, path)).toBe(place);
  });
});

/** The paths to everything in a tree that stands in a file by a name. */
function paths(tree: unknown, above: Path = []): Path[] {
  if (Array.isArray(tree)) return tree.flatMap((value, index) => paths(value, [...above, index]));
  if (typeof tree !== 'object' || tree === null) return [above];
  return Object.entries(tree).flatMap(([name, value]) => paths(value, [...above, name]));
}

test('of any tree that the library writes, each value is behind the key that is found', () => {
  const name = fc.string({ unit: fc.constantFrom('a', 'B', '1', '-', '.', '"', "'", '[', ']', '#', '=', ' ', 'é', '\\'), maxLength: 4 });
  const leaf = fc.oneof(fc.integer(), fc.boolean(), fc.string({ unit: fc.constantFrom('x', '"', "'", '\n', '#', ']', '}', '=', '\\', '[') }));
  const { tree } = fc.letrec<{ tree: Record<string, unknown>; any: unknown }>((tie) => ({
    tree: fc.dictionary(name, tie('any'), { maxKeys: 4 }),
    any: fc.oneof({ depthSize: 'small' }, leaf, fc.array(leaf, { maxLength: 3 }), fc.array(tie('tree'), { minLength: 1, maxLength: 3 }), tie('tree')),
  }));
  fc.assert(fc.property(tree, (made) => {
    const text = stringify(made);
    const lines = text.split('\n');
    const places = new Places(text);
    for (const path of paths(made)) {
      const last = path.at(-1);
      if (typeof last !== 'string') continue;
      const { line, column } = places.of(path);
      const found = [...lines[line - 1]!].slice(column - 1).join('');
      const [written] = /^(?:[\w-]+|"(?:\\.|[^"\\])*"|'[^']*')/.exec(found) ?? [''];
      expect(Object.keys(JSON.parse(`{${written.startsWith('"') ? written : `"${written.replace(/^'|'$/g, '')}"`}:0}`) as object)).toEqual([last]);
    }
  }), { numRuns: 300 });
});
