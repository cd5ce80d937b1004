import { describe, expect, test } from 'vitest';
import { actOf, entryOf } from '../../../src/server/audit/entry.ts';
import { Failure } from '../../../src/errors.ts';
import type { AdminRequest } from '../../../src/server/requests.ts';

const now = new Date('2030-01-02T03:04:05.678Z');
const time = now.toISOString();

describe('what is recorded of an event', () => {
  test('is all of it, harmless and cut, with the door of what is about a session', () => {
    const entry = entryOf({ event: 'action', session: 3, account: 'lap\ntop', path: `a\u202e${'x'.repeat(10_000)}`, outcome: 'ok', to: undefined }, now);
    expect(entry).toMatchObject({ time, event: 'action', session: 3, door: 'native', account: 'lap\\ntop', outcome: 'ok' });
    expect(entry!['path']).toMatch(/^a\\u202ex+…$/);
    expect(JSON.stringify(entry).length).toBeLessThan(5000);
  });

  test('cannot be another time or number than its own', () => {
    expect(entryOf({ event: 'stopping', graceMs: 5 }, now)).toEqual({ time, event: 'stopping', graceMs: 5 });
    expect(entryOf({ event: 'action', seq: 1, prev: 'x', time: 'never' }, now)).toEqual({ time, event: 'action' });
  });

  test('is neither a ticket nor a code', () => {
    expect(entryOf({ event: 'listening', address: 'a', ticket: 'wherry1-x', spoken: '7-a-b' }, now)).toEqual({ time, event: 'listening', address: 'a' });
    expect(entryOf({ event: 'code', spoken: '7-a-b', role: 'rw' }, now)).toEqual({ time, event: 'code', role: 'rw' });
  });

  test('is nothing of a warning, but for what it says is missing', () => {
    expect(entryOf({ event: 'warning', message: 'x' }, now)).toBeUndefined();
    expect(entryOf({ event: 'warning', message: 'x', lost: 5, worker: 2 }, now)).toEqual({ time, event: 'audit-lost', records: 5, worker: 2 });
  });
});

describe('what is recorded of a request', () => {
  test('is its values, and how it ended', () => {
    expect(actOf({ verb: 'invite', role: 'ro', forMs: 5, name: 'a\nb' }, undefined, now)).toEqual({ time, event: 'asked', verb: 'invite', values: { role: 'ro', forMs: 5, name: 'a\\nb' }, outcome: 'ok' });
    expect(actOf({ verb: 'devices revoke', name: 'x' }, new Failure('NOTFOUND', 'none'), now)).toMatchObject({ outcome: 'NOTFOUND' });
  });

  test('is no value that nobody has named, such as a password', () => {
    const request = { verb: 'invite', role: 'ro', password: 'planted' } as AdminRequest;
    expect(JSON.stringify(actOf(request, undefined, now))).not.toContain('planted');
  });

  test('is nothing where it changes nothing', () => {
    expect(actOf({ verb: 'devices list' }, undefined, now)).toBeUndefined();
  });
});
