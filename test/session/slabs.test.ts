import { expect, test } from 'vitest';
import { BLOCK_BYTES } from '../../src/digest.ts';
import { Failure } from '../../src/errors.ts';
import { Budget } from '../../src/session/budget.ts';
import { bodyOf, giveSlab, PIECE_BYTES, roomFor, SlabShare, takeSlab } from '../../src/session/slabs.ts';

/** How many of these promises have settled by now, each way. */
async function settled(promises: readonly Promise<unknown>[]): Promise<{ taken: number; refused: number }> {
  const turn = new Promise((resolve) => { setImmediate(resolve, 'pending'); });
  const states = await Promise.all(promises.map((promise) => Promise.race([promise.then(() => 'taken', () => 'refused'), turn])));
  return { taken: states.filter((state) => state === 'taken').length, refused: states.filter((state) => state === 'refused').length };
}

test('a connection has twelve slabs at most, and the thirteenth is had when one is given back', async () => {
  const share = new SlabShare(new Budget(64 << 20));
  const slabs = await Promise.all(Array.from({ length: 12 }, () => share.take()));
  const thirteenth = share.take();
  expect((await settled([thirteenth])).taken).toBe(0);
  share.give(slabs[0]!);
  expect((await thirteenth).byteLength).toBe(slabs[0]!.byteLength);
});

test('without waiting, a slab is had only where nobody waits, and none beyond the budget', async () => {
  const budget = new Budget(2 << 20);
  const share = new SlabShare(budget);
  const first = share.takeNow();
  expect(first).toBeDefined();
  expect(share.takeNow()).toBeUndefined();
  const waiting = share.take();
  share.give(first!);
  expect(share.takeNow()).toBeUndefined();
  share.give(await waiting);
  expect(budget.used).toBe(0);
  share.close(new Failure('LOST', 'gone'));
  expect(share.takeNow()).toBeUndefined();
});

test('slabs are whole as long as the budget offers so much, then small, and all is given back to it', async () => {
  const budget = new Budget(6.5 * BLOCK_BYTES);
  const share = new SlabShare(budget);
  const slabs = await Promise.all(Array.from({ length: 5 }, () => share.take()));
  expect(slabs.map(bodyOf)).toEqual([BLOCK_BYTES, BLOCK_BYTES, BLOCK_BYTES, PIECE_BYTES, PIECE_BYTES]);
  expect(budget.used).toBe(slabs.reduce((sum, { byteLength }) => sum + byteLength, 0));
  for (const slab of slabs) share.give(slab);
  expect(budget.used).toBe(0);
});

test('beyond the first, a slab is had when the budget offers one again', async () => {
  const budget = new Budget(1 << 20);
  budget.reserve(1 << 20, 0, () => {});
  const share = new SlabShare(budget);
  const first = await share.take();
  const second = share.take();
  expect((await settled([second])).taken).toBe(0);
  share.give(first);
  expect(bodyOf(await second)).toBe(PIECE_BYTES);
  const third = share.take();
  expect((await settled([third])).taken).toBe(0);
  budget.release(1 << 20);
  expect((await settled([third])).taken).toBe(1);
});

test('a connection that holds nothing has a small slab, however little of the budget is left, and a whole one where it must be', async () => {
  const budget = new Budget(1);
  budget.reserve(1, 0, () => {});
  const share = new SlabShare(budget);
  const slab = await share.take();
  expect(bodyOf(slab)).toBe(PIECE_BYTES);
  share.give(slab);
  expect(bodyOf(await share.take(undefined, PIECE_BYTES + 1))).toBe(BLOCK_BYTES);
});

test('when the connection is over, whoever waits hears why, and no memory is taken', async () => {
  const share = new SlabShare(new Budget(64 << 20));
  for (let i = 0; i < 12; i += 1) await share.take();
  const waiting = [share.take(), share.take()];
  share.close(new Failure('LOST', 'gone'));
  expect(await settled([...waiting, share.take()])).toEqual({ taken: 0, refused: 3 });
});

test.each([1, 66_000, 300_000, 600_000, 917_503, 917_504, 1 << 20])('what arrives, %i bytes, takes little more memory than the budget is charged', (size) => {
  const room = roomFor(size);
  expect(room.byteLength).toBe(size);
  expect(room.buffer.byteLength).toBeLessThanOrEqual(size * 1.15);
});

test('whoever gives up waits for no slab, and gets none', async () => {
  const share = new SlabShare(new Budget(64 << 20));
  const slabs = await Promise.all(Array.from({ length: 12 }, () => share.take()));
  const given = new AbortController();
  const gone = share.take(given.signal);
  const other = share.take();
  given.abort(new Error('given up'));
  await expect(gone).rejects.toThrow('given up');
  share.give(slabs[0]!);
  expect((await other).byteLength).toBe(slabs[0]!.byteLength);
});

test('free slabs are used again, but whole ones are not kept where small ones are needed', () => {
  const slab = takeSlab();
  giveSlab(slab);
  expect(takeSlab().buffer).toBe(slab.buffer);
  giveSlab(slab);
  roomFor(PIECE_BYTES);
  expect(takeSlab().buffer).not.toBe(slab.buffer);
});
