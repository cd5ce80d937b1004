import { expect, test } from 'vitest';
import { Turnstile } from '../../src/doors/turnstile.ts';

function enter(turnstile: Turnstile, address: string): () => void {
  const entered = turnstile.enter(address);
  if (typeof entered !== 'function') throw new Error(entered.reason);
  return entered;
}

test('so many come in, and one more for each that leaves, however often it says so', () => {
  const turnstile = new Turnstile({ connections: 2, connectionsPerAddress: 2 });
  const leave = enter(turnstile, '192.0.2.1');
  enter(turnstile, '192.0.2.2');
  expect(turnstile.enter('192.0.2.3')).toEqual({ code: 'LIMIT', reason: 'more than 2 connections' });
  leave();
  leave();
  enter(turnstile, '192.0.2.3');
  expect(turnstile.enter('192.0.2.4')).toMatchObject({ code: 'LIMIT' });
});

test('so many come in from one address, which half an IPv6 address is one of', () => {
  const turnstile = new Turnstile({ connections: 100, connectionsPerAddress: 2 });
  const leave = enter(turnstile, '2001:db8::1');
  enter(turnstile, '2001:db8::2');
  expect(turnstile.enter('2001:db8::3')).toEqual({ code: 'LIMIT', reason: 'more than 2 connections from one address' });
  enter(turnstile, '2001:db8:1::1');
  leave();
  enter(turnstile, '2001:db8::3');
});

test('who is banned does not come in, and takes no place', () => {
  const turnstile = new Turnstile({ connections: 1, connectionsPerAddress: 1 }, (address) => address === '192.0.2.1');
  expect(turnstile.enter('192.0.2.1')).toEqual({ code: 'DENIED', reason: 'the address is banned' });
  enter(turnstile, '192.0.2.2');
});
