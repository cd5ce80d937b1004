import { describe, expect, test } from 'vitest';
import { Guard } from '../../src/server/guard.ts';
import { DEFAULT_LIMITS, type LimitOptions, resolveLimits } from '../../src/server/limits.ts';
import type { ServerEvent } from '../../src/server/log.ts';
import { openFilesLimit } from '../../src/server/open-files.ts';

describe('the limits of a server', () => {
  test('are the defaults, with what was chosen in their place, also of those within', () => {
    expect(resolveLimits()).toEqual(DEFAULT_LIMITS);
    const chosen = resolveLimits({ connections: 5, bans: { points: 3 }, unauthenticated: { from: 4 } });
    expect(chosen).toEqual({ ...DEFAULT_LIMITS, connections: 5, bans: { ...DEFAULT_LIMITS.bans, points: 3 }, unauthenticated: { ...DEFAULT_LIMITS.unauthenticated, from: 4 } });
  });

  test.each<[string, LimitOptions]>([
    ['connections', { connections: 0 }], ['idleMs', { idleMs: Number.NaN }], ['points', { bans: { points: -1 } }], ['percent', { unauthenticated: { percent: 0 } }],
    ['unauthenticated.full', { unauthenticated: { from: 600 } }], ['home', { neverBanned: ['home'] }],
  ])('are refused when %s cannot be meant', (name, options) => {
    expect(() => resolveLimits(options)).toThrow(expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(name) as string }) as Error);
  });
});

describe('the files that a process may open', () => {
  test('are what the system says it may now', () => {
    expect(openFilesLimit(() => 'Limit  Soft  Hard\nMax open files            256                  1024                 files\n')).toBe(256);
    if (process.platform === 'linux') expect(openFilesLimit()).toBeGreaterThan(0);
  });

  test('are not known where it does not say, or sets no bound', () => {
    expect(openFilesLimit(() => 'Max open files            unlimited            unlimited            files\n')).toBeUndefined();
    expect(openFilesLimit(() => { throw new Error('no such file'); })).toBeUndefined();
  });

  test('bound the connections, and that is told', () => {
    const told: ServerEvent[] = [];
    const { turnstile } = new Guard(DEFAULT_LIMITS, (event) => told.push(event), 66);
    expect(told).toEqual([{ event: 'warning', message: expect.stringContaining('at most 2 connections, not 1000') as string }]);
    const entered = ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((address) => typeof turnstile.enter(address));
    expect(entered).toEqual(['function', 'function', 'object']);
  });
});

test('what an event says about an address counts against it, and whoever is banned does not come in', () => {
  const told: ServerEvent[] = [];
  const guard = new Guard(DEFAULT_LIMITS, (event) => told.push(event));
  for (let time = 0; time < 5; time += 1) guard.heard({ event: 'refused', address: '192.0.2.1', offence: 'garbage' });
  for (let time = 0; time < 100; time += 1) guard.heard({ event: 'disconnected', address: '192.0.2.2', code: 'LOST' });
  expect(told).toEqual([expect.objectContaining({ event: 'banned', address: '192.0.2.1', count: 1, offence: 'garbage' })]);
  expect([typeof guard.turnstile.enter('192.0.2.1'), typeof guard.turnstile.enter('192.0.2.2')]).toEqual(['object', 'function']);
});
