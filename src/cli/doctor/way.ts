/**
 * Way: what a connection that stands is like: round trips, clocks, rates, disks, names that cannot be shown, room; and what limits it.
 * Every measurement is bounded in bytes and in time, so that all of it ends within some 15 seconds.
 */
import { measureDiskHere } from '../../client/measure.ts';
import type { Client, Measured } from '../../client/api.ts';
import type { Context } from '../command.ts';
import { formatRate, formatSize, plural } from '../measures.ts';
import type { Steps, Told } from './steps.ts';
import { clockText, milli, stallsIn, tripsOf, verdict } from './verdict.ts';

/** Round trips: at most so many, and no longer than this (ms). */
const PINGS = 20;
const PINGS_MS = 2_000;
const RATE = { bytes: 64 << 20, milliseconds: 2_000 };
const DISK = { bytes: 64 << 20, milliseconds: 1_500 };
/** Names are counted for no longer than this (ms): a large tree is not walked for a doctor. */
const NAMES_MS = 2_000;
/** Names that cannot be shown and are listed, escaped; the others are counted. */
const MAX_NAMES = 20;

export async function measureAll(steps: Steps, context: Context, client: Client, quick: boolean): Promise<void> {
  const { signal } = context;
  await steps.measure('round trip', 'asking a few times', () => askAll(client, signal), (found) => tripsTold(found.map(({ milliseconds }) => milliseconds), found.at(-1)!.aheadMilliseconds));
  await steps.measure('free there', 'asking for room', () => client.space({ signal }), ({ free, total }) => [`${formatSize(free)} of ${formatSize(total)}`, { free, total }]);
  if (quick) return;
  const pulse = new Pulse(client, signal);
  const up = await steps.measure('up', 'sending', () => pulse.during(() => client.measure('up', { ...RATE, signal })), rateTold);
  const down = await steps.measure('down', 'fetching', () => pulse.during(() => client.measure('down', { ...RATE, signal })), rateTold);
  if (pulse.trips.length > 0) await steps.tell('under load', loadTold(pulse.trips));
  const there = await steps.measure('disk there', 'writing on the server', () => client.measure('disk', { ...DISK, signal }), diskTold);
  const here = await steps.measure('disk here', 'writing here', () => measureDiskHere('.', DISK), diskTold);
  await steps.measure('names', 'looking at names on the server', () => unlistedNames(client, signal), namesTold).then((found) => steps.more(found === undefined ? [] : hiddenLines(found)));
  const lines = verdict({ up: rateOf(up), upIsAllowed: isAllowed(up), down: rateOf(down), downIsAllowed: isAllowed(down), diskHere: diskRate(here), diskThere: diskRate(there) });
  for (const line of lines) await steps.tell('limit', [line, { text: line }]);
}

async function askAll(client: Client, signal: AbortSignal): Promise<{ milliseconds: number; aheadMilliseconds: number }[]> {
  const asked = [];
  const began = performance.now();
  while (asked.length < PINGS && (asked.length === 0 || performance.now() - began < PINGS_MS)) asked.push(await client.askTime({ signal }));
  // The shortest trip leaves the least doubt about the clock, and stands last.
  return asked.toSorted((a, b) => b.milliseconds - a.milliseconds);
}

function tripsTold(trips: readonly number[], aheadMs: number): Told {
  const { least, median, worst, count } = tripsOf(trips);
  return [`${milli(least)} at least, ${milli(median)} mostly, ${milli(worst)} at worst (${plural(count, 'question')}); clocks: ${clockText(aheadMs, least)}`,
    { leastMs: least, medianMs: median, worstMs: worst, count, clockAheadMs: aheadMs }];
}

/** Small questions on a connection of the same kind while bytes go over it: how long they take says how long the queues are. */
class Pulse {
  readonly trips: number[] = [];
  readonly #client: Client;
  readonly #signal: AbortSignal;

  constructor(client: Client, signal: AbortSignal) {
    this.#client = client;
    this.#signal = signal;
  }

  async during<T>(work: () => Promise<T>): Promise<T> {
    const over = new AbortController();
    const asking = (async () => {
      while (!over.signal.aborted) {
        const began = performance.now();
        await this.#client.stat('/', { signal: this.#signal });
        if (this.trips.length < MAX_TRIPS) this.trips.push(performance.now() - began);
        await new Promise((resolve) => { setTimeout(resolve, PULSE_MS); });
      }
    })().catch(() => {}); // without the right to look, and after a cut, there is no pulse
    try {
      return await work();
    } finally {
      over.abort();
      await asking;
    }
  }
}

/** Seldom enough not to slow what is measured (ms). */
const PULSE_MS = 100;
const MAX_TRIPS = 200;

function loadTold(trips: readonly number[]): Told {
  const { median, worst, count } = tripsOf(trips);
  const stalls = stallsIn(trips);
  const text = stalls === 0 ? 'no answer stalled' : `${plural(stalls, 'answer')} stalled, as after a lost packet`;
  return [`answers took ${milli(median)} mostly, ${milli(worst)} at worst, of ${count}; ${text} (an estimate: what TCP sends again cannot be read)`,
    { medianMs: median, worstMs: worst, count, stalls, estimate: true }];
}

function rateOf(measured: Measured | undefined): number | undefined {
  return measured === undefined || measured.bytes === 0 ? undefined : (measured.bytes * 1000) / measured.milliseconds;
}

/** Whether so much of the time went by because the server lets no more through that the way itself would be clearly faster. */
function isAllowed(measured: Measured | undefined): boolean {
  return measured?.heldMilliseconds !== undefined && measured.heldMilliseconds > measured.milliseconds / 4;
}

/** What a file that has to be safe gets: written and flushed. */
function diskRate(measured: Measured | undefined): number | undefined {
  return measured === undefined || measured.bytes === 0 ? undefined : (measured.bytes * 1000) / (measured.milliseconds + (measured.flushMilliseconds ?? 0));
}

function rateTold(measured: Measured): Told {
  const rate = rateOf(measured);
  return [rate === undefined ? 'too slow to tell' : `${formatRate(rate)} (${formatSize(measured.bytes)}${isAllowed(measured) ? ', held up by the rate that the server allows' : ''})`, { bytesPerSecond: rate ?? null, ...measured }];
}

function diskTold(measured: Measured): Told {
  const { bytes, flushMilliseconds = 0, readMilliseconds = 0 } = measured;
  const rate = diskRate(measured);
  if (rate === undefined) return ['too slow to tell', { bytesPerSecond: null, ...measured }];
  return [`writes ${formatRate(rate)} with a flush of ${milli(flushMilliseconds)}, reads back ${formatRate((bytes * 1000) / Math.max(readMilliseconds, 0.001))} (from memory mostly)`, { bytesPerSecond: rate, ...measured }];
}

/** Names as they were looked at; `all`: of the whole server, in the time there was. */
interface Names { readonly unlisted: number; readonly hidden: readonly string[]; readonly seen: number; readonly all: boolean }

async function unlistedNames(client: Client, signal: AbortSignal): Promise<Names> {
  const began = performance.now();
  let [unlisted, seen] = [0, 0];
  const hidden: string[] = [];
  for await (const page of client.list('/', { deep: true, signal })) {
    unlisted += page.unlisted;
    seen += page.entries.length;
    hidden.push(...(page.hidden ?? []).slice(0, MAX_NAMES - hidden.length));
    if (performance.now() - began > NAMES_MS) return { unlisted, hidden, seen, all: false };
  }
  return { unlisted, hidden, seen, all: true };
}

/** Each on a line of its own, since a name may hold whatever stands between names. */
function hiddenLines({ unlisted, hidden }: Names): string[] {
  return [...hidden.map((name) => `/${name}`), ...(unlisted > hidden.length && hidden.length > 0 ? [`and ${plural(unlisted - hidden.length, 'more name')}`] : [])];
}

function namesTold({ unlisted, hidden, seen, all }: Names): Told {
  const of = all ? '' : ' so far';
  const text = unlisted === 0 ? `all ${plural(seen, 'name')} can be shown` : `${plural(unlisted, 'name')} cannot be shown: not valid Unicode, or not safe; rename them on the server`;
  return [text + of, { unlisted, names: hidden, seen, all }];
}
