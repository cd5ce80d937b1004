import { expect, test } from 'vitest';
import { Guests } from '../../../src/server/handover/guests.ts';

test('a guest may go on until they are barred', () => {
  const guests = new Guests();
  guests.come(1);
  guests.come(2);
  const [one, two] = [guests.signedIn({ session: 1, key: 'a', account: 'ann' }), guests.signedIn({ session: 2, key: 'b', account: 'ben' })];
  expect([one(), two()]).toEqual([undefined, undefined]);
  guests.bar([{ session: 2, why: 'changed' }, { session: 3, why: 'revoked' }]);
  expect([one(), two()]).toEqual([undefined, 'changed']);
});

test('only those who are signed in are listed, until they are gone', () => {
  const guests = new Guests();
  guests.come(1);
  guests.come(2);
  guests.signedIn({ session: 1, key: 'a', account: 'ann' });
  expect(guests.list()).toEqual([{ session: 1, key: 'a', account: 'ann' }]);
  expect([guests.has(2), guests.has(3)]).toEqual([true, false]);
  guests.gone(1);
  expect(guests.list()).toEqual([]);
});

test('who signs in when their connection has ended may do nothing, and is not remembered', () => {
  const guests = new Guests();
  guests.come(1);
  guests.gone(1);
  expect(guests.signedIn({ session: 1, key: 'a', account: 'ann' })()).toBe('revoked');
  expect(guests.list()).toEqual([]);
});
