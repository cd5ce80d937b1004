import { describe, expect, test } from 'vitest';
import { type Ban, BAN_LIMITS, Bans, type BansOptions, MAX_NETWORKS, type Offence } from '../../src/access/bans.ts';

const MINUTE = 60_000;

function table(options: Partial<BansOptions> = {}) {
  let now = Date.UTC(2026, 0, 1);
  const told: Ban[] = [];
  const bans = new Bans({ now: () => now, onBan: (ban) => told.push(ban), ...options });
  const offend = (address: string, offence: Offence, times = 1): void => { for (let time = 0; time < times; time += 1) bans.offend(address, offence); };
  return { bans, told, offend, pass: (ms: number) => { now += ms; }, now: () => now };
}

describe('an address is banned', () => {
  test.each<[Offence, number]>([['credentials', 8], ['code', 15], ['garbage', 5], ['slow', 15], ['late', 60], ['flood', 60]])('for %s, the %ith time in half an hour', (offence, times) => {
    const { bans, offend, told } = table();
    offend('192.0.2.1', offence, times - 1);
    expect([bans.isBanned('192.0.2.1'), told]).toEqual([false, []]);
    offend('192.0.2.1', offence);
    expect([bans.isBanned('192.0.2.1'), bans.isBanned('192.0.2.2')]).toEqual([true, false]);
    expect(told).toEqual([expect.objectContaining({ address: '192.0.2.1', count: 1, offence })]);
  });

  test('for all it does together', () => {
    const { bans, offend } = table();
    offend('192.0.2.1', 'garbage', 3);
    offend('192.0.2.1', 'credentials', 2);
    offend('192.0.2.1', 'code');
    expect(bans.isBanned('192.0.2.1')).toBe(false);
    offend('192.0.2.1', 'slow');
    expect(bans.isBanned('192.0.2.1')).toBe(true);
  });

  test('but not for what it did more than half an hour ago', () => {
    const { bans, offend, pass } = table();
    for (let hour = 0; hour < 10; hour += 1) {
      offend('192.0.2.1', 'credentials', 7);
      pass(31 * MINUTE);
    }
    expect(bans.isBanned('192.0.2.1')).toBe(false);
    offend('192.0.2.1', 'credentials', 4);
    pass(20 * MINUTE);
    offend('192.0.2.1', 'credentials', 4);
    expect(bans.isBanned('192.0.2.1')).toBe(true);
  });

  test('with all of its half of IPv6, and as IPv4 however that is written', () => {
    const { bans, offend } = table();
    for (let host = 1; host <= 8; host += 1) offend(`2001:db8:0:7::${host}`, 'credentials');
    expect([bans.isBanned('2001:db8:0:7:ffff::1'), bans.isBanned('2001:db8:0:8::1')]).toEqual([true, false]);
    offend('::ffff:192.0.2.1', 'credentials', 8);
    expect(bans.isBanned('192.0.2.1')).toBe(true);
  });
});

describe('a ban', () => {
  test('is for half an hour, each further one for half as long again, up to a day', () => {
    const { bans, offend, pass, told, now } = table();
    const lengths = Array.from({ length: 14 }, () => {
      offend('192.0.2.1', 'garbage', 5);
      const length = told.at(-1)!.until - now();
      pass(length - 1);
      expect(bans.isBanned('192.0.2.1')).toBe(true);
      pass(1);
      expect(bans.isBanned('192.0.2.1')).toBe(false);
      return length / MINUTE;
    });
    expect(lengths.slice(0, 4)).toEqual([30, 45, 67.5, 101.25]);
    expect(lengths.at(-1)).toBe(24 * 60);
    expect(told.map(({ count }) => count)).toEqual(Array.from({ length: 14 }, (_, index) => index + 1));
  });

  test('is forgotten as long after its end as the longest one lasts', () => {
    const { offend, pass, told } = table();
    offend('192.0.2.1', 'garbage', 5);
    pass(BAN_LIMITS.banMs + BAN_LIMITS.longestBanMs + 1);
    offend('192.0.2.1', 'garbage', 5);
    expect(told.map(({ count }) => count)).toEqual([1, 1]);
  });

  test('does not become longer by what is tried meanwhile', () => {
    const { offend, pass, bans, told } = table();
    offend('192.0.2.1', 'garbage', 500);
    expect(told).toHaveLength(1);
    pass(BAN_LIMITS.banMs);
    expect(bans.isBanned('192.0.2.1')).toBe(false);
  });

  test('is lifted by the address or by the network that is listed, and what was before is forgotten', () => {
    const { bans, offend, told } = table();
    offend('2001:db8::1', 'garbage', 5);
    offend('192.0.2.1', 'garbage', 5);
    offend('192.0.2.2', 'garbage', 5);
    expect(bans.list().map(({ address }) => address)).toEqual(['2001:db8:0:0::/64', '192.0.2.1', '192.0.2.2']);
    expect(bans.lift('192.0.2.9')).toEqual([]);
    expect(bans.lift('2001:db8::99')).toEqual(['2001:db8:0:0::/64']);
    expect(bans.lift('::ffff:192.0.2.1')).toEqual(['192.0.2.1']);
    offend('192.0.2.1', 'garbage', 4);
    expect(bans.isBanned('192.0.2.1')).toBe(false);
    offend('192.0.2.1', 'garbage');
    expect(told.at(-1)).toMatchObject({ address: '192.0.2.1', count: 1 });
    expect(bans.lift()).toEqual(['192.0.2.2', '192.0.2.1']);
    expect(bans.list()).toEqual([]);
  });
});

describe('nobody is banned', () => {
  test('who is on the list of those that are not', () => {
    const { bans, offend } = table({ allow: ['192.0.2.0/24', '2001:db8::/32'] });
    offend('192.0.2.1', 'garbage', 100);
    offend('::ffff:192.0.2.1', 'garbage', 100);
    offend('2001:db8:1::1', 'garbage', 100);
    expect([bans.list(), bans.isKnown('192.0.2.1')]).toEqual([[], false]);
  });

  test('for the mistakes of a whole school, but for a flood from there', () => {
    const { bans, offend } = table();
    bans.welcome('192.0.2.1');
    offend('192.0.2.1', 'code', 149);
    expect([bans.isKnown('192.0.2.1'), bans.isBanned('192.0.2.1')]).toEqual([true, false]);
    offend('192.0.2.1', 'code');
    expect(bans.isBanned('192.0.2.1')).toBe(true);
  });

  test('is known for ever by one sign-in', () => {
    const { bans, pass } = table();
    bans.welcome('192.0.2.1');
    pass(24 * 60 * MINUTE);
    expect(bans.isKnown('192.0.2.1')).toBe(false);
  });
});

describe('a full table', () => {
  const address = (index: number): string => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;

  test('forgets those with points who did something longest ago, and no ban for them', () => {
    const { bans, offend } = table();
    offend('192.0.2.1', 'garbage', 5);
    offend('192.0.2.2', 'garbage', 4);
    offend('192.0.2.3', 'garbage', 4);
    for (let index = 0; index < MAX_NETWORKS - 3; index += 1) offend(address(index), 'garbage');
    offend('192.0.2.2', 'slow');
    offend(address(MAX_NETWORKS), 'garbage');
    offend(address(MAX_NETWORKS + 1), 'garbage');
    offend('192.0.2.2', 'code', 2);
    offend('192.0.2.3', 'garbage');
    expect(['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((one) => bans.isBanned(one))).toEqual([true, true, false]);
  });

  test('of bans alone takes no points, until the first of them is over', () => {
    const { bans, offend, pass, told } = table();
    offend('192.0.2.1', 'garbage', 5);
    pass(MINUTE);
    for (let index = 1; index < MAX_NETWORKS; index += 1) offend(address(index), 'garbage', 5);
    offend('192.0.2.2', 'garbage', 100);
    expect([bans.isBanned('192.0.2.2'), bans.isBanned('192.0.2.1'), bans.list().length]).toEqual([false, true, MAX_NETWORKS]);
    pass(BAN_LIMITS.banMs - MINUTE);
    offend('192.0.2.2', 'garbage', 5);
    expect([bans.isBanned('192.0.2.2'), bans.isBanned(address(1)), told.length]).toEqual([true, true, MAX_NETWORKS + 1]);
  });

  test('of those who have signed in forgets who did so first', () => {
    const { bans } = table();
    for (let index = 0; index <= MAX_NETWORKS; index += 1) bans.welcome(address(index));
    expect([bans.isKnown(address(0)), bans.isKnown(address(1)), bans.isKnown(address(MAX_NETWORKS))]).toEqual([false, true, true]);
  });
});

describe('what another process kept', () => {
  test('goes on: bans and their count, points, and who is known', () => {
    const { bans, offend, now, pass } = table();
    offend('192.0.2.1', 'garbage', 5);
    offend('2001:db8::1', 'code', 14);
    bans.welcome('192.0.2.3');
    const other = table({ now });
    other.bans.take(structuredClone(bans.kept()));
    expect([other.bans.list(), other.told]).toEqual([bans.list(), []]);
    expect([other.bans.isBanned('192.0.2.1'), other.bans.isKnown('192.0.2.3'), other.bans.isKnown('192.0.2.4')]).toEqual([true, true, false]);
    other.offend('2001:db8::2', 'code');
    expect(other.told).toEqual([expect.objectContaining({ address: '2001:db8:0:0::/64' })]);
    pass(31 * MINUTE);
    other.offend('192.0.2.1', 'garbage', 5);
    expect(other.told.at(-1)).toMatchObject({ address: '192.0.2.1', count: 2 });
  });

  test('is neither more nor longer than may be here, and nobody who is never banned', () => {
    const { bans, now } = table({ allow: ['198.51.100.0/24'] });
    const ban = { until: now() + 10 ** 15, count: 1, offence: 'code' };
    bans.take({ bans: [['198.51.100.7', ban], ...Array.from({ length: MAX_NETWORKS + 10 }, (_, number) => [`10.0.${number >> 8}.${number & 255}`, ban])], points: [['192.0.2.1', { points: 14, at: now() }]], known: [['192.0.2.2', now() + 10 ** 15]] });
    expect(bans.list()).toHaveLength(MAX_NETWORKS - 1);
    expect(bans.list()[0]).toMatchObject({ until: now() + BAN_LIMITS.longestBanMs });
    bans.offend('192.0.2.1', 'code');
    expect(bans.isBanned('192.0.2.1')).toBe(false); // there was no room for points
  });

  test.each([
    undefined, null, 7, 'x', [], { bans: 7, points: {}, known: 'x' }, { bans: [7, [], ['192.0.2.1'], [7, {}], ['192.0.2.1', null]] },
    { bans: [['192.0.2.1', { until: '9', count: 1, offence: 'code' }], ['192.0.2.1', { until: NaN, count: 1, offence: 'code' }], ['192.0.2.1', { until: 1e15, count: 0, offence: 'code' }], ['192.0.2.1', { until: 1e15, count: 1, offence: 'toString' }], ['nobody', { until: 1e15, count: 1, offence: 'code' }]] },
    { points: [['192.0.2.1', { points: Infinity, at: 0 }], ['192.0.2.1', { points: -1, at: 0 }], ['x'.repeat(10_000), { points: 100, at: 0 }]], known: [['192.0.2.1', 'x']] },
  ])('that is not as it should be is left out: %j', (kept) => {
    const { bans, told } = table();
    bans.take(kept);
    bans.offend('192.0.2.1', 'code');
    expect([bans.list(), told, bans.isKnown('192.0.2.1')]).toEqual([[], [], false]);
  });
});
