import { describe, expect, test } from 'vitest';
import { paintBy } from '../../../src/cli/line/lscolors.ts';

const file = { kind: 'file', mode: 0o644 } as const;

describe('colours of names', () => {
  test('are those of the variable: kinds, endings, programs', () => {
    const paint = paintBy('di=01;34:ex=01;32:*.gz=31:*.tar.gz=35:no=broken');
    expect(paint({ kind: 'folder', mode: 0o755 }, 'd', 'd')).toBe('\u001b[01;34md\u001b[0m');
    expect(paint({ kind: 'file', mode: 0o755 }, 'run', 'run')).toBe('\u001b[01;32mrun\u001b[0m');
    expect(paint(file, 'a.tar.gz', 'a')).toBe('\u001b[35ma\u001b[0m');
    expect(paint(file, 'a.GZ', 'a')).toBe('\u001b[31ma\u001b[0m');
    expect(paint(file, 'a.txt', 'a')).toBe('a');
  });

  test('are those of ls when the variable is not set', () => {
    expect(paintBy(undefined)({ kind: 'link', mode: 0o777 }, 'l', 'l')).toBe('\u001b[01;36ml\u001b[0m');
  });

  test('cannot write anything else to the terminal', () => {
    expect(paintBy('di=1m\u001b]0;title\u0007')({ kind: 'folder', mode: 0 }, 'd', 'd')).toBe('d');
  });
});
