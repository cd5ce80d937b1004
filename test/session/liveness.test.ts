import { describe, expect, test } from 'vitest';
import { Liveness } from '../../src/session/liveness.ts';

const LIMITS = { pingAfterMs: 10, deadAfterMs: 30, progressMs: 100, idleMs: 1000 };
const QUIET = { paused: false, unsent: false, idle: false };

function at(): { live: Liveness; pass(ms: number): void } {
  let now = 5;
  return { live: new Liveness(LIMITS, () => now), pass: (ms) => { now += ms; } };
}

describe('a silent peer', () => {
  test('is asked once, and given up when it does not answer', () => {
    const { live, pass } = at();
    pass(10);
    expect(live.due(QUIET)).toBeUndefined();
    pass(1);
    expect([live.due(QUIET), live.due(QUIET)]).toEqual(['ping', undefined]);
    pass(20);
    expect(live.due(QUIET)).toMatchObject({ code: 'LOST', retry: true });
  });

  test('that answers is asked again, later', () => {
    const { live, pass } = at();
    for (let round = 0; round < 3; round += 1) {
      pass(11);
      expect(live.due(QUIET)).toBe('ping');
      live.heard();
      expect(live.due(QUIET)).toBeUndefined();
    }
  });

  test('is not blamed while we do not read ourselves', () => {
    const { live, pass } = at();
    pass(5_000);
    expect(live.due({ ...QUIET, paused: true })).toBe('ping');
    live.heard();
    expect(live.due(QUIET)).toBeUndefined();
  });

  test('that we do not read from hears that we are there, again and again, so that it does not give us up', () => {
    const { live, pass } = at();
    const paused = { ...QUIET, paused: true };
    expect(live.due(paused)).toBeUndefined();
    for (let round = 0; round < 3; round += 1) {
      pass(11);
      expect([live.due(paused), live.due(paused)]).toEqual(['ping', undefined]);
    }
  });
});

describe('a peer that takes nothing', () => {
  test('is given up after the time for progress', () => {
    const { live, pass } = at();
    live.taken();
    pass(101);
    expect(live.due({ ...QUIET, paused: true, unsent: true })).toMatchObject({ code: 'TIMEOUT' });
  });

  test('is not blamed for a time in which there was nothing to take', () => {
    const { live, pass } = at();
    pass(500);
    live.heard();
    live.taken(); // the first thing to take for a long time
    expect(live.due({ ...QUIET, unsent: true })).toBeUndefined();
  });
});

describe('a connection without a request', () => {
  test('ends after a long time, counted from the last one', () => {
    const { live, pass } = at();
    pass(900);
    live.busy();
    pass(900);
    live.heard();
    expect(live.due({ ...QUIET, idle: true })).toBeUndefined();
    pass(101);
    live.heard();
    expect(live.due({ ...QUIET, idle: true })).toMatchObject({ code: 'TIMEOUT', who: 'rule' });
  });

  test('is not idle while one runs', () => {
    const { live, pass } = at();
    pass(5_000);
    live.heard();
    expect(live.due(QUIET)).toBeUndefined();
  });
});

test('a wait is stuck after the time for progress, and no wait never', () => {
  const { live, pass } = at();
  pass(101);
  expect([live.stuck(5), live.stuck(6), live.stuck(undefined)]).toEqual([true, false, false]);
});
