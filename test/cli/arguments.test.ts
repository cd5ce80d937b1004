import { describe, expect, test } from 'vitest';
import { allFlags, parseArguments } from '../../src/cli/arguments.ts';
import { closest } from '../../src/suggest.ts';

const FLAGS = {
  long: { short: 'l', summary: 'long' },
  human: { short: 'h', summary: 'human' },
  exclude: { value: 'GLOB', many: true, summary: 'leave out' },
  state: { value: 'DIR', summary: 'state' },
} as const;

describe('the words after a command', () => {
  test('are flags and others, in any order', () => {
    const { values, common, words } = parseArguments(FLAGS, ['a', '-l', '--exclude', '*.o', 'b', '--exclude=node_modules', '--state', '/s', '--json']);
    expect(values).toMatchObject({ long: true, human: false, exclude: ['*.o', 'node_modules'], state: '/s' });
    expect(common.json).toBe(true);
    expect(words).toEqual(['a', 'b']);
  });

  test('letters can stand together', () => {
    expect(parseArguments(FLAGS, ['-lhq']).values).toMatchObject({ long: true, human: true, quiet: true });
  });

  test('after -- nothing is a flag, and a lone - never is', () => {
    expect(parseArguments(FLAGS, ['-', '--', '-l', '--json']).words).toEqual(['-', '-l', '--json']);
  });

  test('flags that are not given are off, empty or absent', () => {
    expect(parseArguments(FLAGS, []).values).toMatchObject({ long: false, exclude: [] });
    expect(parseArguments(FLAGS, []).values.state).toBeUndefined();
  });

  test('a letter of the command itself wins over a common one', () => {
    expect(allFlags(FLAGS, false)['help']?.short).toBeUndefined();
    expect(allFlags({}, false)['help']?.short).toBe('h');
  });

  test.each<[words: string[], message: string, hint: string | undefined]>([
    [['--exlude', 'x'], 'there is no flag --exlude', 'did you mean --exclude?'],
    [['--xyzzy'], 'there is no flag --xyzzy', undefined],
    [['-z'], 'there is no flag -z', undefined],
    [['--toString'], 'there is no flag --toString', undefined],
    [['--state'], '--state needs a value: DIR', 'write --state DIR'],
    [['--state', '--json'], '--state needs a value: DIR', 'write --state DIR'],
    [['--json=yes'], '--json takes no value', undefined],
  ])('%j are refused: %s', (words, message, hint) => {
    expect(() => parseArguments(FLAGS, words)).toThrow(expect.objectContaining({ code: 'USAGE', message, hint }));
  });

  test('flags of the shell are unknown at the prompt', () => {
    expect(parseArguments({}, ['--server', 'lab'], true).common.server).toBe('lab');
    expect(() => parseArguments({}, ['--server', 'lab'])).toThrow('there is no flag --server');
  });
});

describe('did you mean', () => {
  const names = ['put', 'get', 'change', 'help', 'bye', 'mkdir', 'rmdir', 'serve', 'devices'];
  test.each([
    ['gte', 'get'], ['pu', 'put'], ['chnage', 'change'], ['hlep', 'help'], ['mkdr', 'mkdir'], ['dev', 'devices'], ['SERV', 'serve'],
  ])('%s means %s', (typed, meant) => expect(closest(typed, names)).toBe(meant));
  test.each(['xyzzy', 'format', '', 'x'.repeat(10_000)])('%.10s means nothing here', (typed) => expect(closest(typed, names)).toBeUndefined());
});

test('a whole name behind a single dash is told to have two', () => {
  expect(() => parseArguments(FLAGS, ['-exclude', '*.o'])).toThrow(expect.objectContaining({ message: 'there is no flag -exclude', hint: 'did you mean --exclude?' }));
  expect(() => parseArguments(FLAGS, ['-zz'])).toThrow(expect.objectContaining({ message: 'there is no flag -z', hint: undefined }));
});
