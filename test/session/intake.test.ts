/** How much may be on the way on one exchange: it becomes more where the line is long, and never what others need. */
import { expect, test } from 'vitest';
import { Budget } from '../../src/session/budget.ts';
import type { Exchange } from '../../src/session/exchange.ts';
import { FRAME_COST, INITIAL_CREDIT } from '../../src/session/machine.ts';
import { Link, push } from './link.ts';

const MIB = 1 << 20;
const BODY = MIB + 8;
const COST = BODY + FRAME_COST;

/** One put. */
class Put {
  readonly from: Exchange;
  readonly #to: Exchange;
  #held: number[] = [];
  #offset = 0;

  private constructor(from: Exchange, to: Exchange) {
    this.from = from;
    this.#to = to;
  }

  static async on(link: Link): Promise<Put> {
    const { from, to } = await link.putting();
    return new Put(from, to);
  }

  /** Sends all that there is credit for, and waits for more; resolves when all of it has come. `keeping`: none of it is put away. */
  async fill(keeping = false): Promise<void> {
    let frames = 0;
    for (; this.from.affords(BODY, 1); frames += 1, this.#offset += MIB) push(this.from, this.#offset, MIB);
    this.from.credit(BODY).catch(() => {}); // ends with the exchange
    for (; frames > 0; frames -= 1) {
      const { bulk } = await this.#to.next();
      if (keeping) this.#held.push(bulk);
      else this.#to.consumed(bulk);
    }
  }

  /** The first of what was kept is put away. */
  putOneAway(): void { this.#to.consumed(this.#held.shift()!); }
}

/** What may be on the way. */
async function windowOf(link: Link, { from }: Put): Promise<number> {
  await link.settled();
  return link.client.machine.credit(from.id)! + from.unpaid;
}

/** What may be sent now. */
async function creditOf(link: Link, { from }: Put): Promise<number> {
  await link.settled();
  return link.client.machine.credit(from.id)!;
}

/** Has the sender say `times` times that it waits; a window's worth is sent before each. */
async function grow(link: Link, put: Put, times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    await put.fill();
    await link.settled();
  }
}

test('a sender that waits while all it sent is put away may have twice as much on the way, and again', async () => {
  await using link = await Link.open();
  const put = await Put.on(link);
  await grow(link, put, 1);
  expect(await windowOf(link, put)).toBe(2 * INITIAL_CREDIT);
  await grow(link, put, 1);
  expect(await windowOf(link, put)).toBe(4 * INITIAL_CREDIT);
});

test('a sender that waits for a slow disk may not', async () => {
  await using link = await Link.open();
  const put = await Put.on(link);
  await put.fill(true);
  for (let frame = 0; frame < 40; frame += 1) {
    put.putOneAway();
    await link.settled();
    await put.fill(true);
  }
  expect(await windowOf(link, put)).toBe(INITIAL_CREDIT);
});

test('what is not put away is known to the sender, however wide the window', async () => {
  await using link = await Link.open();
  const put = await Put.on(link);
  await grow(link, put, 1);
  expect(put.from.unpaid).toBe(0);
  push(put.from, 0, MIB);
  push(put.from, MIB, MIB);
  await link.settled();
  expect(put.from.unpaid).toBe(2 * COST);
});

test('all windows together stay within the budget, and each is at least what it began with', async () => {
  await using link = await Link.open({ budget: new Budget(4 * INITIAL_CREDIT) });
  const [first, second] = [await Put.on(link), await Put.on(link)];
  await grow(link, first, 4);
  expect(await windowOf(link, first)).toBe(4 * INITIAL_CREDIT);
  // Another one comes, and what it needs is taken back from the first.
  await grow(link, second, 3);
  await grow(link, first, 3);
  expect([await creditOf(link, first), await creditOf(link, second)]).toEqual([3 * INITIAL_CREDIT, INITIAL_CREDIT]);
});

test('what an exchange had beyond its beginning is there for the others when it has ended', async () => {
  const budget = new Budget(3 * INITIAL_CREDIT);
  await using link = await Link.open({ budget });
  const [first, second] = [await Put.on(link), await Put.on(link)];
  await grow(link, first, 3);
  first.from[Symbol.dispose]();
  await link.settled();
  await grow(link, second, 3);
  expect(await windowOf(link, second)).toBe(3 * INITIAL_CREDIT);
});
