/** Exchanges about a spoken code: few of each network, few in all, and no share of which others can use up. */
import { describe, expect, test } from 'vitest';
import { type From, Starts } from '../../src/access/starts.ts';
import { isLocal } from '../../src/network.ts';

function started() {
  let now = 0;
  const starts = new Starts(() => now);
  const take = (from: From, times: number): number => Array.from({ length: times }, () => starts.take(from)).filter((said) => said === 'taken').length;
  return { starts, take, pass: (seconds: number) => { now += seconds * 1000; } };
}

const local = (number: number): From => ({ address: `192.168.${number >> 8}.${number & 255}`, known: false });
const far = (number: number): From => ({ address: `198.51.${number >> 8}.${number & 255}`, known: false });
const known: From = { address: '198.51.100.1', known: true };

describe('exchanges about a code', () => {
  test.each([['of the local network', local(1), 6], ['from far away', far(1), 3], ['where somebody has signed in', known, 40]])('are few at once for an address %s', (_, from, most) => {
    const { starts, take } = started();
    expect(take(from, 100)).toBe(most);
    expect(starts.take(from)).toBe('too many of one');
  });

  test.each([['of the local network', local, 20, 2], ['from far away', far, 6, 0.5]])('are few in all, from however many addresses %s', (_, from, atOnce, perSecond) => {
    const { starts, take, pass } = started();
    const all = (): number => Array.from({ length: 3000 }, (_none, number) => take(from(number), 1)).reduce((sum, one) => sum + one, 0);
    expect(all()).toBe(atOnce);
    expect(starts.take(from(5000))).toBe('too many');
    pass(10);
    expect(all()).toBe(10 * perSecond);
  });

  test('are there for who is known and for the local network, whatever others use up', () => {
    const { take } = started();
    for (let number = 0; number < 3000; number += 1) take(far(number), 10);
    expect(take(local(1), 3)).toBe(3);
    for (let number = 0; number < 3000; number += 1) take(local(number), 10);
    expect(take(known, 3)).toBe(3);
  });
});

test.each([
  ['127.0.0.1', true], ['::1', true], ['10.1.2.3', true], ['::ffff:192.168.7.1', true], ['172.31.0.1', true], ['172.32.0.1', false], ['169.254.1.1', true],
  ['fe80::1%eth0', true], ['fd00::1', true], ['2001:db8::1', false], ['::ffff:192.0.2.1', false], ['11.0.0.1', false], ['unknown', false],
])('%s is of a local network: %s', (address, said) => { expect(isLocal(address)).toBe(said); });
