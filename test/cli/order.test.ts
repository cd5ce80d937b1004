import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { commandFirst } from '../../src/cli/order.ts';

const order = (...typed: string[]) => commandFirst(typed, COMMANDS);

describe('flags before the command', () => {
  test.each<[typed: string[], words: string[]]>([
    [['--json', 'ls', ':'], ['ls', '--json', ':']],
    [['--server', 'lab', '--quiet', 'LS', ':'], ['LS', '--server', 'lab', '--quiet', ':']],
    [['--server=lab', 'put', '-r', 'x', ':'], ['put', '--server=lab', '-r', 'x', ':']],
    [['--deadline', '10s', 'get', ':x', '-'], ['get', '--deadline', '10s', ':x', '-']],
    [['-q', 'ls', '-h', ':'], ['ls', '--quiet', '-h', ':']],
    // The name of a server may be that of a command.
    [['--server', 'ls', 'ls', ':'], ['ls', '--server', 'ls', ':']],
    [['--json', 'put', '--', '-x', ':'], ['put', '--json', '--', '-x', ':']],
  ])('%j go behind it where every command takes them', (typed, words) => expect(order(...typed)).toEqual(words));

  test.each<[typed: string[], words: string[]]>([
    [['--server', 'lab'], ['connect', '--server', 'lab']],
    [['--server'], ['connect', '--server']],
    [['--bogus'], ['connect', '--bogus']],
  ])('%j without one are those of the prompt', (typed, words) => expect(order(...typed)).toEqual(words));

  test.each([[['pit', 'x', ':']], [['foo']]])('keep a mistyped command what it is: %j', (words) => expect(order('--json', ...words)).toEqual([words[0], '--json', ...words.slice(1)]));
  test('that no command takes are for the command to refuse', () => expect(order('--bogus', 'ls', ':')).toEqual(['ls', '--bogus', ':']));

  test.each<[typed: string[], message: RegExp, hint: string]>([
    [['-r', 'put', 'x', ':'], /^-r is a flag of put and goes behind it$/, 'type: wherry put -r x :'],
    [['--json', '--exclude', '*.o', 'put', "it's", ':'], /^--exclude is a flag of put/, `type: wherry put --json --exclude '*.o' 'it'\\''s' :`],
    [['--ro', 'serve'], /^--ro is a flag of serve/, 'type: wherry serve --ro'],
    [['-1', 'ls', '\u001b[2J'], /^-1 is a flag of ls/, "type: wherry ls -1 '\\x1b[2J'"],
  ])('%j that one command takes are refused, with the line that works', (typed, message, hint) => {
    expect(() => order(...typed)).toThrow(expect.objectContaining({ code: 'USAGE', message: expect.stringMatching(message) as string, hint }));
  });
});
