import { expect, test } from 'vitest';
import { formatClock, formatDate, formatDuration, formatRate, formatSize, isoTime, parseAge, parseDuration, plural } from '../../src/cli/measures.ts';

test.each([
  [0, '0 B'], [812, '812 B'], [1023, '1023 B'], [1024, '1.0 KiB'], [1536, '1.5 KiB'], [10 * 1024, '10 KiB'], [10.4 * 1024 ** 2, '10 MiB'],
  [1024 ** 2 - 1, '1.0 MiB'], [4.1 * 1024 ** 3, '4.1 GiB'], [9.96 * 1024, '10 KiB'], [2 ** 53, '8.0 PiB'],
])('%d bytes are %s', (bytes, text) => expect(formatSize(bytes)).toBe(text));

test.each([
  [0, '0 ms'], [4.2, '4 ms'], [999, '999 ms'], [999.6, '1.0 s'], [3_100, '3.1 s'], [9_949, '9.9 s'], [9_950, '10 s'], [38_400, '38 s'],
  [59_600, '1 min 0 s'], [192_000, '3 min 12 s'], [7_500_000, '2 h 5 min'],
])('%d ms are %s', (milliseconds, text) => expect(formatDuration(milliseconds)).toBe(text));

test.each([[0, '0:00'], [20.2, '0:21'], [725, '12:05'], [11_220, '3:07:00'], [Infinity, '--:--'], [1e9, '--:--']])('%d s left are %s', (seconds, text) => {
  expect(formatClock(seconds)).toBe(text);
});

test.each([['30s', 30_000], ['10m', 600_000], ['10min', 600_000], ['1.5h', 5_400_000], ['500ms', 500], ['30', 30_000], ['2d', 172_800_000]])('%s are %d ms', (text, milliseconds) => {
  expect(parseDuration(text, '--for')).toBe(milliseconds);
});

test.each(['', 'soon', '-5s', '5 s', '1e3', '5y', '30d'])('%j is no length of time that can be waited', (text) => {
  expect(() => parseDuration(text, '--for')).toThrow(expect.objectContaining({ code: 'USAGE' }));
});

test('what is compared with a clock may be longer than a timer can wait', () => {
  expect(parseAge('30d', '--for')).toBe(30 * 86_400_000);
  expect(parseAge('3650d', '--for')).toBe(3650 * 86_400_000);
  for (const text of ['', 'soon', '3651d']) expect(() => parseAge(text, '--for')).toThrow(expect.objectContaining({ code: 'USAGE' }));
});

test('rates, counts and times', () => {
  expect(formatRate(110 * 1024 ** 2)).toBe('110 MiB/s');
  expect(plural(1, 'file')).toBe('1 file');
  expect(plural(31_204, 'file')).toBe('31,204 files');
  expect(isoTime(1_700_000_000_123_456)).toBe('2023-11-14T22:13:20.123456Z');
  expect(isoTime(-1)).toBe('1969-12-31T23:59:59.999999Z');
  expect(formatDate(1_700_000_000_123_456)).toMatch(/^2023-11-1[345] \d\d:\d\d$/);
  expect(formatDate(1e300)).toBe('unknown');
});
