import { describe, expect, test } from 'vitest';
import { clockText, milli, stallsIn, tripsOf, verdict } from '../../../src/cli/doctor/verdict.ts';

const MIB = 1 << 20;

describe('what limits', () => {
  test('is the slower of the network and the disk that writes, each way by itself', () => {
    expect(verdict({ up: 11 * MIB, down: 500 * MIB, diskHere: 90 * MIB, diskThere: 400 * MIB })).toEqual([
      'a put from here is limited by the network up (11 MiB/s); the disk of the server would do 400 MiB/s',
      'a get to here is limited by the disk here (90 MiB/s); the network down would do 500 MiB/s',
    ]);
  });

  test('is the rate that the server allows where that held it up', () => {
    expect(verdict({ up: 11 * MIB, upIsAllowed: true, down: 5 * MIB, downIsAllowed: true, diskHere: 90 * MIB, diskThere: 1 * MIB })).toEqual([
      'a put from here is limited by the disk of the server (1.0 MiB/s); the rate that the server allows would do 11 MiB/s',
      'a get to here is limited by the rate that the server allows (5.0 MiB/s); the disk here would do 90 MiB/s',
    ]);
  });

  test('is not told of what was not measured', () => {
    expect(verdict({ up: 11 * MIB, down: undefined, diskHere: 90 * MIB, diskThere: undefined })).toEqual([]);
    expect(verdict({ up: undefined, down: undefined, diskHere: undefined, diskThere: undefined })).toEqual([]);
  });
});

test('round trips have a least, a median and a worst', () => {
  expect(tripsOf([9, 1, 5])).toEqual({ least: 1, median: 5, worst: 9, count: 3 });
});

test('an answer that comes much later than most looks like a lost packet, one that is a little late does not', () => {
  expect([stallsIn([10, 11, 12, 250]), stallsIn([10, 11, 12, 150]), stallsIn([300, 310, 320])]).toEqual([1, 0, 0]);
});

test('clocks differ only by more than the round trip can explain', () => {
  expect(clockText(4, 10)).toMatch(/^the same/);
  expect(clockText(90_000, 10)).toBe("the server's is 1 min 30 s ahead");
  expect(clockText(-5_000, 10)).toBe("the server's is 5.0 s behind");
});

test('short times keep what matters of them', () => {
  expect([0.314, 4.21, 138.4].map(milli)).toEqual(['0.31 ms', '4.2 ms', '138 ms']);
});
