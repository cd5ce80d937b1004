import type { NetworkInterfaceInfo } from 'node:os';
import { describe, expect, test } from 'vitest';
import type { Interfaces } from '../../src/nearby/interfaces.ts';
import { reachableAt, ticketAddresses } from '../../src/server/addresses.ts';

function one(address: string, internal = false): NetworkInterfaceInfo {
  const rest = { address, netmask: '', mac: '', internal, cidr: null };
  return address.includes(':') ? { ...rest, family: 'IPv6', scopeid: 0 } : { ...rest, family: 'IPv4' };
}

const LOOPBACK = [one('127.0.0.1', true), one('::1', true)];
const MACHINE: Interfaces = {
  lo: LOOPBACK, docker0: [one('172.17.0.1')], veth12: [one('169.254.1.1')], 'br-5f': [one('172.18.0.1')],
  eth0: [one('2001:db8::5'), one('192.168.1.20'), one('fe80::1')], wlan0: [one('10.0.0.7')], gone: undefined,
};
const hosts = (bound: string | undefined, interfaces = MACHINE): string[] => ticketAddresses([{ host: bound, port: 1 }], interfaces).map(({ host }) => host);

describe('the addresses in a ticket', () => {
  test('of a server on every address are those of the machine, IPv4 first, without containers and link-local ones', () => {
    expect(hosts(undefined)).toEqual(['192.168.1.20', '10.0.0.7', '2001:db8::5']);
    expect(hosts('::')).toEqual(hosts(undefined));
  });

  test('of a server on every IPv4 address leave out the others', () => {
    expect(hosts('0.0.0.0')).toEqual(['192.168.1.20', '10.0.0.7']);
  });

  test('are the one that was asked for when it was one', () => {
    expect(hosts('127.0.0.1')).toEqual(['127.0.0.1']);
    expect(hosts('nas.example.org')).toEqual(['nas.example.org']);
  });

  test('are loopback when the machine has nothing else', () => {
    expect(hosts(undefined, { lo: LOOPBACK })).toEqual(['127.0.0.1']);
  });

  test('are at most four, each once, and of every socket', () => {
    const many: Interfaces = { eth0: Array.from({ length: 9 }, (_, index) => one(`10.0.0.${index}`)) };
    expect(hosts(undefined, many)).toEqual(['10.0.0.0', '10.0.0.1', '10.0.0.2', '10.0.0.3']);
    const bound = [{ host: '10.0.0.1', port: 1 }, { host: '10.0.0.1', port: 1 }, { host: '10.0.0.1', port: 2 }];
    expect(ticketAddresses(bound, many)).toEqual([{ host: '10.0.0.1', port: 1 }, { host: '10.0.0.1', port: 2 }]);
  });
});

describe('the addresses that are listed', () => {
  test('are all of them, those of the ticket first, each with its interface and what that is', () => {
    expect(reachableAt([{ host: undefined, port: 1 }], MACHINE)).toEqual([
      { address: '192.168.1.20:1', interface: 'eth0', kind: 'wired', inTicket: true },
      { address: '10.0.0.7:1', interface: 'wlan0', kind: 'wireless', inTicket: true },
      { address: '[2001:db8::5]:1', interface: 'eth0', kind: 'wired', inTicket: true },
      { address: '172.17.0.1:1', interface: 'docker0', kind: 'containers', inTicket: false },
      { address: '169.254.1.1:1', interface: 'veth12', kind: 'containers', inTicket: false },
      { address: '172.18.0.1:1', interface: 'br-5f', kind: 'bridge', inTicket: false },
      { address: '127.0.0.1:1', interface: 'lo', kind: 'loopback', inTicket: false },
      { address: '[::1]:1', interface: 'lo', kind: 'loopback', inTicket: false },
    ]);
  });

  test('of a VPN come behind the others, in the ticket too; of WSL they are in no ticket', () => {
    const mixed: Interfaces = { tun0: [one('10.8.0.2')], 'vEthernet (WSL)': [one('172.20.0.1')], 'Wi-Fi': [one('192.168.1.9')], br0: [one('192.168.7.1')] };
    expect(reachableAt([{ host: '0.0.0.0', port: 1 }], mixed).map(({ address, kind, inTicket }) => [address, kind, inTicket])).toEqual([
      ['192.168.1.9:1', 'wireless', true], ['192.168.7.1:1', 'bridge', true], ['10.8.0.2:1', 'VPN', true], ['172.20.0.1:1', 'WSL', false],
    ]);
  });

  test('are loopback alone when nothing else is listened at', () => {
    expect(reachableAt([{ host: '127.0.0.1', port: 1 }], MACHINE)).toEqual([{ address: '127.0.0.1:1', interface: 'lo', kind: 'loopback', inTicket: true }]);
    expect(reachableAt([{ host: 'localhost', port: 1 }], MACHINE)).toEqual([{ address: 'localhost:1', interface: undefined, kind: 'loopback', inTicket: true }]);
  });
});
