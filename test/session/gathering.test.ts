/** What a connection may hold of what comes to it: bulk frames and long words, out of a budget of which nothing is left. */
import { expect, test } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { Budget, MAX_EXCEPTED } from '../../src/session/budget.ts';
import { Gathering } from '../../src/session/gathering.ts';
import { FRAME_COST } from '../../src/session/machine.ts';
import { PIECE_BYTES } from '../../src/session/slabs.ts';
import { MAX_BODY, MAX_CONTROL_BODY } from '../../src/wire/frame.ts';
import { encodeMessage } from '../../src/wire/messages.ts';
import { Link } from './link.ts';

const LONG = MAX_CONTROL_BODY;
/** The type of a frame of compressed data. */
const COMPRESSED = encodeMessage(1, { kind: 'compressedData', offset: 0, size: 1, bytes: new Uint8Array(1) })[4]!;
const WORD = encodeMessage(1, { kind: 'getTree', path: '', exclude: [] })[4]!;

function usedUp(): Budget {
  const budget = new Budget(1 << 20);
  budget.reserve(1 << 20, 0, () => {});
  return budget;
}

test('a long word is taken when it begins, with all that it comes to, and not when too many take such', () => {
  const budget = usedUp();
  const told: number[] = [];
  const all = Array.from({ length: MAX_EXCEPTED + 1 }, (_, at) => new Gathering(budget, () => { told.push(at); }, () => {}));
  const used = budget.used;
  expect(all.map((one) => one.expect({ type: COMPRESSED, length: LONG }))).toEqual([...Array.from({ length: MAX_EXCEPTED }, () => true), false]);
  expect(budget.used - used).toBe(MAX_EXCEPTED * (MAX_BODY + FRAME_COST));
  expect(told).toEqual([]);
  // It is here, and came to less.
  expect([all[0]!.take(5000), all[0]!.expect(undefined)]).toEqual([true, true]);
  expect(budget.used - used).toBe((MAX_EXCEPTED - 1) * (MAX_BODY + FRAME_COST) + 5000);
  all[0]!.release(5000);
  expect(told).toEqual([MAX_EXCEPTED]);
  expect(all[MAX_EXCEPTED]!.expect({ type: WORD, length: LONG })).toBe(true);
  for (const one of all) one.end();
  expect(budget.used).toBe(used);
});

test('a short word needs nothing before it is there, and something small is always had by who holds nothing', () => {
  const budget = usedUp();
  for (let taken = 0; taken < MAX_EXCEPTED; taken += 1) budget.reserveWhole(1, 0, true, () => {});
  const one = new Gathering(budget, () => {}, () => {});
  const used = budget.used;
  expect([one.expect({ type: COMPRESSED, length: PIECE_BYTES }), budget.used]).toEqual([true, used]);
  expect([one.take(PIECE_BYTES * 4), one.take(PIECE_BYTES), one.take(PIECE_BYTES)]).toEqual([false, true, false]);
});

test('a word that nobody is charged for is held only while it comes', () => {
  const budget = new Budget();
  const one = new Gathering(budget, () => {}, () => {});
  one.expect({ type: WORD, length: LONG });
  expect(budget.used).toBe(LONG + FRAME_COST);
  one.expect(undefined);
  expect(budget.used).toBe(0);
});

test('long words and packs arrive also where nothing is left of the budget, and leave nothing in it', async () => {
  await using link = await Link.open({ budget: usedUp() });
  const { used } = link.budget;
  for (let round = 0; round < 3; round += 1) {
    const leave = new Uint8Array(300 << 10);
    const asked = link.client.request({ kind: 'putTree', path: 'x', level: 'visible', ifAbsent: false, replaceable: leave });
    const exchange = await link.server.next();
    await asked.batch(new Uint8Array(1 << 20));
    await asked.batch(new Uint8Array(1 << 20));
    for (let packs = 0; packs < 2; packs += 1) exchange.consumed((await exchange.next()).bulk);
    exchange.cancel(new Failure('DENIED', 'no'));
    asked[Symbol.dispose]();
  }
  await link.settled();
  expect(link.budget.used).toBe(used);
});
