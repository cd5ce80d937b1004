import type { NetworkInterfaceInfo } from 'node:os';
import { describe, expect, test } from 'vitest';
import { isBeside, isForGuests, localNetworks } from '../../src/nearby/interfaces.ts';

const ipv4 = (address: string, internal = false): NetworkInterfaceInfo => ({ address, netmask: '255.255.255.0', family: 'IPv4', mac: '', internal, cidr: null });
const ipv6 = (address: string): NetworkInterfaceInfo => ({ address, netmask: 'ffff::', family: 'IPv6', mac: '', internal: false, cidr: null, scopeid: 0 });

describe('local networks', () => {
  test('are those behind which other machines are, by one address each', () => {
    const interfaces = { lo: [ipv4('127.0.0.1', true)], eth0: [ipv6('fe80::1'), ipv4('192.168.1.5'), ipv4('192.168.1.6')], wlan0: [ipv4('10.0.0.7')], gone: undefined };
    expect(localNetworks(interfaces).map(({ address }) => address)).toEqual(['192.168.1.5', '10.0.0.7']);
  });

  test.each(['docker0', 'veth1a2b', 'br-0a1b2c', 'virbr0', 'cni0', 'vEthernet (WSL)', 'vmnet8', 'tun0', 'wg0', 'tailscale0'])('are never behind %s', (name) => {
    expect(localNetworks({ [name]: [ipv4('172.17.0.1')] })).toEqual([]);
  });

  test('are at most eight', () => {
    expect(localNetworks(Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`eth${index}`, [ipv4(`10.0.${index}.1`)]])))).toHaveLength(8);
  });
});

test('a bridge that is the way out of the machine is not one of guests', () => {
  expect([isForGuests('br0'), isForGuests('br-5f')]).toEqual([false, true]);
});

test.each([
  ['192.168.1.77', true], ['192.168.2.77', false], ['8.8.8.8', false], ['fe80::1', false], ['', false], ['192.168.1', false],
])('%s is beside 192.168.1.5/24: %s', (address, beside) => {
  expect(isBeside({ address: '192.168.1.5', netmask: '255.255.255.0' }, address)).toBe(beside);
});
