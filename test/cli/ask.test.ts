import { describe, expect, test } from 'vitest';
import { askingAt, Asking, verdictOf } from '../../src/cli/ask.ts';
import type { Context } from '../../src/cli/command.ts';

/** Somebody who gives these answers in turn, and what was asked and said. */
function person(...answers: string[]) {
  const asked: string[] = [];
  const said: string[] = [];
  const asking = new Asking(async (question) => {
    asked.push(question);
    return answers.shift() ?? '';
  }, (line) => said.push(line));
  return { asking, asked, said };
}

test.each([
  ['y', 'yes'], ['YES', 'yes'], [' y ', 'yes'], ['n', 'no'], ['', 'no'], ['a', 'all'], ['all', 'all'], ['q', 'none'], ['none', 'none'], ['maybe', undefined], ['constructor', undefined],
] as const)('«%s» means %s', (typed, verdict) => {
  expect(verdictOf(typed)).toBe(verdict);
});

describe('a row of questions', () => {
  test('is asked one by one, with the choices behind each', async () => {
    const { asking, asked } = person('y', '', 'n');
    expect([await asking.agrees('replace a?'), await asking.agrees('replace b?'), await asking.agrees('replace c?')]).toEqual([true, false, false]);
    expect(asked[0]).toBe('replace a? [y/N/a/q] ');
    expect(asking.rest).toBeUndefined();
  });

  test.each([['a', true], ['q', false]])('ends with %s: all that comes is %s', async (answer, rest) => {
    const { asking, asked } = person(answer);
    expect([await asking.agrees('replace a?'), await asking.agrees('replace b?')]).toEqual([rest, rest]);
    expect([asked.length, asking.rest]).toEqual([1, rest]);
  });

  test('explains the choices to who gives another answer, and takes a second one for no', async () => {
    const { asking, asked, said } = person('maybe', 'perhaps', 'what', 'y');
    expect(await asking.agrees('replace a?')).toBe(false);
    expect(await asking.agrees('replace b?')).toBe(true);
    expect(asked).toHaveLength(4);
    expect(said[0]).toMatch(/y yes, n no, a all, q none of the rest/);
  });
});

test('nobody is asked without a terminal, with --no-input, --json or --yes', () => {
  const at = (canAsk: boolean, settings: object, yes = false) => askingAt({ terminal: { canAsk }, settings: { noInput: false, json: false, ...settings } } as unknown as Context, yes);
  expect(at(true, {})).toBeInstanceOf(Asking);
  expect([at(false, {}), at(true, { noInput: true }), at(true, { json: true }), at(true, {}, true)]).toEqual([undefined, undefined, undefined, undefined]);
});
