import { describe, expect, test } from 'vitest';
import type { ServerEvent } from '../../src/server/log.ts';
import { Refusals } from '../../src/server/refusals.ts';

function book() {
  const told: ServerEvent[] = [];
  return { told, refusals: new Refusals((event) => told.push(event)), take: () => told.splice(0) };
}

const refused = (address: string, more: object = {}): ServerEvent => ({ event: 'refused', address, code: 'LIMIT', reason: 'why', ...more });
const of = (session: number, event: 'connected' | 'signed-in' | 'disconnected' | 'refused', address = '192.0.2.1', code?: string): ServerEvent => ({ event, session, address, ...(code !== undefined && { code }) });

describe('a flood of refusals', () => {
  test('is its first line, and one line a minute with a count for as long as more come', () => {
    const { refusals, take } = book();
    for (let time = 0; time < 500; time += 1) refusals.tell(refused('192.0.2.1'));
    expect(take()).toEqual([refused('192.0.2.1')]);
    refusals.flush(); // what the timer does
    expect(take()).toEqual([refused('192.0.2.1', { count: 499 })]);
    refusals.tell(refused('192.0.2.1'));
    expect(take()).toEqual([]);
    refusals.flush();
    expect(take()).toEqual([refused('192.0.2.1', { count: 1 })]);
    refusals.flush();
    refusals.tell(refused('192.0.2.1'));
    expect(take()).toEqual([refused('192.0.2.1')]);
    refusals[Symbol.dispose]();
  });

  test('is counted for each address by itself, half of IPv6 being one, and for each code', () => {
    const { refusals, take } = book();
    for (const address of ['192.0.2.1', '192.0.2.2', '2001:db8::1', '2001:db8::2', '::ffff:192.0.2.1']) refusals.tell(refused(address));
    refusals.tell(refused('192.0.2.1', { code: 'AUTH' }));
    expect(take().map(({ address, code }) => [address, code])).toEqual([['192.0.2.1', 'LIMIT'], ['192.0.2.2', 'LIMIT'], ['2001:db8::1', 'LIMIT'], ['192.0.2.1', 'AUTH']]);
    refusals[Symbol.dispose]();
    expect(take().map(({ address, count }) => [address, count])).toEqual([['::ffff:192.0.2.1', 1], ['2001:db8::2', 1]]);
  });

  test('from more addresses than anybody reads is one line for the rest of them', () => {
    const { refusals, take } = book();
    for (let index = 0; index < 3000; index += 1) refusals.tell(refused(`10.0.${index >> 8}.${index & 255}`));
    expect(take()).toHaveLength(1000);
    refusals[Symbol.dispose]();
    expect(take()).toEqual([refused('other addresses', { count: 2000 })]);
  });
});

describe('connections', () => {
  test('are told at once from where nothing was refused', () => {
    const { refusals, take } = book();
    const all = [of(1, 'connected'), of(1, 'disconnected')];
    for (const event of all) refusals.tell(event);
    expect(take()).toEqual(all);
  });

  test('that are refused one after the other are told once, and then counted with their ends', () => {
    const { refusals, take } = book();
    for (let session = 1; session <= 100; session += 1) for (const event of ['connected', 'refused', 'disconnected'] as const) refusals.tell(of(session, event));
    expect(take()).toEqual([of(1, 'connected'), of(1, 'refused'), of(1, 'disconnected')]);
    refusals[Symbol.dispose]();
    expect(take()).toEqual([{ event: 'refused', address: '192.0.2.1', count: 99 }]);
  });

  test('that end without having signed in are counted as well', () => {
    const { refusals, take } = book();
    refusals.tell(refused('192.0.2.1'));
    for (let session = 1; session <= 3; session += 1) for (const event of ['connected', 'disconnected'] as const) refusals.tell(of(session, event, '192.0.2.1', 'PROTOCOL'));
    expect(take().map(({ event, session }) => [event, session])).toEqual([['refused', undefined], ['connected', 1], ['disconnected', 1]]);
    refusals[Symbol.dispose]();
    expect(take()).toEqual([{ event: 'disconnected', address: '192.0.2.1', code: 'PROTOCOL', count: 2 }]);
  });

  test('that sign in are told whole, also from where others are refused', () => {
    const { refusals, take } = book();
    refusals.tell(refused('192.0.2.1'));
    take();
    const all = [of(1, 'connected'), of(1, 'signed-in'), of(1, 'disconnected')];
    for (const event of all) refusals.tell(event);
    expect(take()).toEqual(all);
    refusals[Symbol.dispose]();
    expect(take()).toEqual([]);
  });
});
