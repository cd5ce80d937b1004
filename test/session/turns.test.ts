import { expect, test } from 'vitest';
import { Turns } from '../../src/session/turns.ts';

/** Asks for room and tells in `order` when it is worth asking again. */
function wait(turns: Turns, order: string[], name: string): Promise<void> {
  return turns.room()!.then(() => { order.push(name); });
}

test('two may write, the others get their turns in order, one for each that has written', async () => {
  const turns = new Turns();
  const order: string[] = [];
  expect(turns.room()).toBeUndefined();
  turns.began();
  expect(turns.room()).toBeUndefined();
  turns.began();
  const [first, second] = [wait(turns, order, 'first'), wait(turns, order, 'second')];
  turns.ended();
  await first;
  expect(order).toEqual(['first']);
  turns.began();
  turns.ended();
  await second;
  expect(order).toEqual(['first', 'second']);
});

test('a turn that is not used is passed on', async () => {
  const turns = new Turns();
  const order: string[] = [];
  turns.began();
  turns.began();
  const both = [wait(turns, order, 'gave up').then(() => { turns.pass(); }), wait(turns, order, 'writes')];
  turns.ended();
  await Promise.all(both);
  expect(order).toEqual(['gave up', 'writes']);
});

test('nobody waits for a socket that is gone', async () => {
  const turns = new Turns();
  turns.began();
  turns.began();
  const waiting = wait(turns, [], 'x');
  turns.close();
  await waiting;
  turns.ended();
  expect(turns.room()).toBeUndefined();
});

test('whoever gives up does not wait for a socket that is stuck, and takes no turn from the others', async () => {
  const turns = new Turns();
  const order: string[] = [];
  turns.began();
  turns.began();
  const given = new AbortController();
  const gone = turns.room(given.signal)!;
  const other = wait(turns, order, 'other');
  given.abort(new Error('given up'));
  await expect(gone).rejects.toThrow('given up');
  turns.ended();
  await other;
  expect(order).toEqual(['other']);
});
