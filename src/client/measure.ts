/** Measure: how fast the way to the server is, and how fast the disks at both ends; the client's half of `transfer/measure.ts`. */
import { Failure } from '../errors.ts';
import { drain, MAX_MEASURED_BYTES, MAX_MEASURED_MS, pour, type Moved } from '../transfer/measure.ts';
import type { Message } from '../wire/messages.ts';
import type { AskedTime, Measured, MeasureOptions, RequestOptions } from './api.ts';
import { openTarget } from './local.ts';
import type { Requester } from './requester.ts';

const DEFAULTS = { bytes: 64 << 20, milliseconds: 2_000 };
/** Behind the last byte the answer has to come the whole way; a server that goes on for longer is not waited for (ms). */
const PATIENCE_MS = 10_000;

export async function measure(requester: Requester, what: 'up' | 'down' | 'disk', { signal, bytes = DEFAULTS.bytes, milliseconds = DEFAULTS.milliseconds }: RequestOptions & MeasureOptions): Promise<Measured> {
  const bounds = { bytes: Math.min(bytes, MAX_MEASURED_BYTES), milliseconds: Math.min(milliseconds, MAX_MEASURED_MS) };
  using exchange = await requester.open({ kind: 'measure', what, ...bounds }, signal);
  if (what === 'down') {
    // More than was asked for is not waited for: leaving cancels the exchange.
    const moved = await drain(exchange, { bytes: bounds.bytes + 1, milliseconds: bounds.milliseconds + PATIENCE_MS });
    const heldMicros = moved.last?.kind === 'measured' ? moved.last.heldMicros : undefined;
    return { ...timed(moved), ...heldIn(heldMicros) };
  }
  const began = performance.now();
  if (what === 'up') {
    await pour(exchange, bounds);
    if (exchange.open) exchange.say({ kind: 'finish' });
  }
  const answer = await exchange.expect('measured');
  if (what === 'up') return { bytes: answer.bytes, milliseconds: answer.micros > 0 ? answer.micros / 1000 : performance.now() - began, ...heldIn(answer.heldMicros) };
  return { ...timed(answer), flushMilliseconds: (answer.flushMicros ?? 0) / 1000, readMilliseconds: (answer.readMicros ?? 0) / 1000 };
}

export async function askTime(requester: Requester, signal: AbortSignal | undefined): Promise<AskedTime> {
  const asked = performance.now();
  const sent = performance.timeOrigin + asked;
  const { time }: Message<'measured'> = await requester.ask({ kind: 'measure', what: 'clock', bytes: 0, milliseconds: 0 }, 'measured', signal);
  const milliseconds = performance.now() - asked;
  return { milliseconds, aheadMilliseconds: time / 1000 - (sent + milliseconds / 2) };
}

/** The disk of this machine, as seen by a file that would be fetched into `folder`. */
export async function measureDiskHere(folder: string, { bytes = DEFAULTS.bytes, milliseconds = DEFAULTS.milliseconds }: MeasureOptions = {}): Promise<Measured> {
  await using place = await openTarget(folder, 'folder');
  try {
    const { flushMicros, readMicros, ...moved } = await place.vault.probe(bytes, milliseconds);
    return { ...timed(moved), flushMilliseconds: flushMicros / 1000, readMilliseconds: readMicros / 1000 };
  } catch (error) {
    const { code, message } = Failure.from(error);
    throw new Failure(code, message, { path: folder, who: 'here' });
  }
}

function heldIn(micros: number | undefined): Pick<Measured, 'heldMilliseconds'> {
  return micros === undefined ? {} : { heldMilliseconds: micros / 1000 };
}

function timed({ bytes, micros }: Moved): Measured {
  return { bytes, milliseconds: Math.max(1, micros) / 1000 }; // nothing takes no time, whoever says so
}
