import { BlockList } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contains, parseCidr, writeCidr } from '../../src/access/cidr.ts';
import { Failure } from '../../src/errors.ts';

function refusal(text: string): Failure {
  try {
    parseCidr(text);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('was accepted');
}

const within = (network: string, address: string): boolean => contains([parseCidr(network)], address);

describe('a network', () => {
  test.each([
    ['10.0.0.0/8', ['10.0.0.0', '10.255.255.255', '::ffff:10.1.2.3', '::FFFF:a01:203'], ['9.255.255.255', '11.0.0.0', '::a01:203', '2002:a01:203::']],
    ['192.0.2.1', ['192.0.2.1', '::ffff:192.0.2.1'], ['192.0.2.0', '192.0.2.2']],
    ['0.0.0.0/0', ['0.0.0.0', '255.255.255.255'], ['::', '2001:db8::1']],
    ['2001:db8::/32', ['2001:db8::', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', '2001:DB8::1%eth0'], ['2001:db7:ffff::', '2001:db9::', '32.1.13.184']],
    ['fe80::/10', ['fe80::1%eth0', 'febf::1'], ['fec0::1']],
    ['::1', ['::1', '0:0:0:0:0:0:0:1'], ['::', '::2', '127.0.0.1']],
    ['::ffff:10.0.0.0/104', ['10.200.0.1', '::ffff:10.200.0.1'], ['11.0.0.1']],
    ['::/0', ['::', '2001:db8::1'], ['192.0.2.1', '::ffff:192.0.2.1']],
  ])('%s holds what is in it and nothing beside it', (network, inside, outside) => {
    for (const address of inside) expect(within(network, address), address).toBe(true);
    for (const address of outside) expect(within(network, address), address).toBe(false);
  });

  test.each([
    ['10.1.2.3/8', '10.0.0.0/8'], ['192.0.2.129/25', '192.0.2.128/25'], ['2001:db8::1/32', '2001:db8::/32'], ['1.0.0.0/0', '0.0.0.0/0'], ['::ffff:10.1.2.3/104', '10.0.0.0/8'],
  ])('whose address has more bits than it is refused, with the right form: %s', (text, right) => {
    const failure = refusal(text);
    expect(failure).toMatchObject({ code: 'USAGE', path: text });
    expect(failure.hint).toContain(`for the network: ${right};`);
    expect(writeCidr(parseCidr(right))).toBe(right);
  });

  test.each(['', '/8', '10.0.0.0/', '10.0.0.0/33', '::/129', '10.0.0.0/08', '10.0.0.0/-1', '10.0.0/8', '010.0.0.0/8', '10.0.0.0/8 ', '10.0.0.0/255.0.0.0', 'example.org', 'fe80::1%eth0', '1::2::3', '::10.0.0.256', `${'1'.repeat(5000)}/8`])('is not %j', (text) => {
    expect(refusal(text)).toMatchObject({ code: 'USAGE' });
  });
});

describe('an address', () => {
  test('that is none is in no network, and none is in no networks', () => {
    for (const text of ['', 'x', '10.0.0', '10.0.0.0/8', '::g']) expect(contains([parseCidr('0.0.0.0/0'), parseCidr('::/0')], text)).toBe(false);
    expect(contains([], '10.0.0.1')).toBe(false);
  });

  const number = (bits: number): fc.Arbitrary<bigint> => fc.bigInt({ min: 0n, max: (1n << BigInt(bits)) - 1n });
  const cidr = fc.oneof(
    fc.record({ family: fc.constant(4 as const), address: number(32), prefix: fc.integer({ min: 0, max: 32 }) }),
    // Of global addresses only: what is mapped is IPv4, and is tested as that.
    fc.record({ family: fc.constant(6 as const), address: number(125).map((low) => (1n << 125n) | low), prefix: fc.integer({ min: 3, max: 128 }) }),
  ).map(({ family, address, prefix }) => {
    const rest = BigInt((family === 4 ? 32 : 128) - prefix);
    return { family, prefix, address: (address >> rest) << rest };
  });

  test('is spelt so that it is read as it was', () => {
    fc.assert(fc.property(cidr, (network) => { expect(parseCidr(writeCidr(network))).toEqual(network); }));
  });

  test('is in a network when the first bits are its bits, and with any other of these bits it is not', () => {
    fc.assert(fc.property(cidr, number(128), fc.nat(), (network, noise, which) => {
      const bits = network.family === 4 ? 32 : 128;
      const rest = BigInt(bits - network.prefix);
      const inside = network.address | (noise & ((1n << rest) - 1n));
      const spelt = (address: bigint): string => writeCidr({ family: network.family, address, prefix: bits });
      expect(contains([network], spelt(inside))).toBe(true);
      fc.pre(network.prefix > 0);
      expect(contains([network], spelt(inside ^ (1n << (rest + BigInt(which % network.prefix)))))).toBe(false);
    }));
  });

  test('is judged as by the BlockList of Node', () => {
    fc.assert(fc.property(cidr, number(128), fc.integer({ min: 0, max: 128 }), (network, noise, keep) => {
      const bits = network.family === 4 ? 32 : 128;
      // Near the edge of the network: its first bits up to somewhere, and then anything.
      const rest = BigInt(Math.max(0, bits - keep));
      const address = writeCidr({ family: network.family, prefix: bits, address: ((network.address >> rest) << rest) | (noise & ((1n << rest) - 1n)) });
      const list = new BlockList();
      list.addSubnet(writeCidr({ ...network, prefix: bits }), network.prefix, `ipv${network.family}`);
      expect(contains([network], address)).toBe(list.check(address, `ipv${network.family}`));
    }));
  });
});
