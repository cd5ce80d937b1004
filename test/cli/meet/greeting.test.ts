import { describe, expect, test } from 'vitest';
import { greetingLines, reachLines } from '../../../src/cli/meet/greeting.ts';
import type { Reachable } from '../../../src/server/server.ts';

const REACHABLE: readonly Reachable[] = [
  { address: '192.168.1.20:9437', interface: 'wlan0', kind: 'wireless', inTicket: true },
  { address: '[2001:db8::5]:9437', interface: 'eth0', kind: 'wired', inTicket: true },
  { address: '172.17.0.1:9437', interface: 'docker0', kind: 'containers', inTicket: false },
  { address: '127.0.0.1:9437', interface: 'lo', kind: 'loopback', inTicket: false },
];
const TICKET = `wherry1-${'K7QM2-'.repeat(16)}K7Q`;
const SERVER = { addresses: ['[::]:9437'], fingerprint: 'sha256:5FOrfivRznFsALzfS7In22idRm3070zBvkzNVYu_Qfo', reachable: REACHABLE, ticket: TICKET, code: undefined };

describe('what a server says when it starts', () => {
  test('names every address with its interface, what that is, and whether the ticket has it', () => {
    expect(reachLines(REACHABLE, 80)).toEqual([
      'reachable at',
      '  192.168.1.20:9437   wlan0, wireless, in the ticket',
      '  [2001:db8::5]:9437  eth0, wired, IPv6, in the ticket',
      '  172.17.0.1:9437     docker0, containers, not in the ticket',
    ]);
  });

  test('says so when it listens to this machine alone', () => {
    expect(reachLines(REACHABLE.slice(3), 80)).toEqual(['reachable from this machine only: the ticket works nowhere else']);
  });

  test('says nothing of a ticket where none was made', () => {
    const lines = greetingLines({ server: { ...SERVER, reachable: REACHABLE.slice(3), ticket: '' }, dir: 'share', role: 'rw', ticketMs: 600_000, width: 80 });
    expect(lines).toContain('reachable from this machine only');
    expect(lines.join('\n')).not.toContain('the ticket works');
    const open = greetingLines({ server: { ...SERVER, ticket: '' }, dir: 'share', role: 'rw', ticketMs: 600_000, width: 80 });
    expect(open).toContain('  172.17.0.1:9437     docker0, containers');
    expect(open.join('\n')).not.toContain('in the ticket');
    expect(lines.join(' ')).toContain('who joins by a ticket of "wherry invite" without --account can list, read,');
  });

  test.each([80, 40])('has a code to say, where one is open, on %d columns', (width) => {
    const lines = greetingLines({ server: { ...SERVER, code: '7-crater-lantern' }, dir: 'share', role: 'rw', ticketMs: 600_000, width });
    expect(lines.join(' ')).toMatch(/same network: +wherry join +7-crater-lantern/);
    expect(lines.every((line) => line === TICKET || line.startsWith('fingerprint ') || line.length <= width)).toBe(true);
  });

  test('has the address behind the code when it is reached from this machine only', () => {
    const lines = greetingLines({ server: { ...SERVER, addresses: ['127.0.0.1:9437'], code: '7-crater-lantern', reachable: REACHABLE.slice(3) }, dir: 'share', role: 'rw', ticketMs: 600_000, width: 80 });
    expect(lines).toContain('this machine:  wherry join 7-crater-lantern@127.0.0.1:9437');
  });

  test.each([80, 40])('fits %d columns, but for what is copied whole', (width) => {
    for (const line of greetingLines({ server: SERVER, dir: 'share', role: 'rw', ticketMs: 600_000, width })) {
      if (line !== TICKET && !line.startsWith('fingerprint ')) expect(line.length).toBeLessThanOrEqual(width);
    }
    expect(greetingLines({ server: SERVER, dir: 'share', role: 'rw', ticketMs: 600_000, width })).toContain(TICKET);
  });

  test.each([['ro', 'change nothing'], ['rw', 'delete everything'], ['drop', 'neither see nor change']] as const)('says in words what %s means', (role, words) => {
    expect(greetingLines({ server: SERVER, dir: 'share', role, ticketMs: 600_000, width: 200 }).join('\n')).toContain(words);
  });

  test('shows no control characters of a folder or an interface', () => {
    const odd = [{ ...REACHABLE[0]!, interface: 'e\u001b[2J' }];
    expect(greetingLines({ server: { ...SERVER, reachable: odd }, dir: 'a\u001b[2Jb', role: 'ro', ticketMs: 600_000, width: 80 }).join('')).not.toContain('\u001b');
  });
});
