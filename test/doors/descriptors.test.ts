import { describe, expect, test } from 'vitest';
import { Descriptors, RESERVED_FILES } from '../../src/doors/descriptors.ts';
import { Places } from '../../src/doors/places.ts';

/** How many of these promises are fulfilled by now. */
async function fulfilled(all: readonly Promise<unknown>[]): Promise<number> {
  let count = 0;
  for (const one of all) void one.then(() => { count += 1; });
  await new Promise((resolve) => { setImmediate(resolve); });
  return count;
}

describe('of the files that a process may have open', () => {
  test('some are kept back, the rest is for connections', () => {
    const descriptors = new Descriptors(RESERVED_FILES + 3);
    const [one] = [descriptors.socket(), descriptors.socket(), descriptors.socket()];
    expect([one === undefined, descriptors.socket()]).toEqual([false, undefined]);
    one!();
    one!();
    expect(descriptors.socket()).toBeDefined();
    expect(descriptors.socket()).toBeUndefined();
  });

  test('a few requests always get theirs, and the others wait for them or for connections to end', async () => {
    const descriptors = new Descriptors(RESERVED_FILES + 4);
    const sockets = Array.from({ length: 4 }, () => descriptors.socket()!);
    const files = Array.from({ length: 12 }, () => descriptors.places.out.take());
    expect(await fulfilled(files)).toBe(4);
    (await files[0]!)();
    expect(await fulfilled(files)).toBe(5);
    sockets[0]!();
    expect(await fulfilled(files)).toBe(5); // it takes two
    sockets[1]!();
    expect(await fulfilled(files)).toBe(6);
    expect(descriptors.socket()).toBeUndefined();
  });

  test('walks have their own, so that files of theirs are not waited for by themselves', async () => {
    const descriptors = new Descriptors(RESERVED_FILES);
    const trees = [descriptors.places.tree.take(), descriptors.places.tree.take()];
    expect(await fulfilled(trees)).toBe(1);
    expect(await fulfilled([descriptors.places.out.take()])).toBe(1);
    (await trees[0]!)();
    expect(await fulfilled(trees)).toBe(2);
  });

  test('who receives does not wait for who sends, of which a copy needs one each, and both have what the other gives back', async () => {
    const descriptors = new Descriptors(RESERVED_FILES + 2);
    const out = Array.from({ length: 6 }, () => descriptors.places.out.take());
    expect(await fulfilled(out)).toBe(5);
    const inward = Array.from({ length: 5 }, () => descriptors.places.in.take());
    expect(await fulfilled(inward)).toBe(4);
    for (const leave of [out[0]!, out[1]!]) (await leave)();
    expect(await fulfilled(out)).toBe(6);
    expect(await fulfilled(inward)).toBe(5);
  });

  test('there are always enough where the system sets no bound', async () => {
    const descriptors = new Descriptors();
    for (let one = 0; one < 10_000; one += 1) expect(descriptors.socket()).toBeDefined();
    expect(await fulfilled(Array.from({ length: 1000 }, () => descriptors.places.out.take()))).toBe(1000);
  });
});

test('places are given in the order in which they were asked for, and come back once', async () => {
  const places = new Places((taken) => taken < 1);
  const order: number[] = [];
  const first = await places.take();
  const later = [1, 2, 3].map(async (one) => {
    const leave = await places.take();
    order.push(one);
    leave();
    leave();
  });
  expect(places.taken).toBe(1);
  first();
  await Promise.all(later);
  expect([order, places.taken]).toEqual([[1, 2, 3], 0]);
});
