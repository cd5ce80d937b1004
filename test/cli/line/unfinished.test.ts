/** What has no line break at its end stays on the screen, and the prompt begins in a row of its own. */
import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toOwnRow, unfinishedMark } from '../../../src/cli/line/unfinished.ts';
import { Rig } from '../../e2e/rig.ts';
import { Screen } from '../screen.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start();
  await writeFile(join(rig.served, 'f'), 'no end');
});
afterAll(async () => rig[Symbol.asyncDispose]());

describe.each([80, 40, 20])('on a terminal of %d columns', (columns) => {
  const open = (env: Record<string, string> = {}): Screen => new Screen(['--no-rc'], { cwd: rig.local, columns, rows: 24, env: { WHERRY_HOME: rig.home, HOME: rig.folder, NO_COLOR: '1', ...env } });

  /** The lines since one was typed, up to that of the next prompt; those that the terminal broke are one. */
  async function rowsOf(screen: Screen, line: string): Promise<string[]> {
    const from = screen.said.length;
    screen.enter(line);
    await screen.drawn(from, /\u001b\[\?2004l[^]*> (?:\u001b\[[\d;]*[A-Za-z])*$/);
    const lines = screen.lines.map((row) => row.trimEnd().replace(/^.*:\/>$/, '>'));
    return lines.slice(lines.findLastIndex((row, index) => index < lines.length - 1 && /^\S*:?\/?>|:\/> /.test(row)) + 1);
  }

  const full = 'x'.repeat(columns);
  test.each([
    ['!printf ab', ['ab⏎', '>']], [String.raw`!printf "ab\ncd"`, ['ab', 'cd⏎', '>']], ['cat f', ['no end⏎', '>']], ['cat f|cat', ['no end⏎', '>']], ['get f -', ['no end⏎', '>']],
    ['!echo ab', ['ab', '>']], ['', ['>']],
  ])('%s', async (line, wanted) => {
    await using screen = open();
    await screen.see('> ');
    expect(await rowsOf(screen, line)).toEqual(wanted);
  });

  test.each([[-1, '⏎'], [0, '']])('with a row that ends at the last column %d', async (before, mark) => {
    await using screen = open();
    await screen.see('> ');
    await writeFile(join(rig.served, 'w'), full.slice(0, columns + before));
    expect(await rowsOf(screen, 'cat w')).toEqual([`${full.slice(0, columns + before)}${mark}`, '>']);
  });

  test('in a language without UTF-8 the mark is a letter of ASCII', async () => {
    await using screen = open({ LANG: 'C' });
    await screen.see('> ');
    expect((await rowsOf(screen, '!printf ab'))[0]).toBe('ab%');
  });

  test('what is redrawn in another width does not join the rows', async () => {
    await using screen = open();
    await screen.see('> ');
    await rowsOf(screen, '!printf ab');
    const from = screen.said.length;
    screen.resize(columns + 10, 24);
    await screen.drawn(from, /> /);
    expect(screen.lines.slice(-2).map((row) => row.trimEnd().replace(/^.*:\/>$/, '>'))).toEqual(['ab⏎', '>']);
  });
});

test('the mark is dim where there are colours, and of one column', () => {
  expect(unfinishedMark({ LANG: 'de_DE.utf8' }, true)).toBe('\u001b[2m⏎\u001b[22m');
  expect([unfinishedMark({ LANG: 'C.UTF-8', LC_ALL: 'C' }, false), unfinishedMark({}, false), unfinishedMark({ LC_CTYPE: 'UTF-8', LANG: 'C' }, false)]).toEqual(['%', '%', '⏎']);
});

test('nothing is written where the columns are not known', () => {
  expect([toOwnRow('%', undefined), toOwnRow('%', 0), toOwnRow('%', 1), toOwnRow('%', 3)]).toEqual(['', '', '', '%  \r\u001b[J']);
});
