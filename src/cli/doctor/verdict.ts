/**
 * Verdict: what limits a transfer from here, in one sentence, from what was measured. Pure. Only what was measured is named.
 *
 * A transfer is as fast as the slowest of the network and the disk that writes; what a disk reads was written long ago and
 * is not measured, so it is never named.
 */
import { formatDuration, formatRate } from '../measures.ts';

/** In bytes a second; undefined: not measured. */
export interface Rates {
  readonly up: number | undefined;
  readonly down: number | undefined;
  /** Whether that is the rate which the server allows, and the network may do more. */
  readonly upIsAllowed?: boolean;
  readonly downIsAllowed?: boolean;
  /** Written and flushed. */
  readonly diskHere: number | undefined;
  readonly diskThere: number | undefined;
}

interface Part { readonly name: string; readonly rate: number | undefined }

const ALLOWED = 'the rate that the server allows';

export function verdict({ up, down, upIsAllowed = false, downIsAllowed = false, diskHere, diskThere }: Rates): string[] {
  return [
    sentence('a put from here', [{ name: upIsAllowed ? ALLOWED : 'the network up', rate: up }, { name: 'the disk of the server', rate: diskThere }]),
    sentence('a get to here', [{ name: downIsAllowed ? ALLOWED : 'the network down', rate: down }, { name: 'the disk here', rate: diskHere }]),
  ].filter((line) => line !== undefined);
}

/** Both have to be known: of one alone it cannot be said that it is the slower one. */
function sentence(what: string, parts: readonly [Part, Part]): string | undefined {
  const [first, second] = parts.toSorted((a, b) => (a.rate ?? 0) - (b.rate ?? 0));
  if (first?.rate === undefined || second?.rate === undefined) return undefined;
  return `${what} is limited by ${first.name} (${formatRate(first.rate)}); ${second.name} would do ${formatRate(second.rate)}`;
}

export interface Trips { readonly least: number; readonly median: number; readonly worst: number; readonly count: number }

/** Of at least one round trip (ms). */
export function tripsOf(milliseconds: readonly number[]): Trips {
  const sorted = milliseconds.toSorted((a, b) => a - b);
  return { least: sorted[0]!, median: sorted[sorted.length >> 1]!, worst: sorted.at(-1)!, count: sorted.length };
}

/** A question that is lost is sent again by TCP after 200 ms at least, which shows as a round trip so much longer than the median. */
const RETRANSMIT_MS = 200;

/** Round trips that look like a packet was lost. That is an estimate: Node cannot read what TCP had to send again. */
export function stallsIn(milliseconds: readonly number[]): number {
  const { median } = tripsOf(milliseconds);
  return milliseconds.filter((one) => one > median + RETRANSMIT_MS).length;
}

/** Clocks that differ by more than the round trip can explain, in words. */
export function clockText(aheadMs: number, tripMs: number): string {
  if (Math.abs(aheadMs) <= tripMs / 2 + 1) return `the same, as far as a round trip of ${milli(tripMs)} can tell`;
  return `the server's is ${formatDuration(Math.abs(aheadMs))} ${aheadMs > 0 ? 'ahead' : 'behind'}`;
}

/** Short times with what matters of them: `0.31 ms`, `4.2 ms`, `138 ms`. */
export function milli(milliseconds: number): string {
  return milliseconds < 1 ? `${milliseconds.toFixed(2)} ms` : milliseconds < 10 ? `${milliseconds.toFixed(1)} ms` : formatDuration(milliseconds);
}
