/** How many requests of one connection hold memory or files at the same time. */
import { expect, test } from 'vitest';
import { Descriptors } from '../../src/doors/descriptors.ts';
import { Running } from '../../src/doors/running.ts';
import type { Request } from '../../src/session/rules.ts';

/** Begins so many, and says how many have begun when all that can have; then ends them, one by one, until all have been. */
async function atOnce(request: Request, count: number): Promise<{ first: number; all: number }> {
  const running = new Running(64, new Descriptors());
  const ends: (() => void)[] = [];
  const turn = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });
  const done = Promise.all(Array.from({ length: count }, () => running.run(request, () => new Promise((resolve) => { ends.push(resolve); }))));
  await turn();
  const first = ends.length;
  for (let at = 0; at < ends.length; at += 1) {
    ends[at]!();
    await turn();
  }
  await done;
  return { first, all: ends.length };
}

test.each([['list', 8], ['getTree', 4], ['putTree', 4], ['put', 64], ['stat', 256]] as const)('of 256 requests `%s`, %i run at once, and the others in turn', async (request, most) => {
  expect(await atOnce(request, 256)).toEqual({ first: most, all: 256 });
});
