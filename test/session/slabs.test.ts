import { expect, test } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { Budget } from '../../src/session/budget.ts';
import { roomFor, SlabShare } from '../../src/session/slabs.ts';

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

test('beyond the first, slabs are had as far as the budget goes, and all is given back to it', async () => {
  const budget = new Budget(3 << 20);
  const share = new SlabShare(budget);
  const slabs = Array.from({ length: 4 }, () => share.take());
  expect((await settled(slabs)).taken).toBe(2);
  share.give(await slabs[0]!);
  expect((await settled(slabs)).taken).toBe(3);
  for (const slab of slabs.slice(1)) share.give(await slab);
  expect(budget.used).toBe(0);
});

test('a connection that holds nothing has one slab, however little of the budget is left', async () => {
  const budget = new Budget(1);
  budget.reserve(1, 0, () => {});
  const slab = await new SlabShare(budget).take();
  expect(slab.byteLength).toBeGreaterThan(1 << 20);
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
