import { expect, test, vi } from 'vitest';
import { BLOCK_BYTES } from '../../src/digest.ts';
import { Failure } from '../../src/errors.ts';
import { Writing } from '../../src/transfer/writing.ts';

const B = BLOCK_BYTES;

/** A sink that keeps note of its writes: the first block of each and how many; each waits for `go`. */
class Sink {
  readonly writes: [number, number][] = [];
  readonly waiting: (() => void)[] = [];
  failure: Failure | undefined;

  async write(chunks: readonly Uint8Array[], position: number): Promise<void> {
    this.writes.push([position / B, chunks.length]);
    await new Promise<void>((resolve) => { this.waiting.push(resolve); });
    if (this.failure !== undefined) throw this.failure;
  }

  go(): void { this.waiting.shift()!(); }
}

/** Whoever parts come from; how many bytes were given back. */
class Origin {
  back = 0;
  consumed(bulk: number): void { this.back += bulk; }
}

const transfer = { failure: undefined as Failure | undefined, cancel(failure: Failure): void { this.failure = failure; } };
const turn = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

function add(writing: Writing, from: Origin, ...blocks: number[]): void {
  for (const block of blocks) writing.add({ kind: 'data', offset: block * B, bytes: new Uint8Array(B), bulk: B }, from);
}

test('what comes over two connections is written as if it had come over one', async () => {
  const sink = new Sink();
  const [one, other] = [new Origin(), new Origin()];
  const writing = new Writing(transfer, sink);
  add(writing, one, 0, 2);
  add(writing, other, 1, 3);
  await turn();
  expect(sink.writes).toEqual([[0, 4]]);
  sink.go();
  await writing.idle();
  expect([one.back, other.back]).toEqual([2 * B, 2 * B]);
});

test('a connection is done when all that came over it is written, whatever else waits', async () => {
  const sink = new Sink();
  const [one, other] = [new Origin(), new Origin()];
  const writing = new Writing(transfer, sink);
  add(writing, one, 1);
  add(writing, other, 8);
  let done = false;
  const idle = writing.idle(one).then(() => { done = true; });
  add(writing, other, 9);
  expect(sink.writes).toEqual([[1, 1]]);
  expect(done).toBe(false);
  sink.go();
  await idle;
  expect([one.back, other.back]).toEqual([B, 0]);
  const all = writing.idle();
  await turn();
  sink.go();
  await all;
  expect(sink.writes).toEqual([[1, 1], [8, 2]]);
});

test('a disk that fails ends the transfer, and nobody waits any more', async () => {
  const sink = new Sink();
  const [one, other] = [new Origin(), new Origin()];
  const writing = new Writing(transfer, sink);
  sink.failure = new Failure('NOSPACE', 'no space left on the disk');
  add(writing, one, 0);
  add(writing, other, 5);
  const idle = [writing.idle(one), writing.idle(other), writing.idle()];
  sink.go();
  await Promise.all(idle);
  expect(transfer.failure).toMatchObject({ code: 'NOSPACE' });
});

test('what has waited is written whole, though there be gaps in it: each piece does not wait again', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const writes: number[] = [];
    const writing = new Writing(transfer, { write: (_, position) => { writes.push(position); return Promise.resolve(); } });
    const origin = new Origin();
    for (const position of [0, 10, 20, 30]) writing.add({ kind: 'data', offset: position, bytes: new Uint8Array(1), bulk: 1 }, origin);
    vi.runOnlyPendingTimers();
    await turn();
    expect(writes).toEqual([0, 10, 20, 30]);
    expect(origin.back).toBe(4);
  } finally {
    vi.useRealTimers();
  }
});
