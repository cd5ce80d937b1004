import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Failure } from '../src/errors.ts';
import { type Address, decodeTicket, encodeTicket, formatAddress, type Ticket } from '../src/ticket.ts';
import { Secret } from '../src/secret.ts';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const bytes = (start: number): Uint8Array => Uint8Array.from({ length: 16 }, (_, index) => (start + index * 37) & 255);
const ticketFor = (...addresses: Address[]): Ticket => ({ addresses, pin: bytes(3), secret: new Secret(bytes(200)) });
/** With the secret in the open, so that it is compared too. */
const plain = ({ secret, ...rest }: Ticket): object => ({ ...rest, secret: secret.reveal() });
const sample = ticketFor({ host: '192.168.1.20', port: 9437 }, { host: '2001:db8::1', port: 4000 }, { host: 'nas.example.org', port: 9437 });
const line = encodeTicket(sample);

function outcome(text: string): Ticket | string {
  try {
    return decodeTicket(text);
  } catch (error) {
    return error instanceof Failure ? error.code : `not a Failure: ${String(error)}`;
  }
}

describe('a ticket', () => {
  test('reads back as what was written', () => {
    expect(plain(decodeTicket(line))).toEqual(plain(sample));
  });

  test('with one IPv4 address at the usual port is a line of 16 groups', () => {
    const short = encodeTicket(ticketFor({ host: '10.0.0.1', port: 9437 }));
    expect(short).toMatch(/^wherry1(-[0-9A-HJKMNP-TV-Z]{2,5}){16}$/);
    expect(short.length).toBeLessThan(105);
  });

  test('keeps any addresses, pin and secret', () => {
    const host = fc.oneof(fc.ipV4(), fc.ipV6().map((ip) => new URL(`http://[${ip}]`).hostname.slice(1, -1)), fc.domain().map((name) => name.toLowerCase()));
    const address = fc.record({ host, port: fc.integer({ min: 1, max: 65535 }) });
    const key = fc.uint8Array({ minLength: 16, maxLength: 16 });
    fc.assert(fc.property(fc.array(address, { minLength: 1, maxLength: 4 }), key, key, (addresses, pin, secret) => {
      expect(plain(decodeTicket(encodeTicket({ addresses, pin, secret: new Secret(secret) })))).toEqual({ addresses, pin, secret });
    }), { numRuns: 300 });
  });

  test('keeps four names of the longest length', () => {
    const host = `${`${'a'.repeat(62)}.`.repeat(4)}b`;
    const longest = ticketFor(...[1, 2, 3, 4].map((port) => ({ host, port })));
    expect(host).toHaveLength(253);
    expect(plain(decodeTicket(encodeTicket(longest)))).toEqual(plain(longest));
  });

  test('writes an international name as it is looked up', () => {
    expect(decodeTicket(encodeTicket(ticketFor({ host: 'Bücher.example', port: 1 }))).addresses).toEqual([{ host: 'xn--bcher-kva.example', port: 1 }]);
  });

  test.each<[string, Address]>([
    ['a port of 0', { host: '10.0.0.1', port: 0 }], ['a port too high', { host: '10.0.0.1', port: 65536 }],
    ['an address with a zone', { host: 'fe80::1%eth0', port: 1 }], ['a name with a space', { host: 'a b', port: 1 }],
    ['no name', { host: '', port: 1 }], ['a name too long', { host: 'a.'.repeat(127) + 'a', port: 1 }],
  ])('is not made for %s', (_, address) => {
    expect(() => encodeTicket(ticketFor(address))).toThrow(Failure);
  });
});

describe('typing a ticket', () => {
  test.each<[string, (text: string) => string]>([
    ['in lower case', (text) => text.toLowerCase()],
    ['without hyphens', (text) => text.replaceAll('-', '')],
    ['with spaces for hyphens', (text) => text.replaceAll('-', ' ')],
    ['over several lines', (text) => text.replace(/(.{20})/g, '$1\r\n')],
    ['with long dashes from a word processor', (text) => text.replaceAll('-', '–')],
    ['in quotes', (text) => ` "${text}" `],
    ['with O for 0 and I or l for 1', (text) => text.replaceAll('0', 'O').replaceAll('1', 'I').replace('I', 'l')],
  ])('%s changes nothing', (_, typed) => {
    expect(plain(decodeTicket(typed(line)))).toEqual(plain(sample));
  });

  test('with any single character wrong is caught', () => {
    const body = line.indexOf('-') + 1;
    for (let at = body; at < line.length; at++) {
      for (const letter of `${ALPHABET}U!`) {
        if (letter === line[at] || line[at] === '-') continue;
        expect(outcome(line.slice(0, at) + letter + line.slice(at + 1)), `${letter} at ${at}`).toBe('USAGE');
      }
    }
  });

  test('with two neighbours swapped is caught, also across a hyphen', () => {
    const plain = line.slice(8).replaceAll('-', '');
    for (let at = 0; at + 1 < plain.length; at++) {
      const swapped = plain.slice(0, at) + plain[at + 1]! + plain[at]! + plain.slice(at + 2);
      if (swapped !== plain) expect(outcome(`wherry1-${swapped}`), `at ${at}`).toBe('USAGE');
    }
  });

  test('with two groups swapped, one missing, one doubled or cut short is caught', () => {
    const groups = line.split('-').slice(1);
    const join = (list: string[]): string => ['wherry1', ...list].join('-');
    for (let at = 0; at < groups.length; at++) {
      expect(outcome(join(groups.toSpliced(at, 1))), `without group ${at}`).toBe('USAGE');
      expect(outcome(join(groups.toSpliced(at, 0, groups[at]!))), `with group ${at} twice`).toBe('USAGE');
      if (at > 0) expect(outcome(join(groups.toSpliced(at - 1, 2, groups[at]!, groups[at - 1]!))), `groups ${at - 1} and ${at} swapped`).toBe('USAGE');
    }
    for (let length = 0; length < line.length; length++) expect(outcome(line.slice(0, length)), `${length} characters`).toBe('USAGE');
  });

  test('names the group that is wrong', () => {
    const groups = line.split('-');
    const third = groups[3]!;
    groups[3] = (third[0] === 'A' ? 'B' : 'A') + third.slice(1);
    expect(() => decodeTicket(groups.join('-'))).toThrow(/group 3 /);
  });

  test('never shows the secret in the message', () => {
    const groups = line.split('-');
    try {
      decodeTicket(groups.toSpliced(4, 1, 'ZZZZZ').join('-'));
    } catch (error) {
      for (const group of groups.slice(1)) expect(String(error)).not.toContain(group);
    }
    expect.hasAssertions();
  });

  test.each([['', 'USAGE'], ['hello', 'USAGE'], ['wherry1-', 'USAGE'], ['wherry2-AAAAA', 'VERSION'], ['wherry1-' + 'A'.repeat(5000), 'USAGE']])('%j is refused', (text, code) => {
    expect(outcome(text)).toBe(code);
  });

  test('anything gives a ticket or a failure', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(['USAGE', 'VERSION']).toContain(outcome(`wherry1-${text}`));
    }), { numRuns: 500 });
  });
});

test('an address is written as people write it', () => {
  expect(formatAddress({ host: '10.0.0.1', port: 1 })).toBe('10.0.0.1:1');
  expect(formatAddress({ host: '::1', port: 9437 })).toBe('[::1]:9437');
});
