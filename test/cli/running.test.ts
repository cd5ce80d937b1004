/** How often a running transfer is told, on a terminal and where nobody watches: a clock of the test's own runs, and what is said is counted. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Progress } from '../../src/client/api.ts';
import type { Work } from '../../src/cli/command.ts';
import { startMeter } from '../../src/cli/meter.ts';
import { Report } from '../../src/cli/report.ts';
import { Terminal } from '../../src/cli/terminal.ts';
import { Tally } from '../../src/client/tally.ts';

const [KIB, MIB] = [1 << 10, 1 << 20];
const TOTAL = 600 * MIB;

beforeEach(() => {
  // Of `performance` only the clock: the runtime's own counters stay what they are.
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout', 'Date'] });
  vi.spyOn(performance, 'now').mockImplementation(() => Date.now());
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** After so many seconds of one minute at 10 MiB/s. */
function after(seconds: number): Progress {
  const bytes = seconds * 10 * MIB;
  return {
    name: 'big.iso', nameBytes: bytes, nameSize: TOTAL, bytes, kept: 0, files: 0, totalBytes: TOTAL, totalFiles: 1, limit: 'network',
    active: [{ name: 'big.iso', bytes, size: TOTAL }], streams: 1, sources: 0, totalSources: 1,
  };
}

/** What a transfer of a minute says on standard error and as events, told ten times a second. */
async function minute(settings: { json?: boolean; quiet?: boolean }): Promise<{ said: string[]; told: object[] }> {
  const [said, told]: [string[], object[]] = [[], []];
  // The tests' own standard error is none that can be redrawn; only where its lines go differs.
  const terminal = new Terminal({ TERM: 'dumb' });
  terminal.say = (line) => void said.push(line);
  const report = new Report({ data: async (text) => void told.push(JSON.parse(String(text)) as object), say: terminal.say }, { json: settings.json ?? false, quiet: settings.quiet ?? false }, 'put');
  const meter = startMeter({ terminal, report, settings: { json: false, quiet: false, ...settings }, session: {} } as unknown as Work);
  for (let tenths = 0; tenths < 600; tenths += 1) {
    meter?.update(after(tenths / 10));
    await vi.advanceTimersByTimeAsync(100);
  }
  meter?.stop();
  await vi.advanceTimersByTimeAsync(60_000);
  return { said, told };
}

describe('a transfer of a minute that is not on a terminal', () => {
  test('says a line every ten seconds, with what is done, how quick, how long still and what limits it, and none when it is over', async () => {
    const { said, told } = await minute({});
    expect(said).toHaveLength(6);
    expect(said[2]).toBe('big.iso: 49%, 299 MiB of 600 MiB, 10 MiB/s, 0:31 left, limit: network');
    expect(told).toEqual([]);
  });

  test('tells an object every second with --json, from the first one on', async () => {
    const { said, told } = await minute({ json: true });
    expect(said).toEqual([]);
    expect(told).toHaveLength(60);
    expect(told[0]).toMatchObject({ event: 'progress', name: 'big.iso', rate: 10 * MIB });
    expect(told[29]).toMatchObject({ event: 'progress', name: 'big.iso', totalBytes: TOTAL, rate: 10 * MIB, left: 31, limit: 'network', active: [{ name: 'big.iso', size: TOTAL }] });
  });

  test('says nothing with --quiet', async () => {
    expect(await minute({ quiet: true })).toEqual({ said: [], told: [] });
  });
});

test('readings come ten times a second while bytes move, however many pieces they come in, and once a second while none do', async () => {
  const readings: { at: number; bytes: number }[] = [];
  using tally = new Tally({ onProgress: ({ bytes }) => void readings.push({ at: performance.now(), bytes }) });
  await vi.advanceTimersByTimeAsync(1000);
  using moving = tally.begin('big.iso', TOTAL);
  for (let milliseconds = 0; milliseconds < 3000; milliseconds += 1) {
    tally.bytes(KIB, moving, 0);
    await vi.advanceTimersByTimeAsync(1);
  }
  // The last one may be of the clock that runs also when nothing moves.
  expect(readings.length).toBeGreaterThanOrEqual(30);
  expect(readings.length).toBeLessThanOrEqual(31);
  expect(Math.min(...readings.slice(1).map(({ at }, index) => at - readings[index]!.at))).toBeGreaterThanOrEqual(100);
  const before = readings.length;
  await vi.advanceTimersByTimeAsync(5000);
  expect(readings.length - before).toBe(5);
  expect(readings.at(-1)!.bytes).toBe(3000 * KIB);
});
