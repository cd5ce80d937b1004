/**
 * Progress: how far a transfer is, as one line, or a line for all and one for each file on its way, that fit the terminal. Pure: the time is an argument.
 *
 * The rate is that of `pace.ts`, and time left is what remains at that rate. After 5 s without
 * a byte, or three times as long as the last step of a slow transfer took, it is shown as stalled rather than with a rate that is no longer true. What limits it is named as it is told.
 */
import type { Active, Limit, Progress } from '../client/api.ts';
import { printable } from '../printable.ts';
import { formatClock, formatCount, formatRate, formatSize } from './measures.ts';
import { Pace } from './pace.ts';
import { columnsOf, fit } from './width.ts';

const STALLED_MS = 5_000;
/** A put is told by the mebibyte, which takes half a minute where it is very slow. */
const STEPS = 3;
const MOST_STALLED_MS = 90_000;

export class Meter {
  #progress: Progress | undefined;
  readonly #pace = new Pace();
  #movedAt = 0;
  /** So long (ms) nothing may move. */
  #patience = STALLED_MS;

  /** Takes a reading at `now`, in milliseconds of any steady clock. */
  update(progress: Progress, now: number): void {
    if (progress.bytes !== this.#progress?.bytes) {
      if (this.#progress !== undefined) this.#patience = Math.min(MOST_STALLED_MS, Math.max(STALLED_MS, STEPS * (now - this.#movedAt)));
      this.#movedAt = now;
    }
    this.#progress = progress;
    this.#pace.take(progress, now);
  }

  /** At most `height` rows for a terminal, of at most `width` columns; none before the first reading. */
  rows(width: number, height: number, now: number): string[] {
    const progress = this.#progress;
    if (progress === undefined) return [];
    const { active } = progress;
    // One file is the whole; so is one folder of which nothing but small files is on its way. Between two sources none is on its way.
    if (active.length === 0 && progress.totalSources > 1) return [this.line(width, now, 'total')];
    if (active.length === 0 || (active.length === 1 && !isMany(progress)) || height < 3) return [this.line(width, now)];
    const room = height - 1;
    const shown = active.length <= room ? active : active.slice(-(room - 1));
    const more = active.length - shown.length;
    return [this.line(width, now, 'total'), ...shown.map((one) => activeRow(one, width)), ...(more > 0 ? [fit(`  and ${more} more`, width)] : [])];
  }

  /** The line for a terminal, at most `width` columns; empty before the first reading. As `total` it is about all files. */
  line(width: number, now: number, total?: string): string {
    const progress = this.#progress;
    if (progress === undefined) return '';
    const name = total ?? printable(progress.name);
    const parts = { ...this.#parts(progress, now), ...(total !== undefined && { own: '' }) };
    // By what is missed most; each is added as long as the name keeps a readable rest.
    const least = Math.min(columnsOf(name), 8);
    const shown = new Set<Part>();
    let used = 0;
    for (const part of ORDER) {
      const columns = parts[part] === '' ? 0 : columnsOf(parts[part]) + GAP.length;
      if (columns === 0 || used + columns + least > width) continue;
      shown.add(part);
      used += columns;
    }
    const tail = SHOWN.filter((part) => shown.has(part)).map((part) => GAP + parts[part]).join('');
    return fit(name, width - used) + tail;
  }

  /** One sentence for a log: `big.iso: 41 %, 1.7 GiB of 4.1 GiB, 110 MiB/s, 0:21 left`. */
  sentence(now: number): string {
    const progress = this.#progress;
    if (progress === undefined) return '';
    const parts = this.#parts(progress, now);
    return `${printable(progress.name)}: ${LOGGED.map((part) => parts[part]).filter((text) => text !== '').join(', ')}`;
  }

  #parts(progress: Progress, now: number): Record<Part, string> {
    const { bytes, totalBytes: total } = progress;
    const stalled = now - this.#movedAt >= this.#patience;
    const many = isMany(progress);
    const { rate, left: seconds } = this.#pace;
    const left = stalled || seconds === undefined ? '' : `${formatClock(seconds)} left`;
    return {
      percent: percent(bytes, total),
      rate: stalled ? 'stalled' : rate === undefined ? '' : formatRate(rate),
      left,
      amount: total === undefined ? formatSize(bytes) : `${formatSize(bytes)} of ${formatSize(total)}`,
      files: countOf(progress),
      streams: progress.streams > 1 ? `${progress.streams} streams` : '',
      // With several files the line begins with one of them; its own share tells a large one from a small one.
      limit: progress.limit === undefined ? '' : `limit: ${LIMITS[progress.limit]}`,
      own: many && progress.nameSize !== undefined ? percent(progress.nameBytes, progress.nameSize) : '',
    };
  }
}

/** In few letters, so that they still fit beside the rest in 80 columns. */
const LIMITS: Readonly<Record<Limit, string>> = {
  disk: 'this disk', input: 'input', cpu: 'this CPU', network: 'network', server: 'server', peer: 'network/server',
};

type Part = 'own' | 'files' | 'percent' | 'amount' | 'rate' | 'left' | 'limit' | 'streams';
const SHOWN: readonly Part[] = ['own', 'files', 'percent', 'amount', 'rate', 'left', 'streams', 'limit'];
const LOGGED: readonly Part[] = ['files', 'percent', 'amount', 'rate', 'left', 'streams', 'limit'];
const ORDER: readonly Part[] = ['percent', 'rate', 'left', 'files', 'limit', 'amount', 'streams', 'own'];
const GAP = '  ';

function isMany({ totalFiles, totalSources }: Progress): boolean {
  return totalSources > 1 || (totalFiles !== undefined && totalFiles > 1);
}

/** What was named is counted as it was named: of several sources the sources, of a folder its files. */
function countOf({ files, totalFiles, sources, totalSources }: Progress): string {
  if (totalSources > 1) return `${formatCount(sources)}/${formatCount(totalSources)} sources`;
  return totalFiles !== undefined && totalFiles > 1 ? `${formatCount(files)}/${formatCount(totalFiles)} files` : '';
}

/** `  big.iso  25%  1.0 GiB of 4.0 GiB`: the share is what is missed most, and a name without end is cut. */
function activeRow({ name, bytes, size }: Active, width: number): string {
  const share = size === undefined ? `${GAP}${formatSize(bytes)}` : `${GAP}${percent(bytes, size)}`;
  const amount = size === undefined ? '' : `${GAP}${formatSize(bytes)} of ${formatSize(size)}`;
  const indented = `  ${printable(name)}`;
  const tail = columnsOf(indented) + columnsOf(share + amount) <= width ? share + amount : share;
  return fit(indented, width - columnsOf(tail)) + tail;
}

/** Rounded down: 100 % means all of it. */
function percent(bytes: number, total: number | undefined): string {
  if (total === undefined) return '';
  return total === 0 ? '100%' : `${Math.min(100, Math.floor((bytes * 100) / total))}%`;
}
