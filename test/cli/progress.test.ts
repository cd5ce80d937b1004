import { beforeAll, describe, expect, test } from 'vitest';
import type { Progress } from '../../src/client/api.ts';
import { Meter } from '../../src/cli/progress.ts';
import { columnsOf, fit, inColumns } from '../../src/cli/width.ts';
import { loadWidths } from '../../src/cli/width.ts';

beforeAll(loadWidths);

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;

function reading(over: Partial<Progress> = {}): Progress {
  return { name: 'big.iso', nameBytes: 0, nameSize: 4 * GiB, bytes: 0, files: 0, totalBytes: 4 * GiB, totalFiles: 1, ...over };
}

/** A meter that has seen `rate` bytes a second for ten seconds, up to `bytes`. */
function steady(over: Partial<Progress> = {}, rate = 100 * MiB): Meter {
  const meter = new Meter();
  const end = 10_000;
  for (let time = 0; time <= end; time += 100) meter.update(reading({ bytes: 2 * GiB - ((end - time) / 1000) * rate, ...over }), time);
  return meter;
}

describe('a progress line', () => {
  test('says name, share, bytes, rate and time left', () => {
    expect(steady().line(80, 10_000)).toBe('big.iso  50%  2.0 GiB of 4.0 GiB  100 MiB/s  0:21 left');
  });

  test('with several files says how many are done, and how far this one is', () => {
    const line = steady({ files: 12, totalFiles: 1300, nameBytes: GiB }).line(80, 10_000);
    expect(line).toBe('big.iso  25%  12/1,300 files  50%  2.0 GiB of 4.0 GiB  100 MiB/s  0:21 left');
  });

  test.each(['big.iso', `${'long'.repeat(40)}.iso`, '日本語のとても長いファイル名'.repeat(4), '👩‍👧👨‍👩‍👧‍👦🏳️‍🌈'.repeat(20), 'é'.repeat(100), '\u001b[31mred\nline'])('never is wider than the terminal: %.20j', (name) => {
    const meter = steady({ name, files: 3, totalFiles: 7 });
    for (const width of [20, 21, 30, 39, 40, 41, 60, 79, 80, 200]) {
      const line = meter.line(width, 10_000);
      expect(columnsOf(line)).toBeLessThanOrEqual(width);
      expect(line).toContain('50%');
      expect(line).not.toMatch(/[\u0000-\u001f]/);
    }
  });

  test('at 20 columns keeps the share and at 40 the rate', () => {
    expect(steady().line(20, 10_000)).toBe('big.iso  50%');
    expect(steady().line(40, 10_000)).toBe('big.iso  50%  100 MiB/s  0:21 left');
  });

  test('without a total says what has come so far', () => {
    expect(steady({ totalBytes: undefined, totalFiles: undefined }).line(80, 10_000)).toBe('big.iso  2.0 GiB  100 MiB/s');
  });

  test('says stalled after five seconds without a byte, and no time left', () => {
    const meter = steady();
    expect(meter.line(80, 14_900)).not.toContain('stalled');
    expect(meter.line(80, 15_000)).toBe('big.iso  50%  2.0 GiB of 4.0 GiB  stalled');
  });

  test('does not take what resume kept for speed', () => {
    const meter = new Meter();
    meter.update(reading({ bytes: 3 * GiB }), 0);
    meter.update(reading({ bytes: 3 * GiB + 10 * MiB }), 1000);
    expect(meter.line(80, 1000)).toContain('10 MiB/s');
  });

  test('follows a change of speed within seconds, without jumping at one burst', () => {
    const meter = steady();
    meter.update(reading({ bytes: 2 * GiB + 100 * MiB }), 10_100); // ten times as fast for 100 ms
    expect(meter.line(80, 10_100)).toMatch(/ 1[23]\d MiB\/s/);
  });

  test('is empty before the first reading, and at 100% only when all is there', () => {
    expect(new Meter().line(80, 0)).toBe('');
    const meter = new Meter();
    meter.update(reading({ bytes: 4 * GiB - 1 }), 0);
    expect(meter.line(80, 0)).toContain('99%');
    meter.update(reading({ bytes: 0, totalBytes: 0 }), 1);
    expect(meter.line(80, 1)).toContain('100%');
  });

  test('is a sentence in a log', () => {
    expect(steady({ files: 3, totalFiles: 7 }).sentence(10_000)).toBe('big.iso: 3/7 files, 50%, 2.0 GiB of 4.0 GiB, 100 MiB/s, 0:21 left');
  });
});

describe('text cut to a width', () => {
  test.each([
    ['report.pdf', 20, 'report.pdf'], ['a-very-long-name.iso', 10, 'a-very…iso'], ['日本語', 6, '日本語'], ['日本語', 5, '日本…'], ['abc', 1, '…'], ['abc', 0, ''],
  ])('%s in %d columns is %s', (text, columns, expected) => expect(fit(text, columns)).toBe(expected));
});

describe('names in columns', () => {
  test('are sorted downwards', () => {
    expect(inColumns(['a', 'b', 'c', 'd', 'e'], 8)).toEqual(['a  c  e', 'b  d']);
  });

  test('stand one a line where nothing else fits', () => {
    expect(inColumns(['a'.repeat(30), 'b'.repeat(30)], 40)).toEqual(['a'.repeat(30), 'b'.repeat(30)]);
  });

  test('are aligned by what is seen, not by letters', () => {
    expect(inColumns(['日本', 'a', 'bb', 'c'], 10)).toEqual(['日本  bb', 'a     c']);
  });

  test('of 100,000 names come at once', () => {
    const names = Array.from({ length: 100_000 }, (_, index) => `file-${index}`);
    expect(inColumns(names, 80).join('\n').split(/\s+/).length).toBe(100_000);
  });
});
