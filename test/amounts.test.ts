import { describe, expect, test } from 'vitest';
import { sizeIn, timeIn } from '../src/amounts.ts';

describe('a length of time', () => {
  test.each([['500ms', 500], ['30s', 30_000], ['30', 30_000], ['10m', 600_000], ['10min', 600_000], ['1.5h', 5_400_000], ['7d', 604_800_000], ['0s', 0]])('%j is %j ms', (text, ms) => {
    expect(timeIn(text)).toBe(ms);
  });

  test.each(['', 's', '-1s', '1 s', '1w', '1e3', '1.2345s', '1s '])('%j is none', (text) => {
    expect(timeIn(text)).toBeUndefined();
  });
});

describe('a size', () => {
  test.each([['0', 0], ['512', 512], ['512B', 512], ['1KiB', 1024], ['1 kib', 1024], ['128MiB', 134_217_728], ['1.5GiB', 1_610_612_736], ['2GB', 2_000_000_000], ['1tib', 2 ** 40], ['3kB', 3000]])('%j is %j bytes', (text, bytes) => {
    expect(sizeIn(text)).toBe(bytes);
  });

  test.each(['', 'MiB', '-1B', '1  MiB', '1Mi', '1M', '1e3', '1PiB', '1MiB '])('%j is none', (text) => {
    expect(sizeIn(text)).toBeUndefined();
  });
});
