import { describe, expect, test } from 'vitest';
import { createLog, type ServerEvent } from '../../src/server/log.ts';

const now = (): Date => new Date('2030-01-02T03:04:05.678Z');

function printed(format: 'json' | 'text', ...events: ServerEvent[]): string[] {
  const lines: string[] = [];
  const log = createLog({ format, write: (line) => lines.push(line), now });
  for (const event of events) log(event);
  return lines;
}

describe('the log for programs', () => {
  test('is one JSON object a line, from the event to the time, and nothing else', () => {
    expect(printed('json', { event: 'listening', address: '127.0.0.1:9437', fingerprint: 'sha256:x', ticket: 'wherry1-y' }, { event: 'stopped' })).toEqual([
      '{"event":"listening","address":"127.0.0.1:9437","fingerprint":"sha256:x","ticket":"wherry1-y","time":"2030-01-02T03:04:05.678Z"}\n',
      '{"event":"stopped","time":"2030-01-02T03:04:05.678Z"}\n',
    ]);
  });

  test('keeps numbers and lists, drops what is not known, and cannot be given another event or time', () => {
    const [line] = printed('json', { event: 'action', bytes: 5, to: undefined, addresses: ['a', 'b'], time: 'never' });
    expect(JSON.parse(line!)).toEqual({ event: 'action', bytes: 5, addresses: ['a', 'b'], time: '2030-01-02T03:04:05.678Z' });
  });
});

describe('the log for people', () => {
  test('is one readable line a thing', () => {
    expect(printed('text',
      { event: 'listening', address: '127.0.0.1:9437', fingerprint: 'sha256:x', ticket: 'wherry1-y' },
      { event: 'action', account: 'laptop', address: '10.0.0.1:5', session: 3, verb: 'move', path: 'a', to: 'b c', outcome: 'ok' },
      { event: 'action', account: 'laptop', address: '10.0.0.1:5', session: 3, verb: 'remove', path: 'a', outcome: 'DENIED' },
    )).toEqual([
      '2030-01-02 03:04:05 listening on 127.0.0.1:9437 fingerprint=sha256:x\n',
      '2030-01-02 03:04:05 laptop move /a → "/b c" 10.0.0.1:5 session=3\n',
      '2030-01-02 03:04:05 laptop remove /a 10.0.0.1:5 DENIED session=3\n',
    ]);
  });

  test('says of a code how it is used: on the network, or at an address where none leads here', () => {
    const lines = printed('text', { event: 'code', spoken: '7-crater-lantern', at: undefined, role: 'rw' }, { event: 'code', spoken: '7-crater-lantern', at: '[::1]:9437', role: 'rw' });
    expect(lines.map((line) => line.slice(20))).toEqual([
      'new code, on the same network: wherry join 7-crater-lantern role=rw\n', 'new code, on this machine: wherry join 7-crater-lantern@[::1]:9437 role=rw\n',
    ]);
  });

  test('does not repeat the ticket, which is shown to who started the server', () => {
    expect(printed('text', { event: 'listening', ticket: 'wherry1-secret' })[0]).not.toContain('secret');
  });
});

describe.each(['json', 'text'] as const)('text from others in the %s log', (format) => {
  test('can neither start a line nor speak to the terminal', () => {
    const evil = 'a\n2030 laptop\u001b[2J\u009b31m\u202e\u0000\ud800';
    const [line, ...more] = printed(format, { event: 'action', account: evil, path: evil, deep: [evil], object: { evil }, error: new Error(evil) });
    expect(more).toEqual([]);
    expect(line!.indexOf('\n')).toBe(line!.length - 1);
    expect(line).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(line!.isWellFormed()).toBe(true);
  });

  test('is cut where it floods', () => {
    expect(printed(format, { event: 'action', account: 'x'.repeat(1_000_000) })[0]!.length).toBeLessThan(5000);
  });
});
