/**
 * Probe: how fast the disk writes, flushes and reads, seen with a file that never has a name of its own. Synchronous, in steps.
 * What is read comes from memory for the most part, since it was written just now: a bound, not the speed of the disk.
 */
import { closeSync, fsyncSync, readSync, writeSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { Failure, fromErrno } from '../../errors.ts';
import type { Probed, Space } from '../vault.ts';
import type { Stage } from './stage.ts';

/** As large as the writes of a transfer, and a step that others wait for only shortly. */
const PIECE = 1 << 20;
/** A probe takes at most this share of the free room: others need it too. */
const SHARE = 4;

export function* probe(stage: Stage, { free }: Space, bytes: number, milliseconds: number): Generator<undefined, Probed> {
  if (bytes > free / SHARE) throw new Failure('NOSPACE', 'too little room to measure the disk', { who: 'server' });
  const fd = stage.scratch();
  try {
    // Not zeros: some disks store those as nothing.
    const piece = randomBytes(Math.max(1, Math.min(bytes, PIECE)));
    const written = yield* pass(bytes, milliseconds, (at) => writeSync(fd, piece, 0, Math.min(piece.byteLength, bytes - at), at));
    const flushMicros = took(() => fsyncSync(fd));
    yield;
    const read = yield* pass(written.bytes, milliseconds, (at) => readSync(fd, piece, 0, piece.byteLength, at));
    return { bytes: written.bytes, micros: written.micros, flushMicros, readMicros: read.micros };
  } catch (error) {
    throw fromErrno(error, undefined);
  } finally {
    closeSync(fd);
  }
}

/** Piece after piece, up to `bytes`, or until they have taken so long together; the time between steps is not counted. */
function* pass(bytes: number, milliseconds: number, one: (at: number) => number): Generator<undefined, { bytes: number; micros: number }> {
  const sum = { bytes: 0, micros: 0 };
  while (sum.bytes < bytes && sum.micros < milliseconds * 1000) {
    sum.micros += took(() => { sum.bytes += one(sum.bytes); });
    yield;
  }
  return sum;
}

/** Microseconds; never none, so that a rate can be made of it. */
function took(action: () => void): number {
  const began = performance.now();
  action();
  return Math.max(1, Math.round((performance.now() - began) * 1000));
}
