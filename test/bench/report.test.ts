/**
 * What the benchmark makes of its raw lines: the statistics by hand, and the whole report of a small sample. `sample.jsonl` holds
 * round numbers that no machine measured; `sample.md` is what the page has to say about them.
 */
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';

const root = resolve(import.meta.dirname, '..', '..');
const sample = join(import.meta.dirname, 'sample.jsonl');

interface Point { readonly size: number; readonly cost: number }
interface Statistics {
  quantile(values: readonly number[], at: number): number;
  median(values: readonly number[]): number;
  signTest(ratios: readonly number[]): number;
  marginal(points: readonly Point[]): Point[];
}
interface Report {
  reportOf(lines: readonly unknown[]): { markdown: string; plots: Map<string, string> };
  writeReport(files: readonly string[], page: string): string[];
}

async function load<T>(file: string): Promise<T> {
  return await import(pathToFileURL(join(root, 'bench', file)).href) as T;
}

const { quantile, median, signTest, marginal } = await load<Statistics>('statistics.mjs');
const { reportOf, writeReport } = await load<Report>('report.mjs');

function linesOf(file: string): unknown[] {
  return readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as unknown);
}

describe('statistics', () => {
  test('the median is the middle value, or lies between the two middle ones, in whatever order they come', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([7])).toBe(7);
    expect(median([])).toBeNaN();
  });

  test('quantiles are interpolated between neighbours, and the outermost are the extremes', () => {
    expect(quantile([1, 2, 3, 4, 5], 0.25)).toBe(2);
    expect(quantile([10, 20], 0.75)).toBe(17.5);
    expect([quantile([5, 9, 1], 0), quantile([5, 9, 1], 1)]).toEqual([1, 9]);
  });

  test('a quantile leaves its values as they were', () => {
    const values = [3, 1, 2];
    quantile(values, 0.5);
    expect(values).toEqual([3, 1, 2]);
  });

  test('the sign test is two-sided, and pairs that tie say nothing', () => {
    expect(signTest([2, 2, 2, 2, 2, 2, 2])).toBeCloseTo(2 / 2 ** 7);
    expect(signTest([0.5, 0.5, 0.5])).toBeCloseTo(2 / 2 ** 3);
    // Six of seven: 1 + 7 ways of 128, on either side.
    expect(signTest([2, 2, 2, 2, 2, 2, 0.5])).toBeCloseTo((2 * 8) / 128);
    expect(signTest([2, 0.5])).toBe(1);
    expect(signTest([1, 1, 2, 2, 2])).toBeCloseTo(2 / 2 ** 3);
    expect(signTest([])).toBe(1);
  });

  test('what one more costs is the slope between two sizes, so that start-up drops out', () => {
    expect(marginal([{ size: 1, cost: 10.5 }, { size: 3, cost: 11.5 }, { size: 13, cost: 16.5 }])).toEqual([{ size: 3, cost: 0.5 }, { size: 13, cost: 0.5 }]);
  });
});

describe('the report of a sample', () => {
  const { markdown, plots } = reportOf(linesOf(sample));

  test('is what it should be, to the letter', () => {
    expect(`${markdown.trimEnd()}\n`).toBe(readFileSync(join(import.meta.dirname, 'sample.md'), 'utf8'));
  });

  test('counts the newest run alone, and neither its first pair nor a disturbed one', () => {
    // 2, 3 and 4 times as fast.
    expect(markdown).toContain('| put 1 file of 100 MiB | sftp | **3.00** (2.50-3.50) | 3, p = 0.250 | 2 |');
  });

  test('says first where a goal is not met and where it is slower without one', () => {
    const behind = markdown.slice(markdown.indexOf('### Where it is behind'), markdown.indexOf('### Loopback'));
    expect(behind).toContain('get 1 file of 100 MiB: at least 2 times as fast as sftp: 1.50');
    expect(behind).toContain('0.65 times as fast as rsyncd');
    expect(behind).toContain('client below 90 MiB: 100 MiB');
    expect(behind).toContain('at most 1.1: 1.25');
    expect(behind).toContain('within 10 %: 1.20 times');
    expect(behind).not.toContain('put 1 file of 100 MiB: at least');
  });

  test('keeps what is not encrypted apart, and names what was skipped', () => {
    const [closed = '', open = ''] = markdown.split('Apart, because nothing of it is encrypted');
    expect(closed).not.toContain('| rsyncd |');
    expect(open).toContain('| rsyncd |');
    expect(markdown).toContain('- lftp: lftp is not installed');
  });

  test('has a plot for each place and each row of sizes, readable in the dark, and says where they are', () => {
    expect([...plots.keys()]).toEqual(['ratio-memory.svg', 'growth-files.svg']);
    for (const [name, svg] of plots) {
      expect(markdown).toContain(`(performance/${name})`);
      expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"[^]*<\/svg>\n$/);
      expect(svg).toContain('prefers-color-scheme: dark');
      expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    }
  });
});

describe('memory', () => {
  test('is drawn against the number of connections, a line for what they do, and is no cost of one more', () => {
    const [line] = linesOf(sample).filter((one) => JSON.stringify(one).includes('"growth":{'));
    const made = (way: string, size: number): unknown => JSON.parse(JSON.stringify(line)
      .replace('"discarded":true', '"discarded":false').replace('"way":"put"', `"way":"${way}"`).replace(/"id":"[^"]*"/, `"id":"memory-${way}"`).replace(/"growth":\{[^}]*\}/, `"growth":{"of":"connections","size":${size}}`));
    const { markdown, plots } = reportOf(['stay', 'get', 'put'].flatMap((way) => [made(way, 1000), made(way, 1)]));
    expect([...plots.keys()]).toEqual(['memory.svg']);
    expect(markdown).toContain('![Memory against connections](performance/memory.svg)');
    const svg = plots.get('memory.svg')!;
    for (const [at, name] of ['idle', 'each fetches', 'each sends'].entries()) {
      expect(svg).toContain(`${name}, MiB`);
      expect(svg.match(new RegExp(`<circle class="dot${at}"`, 'g'))).toHaveLength(2);
    }
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });
});

describe('a copy that was wrong', () => {
  test('is told as a failure, and is no ratio', () => {
    const lines = linesOf(sample).map((line) => JSON.stringify(line).replaceAll('"first":true', '"first":true,"fault":"the copy is wrong"')).map((line) => JSON.parse(line) as unknown);
    const { markdown, plots } = reportOf(lines);
    expect(markdown).toContain('not met: put 1 file of 100 MiB: every copy is right, also by sftp');
    expect(markdown).not.toContain('**3.00**');
    expect([...plots.keys()]).toEqual([]);
  });
});

describe('writing the report', () => {
  test('replaces what stands between its two lines, leaves the rest, and removes plots of before', () => {
    const folder = mkdtempSync(join(tmpdir(), 'wherry-report-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const page = join(folder, 'page.md');
    const [begin = '', end = ''] = readFileSync(join(root, 'docs', 'performance.md'), 'utf8').match(/^<!-- measured: .*-->$/gm) ?? [];
    writeFileSync(page, `before\n${begin}\nold\n${end}\nafter\n`);
    mkdirSync(join(folder, 'performance'));
    writeFileSync(join(folder, 'performance', 'gone.svg'), '');
    writeReport([sample], page);
    const text = readFileSync(page, 'utf8');
    expect(text).toMatch(/^before\n<!--/);
    expect(text).toMatch(/-->\nafter\n$/);
    expect(text).not.toContain('\nold\n');
    expect(text).toContain('**3.00**');
    expect(readdirSync(join(folder, 'performance')).toSorted()).toEqual(['growth-files.svg', 'ratio-memory.svg']);
    writeReport([sample], page);
    expect(readFileSync(page, 'utf8')).toBe(text);
  });

  test('a page without the two lines is left as it is', () => {
    const folder = mkdtempSync(join(tmpdir(), 'wherry-report-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'page.md'), 'words\n');
    expect(() => writeReport([sample], join(folder, 'page.md'))).toThrow('lacks the lines');
    expect(readFileSync(join(folder, 'page.md'), 'utf8')).toBe('words\n');
  });
});
