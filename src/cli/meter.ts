/**
 * The meter of a running transfer: readings in, and out whatever the place allows: a status on a terminal, one line in
 * 10 s in a log, an object a second with `--json`, nothing when quiet. How it reads is `progress.ts`; what it looks like on the glass is the terminal's.
 */
import type { Progress } from '../client/api.ts';
import type { Work } from './command.ts';
import { Pace } from './pace.ts';
import { Meter } from './progress.ts';
import { progressEvent, type Report } from './report.ts';
import { fit } from './width.ts';

/** More of a terminal than a third belongs to what was said before. */
const SHARE = 3;
/** On a terminal, besides each reading: so that a stall is seen. */
const REDRAW_MS = 500;
/** Elsewhere one line in this time: a log should show that it lives, and stay short. */
const LOG_MS = 10_000;
/** A program that shows it to somebody needs no more, and one that keeps it should not have to keep more. */
const TELL_MS = 1_000;

export interface RunningMeter {
  update(progress: Progress): void;
  /** A row in place of the files on their way, while there are none; undefined: as before. */
  note(text: string | undefined): void;
  stop(): void;
}

/** Shows progress as the place allows: a line redrawn on a terminal, a line or an object now and then in a log, nothing when quiet. */
export function startMeter({ terminal, settings, report, session }: Work): RunningMeter | undefined {
  if (settings.quiet || session.progress === false) return undefined;
  if (settings.json) return startTelling(report);
  const meter = new Meter();
  let noted: string | undefined;
  const draw = () => {
    const [width, now] = [terminal.width - 1, performance.now()]; // the last column would wrap
    const height = Math.max(1, Math.floor(terminal.rows / SHARE));
    terminal.status(noted === undefined ? meter.rows(width, height, now) : [...(height > 1 ? meter.rows(width, 1, now) : []), fit(noted, width)]);
  };
  const log = () => {
    const sentence = meter.sentence(performance.now());
    if (sentence !== '') terminal.say(sentence);
  };
  const timer = terminal.canRedraw ? setInterval(draw, REDRAW_MS) : setInterval(log, LOG_MS);
  timer.unref();
  const hush = terminal.hush();
  const resized = terminal.canRedraw ? terminal.onResize(draw) : undefined;
  return {
    update(progress) {
      meter.update(progress, performance.now());
      if (terminal.canRedraw) draw();
    },
    note(text) {
      noted = text;
      if (terminal.canRedraw) draw();
    },
    stop() {
      clearInterval(timer);
      resized?.[Symbol.dispose]();
      hush?.[Symbol.dispose]();
      terminal.status([]);
    },
  };
}

/** The last reading, as an object once a second. */
function startTelling(report: Report): RunningMeter {
  const pace = new Pace();
  let last: Progress | undefined;
  let taken = 0;
  const tell = (): void => {
    if (last === undefined) return;
    const now = performance.now();
    // A reading comes once a second at least: without one there is no connection, and nothing moves.
    if (now - taken >= 2 * TELL_MS) pace.take(last, now);
    void report.event(progressEvent(last, pace));
  };
  const timer = setInterval(tell, TELL_MS).unref();
  return {
    update(progress) {
      last = progress;
      taken = performance.now();
      pace.take(progress, taken);
    },
    note: () => {},
    stop: () => clearInterval(timer),
  };
}
