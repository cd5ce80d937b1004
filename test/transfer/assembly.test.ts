import { expect, test } from 'vitest';
import { BLOCK_BYTES, digestOf, hex } from '../../src/digest.ts';
import { Failure } from '../../src/errors.ts';
import { Assembly } from '../../src/transfer/assembly.ts';
import { noise } from './bytes.ts';

const B = BLOCK_BYTES;

/** A file of which everything is in the sink, and what of it was read back. */
class Sink {
  readonly content: Buffer;
  readonly asked: number[] = [];
  constructor(blocks: number) { this.content = Buffer.from(noise(blocks * B)); }

  read(into: Uint8Array, position: number): Promise<number> {
    this.asked.push(position / B);
    return Promise.resolve(this.content.copy(into, 0, position, position + into.byteLength));
  }

  block(at: number): Buffer { return this.content.subarray(at * B, (at + 1) * B); }
}

/** Blocks as they come, each in the sink at once; which of them were given up, in that order. */
function bring(assembly: Assembly, sink: Sink, blocks: readonly number[]): number[] {
  const freed: number[] = [];
  for (const at of blocks) {
    if (assembly.came(at * B, sink.block(at)) === 'early') assembly.landed(at * B, sink.block(at), () => freed.push(at));
  }
  return freed;
}

test('what comes a little early is hashed from memory, in its turn', async () => {
  const sink = new Sink(6);
  const assembly = new Assembly(sink, true);
  const freed = bring(assembly, sink, [1, 3, 0, 2, 5, 4]);
  expect(hex(await assembly.digest(6 * B))).toBe(hex(digestOf(sink.content)));
  expect(sink.asked).toEqual([]);
  expect(freed).toEqual([1, 3, 5]);
});

test('what comes far too early is given up at once, and read back', async () => {
  const sink = new Sink(10);
  const assembly = new Assembly(sink, true);
  const freed = bring(assembly, sink, [9, 8, 7, 6, 5, 4]);
  expect(freed).toEqual([5, 4]); // four blocks may stay
  freed.push(...bring(assembly, sink, [0, 1, 2, 3]));
  expect(hex(await assembly.digest(10 * B))).toBe(hex(digestOf(sink.content)));
  expect(sink.asked).toEqual([4, 5]);
  expect(freed).toEqual([5, 4, 6, 7, 8, 9]);
});

test('what comes in tiny parts is given up as well: there are only so many that stay', () => {
  const sink = new Sink(1);
  const assembly = new Assembly(sink, true);
  let freed = 0;
  for (let at = 1; at <= 200; at += 2) {
    expect(assembly.came(at, sink.content.subarray(at, at + 1))).toBe('early');
    assembly.landed(at, sink.content.subarray(at, at + 1), () => { freed += 1; });
  }
  expect(freed).toBe(100 - 64);
});

test('when it is stopped, all is given up', async () => {
  const sink = new Sink(3);
  const assembly = new Assembly(sink, true);
  const freed = bring(assembly, sink, [2, 1]);
  await assembly.stop(new Failure('CANCELLED', 'not wanted any more'));
  expect(freed).toEqual([2, 1]);
  await expect(assembly.digest(3 * B)).rejects.toMatchObject({ code: 'CANCELLED' });
});
