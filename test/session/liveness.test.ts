import { describe, expect, test } from 'vitest';
import { Liveness } from '../../src/session/liveness.ts';

const LIMITS = { pingAfterMs: 10, deadAfterMs: 30, progressMs: 100, idleMs: 1000, unreadMs: 60, slowAfterMs: 20, leastPerSecond: 1000 };
const QUIET = { paused: false, unsent: false, idle: false, inFrame: false, taken: undefined };

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

describe('a peer that reads slowly', () => {
  test('is not given up as long as a byte of what waits is taken now and then', () => {
    const { live, pass } = at();
    for (let taken = 0; taken < 10; taken += 1) {
      pass(59);
      live.heard();
      expect(live.due({ ...QUIET, unsent: true, taken })).not.toMatchObject({ code: 'TIMEOUT' });
    }
    pass(61);
    live.heard();
    expect(live.due({ ...QUIET, unsent: true, taken: 9 })).toMatchObject({ code: 'TIMEOUT', message: 'the other side takes nothing any more' });
  });

  test('is not given up for what it was never sent', () => {
    const { live, pass } = at();
    live.due({ ...QUIET, taken: 9 });
    pass(500);
    live.heard();
    expect(live.due({ ...QUIET, taken: 9 })).toBeUndefined();
  });
});

describe('a frame that has begun', () => {
  test('must come at the least rate, looked at again and again', () => {
    const { live, pass } = at();
    const inFrame = { ...QUIET, inFrame: true };
    live.heard(5, true);
    for (let round = 0; round < 5; round += 1) {
      live.heard(20, true);
      pass(21);
      expect(live.due(inFrame)).not.toMatchObject({ code: 'TIMEOUT' });
    }
    live.heard(19, true);
    pass(21);
    expect(live.due(inFrame)).toMatchObject({ code: 'TIMEOUT', message: 'what the other side sends comes too slowly', retry: true });
  });

  test('is given the time it takes once; nothing is asked between frames', () => {
    const { live, pass } = at();
    live.heard(1, true);
    pass(20);
    expect(live.due({ ...QUIET, inFrame: true })).not.toMatchObject({ code: 'TIMEOUT' });
    pass(1);
    expect(live.due(QUIET)).not.toMatchObject({ code: 'TIMEOUT' });
    live.heard(1, false);
    pass(25);
    live.heard(1, true);
    expect(live.due({ ...QUIET, inFrame: true })).toBeUndefined();
  });

  test('is not blamed for the time in which we do not read', () => {
    const { live, pass } = at();
    live.heard(1, true);
    pass(15);
    live.due({ ...QUIET, paused: true, inFrame: true });
    pass(15);
    live.heard(1, true);
    expect(live.due({ ...QUIET, inFrame: true })).toBeUndefined();
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
