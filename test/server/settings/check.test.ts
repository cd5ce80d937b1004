import { describe, expect, test } from 'vitest';
import { checkSettings } from '../../../src/server/settings/check.ts';

/** Each mistake as `line:column message | hint`. */
const mistakes = (...lines: readonly string[]): string[] => checkSettings(lines.join('\n')).mistakes.map(({ line, column, message, hint }) => `${line}:${column} ${message} | ${hint}`);

describe('a file that is right', () => {
  test('may be empty', () => {
    expect(checkSettings('')).toEqual({ values: {}, written: new Map(), mistakes: [] });
  });

  test('has times in milliseconds and sizes in bytes, and says in which line each key is', () => {
    const { values, written, mistakes } = checkSettings(['folder = "/srv"', 'grace = "2m"', 'workers = "auto"', 'listen = [', '  "127.0.0.1:1",', '  "[::1]:2",', ']', '[limits]', 'memory = "64 MiB"', '[log]', 'format = "json"'].join('\n'));
    expect(mistakes).toEqual([]);
    expect(values).toEqual({ 'folder': '/srv', 'grace': 120_000, 'workers': 'auto', 'listen': ['127.0.0.1:1', '[::1]:2'], 'limits.memory': 67_108_864, 'log.format': 'json' });
    expect([...written].map(([key, { line }]) => [key, line])).toEqual([['folder', 1], ['grace', 2], ['workers', 3], ['listen', 4], ['limits.memory', 9], ['log.format', 11]]);
  });

  test('may write a table with dots, or within a line', () => {
    expect(checkSettings('limits.memory = "64MiB"\nlog = { format = "json" }').values).toEqual({ 'limits.memory': 67_108_864, 'log.format': 'json' });
  });
});

describe('what is wrong is told with its place, and what to type', () => {
  test('all of it at once, in the order of the file', () => {
    expect(mistakes('foldr = "/x"', '', 'grace = 10', '[limits]', 'memory = "lots"')).toEqual([
      '1:1 there is no key foldr | did you mean folder?',
      '3:1 grace: 10 is not a length of time, as text in quotes | for example: grace = "10s"',
      '5:1 limits.memory: "lots" is not a size | for example: memory = "128MiB"',
    ]);
  });

  test.each<[string, readonly string[], string]>([
    ['a key in no table that belongs in one', ['memory = "64MiB"'], '1:1 there is no key memory | write memory below [limits]'],
    ['a key in a table that belongs to the top', ['[log]', 'folder = "/x"'], '2:1 there is no key folder in [log] | write folder at the top of the file, before the first table'],
    ['a key that is mistyped in its table', ['[limits]', '  memori = "64MiB"'], '2:3 there is no key memori in [limits] | did you mean memory?'],
    ['a key that is like none', ['zzzzzzzz = 1'], '1:1 there is no key zzzzzzzz | "wherry config example" shows every key'],
    ['a table that is mistyped', ['', '[limit]', 'x = 1'], '2:2 there is no key limit | did you mean [limits]?'],
    ['a table that is written as a value', ['limits = 5'], '1:1 limits is a table, and not a value | write its name in brackets in a line of its own, and its keys below: [limits]'],
    ['a table that is written as many', ['[[limits]]', 'memory = "64MiB"'], '1:3 limits is a table, and not a value | write its name in brackets in a line of its own, and its keys below: [limits]'],
    ['a key whose name has a dot', ['"limits.memory" = "64MiB"'], '1:1 there is no key limits.memory | "wherry config example" shows every key'],
    ['a name from the depths of the language', ['__proto__ = 1'], '1:1 there is no key __proto__ | "wherry config example" shows every key'],
    ['a folder that is not named from the top', ['folder = "files"'], '1:1 folder: a folder is named from the top, beginning with /: a service has no current folder | for example: folder = "/srv/files"'],
    ['an address that is none, at its place in the list', ['listen = [":1",', ' "a:b:c"]'], '2:2 listen: this is no address to listen at | for example: listen = [":9437"]'],
    ['an address with a host that is none', ['listen = ["foo bar"]'], '1:11 listen: this is no address to listen at | for example: listen = [":9437"]'],
    ['an address that another one takes in', ['listen = [":1",', ' "127.0.0.1:1"]'], '2:2 listen: 127.0.0.1:1 is among the other addresses already: nothing can listen twice at one port | for example: listen = [":9437"]'],
    ['an address that is not text', ['listen = [9437]'], '1:11 listen: 9437 is not text in quotes | for example: listen = [":9437"]'],
    ['an address without its list', ['listen = ":9437"'], '1:1 listen: ":9437" is not a list in brackets | for example: listen = [":9437"]'],
    ['no address', ['listen = []'], '1:1 listen: there must be one address at least | for example: listen = [":9437"]'],
    ['a word that is none of those', ['ticket = "all"'], '1:1 ticket: "all" is none of none, ro, rw, drop | for example: ticket = "none"'],
    ['a number beyond its bounds', ['workers = 33'], '1:1 workers: 33 is not a whole number from 1 to 32 or "auto" | for example: workers = 1'],
    ['a number that no computer counts to', ['workers = 9223372036854775807'], '1:1 workers: 9223372036854775807 is not a whole number from 1 to 32 or "auto" | for example: workers = 1'],
    ['half of something', ['limits.max_connections = 1.5'], '1:8 limits.max_connections: 1.5 is not a whole number from 1 to 100000 | for example: max_connections = 1000'],
    ['a time beyond its bounds', ['ticket_life = "31d"'], '1:1 ticket_life: "31d" is not between 1s and 30d | for example: ticket_life = "10m"'],
    ['a flag that is text', ['serve_this = "yes"'], '1:1 serve_this: "yes" is not true or false | for example: serve_this = false'],
    ['a network that is none, at its place in the list', ['[bans]', 'never = ["10.0.0.0/8", "home"]'], '2:24 bans.never: this is neither an address nor a network | for example: never = ["10.0.0.0/8", "2001:db8::/32"]'],
    ['an address for metrics that is none', ['metrics.listen = "a:b:c"'], '1:9 metrics.listen: this is no address to listen at | for example: listen = "127.0.0.1:9438"'],
    ['a rate below all lines', ['rates.account = "1B"'], '1:7 rates.account: "1B" is not between 1KiB and 1TiB | for example: account = "10MiB"'],
    ['a limit that is below another one', ['[limits]', 'unauthenticated_from = 600'], '2:1 limits.unauthenticated_full is below limits.unauthenticated_from | raise limits.unauthenticated_full, or lower limits.unauthenticated_from'],
    ['two that are written in the wrong order', ['[bans]', 'length = "2h"', 'longest = "1h"'], '3:1 bans.longest is below bans.length | raise bans.longest, or lower bans.length'],
    ['a date', ['name = 2026-01-01'], '1:1 name: a date is not text in quotes | for example: name = "files"'],
    ['a name that is none', ['name = "my files"'], '1:1 name: a name has 1 to 63 letters, digits and hyphens | for example: name = "files"'],
    ['text that ends a line of the log', ['state = "/a\\nb"'], '1:1 state: this is empty, or has a sign in it that no name has | for example: state = "/var/lib/wherry"'],
  ])('%s', (_, lines, told) => {
    expect(mistakes(...lines)).toEqual([told]);
  });

  test.each<[string, readonly string[], string]>([
    ['a value that is missing', ['a = 1', 'b = '], '2:'], ['a key that comes twice', ['grace = "1s"', 'grace = "2s"'], '2:'],
    ['text without its end', ['', 'name = "x'], '2:'], ['no quotes', ['folder = /srv'], '1:'],
  ])('what is no TOML at all: %s', (_, lines, place) => {
    const [only, ...more] = mistakes(...lines);
    expect(more).toEqual([]);
    expect(only).toMatch(new RegExp(`^${place}\\d+ this is not TOML: .* \\| text stands in quotes`));
  });

  test('and nothing of the values of others is lost by it', () => {
    expect(checkSettings('grace = "1s"\nworkers = 0').values).toEqual({ grace: 1000 });
  });

  test('a file of mistakes is told up to a bound', () => {
    expect(checkSettings(Array.from({ length: 5000 }, (_, index) => `x${index} = 1`).join('\n')).mistakes).toHaveLength(100);
  });
});
