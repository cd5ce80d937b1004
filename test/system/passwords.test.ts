/**
 * Whether the time of a refused login tells that there is an account. A test of times, so it is not among the ordinary ones.
 *
 * When there is no difference, a sample fails at p = 0.01 once in a hundred runs, by chance. So one that fails is measured once
 * more, from the start, and only two in a row are a failure: by chance once in ten thousand runs, while a difference that
 * is there is found both times. That the measurement finds one is shown first.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { Passwords } from '../../src/access/passwords.ts';
import { mannWhitney } from './mann-whitney.ts';

describe('the test of Mann and Whitney', () => {
  const evenly = (from: number): number[] => Array.from({ length: 20 }, (_, at) => from + at);

  test('is sure of two samples apart, unsure of two that are mixed, and knows the value between', () => {
    expect(mannWhitney(evenly(0), evenly(100))).toBeLessThan(1e-6);
    expect(mannWhitney(evenly(0), evenly(0))).toBeCloseTo(1, 6);
    // U = 120.5 of 400, z = (200 - 120.5) / sqrt(20 * 20 * 41 / 12) = 2.1505; both tails of it.
    expect(mannWhitney(evenly(0), evenly(4.5).map((value, at) => (at === 0 ? 4 : value)))).toBeCloseTo(0.0315, 3);
  });
});

describe('a refused login', () => {
  const passwords = new Passwords();
  let phc: string;
  beforeAll(async () => {
    phc = await passwords.hash('the right password');
    return () => passwords[Symbol.asyncDispose]();
  });

  async function timed(stored: string | undefined): Promise<number> {
    const begin = process.hrtime.bigint();
    expect(await passwords.verify(stored, 'a wrong password')).toBe(false);
    return Number(process.hrtime.bigint() - begin);
  }

  /** Times of both kinds, in turns that begin with either, so that what else the machine does meets both alike. */
  async function compare(one: string | undefined, other: string | undefined, times: number): Promise<number> {
    const [ones, others]: [number[], number[]] = [[], []];
    for (let at = 0; at < times; at += 1) {
      if (at % 2 === 0) ones.push(await timed(one));
      others.push(await timed(other));
      if (at % 2 === 1) ones.push(await timed(one));
    }
    return mannWhitney(ones, others);
  }

  test('at another cost is told apart, so the measurement can fail', async () => {
    const cheap = '$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw';
    expect(await compare(cheap, undefined, 20)).toBeLessThan(0.01);
  });

  test('takes as long for an account as for none: 200 of each', async () => {
    const first = await compare(phc, undefined, 200);
    const p = first > 0.01 ? first : await compare(phc, undefined, 200);
    expect(p).toBeGreaterThan(0.01);
  }, 900_000);
});
