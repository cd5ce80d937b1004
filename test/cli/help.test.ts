import { beforeAll, describe, expect, test } from 'vitest';
import { adviseAt } from '../../src/cli/advice.ts';
import { findCommand } from '../../src/cli/command.ts';
import { splitWords } from '../../src/cli/script/words.ts';
import { COMMANDS } from '../../src/cli/commands.ts';
import { commandHelp, helpLines, NOT_ALLOWED } from '../../src/cli/help.ts';
import { insteadOf } from '../../src/cli/instead.ts';
import { columnsOf } from '../../src/cli/width.ts';
import { Failure } from '../../src/errors.ts';
import { ROLES } from '../../src/rights.ts';
import { loadWidths } from '../../src/cli/width.ts';

beforeAll(loadWidths);

const FIVE = ['put', 'get', 'change', 'help', 'bye'];

describe('the table of commands', () => {
  test('has no name twice in one place', () => {
    for (const place of ['shell', 'prompt'] as const) {
      const names = COMMANDS.filter(({ where }) => where === 'both' || where === place).flatMap(({ name, aliases }) => [name, ...aliases]);
      expect(new Set(names).size).toBe(names.length);
    }
  });

  test.each([...FIVE, 'rename', 'mv', 'exit', 'quit', '?'])('%s is known at the prompt, in any letter case', (word) => {
    expect(findCommand(COMMANDS, word.toUpperCase(), 'prompt')).toBe(findCommand(COMMANDS, word, 'prompt'));
  });

  test.each([
    ['frob', 'shell', 'wherry help lists all of them'], ['frob', 'prompt', 'help lists all of them'], ['bye', 'shell', 'wherry alone opens it'], ['exit', 'shell', 'wherry alone opens it'],
    ['serve', 'prompt', 'say bye, then type in the shell: wherry serve'], ['wherry', 'prompt', 'leave it out; help lists what can be typed here'], ['gte', 'prompt', 'did you mean get?'], ['gte', 'shell', 'did you mean wherry get?'],
  ] as const)('%s in the %s is unknown: %s', (word, place, hint) => {
    expect(() => findCommand(COMMANDS, word, place)).toThrow(expect.objectContaining({ code: 'USAGE', hint }));
  });

  test.each([
    ['mirror', 'put -u DIR sends what is new or newer in a folder; get -u DIR fetches it; nothing is removed'], ['del', 'did you mean rm?'], ['MDELETE', 'did you mean rm?'],
    ['move', 'did you mean change?'], ['cp', 'put sends; get fetches; on the server itself nothing is copied'], ['set', expect.stringContaining('nothing to set')],
  ] as const)('%s of other programs is no command, and it is said what is', (word, wanted) => {
    let failure: Failure | undefined;
    try { findCommand(COMMANDS, word, 'prompt'); } catch (error) { failure = Failure.from(error); }
    expect(failure?.message).toBe(`there is no command ${word}`);
    expect(adviseAt({ place: 'prompt', server: undefined })(failure!)).toEqual(wanted);
  });

  test('has none of the words that are told to be something else', () => {
    for (const { name, aliases } of COMMANDS) for (const word of [name, ...aliases]) expect(insteadOf(word), word).toBeUndefined();
  });

  test.each(COMMANDS.map((command) => [command.name, command] as const))('%s has a usage, an example and a meaning for each flag', (name, command) => {
    const place = command.where === 'prompt' ? 'prompt' : 'shell';
    const lines = commandHelp(command, place, undefined, 80);
    expect(lines[0]).toBe(`usage: ${place === 'shell' ? 'wherry ' : ''}${name} ${command.words}`.trimEnd());
    expect(command.examples.every((example) => new RegExp(`^(wherry )?(${name}\\b|$)|^wherry`).test(example))).toBe(true);
    expect(lines.join('\n')).toContain(command.examples[0]);
    for (const example of command.examples) expect(example).not.toMatch(/[\u0000-\u001f]/);
  });

  test('speaks at the prompt of places as they are typed there', () => {
    const lines = (place: 'shell' | 'prompt') => commandHelp(findCommand(COMMANDS, 'get', place), place, undefined, 80).join(' ');
    expect(lines('shell')).toContain(' :FOLDER/.');
    expect(lines('prompt')).not.toContain(':FOLDER');
    expect(lines('prompt')).toContain(' FOLDER/.');
  });

  test.each(COMMANDS.filter(({ where }) => where !== 'prompt').map((command) => [command.name, command] as const))('the examples of %s are understood by it', (_, command) => {
    for (const example of command.examples) {
      const [, word, ...words] = example.replace(/ <.*$/, '').replaceAll("'", '').split(' ');
      if (word === command.name) expect(() => command.read(words, 'shell', () => false)).not.toThrow();
    }
  });

  test.each(COMMANDS.filter(({ where }) => where !== 'shell').map((command) => [command.name, command] as const))('the examples of %s at the prompt are understood there', (_, command) => {
    const lines = commandHelp(command, 'prompt', undefined, 80);
    const examples = lines.slice(lines.findIndex((line) => line.startsWith('example')) + 1).map((line) => line.trim());
    for (const example of examples) {
      const [word, ...words] = splitWords(example);
      expect(word).toBe(command.name);
      expect(words.some((one) => one.startsWith(':'))).toBe(false);
      expect(() => command.read(words, 'prompt', () => false)).not.toThrow();
    }
  });
});

describe('the list at the prompt', () => {
  const marked = (role: keyof typeof ROLES) => COMMANDS.filter(({ where }) => where !== 'shell').filter((command) => commandHelp(command, 'prompt', ROLES[role], 80).join(' ').includes(NOT_ALLOWED)).map(({ name }) => name);

  test('marks what the rights do not allow', () => {
    expect(marked('rw')).toEqual([]);
    expect(marked('ro')).toEqual(['put', 'change', 'undo', 'mput', 'reput', 'edit', 'rm', 'mkdir', 'rmdir', 'chmod']);
    expect(marked('drop')).toEqual(['get', 'change', 'undo', 'mget', 'reget', 'ls', 'cat', 'more', 'edit', 'rm', 'rmdir', 'chmod', 'stat', 'du', 'df', 'find', 'hash', 'cd']);
    const line = helpLines(COMMANDS, 'prompt', ROLES.ro, 80).find((one) => one.startsWith('put '));
    expect(line).toContain(NOT_ALLOWED);
  });

  test('names every command that exists there and no other', () => {
    const text = helpLines(COMMANDS, 'prompt', ROLES.rw, 80);
    for (const word of FIVE) expect(text.some((line) => line.startsWith(word))).toBe(true);
    expect(text.some((line) => line.startsWith('serve'))).toBe(false);
  });

  test.each([20, 40, 80, 120])('fits %d columns', (width) => {
    for (const line of helpLines(COMMANDS, 'prompt', ROLES.ro, width)) expect(columnsOf(line)).toBeLessThanOrEqual(width);
  });
});

describe('all about a command', () => {
  const all = (width: number) => COMMANDS.flatMap((command) => commandHelp(command, command.where === 'prompt' ? 'prompt' : 'shell', ROLES.drop, width));

  test.each([40, 50, 60, 79])('fits %d columns, and says the same', (width) => {
    for (const line of all(width)) expect(columnsOf(line), line).toBeLessThanOrEqual(width);
    const words = (lines: readonly string[]) => lines.join(' ').split(/\s+/).filter((word) => word !== '\\');
    expect(words(all(width))).toEqual(words(all(80)));
  });

  test('of an example makes lines that a shell reads as one', () => {
    const lines = commandHelp(findCommand(COMMANDS, 'serve', 'shell'), 'shell', undefined, 40);
    expect(lines.slice(-2)).toEqual(['  wherry serve /srv/files --ro \\', '    --listen 192.168.1.5:9437']);
  });

  test('is as it was written at 80 columns and wider', () => {
    expect(all(120)).toEqual(all(80));
    expect(commandHelp(findCommand(COMMANDS, 'serve', 'shell'), 'shell', undefined, 80)).toContain('  wherry serve /srv/files --ro --listen 192.168.1.5:9437');
  });
});
