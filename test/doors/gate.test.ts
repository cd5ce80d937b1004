import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { Gate, type GateLimits } from '../../src/doors/gate.ts';
import { type StrangerLimits, StrangersHere } from '../../src/doors/strangers.ts';

/** What is not looked at here is without bound. */
const FREE: GateLimits & StrangerLimits = { perAddress: 1000, waitMs: 60_000, strangersAtOnce: 1000, strangersPerSecond: 1000 };

/** Who was let in, in order, with what to call when they leave. */
function at(limits: Partial<GateLimits & StrangerLimits>) {
  const gate = new Gate({ ...FREE, ...limits }, new StrangersHere({ ...FREE, ...limits }));
  const inside: { name: string; leave(): void }[] = [];
  const refused: string[] = [];
  const woken: (() => void)[] = [];
  const come = (name: string, address: string, known = false): EventEmitter => {
    const socket = new EventEmitter();
    gate.enter(address, socket as Socket, {
      known,
      admit: (leave) => { inside.push({ name, leave }); for (const wake of woken.splice(0)) wake(); },
      refuse: () => { refused.push(name); for (const wake of woken.splice(0)) wake(); },
    });
    return socket;
  };
  const names = (): string[] => inside.map(({ name }) => name);
  const change = (): Promise<void> => new Promise((resolve) => { woken.push(resolve); });
  return { come, inside, refused, names, change };
}

describe('of one address', () => {
  test('so many sign in at a time, and the others in the order in which they came', () => {
    const { come, inside, names } = at({ perAddress: 2 });
    for (const name of ['one', 'two', 'three', 'four']) come(name, '192.0.2.1');
    come('other', '192.0.2.2');
    expect(names()).toEqual(['one', 'two', 'other']);
    inside[0]!.leave();
    inside[0]!.leave();
    expect(names()).toEqual(['one', 'two', 'other', 'three']);
    inside[1]!.leave();
    expect(names().at(-1)).toBe('four');
  });

  test('that is half an IPv6 address the same', () => {
    const { come, names } = at({ perAddress: 1 });
    come('one', '2001:db8::1');
    come('two', '2001:db8::2');
    come('three', '2001:db8:1::1');
    expect(names()).toEqual(['one', 'three']);
  });

  test('more than a lecture hall of those who wait is turned away', () => {
    const { come, refused } = at({ perAddress: 1 });
    for (let one = 0; one < 210; one += 1) come(String(one), '192.0.2.1');
    expect(refused).toEqual(['201', '202', '203', '204', '205', '206', '207', '208', '209']);
  });

  test('who leaves while they wait is forgotten', () => {
    const { come, inside, names } = at({ perAddress: 1 });
    come('one', '192.0.2.1');
    come('two', '192.0.2.1').emit('close');
    come('three', '192.0.2.1');
    inside[0]!.leave();
    expect(names()).toEqual(['one', 'three']);
  });

  test('who waits too long is turned away', async () => {
    const { come, refused, change } = at({ perAddress: 1, waitMs: 1 });
    come('one', '192.0.2.1');
    const changed = change();
    come('two', '192.0.2.1');
    await changed;
    expect(refused).toEqual(['two']);
  });
});

describe('strangers', () => {
  test('come in so many at once, then one after the other as time goes by', async () => {
    const { come, names, change } = at({ strangersAtOnce: 2, strangersPerSecond: 200 });
    for (const name of ['one', 'two', 'three', 'four']) come(name, '192.0.2.1');
    expect(names()).toEqual(['one', 'two']);
    while (names().length < 4) await change();
    expect(names()).toEqual(['one', 'two', 'three', 'four']);
  });

  test('do not hold up those who are known', () => {
    const { come, names } = at({ strangersAtOnce: 1, strangersPerSecond: 0.001 });
    for (const name of ['one', 'two', 'three']) come(name, '192.0.2.1');
    come('known', '192.0.2.2', true);
    come('known there', '192.0.2.1', true);
    expect(names()).toEqual(['one', 'known', 'known there']);
  });

  test('of one address that has many do not hold up those of others', async () => {
    const { come, names, change } = at({ strangersAtOnce: 1, strangersPerSecond: 200 });
    for (let one = 0; one < 50; one += 1) come('flood', '192.0.2.1');
    come('honest', '192.0.2.2');
    while (!names().includes('honest')) await change();
    expect(names().length).toBeLessThan(20);
  });

  test('who have left take nothing from those who wait', async () => {
    const { come, names, change } = at({ strangersAtOnce: 1, strangersPerSecond: 200 });
    come('one', '192.0.2.1');
    come('gone', '192.0.2.1').emit('close');
    come('two', '192.0.2.2');
    await change();
    expect(names()).toEqual(['one', 'two']);
  });
});
