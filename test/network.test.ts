import { describe, expect, test } from 'vitest';
import { networkOf, Networks, plainAddress } from '../src/network.ts';

test.each([
  ['::ffff:192.0.2.1', '192.0.2.1'], ['::FFFF:192.0.2.1', '192.0.2.1'], ['192.0.2.1', '192.0.2.1'], ['2001:db8::1', '2001:db8::1'], ['fe80::1%eth0', 'fe80::1%eth0'], ['unknown', 'unknown'],
])('%s is written as %s', (address, plain) => expect(plainAddress(address)).toBe(plain));

test.each(['::ffff:192.0.2.1', '::ffff:192.0.2.0/120', '192.0.2.0/24'])('a list that has %s has its addresses in either form', (network) => {
  for (const address of ['192.0.2.1', '::ffff:192.0.2.1']) expect(new Networks([network]).has(address)).toBe(true);
  expect(new Networks([network]).has('192.0.3.1')).toBe(false);
});

describe('one client is', () => {
  test.each([
    ['an IPv4 address', ['192.0.2.1', '::ffff:192.0.2.1', '::FFFF:192.0.2.1'], '192.0.2.2'],
    ['half an IPv6 address', ['2001:db8:1:2::1', '2001:db8:1:2:ffff::', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2::192.0.2.1'], '2001:db8:1:3::1'],
    ['half an IPv6 address with nothing in it', ['2001:db8::1', '2001:db8:0:0:1::', '2001:0db8::2'], '2001:db8:1::1'],
    ['this machine', ['::1', '0:0:0:0:0:0:0:1'], '1::1'],
    ['a neighbour, through any interface', ['fe80::1%eth0', 'fe80::2%wlan0'], 'fe80:0:0:1::1'],
    ['whoever left before they were asked', ['unknown', 'unknown'], '127.0.0.1'],
  ])('%s', (_, same, other) => {
    expect(new Set(same.map(networkOf)).size).toBe(1);
    expect(networkOf(other)).not.toBe(networkOf(same[0]!));
  });
});

describe('a list of networks', () => {
  test.each([
    ['10.0.0.0/8', '10.200.1.1', '11.0.0.1'],
    ['10.0.0.0/8', '::ffff:10.0.0.1', '::ffff:11.0.0.1'],
    ['192.0.2.7', '192.0.2.7', '192.0.2.8'],
    ['::ffff:192.0.2.7', '192.0.2.7', '192.0.2.8'],
    ['2001:db8::/32', '2001:db8:ffff::1', '2001:db9::1'],
    ['::1', '::1', '127.0.0.1'],
    ['fe80::/10', 'fe80::1%eth0', 'fd00::1'],
    ['0.0.0.0/0', '203.0.113.9', '::1'],
    ['10.0.0.0/8', '10.0.0.1', 'unknown'],
  ])('of %s has %s and not %s', (network, inside, outside) => {
    const list = new Networks([network]);
    expect([list.has(inside), list.has(outside)]).toEqual([true, false]);
  });

  test.each(['', 'home', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', '10.0.0/8', '::1/129', '10.0.0.0/-1', '10.0.0.0/1e1', '1.2.3.4:80'])('does not take %j', (network) => {
    expect(() => new Networks([network])).toThrow(expect.objectContaining({ code: 'USAGE' }) as Error);
  });
});
