/**
 * Progress: how far a transfer is, as one line that fits the terminal. Pure: the time is an argument.
 *
 * The rate is an exponential average over the time between two readings (time constant 3 s: steady enough to
 * read, quick enough to show a change within seconds). Time left is what remains at that rate. After 5 s without
 * a byte the transfer is shown as stalled rather than with a rate that is no longer true.
 */
import type { Progress } from '../client/api.ts';
import { printable } from '../printable.ts';
import { formatClock, formatCount, formatRate, formatSize } from './measures.ts';
import { columnsOf, fit } from './width.ts';

const TIME_CONSTANT_MS = 3_000;
const STALLED_MS = 5_000;
/** Readings closer than this would measure the bursts of buffers and not the transfer. */
const LEAST_STEP_MS = 100;

export class Meter {
  #progress: Progress | undefined;
  /** Bytes a second; undefined before two readings. */
  #rate: number | undefined;
  #sample: { readonly time: number; readonly bytes: number } | undefined;
  #movedAt = 0;

  /** Takes a reading at `now`, in milliseconds of any steady clock. */
  update(progress: Progress, now: number): void {
    // What resume kept is counted in one leap before anything is sent: not a rate.
    this.#sample ??= { time: now, bytes: progress.bytes };
    if (progress.bytes !== this.#progress?.bytes) this.#movedAt = now;
    this.#progress = progress;
    const step = now - this.#sample.time;
    if (step < LEAST_STEP_MS) return;
    const current = ((progress.bytes - this.#sample.bytes) * 1000) / step;
    const weight = 1 - Math.exp(-step / TIME_CONSTANT_MS);
    this.#rate = this.#rate === undefined ? current : this.#rate + weight * (current - this.#rate);
    this.#sample = { time: now, bytes: progress.bytes };
  }

  /** The line for a terminal, at most `width` columns; empty before the first reading. */
  line(width: number, now: number): string {
    const progress = this.#progress;
    if (progress === undefined) return '';
    const name = printable(progress.name);
    const parts = this.#parts(progress, now);
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
    const { bytes, files, totalBytes: total, totalFiles } = progress;
    const stalled = now - this.#movedAt >= STALLED_MS;
    const many = totalFiles !== undefined && totalFiles > 1;
    const remaining = total === undefined ? undefined : Math.max(0, total - bytes);
    const left = stalled || remaining === undefined || this.#rate === undefined || this.#rate < 1 ? '' : `${formatClock(remaining / this.#rate)} left`;
    return {
      percent: percent(bytes, total),
      rate: stalled ? 'stalled' : this.#rate === undefined ? '' : formatRate(this.#rate),
      left,
      amount: total === undefined ? formatSize(bytes) : `${formatSize(bytes)} of ${formatSize(total)}`,
      files: many ? `${formatCount(files)}/${formatCount(totalFiles)} files` : '',
      // With several files the line begins with one of them; its own share tells a large one from a small one.
      own: many && progress.nameSize !== undefined ? percent(progress.nameBytes, progress.nameSize) : '',
    };
  }
}

type Part = 'own' | 'files' | 'percent' | 'amount' | 'rate' | 'left';
const SHOWN: readonly Part[] = ['own', 'files', 'percent', 'amount', 'rate', 'left'];
const LOGGED: readonly Part[] = ['files', 'percent', 'amount', 'rate', 'left'];
const ORDER: readonly Part[] = ['percent', 'rate', 'left', 'files', 'amount', 'own'];
const GAP = '  ';

/** Rounded down: 100 % means all of it. */
function percent(bytes: number, total: number | undefined): string {
  if (total === undefined) return '';
  return total === 0 ? '100%' : `${Math.min(100, Math.floor((bytes * 100) / total))}%`;
}
