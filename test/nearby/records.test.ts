/** What the local network says about open codes, and how little of it is believed. */
import { describe, expect, test } from 'vitest';
import { heardIn, isAsked, type Record, recordsOf, SERVICE } from '../../src/nearby/records.ts';

const SAID = { number: 7, tag: '1f0c88a2', port: 9437 };
const srv = (name: string, port: unknown = 9437, ttl = 120): Record => ({ name, type: 'SRV', ttl, data: { port, target: 'x.local', priority: 0, weight: 0 } });

describe('an announcement', () => {
  test('is heard as it was said, from where it came', () => {
    const { answers, additionals } = recordsOf(SAID, '192.168.1.5');
    expect(heardIn([...answers, ...additionals], '192.168.1.5')).toEqual([{ ...SAID, address: { host: '192.168.1.5', port: 9437 } }]);
  });

  test('says nothing but number, tag, port and address', () => {
    expect(JSON.stringify(recordsOf(SAID, '192.168.1.5'))).not.toMatch(/crater|lantern/);
    expect(recordsOf(SAID, '192.168.1.5').additionals.map(({ type }) => type)).toEqual(['SRV', 'TXT', 'A']);
  });

  test('that is taken back is not heard', () => {
    const { answers, additionals } = recordsOf(SAID, '192.168.1.5', true);
    expect(heardIn([...answers, ...additionals], '192.168.1.5')).toEqual([]);
  });

  test('names no address but that it came from, whatever stands in it', () => {
    const records = [srv(`7-1f0c88a2.${SERVICE}`), { name: 'x.local', type: 'A', ttl: 120, data: '8.8.8.8' }];
    expect(heardIn(records, '192.168.1.9').map(({ address }) => address.host)).toEqual(['192.168.1.9']);
  });

  test.each([
    ['of another service', srv('7-1f0c88a2._ssh._tcp.local')],
    ['with a tag that is too long', srv(`7-1f0c88a2ff.${SERVICE}`)],
    ['with a number of three digits', srv(`777-1f0c88a2.${SERVICE}`)],
    ['with control characters', srv(`7-1f0c88a2\u001b[2J.${SERVICE}`)],
    ['with a port that is none', srv(`7-1f0c88a2.${SERVICE}`, 0)],
    ['with a port beyond all', srv(`7-1f0c88a2.${SERVICE}`, 65_536)],
    ['with a port that is text', srv(`7-1f0c88a2.${SERVICE}`, '9437')],
    ['without data', { name: `7-1f0c88a2.${SERVICE}`, type: 'SRV', ttl: 120 }],
    ['of another type', { ...srv(`7-1f0c88a2.${SERVICE}`), type: 'TXT' }],
  ])('%s is not heard', (_what, record) => {
    expect(heardIn([record], '192.168.1.5')).toEqual([]);
  });

  test('behind a flood of records is not looked for', () => {
    const flood = Array.from({ length: 1000 }, () => srv('junk.local'));
    expect(heardIn([...flood, srv(`7-1f0c88a2.${SERVICE}`)], '192.168.1.5')).toEqual([]);
    expect(heardIn(Array.from({ length: 1000 }, () => srv(`7-1f0c88a2.${SERVICE}`)), '192.168.1.5').length).toBeLessThan(50);
  });
});

test.each([
  [[{ name: SERVICE, type: 'PTR' }], true], [[{ name: SERVICE.toUpperCase(), type: 'ANY' }], true],
  [[{ name: SERVICE, type: 'A' }], false], [[{ name: '_ssh._tcp.local', type: 'PTR' }], false], [undefined, false],
])('questions %j are about us: %s', (questions, ours) => {
  expect(isAsked(questions)).toBe(ours);
});
