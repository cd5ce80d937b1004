/**
 * Measure: what the verb of that name does to a drive. One at a time for each connection, within the bounds of
 * `transfer/measure.ts` whatever was asked for, and told to the log with its bytes, as every action is.
 */
import type { Drive } from '../drive.ts';
import { Failure } from '../errors.ts';
import type { Exchange } from '../session/exchange.ts';
import { drain, MAX_MEASURED_BYTES, MAX_MEASURED_MS, pour, type Bounds } from '../transfer/measure.ts';
import type { Message } from '../wire/messages.ts';

type Numbers = Omit<Message<'measured'>, 'kind' | 'time'>;

/** What a disk is asked for at most: the room is taken from others, if only for a moment. */
const MAX_PROBED_BYTES = 256 << 20;

/** Drives that are being measured; every connection has one of its own. */
const busy = new WeakSet<Drive>();

const WAYS: Readonly<Record<Message<'measure'>['what'], (drive: Drive, exchange: Exchange, bounds: Bounds) => Promise<Numbers>>> = {
  clock: () => Promise.resolve({ bytes: 0, micros: 0 }),
  up: (drive, exchange, bounds) => drive.measure('measureUp', async (goOn) => {
    const held = new Held(goOn);
    const { bytes, micros } = await drain(exchange, bounds, held.goOn);
    return { bytes, micros, heldMicros: held.of(micros) };
  }),
  down: (drive, exchange, bounds) => drive.measure('measureDown', async (goOn) => {
    const held = new Held(goOn);
    const { bytes, micros } = await pour(exchange, bounds, held.goOn);
    return { bytes, micros, heldMicros: held.of(micros) };
  }),
  disk: (drive, _exchange, { bytes, milliseconds }) => drive.probe(Math.min(bytes, MAX_PROBED_BYTES), milliseconds),
};

/** How long bytes are held up by a rate, which is no fault of the way they take. */
class Held {
  #milliseconds = 0;
  readonly #pass: (bytes: number) => Promise<void>;

  constructor(pass: (bytes: number) => Promise<void>) {
    this.#pass = pass;
  }

  readonly goOn = async (bytes: number): Promise<void> => {
    const began = performance.now();
    await this.#pass(bytes);
    this.#milliseconds += performance.now() - began;
  };

  /** Of a time (µs), at most all of it. */
  of(micros: number): number {
    return Math.min(micros, Math.round(this.#milliseconds * 1000));
  }
}

export async function measure(drive: Drive, exchange: Exchange, { what, bytes, milliseconds }: Message<'measure'>): Promise<void> {
  if (busy.has(drive)) throw new Failure('BUSY', 'this connection is being measured already', { who: 'rule', hint: 'wait until that is done' });
  busy.add(drive);
  try {
    const numbers = await WAYS[what](drive, exchange, { bytes: Math.min(bytes, MAX_MEASURED_BYTES), milliseconds: Math.min(milliseconds, MAX_MEASURED_MS) });
    exchange.say({ kind: 'measured', time: Math.round((performance.timeOrigin + performance.now()) * 1000), ...numbers });
  } finally {
    busy.delete(drive);
  }
}
