import { beforeAll, describe, expect, test } from 'vitest';
import type { Progress } from '../../src/client/api.ts';
import { Meter } from '../../src/cli/progress.ts';
import { columnsOf, fit, inColumns } from '../../src/cli/width.ts';
import { loadWidths } from '../../src/cli/width.ts';

beforeAll(loadWidths);

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;

function reading(over: Partial<Progress> = {}): Progress {
  return { name: 'big.iso', nameBytes: 0, nameSize: 4 * GiB, bytes: 0, kept: 0, files: 0, totalBytes: 4 * GiB, totalFiles: 1, limit: undefined, active: [], streams: 1, sources: 0, totalSources: 1, ...over };
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

  test.each([
    ['disk', 'this disk'], ['input', 'input'], ['cpu', 'this CPU'], ['network', 'network'], ['server', 'server'], ['peer', 'network/server'],
  ] as const)('names the limit %s beside the rest at 80 columns, and not at 40', (limit, word) => {
    const meter = steady({ limit });
    expect(meter.line(79, 10_000)).toBe(`big.iso  50%  2.0 GiB of 4.0 GiB  100 MiB/s  0:21 left  limit: ${word}`);
    expect(meter.line(39, 10_000)).toBe('big.iso  50%  100 MiB/s  0:21 left');
  });

  test('with several files names the limit rather than how far this one is', () => {
    const line = steady({ files: 12, totalFiles: 1300, nameBytes: GiB, limit: 'server' }).line(79, 10_000);
    expect(line).toBe('big.iso  25%  12/1,300 files  50%  100 MiB/s  0:21 left  limit: server');
  });

  test('without a total says what has come so far', () => {
    expect(steady({ totalBytes: undefined, totalFiles: undefined }).line(80, 10_000)).toBe('big.iso  2.0 GiB  100 MiB/s');
  });

  test('does not take for speed what was there before, in whatever leaps it comes, also in the time left', () => {
    const meter = new Meter();
    for (let step = 0; step <= 100; step += 1) {
      const kept = Math.min(step, 10) * 100 * MiB;
      meter.update(reading({ bytes: kept + step * 2 * MiB, kept }), step * 100);
    }
    expect(meter.line(80, 10_000)).toBe('big.iso  29%  1.2 GiB of 4.0 GiB  20 MiB/s  2:25 left');
  });

  test('begins with the rate of what moves, however long the ends took to agree on it', () => {
    const meter = new Meter();
    for (let step = 0; step <= 80; step += 1) meter.update(reading({ bytes: Math.max(0, step - 60) * 2 * MiB, kept: 0 }), step * 100);
    expect(meter.line(80, 8_000)).toBe('big.iso  0%  40 MiB of 4.0 GiB  20 MiB/s  3:23 left');
  });

  test('says stalled after five seconds without a byte, and no time left', () => {
    const meter = steady();
    expect(meter.line(80, 14_900)).not.toContain('stalled');
    expect(meter.line(80, 15_000)).toBe('big.iso  50%  2.0 GiB of 4.0 GiB  stalled');
    meter.update(reading({ bytes: 2 * GiB, limit: 'server' }), 16_000);
    expect(meter.line(80, 16_000)).toBe('big.iso  50%  2.0 GiB of 4.0 GiB  stalled  limit: server');
  });

  test('is patient with a transfer that is told in large steps, each as long as three of them', () => {
    const meter = new Meter();
    for (const step of [0, 1, 2]) meter.update(reading({ bytes: step * MiB }), step * 10_000);
    expect(meter.line(80, 49_900)).toContain('left');
    expect(meter.line(80, 50_000)).toContain('stalled');
    meter.update(reading({ bytes: 3 * MiB }), 50_000);
    meter.update(reading({ bytes: 4 * MiB }), 50_100);
    expect(meter.line(80, 55_100)).toContain('stalled');
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
    expect(steady({ limit: 'disk' }).sentence(10_000)).toBe('big.iso: 50%, 2.0 GiB of 4.0 GiB, 100 MiB/s, 0:21 left, limit: this disk');
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

describe('rows for several files on their way', () => {
  const active = ['a.iso', 'b.iso', '日本語.iso', 'd.iso'].map((name) => ({ name, bytes: GiB, size: 4 * GiB }));

  test('are one for all, and one for each', () => {
    expect(steady({ files: 12, totalFiles: 1300, active: active.slice(0, 2) }).rows(80, 8, 10_000)).toEqual([
      'total  12/1,300 files  50%  2.0 GiB of 4.0 GiB  100 MiB/s  0:21 left',
      '  a.iso  25%  1.0 GiB of 4.0 GiB',
      '  b.iso  25%  1.0 GiB of 4.0 GiB',
    ]);
  });

  test('of several sources count the sources, also before the sizes are known and between two of them', () => {
    const several = { sources: 1, totalSources: 4, files: 12 };
    expect(steady({ ...several, totalFiles: 1300, active: active.slice(0, 1) }).rows(80, 8, 10_000)).toEqual([
      'total  1/4 sources  50%  2.0 GiB of 4.0 GiB  100 MiB/s  0:21 left',
      '  a.iso  25%  1.0 GiB of 4.0 GiB',
    ]);
    const unknown = { ...several, totalFiles: undefined, totalBytes: undefined };
    expect(steady({ ...unknown, active: active.slice(0, 1) }).rows(80, 8, 10_000)[0]).toBe('total  1/4 sources  2.0 GiB  100 MiB/s');
    expect(steady(unknown).rows(80, 8, 10_000)).toEqual(['total  1/4 sources  2.0 GiB  100 MiB/s']);
  });

  test('say how many more there are than fit, and are one where there is hardly room', () => {
    const meter = steady({ files: 12, totalFiles: 1300, active });
    expect(meter.rows(39, 3, 10_000).slice(1)).toEqual(['  d.iso  25%  1.0 GiB of 4.0 GiB', '  and 3 more']);
    expect(meter.rows(39, 2, 10_000)).toHaveLength(1);
    for (const row of meter.rows(19, 8, 10_000)) expect(columnsOf(row)).toBeLessThanOrEqual(19);
  });

  test('are one for a single file, with the streams that carry it', () => {
    expect(steady({ active: active.slice(0, 1), streams: 4 }).rows(80, 8, 10_000)).toEqual(['big.iso  50%  2.0 GiB of 4.0 GiB  100 MiB/s  0:21 left  4 streams']);
  });
});
