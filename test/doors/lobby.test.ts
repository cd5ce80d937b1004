import { describe, expect, test } from 'vitest';
import { Lobby } from '../../src/doors/lobby.ts';

const LIMITS = { from: 10, percent: 30, full: 20 };

/** Numbers from 0 to below 1, the same in every run. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('connections that are not signed in', () => {
  test('are all left alone below the first number', () => {
    const lobby = new Lobby(LIMITS, () => 0);
    let dropped = 0;
    for (let one = 0; one < 10; one += 1) lobby.enter(() => { dropped += 1; });
    expect([dropped, lobby.size]).toEqual([0, 10]);
  });

  test('are never more than the highest number', () => {
    const lobby = new Lobby(LIMITS, chance(1));
    for (let one = 0; one < 1000; one += 1) {
      lobby.enter(() => {});
      expect(lobby.size).toBeLessThanOrEqual(20);
    }
  });

  test('are dropped with a chance that begins at what was said and grows', () => {
    const random = chance(1);
    const shareAt = (there: number): number => {
      let dropped = 0;
      for (let round = 0; round < 2000; round += 1) {
        const lobby = new Lobby(LIMITS, random);
        while (lobby.size < there) lobby.enter(() => {});
        lobby.enter(() => {});
        dropped += Number(lobby.size === there);
      }
      return dropped / 2000;
    };
    expect(shareAt(10)).toBeGreaterThan(0.25);
    expect(shareAt(10)).toBeLessThan(0.35);
    expect(shareAt(15)).toBeGreaterThan(0.6);
    expect(shareAt(15)).toBeLessThan(0.7);
    expect(shareAt(20)).toBe(1);
  });

  test('that hold on are dropped rather than those that sign in at once', () => {
    const lobby = new Lobby(LIMITS, chance(7));
    let slow = 0;
    let quick = 0;
    for (let one = 0; one < 20; one += 1) lobby.enter(() => { slow += 1; });
    for (let round = 0; round < 500; round += 1) {
      const leave = lobby.enter(() => { quick += 1; });
      leave();
      lobby.enter(() => { slow += 1; });
    }
    expect(slow).toBeGreaterThan(500);
    expect(quick).toBeLessThan(100);
  });

  test('that have left are not dropped, and may say so again', () => {
    const lobby = new Lobby({ from: 1, percent: 100, full: 1 }, () => 0);
    let dropped = 0;
    const leave = lobby.enter(() => { dropped += 1; });
    leave();
    leave();
    lobby.enter(() => {});
    lobby.enter(() => {});
    expect(dropped).toBe(0);
  });
});
