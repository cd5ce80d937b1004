import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { Waits } from '../../src/session/waits.ts';
import { InOrder } from '../../src/transfer/inorder.ts';

/** A job that ends when it is told to. */
function job<T>(): { run: () => Promise<T>; end: (outcome: T) => void; fail: (error: unknown) => void; begun: () => boolean } {
  let [end, fail, begun]: [(outcome: T) => void, (error: unknown) => void, boolean] = [() => {}, () => {}, false];
  const promise = new Promise<T>((resolve, reject) => { [end, fail] = [resolve, reject]; });
  return { run: () => { begun = true; return promise; }, end, fail, begun: () => begun };
}

/** All that can happen without anything from outside has happened. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => { setImmediate(resolve); });
}

describe('jobs in order', () => {
  test('that must wait for another to end wait for the disk', async () => {
    let now = 0;
    const waits = new Waits({ now: () => now, busy: () => 0, computed: () => 0 });
    const work = new InOrder(1, () => {}, waits);
    const [a, b] = [job<string>(), job<string>()];
    await work.add(a.run, async () => {});
    now += 1000;
    expect(waits.limit()).toBeUndefined();
    const added = work.add(b.run, async () => {});
    now += 1000;
    expect(waits.limit()).toBe('disk');
    a.end('a');
    await added;
    now += 1000;
    expect(waits.limit()).toBeUndefined();
    b.end('b');
    await work.idle();
  });

  test('run side by side, and are dealt with in the order they were begun', async () => {
    const dealt: string[] = [];
    const work = new InOrder(4, () => {});
    const [a, b] = [job<string>(), job<string>()];
    for (const one of [a, b]) await work.add(one.run, async (outcome) => { dealt.push(outcome); });
    expect([a.begun(), b.begun()]).toEqual([true, true]);
    b.end('b');
    await quiet();
    expect(dealt).toEqual([]);
    a.end('a');
    await work.idle();
    expect(dealt).toEqual(['a', 'b']);
  });

  test('beyond the bound wait until one has been dealt with', async () => {
    const work = new InOrder(2, () => {});
    const [a, b, c] = [job<void>(), job<void>(), job<void>()];
    const all = (async () => { for (const one of [a, b, c]) await work.add(one.run, async () => {}); })();
    await quiet();
    expect([a, b, c].map((one) => one.begun())).toEqual([true, true, false]);
    a.end();
    await all;
    expect(c.begun()).toBe(true);
    b.end();
    c.end();
    await work.idle();
  });

  test('of which one fails end with it: it is told once, later ones are begun no more, what ran is waited for', async () => {
    const told: string[] = [];
    const dealt: string[] = [];
    const work = new InOrder(4, (failure) => { told.push(failure.code); });
    const [a, b, c] = [job<string>(), job<string>(), job<string>()];
    for (const one of [a, b, c]) await work.add(one.run, async (outcome) => { dealt.push(outcome); });
    b.fail(new Failure('NOSPACE', 'full'));
    c.fail(new Failure('IO', 'later'));
    a.end('a');
    await expect(work.idle()).rejects.toMatchObject({ code: 'NOSPACE' });
    await expect(work.add(job<string>().run, async () => {})).rejects.toMatchObject({ code: 'NOSPACE' });
    expect([told, dealt]).toEqual([['NOSPACE'], ['a']]);
  });

  test('whose outcome cannot be dealt with have failed', async () => {
    const work = new InOrder(4, () => {});
    await work.add(async () => 'a', async () => { throw new Failure('LOST', 'nobody listens'); });
    await expect(work.idle()).rejects.toMatchObject({ code: 'LOST' });
  });

  test('so far are over when those begun by then are, however they ended', async () => {
    const work = new InOrder(4, () => {});
    const a = job<void>();
    await work.add(a.run, async () => {});
    const soFar = work.soFar();
    a.fail(new Failure('IO', 'broken'));
    await soFar;
    await expect(work.idle()).rejects.toMatchObject({ code: 'IO' });
  });
});
