import { describe, expect, test } from 'vitest';
import { modeFrom } from '../../src/cli/modes.ts';

const made = (typed: string, mode: number, kind: 'file' | 'folder' = 'file') => modeFrom(typed)(mode, kind).toString(8).padStart(3, '0');

describe('a mode', () => {
  test.each([
    ['640', 0o777, '640'], ['0644', 0, '644'], ['000', 0o777, '000'],
    ['u+x', 0o644, '744'], ['go-w', 0o666, '644'], ['a=r', 0o777, '444'], ['+x', 0o644, '755'], ['u=rw,go=', 0o777, '600'], ['u+x-w', 0o644, '544'], ['o=', 0o777, '770'],
    ['a+X', 0o644, '644'], ['a+X', 0o744, '755'],
  ])('%s of %s', (typed, mode, expected) => {
    expect(made(typed, mode)).toBe(expected);
  });

  test('X is for folders', () => {
    expect(made('a+X', 0o644, 'folder')).toBe('755');
  });

  test.each(['4755', '1777', 'u+s', '+t', 'g=rws'])('%s is refused: such bits are never set', (typed) => {
    expect(() => modeFrom(typed)).toThrow(expect.objectContaining({ code: 'USAGE', message: expect.stringContaining('more than reading, writing and running') as string }));
  });

  test.each(['', '9', '888', 'rwx', 'x+u', 'u+x,', 'u'])('«%s» is none', (typed) => {
    expect(() => modeFrom(typed)).toThrow(expect.objectContaining({ code: 'USAGE', hint: 'write it as 640, u+x or go-w' }));
  });
});
