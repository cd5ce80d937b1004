/** Measuring: within its bounds whatever is asked for, one at a time, with the right for it, and nothing stays. */
import { describe, expect, test } from 'vitest';
import { LaneBook } from '../../src/doors/lanes.ts';
import { fulfil } from '../../src/doors/verbs.ts';
import { Drive } from '../../src/drive.ts';
import type { Action } from '../../src/drive/action.ts';
import { everywhere, ROLES, type Role } from '../../src/rights.ts';
import { createMemoryVault } from '../../src/store/memory.ts';
import { drain, pour } from '../../src/transfer/measure.ts';
import { Link } from '../session/link.ts';

const ASKED = { bytes: 3 << 20, milliseconds: 60_000 };

async function open(role: Role) {
  const vault = createMemoryVault();
  const actions: Action[] = [];
  const drive = new Drive({ vault, principal: { name: 'ann', grants: everywhere(ROLES[role]) }, onAction: (action) => actions.push(action) });
  const link = await Link.open({ onRequest: (exchange, message) => { void fulfil(drive, exchange, message, new LaneBook().of('ann', 1, () => {}), () => {}); } });
  return { link, actions, [Symbol.asyncDispose]: async () => { await link[Symbol.asyncDispose](); await vault[Symbol.asyncDispose](); } };
}

describe('measuring', () => {
  test('up: what is sent is counted, thrown away, and in the log', async () => {
    await using at = await open('rw');
    using exchange = at.link.client.request({ kind: 'measure', what: 'up', ...ASKED });
    const sent = await pour(exchange, { ...ASKED, bytes: 2 << 20 });
    exchange.say({ kind: 'finish' });
    const { bytes, micros } = await exchange.expect('measured');
    // The time runs from the first bytes on, and those are not counted.
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThan(sent.bytes);
    expect(micros).toBeGreaterThan(0);
    expect(at.actions).toEqual([{ verb: 'measureUp', path: '', outcome: 'ok', bytes, ms: expect.any(Number) as number }]);
  });

  test('down: so many bytes come as were asked for, and then the answer', async () => {
    await using at = await open('ro');
    using exchange = at.link.client.request({ kind: 'measure', what: 'down', ...ASKED });
    const { bytes, last } = await drain(exchange, { bytes: Infinity, milliseconds: 60_000 });
    expect(bytes).toBeLessThan(ASKED.bytes);
    expect(last).toMatchObject({ kind: 'measured', bytes: ASKED.bytes });
    expect(at.actions).toEqual([{ verb: 'measureDown', path: '', outcome: 'ok', bytes: ASKED.bytes, ms: expect.any(Number) as number }]);
  });

  test('disk: written, flushed, read, and gone', async () => {
    await using at = await open('drop');
    using exchange = at.link.client.request({ kind: 'measure', what: 'disk', ...ASKED });
    expect(await exchange.expect('measured')).toMatchObject({ bytes: ASKED.bytes, flushMicros: 0 });
    expect(at.actions).toMatchObject([{ verb: 'probe', outcome: 'ok' }]);
  });

  test('clock: takes no right', async () => {
    await using at = await open('drop');
    using exchange = at.link.client.request({ kind: 'measure', what: 'clock', bytes: 0, milliseconds: 0 });
    const { time } = await exchange.expect('measured');
    expect(Math.abs(time / 1000 - Date.now())).toBeLessThan(60_000);
  });

  test.each([['up', 'ro'], ['disk', 'ro'], ['down', 'drop']] as const)('%s is not for %s', async (what, role) => {
    await using at = await open(role);
    using exchange = at.link.client.request({ kind: 'measure', what, ...ASKED });
    await expect(exchange.expect('measured')).rejects.toMatchObject({ code: 'DENIED' });
  });

  test('is one at a time on one connection', async () => {
    await using at = await open('rw');
    using first = at.link.client.request({ kind: 'measure', what: 'up', ...ASKED });
    using second = at.link.client.request({ kind: 'measure', what: 'down', ...ASKED });
    await expect(second.expect('measured')).rejects.toMatchObject({ code: 'BUSY' });
    first.say({ kind: 'finish' });
    expect(await first.expect('measured')).toMatchObject({ bytes: 0 });
    using third = at.link.client.request({ kind: 'measure', what: 'clock', bytes: 0, milliseconds: 0 });
    expect(await third.expect('measured')).toMatchObject({ bytes: 0 });
  });

  test('a client that asks for more than there is to be had gets no more, and one that sends more is told that it is enough', async () => {
    await using at = await open('rw');
    using disk = at.link.client.request({ kind: 'measure', what: 'disk', bytes: Number.MAX_SAFE_INTEGER, milliseconds: 0 });
    expect(await disk.expect('measured')).toMatchObject({ bytes: 0 });
    using up = at.link.client.request({ kind: 'measure', what: 'up', bytes: 1 << 20, milliseconds: 60_000 });
    await pour(up, { bytes: 4 << 20, milliseconds: 60_000 }).catch(() => undefined);
    expect((await up.expect('measured')).bytes).toBeLessThan(4 << 20);
  });

  test('a server that goes on sending is left', async () => {
    await using link = await Link.open({ onRequest: (exchange) => { void pour(exchange, { bytes: Infinity, milliseconds: Infinity }).catch(() => undefined); } });
    using exchange = link.client.request({ kind: 'measure', what: 'down', ...ASKED });
    const { bytes, last } = await drain(exchange, ASKED);
    expect([bytes <= ASKED.bytes, last]).toEqual([true, undefined]);
  });
});
