import { expect, test } from 'vitest';
import { Beside } from '../../src/client/beside.ts';

/** Jobs that end when they are told to. */
class Jobs {
  readonly begun: string[] = [];
  readonly #ends = new Map<string, () => void>();

  readonly begin = (name: string): Promise<void> => {
    this.begun.push(name);
    return new Promise((resolve) => { this.#ends.set(name, resolve); });
  };

  async end(name: string): Promise<void> {
    this.#ends.get(name)!();
    await new Promise((turn) => { setImmediate(turn); });
  }
}

test('files begin in the order they were told of, so many at once, and a word is done with when its last one has begun', async () => {
  const [beside, jobs] = [new Beside<string>(2, (name) => name[0]!), new Jobs()];
  const done: string[] = [];
  beside.add(['a1', 'a2', 'b1'], jobs.begin, () => done.push('first'));
  beside.add([], jobs.begin, () => done.push('empty'));
  beside.add(['c1'], jobs.begin, () => done.push('last'));
  expect([jobs.begun, done]).toEqual([['a1', 'a2'], []]);
  expect(['a', 'b', 'c', 'd'].filter((folder) => beside.busy(folder))).toEqual(['a', 'b', 'c']);
  await jobs.end('a2');
  expect([jobs.begun, done]).toEqual([['a1', 'a2', 'b1'], ['first', 'empty']]);
  await jobs.end('a1');
  expect([jobs.begun, done]).toEqual([['a1', 'a2', 'b1', 'c1'], ['first', 'empty', 'last']]);
  expect(['a', 'b', 'c'].filter((folder) => beside.busy(folder))).toEqual(['b', 'c']);
});

test('idle waits for those that have not begun yet too', async () => {
  const [beside, jobs] = [new Beside<string>(1, () => ''), new Jobs()];
  let idle = false;
  beside.add(['one', 'two', 'three'], jobs.begin, () => {});
  const waited = beside.idle().then(() => { idle = true; });
  for (const name of ['one', 'two', 'three']) {
    expect([idle, beside.busy('')]).toEqual([false, true]);
    await jobs.end(name);
  }
  await waited;
  expect([idle, beside.busy('')]).toEqual([true, false]);
});

test('a hundred thousand names are told at once, and each begins when its turn comes', async () => {
  const beside = new Beside<number>(4, (number) => `${number % 100}`);
  const names = Array.from({ length: 100_000 }, (_, at) => at);
  let begun = 0;
  beside.add(names, async () => { begun += 1; }, () => {});
  await beside.idle();
  expect([begun, beside.busy('0')]).toEqual([100_000, false]);
});
