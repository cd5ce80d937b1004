import { describe, expect, test } from 'vitest';
import { EXITS, exitOf } from '../../src/cli/exits.ts';
import { CODES, Failure, type Code } from '../../src/errors.ts';

/** The documented numbers, written out once more: a change of the table must be a decision. */
const DOCUMENTED: Readonly<Record<number, readonly Code[]>> = {
  1: ['IO', 'INTERNAL'],
  2: ['USAGE', 'BADNAME'],
  3: ['CONNECT', 'PROTOCOL', 'VERSION'],
  4: ['IDENTITY'],
  5: ['AUTH', 'DENIED'],
  6: ['NOTFOUND'],
  7: ['EXISTS', 'PRECONDITION', 'NOTEMPTY', 'ISDIR', 'NOTDIR', 'UNSUPPORTED'],
  8: ['NOSPACE', 'QUOTA'],
  9: ['VERIFY'],
  10: ['CHANGED'],
  11: ['TIMEOUT', 'LOST', 'BUSY', 'SHUTDOWN', 'LIMIT'],
  12: ['DEADLINE'],
  130: ['CANCELLED'],
  143: ['TERMINATED'],
};

describe('exit codes', () => {
  test.each(Object.entries(DOCUMENTED))('%s is the end after %j', (exit, codes) => {
    for (const code of codes) expect([code, EXITS[code]]).toEqual([code, Number(exit)]);
  });

  test('every code is documented, once', () => {
    expect(Object.values(DOCUMENTED).flat().toSorted()).toEqual(Object.keys(CODES).toSorted());
  });

  test('one item gives its own code, one of several gives 1, none 0', () => {
    const missing = new Failure('NOTFOUND', 'no such file or folder');
    expect(exitOf(1, [missing])).toBe(6);
    expect(exitOf(3, [missing])).toBe(1);
    expect(exitOf(3, [])).toBe(0);
  });
});
