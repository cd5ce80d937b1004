/** What `wherry join` shows on a terminal: a ticket and a code that are mistyped, and a code that is taken. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeTicket } from '../../src/ticket.ts';
import { askServer } from '../../src/server/admin.ts';
import { Secret } from '../../src/secret.ts';
import { Rig } from '../e2e/rig.ts';
import { keep } from './kept.ts';
import { Screen } from './screen.ts';

let rig: Rig;
beforeAll(async () => { rig = await Rig.start(); });
afterAll(async () => rig[Symbol.asyncDispose]());

const TICKET = encodeTicket({ addresses: [{ host: '127.0.0.1', port: 1 }], pin: new Uint8Array(16), secret: new Secret(new Uint8Array(16)) });

describe.each([[80, 24], [40, 10]])('a ticket on a terminal of %d columns and %d rows', (columns, rows) => {
  const joining = (): Screen => new Screen(['join'], { cwd: rig.local, columns, rows, env: { HOME: rig.folder, WHERRY_HOME: join(rig.folder, `new-${columns}`) } });
  const third = TICKET.split('-')[3]!;
  const mistyped = `${third.slice(0, 4)}${third.endsWith('7') ? '8' : '7'}`;

  test('has a mistyped group marked while it is typed; it can be typed again, and Enter does not end what is not complete', async () => {
    await using screen = joining();
    await screen.see('ticket or code: ');
    screen.type(TICKET.split('-').slice(0, 3).join('').toLowerCase() + mistyped.toLowerCase());
    await screen.see(`${mistyped}?_`);
    keep(screen, 'join-mistyped-group', columns, rows);
    screen.type(`\u007f${third.slice(4)}\r`);
    await screen.see('the rest of the ticket is missing');
    expect(screen.lines.join('')).not.toContain('?');
    screen.type('\u0003');
    expect(await screen.exit).toBe(130);
  });

  test('has the group named when Enter follows all the same, and is asked for again', async () => {
    await using screen = joining();
    await screen.see('ticket or code: ');
    screen.enter(TICKET.replace(`-${third}-`, `-${mistyped}-`));
    await screen.see(/group 3 of the ticket, counted after wherry1-, is mistyped or incomplete; type it\s+again, or nothing to leave\nticket or code: /);
    screen.enter('');
    expect(await screen.exit).toBe(2);
    expect(screen.lines.join('\n')).toContain('join: there is no ticket');
  });
});

describe.each([[80, 24], [40, 10]])('a code on a terminal of %d columns and %d rows', (columns, rows) => {
  const joining = (words: readonly string[], home: string): Screen =>
    new Screen(['join', ...words], { cwd: rig.local, columns, rows, env: { HOME: rig.folder, WHERRY_HOME: join(rig.folder, `${home}-${columns}`) } });

  test('with a word that is in none is asked for again, with the word that was meant, and then joins', async () => {
    const { code } = await askServer(rig.state, { verb: 'code' });
    await using screen = joining(['--as', 'lab'], 'typed');
    await screen.see('ticket or code: ');
    screen.enter('7 Crater Lantrn');
    await screen.see(/"lantrn" is not a word of a code\s+\(did you mean\s+lantern\?\); type it again, or\s+nothing to leave\nticket or code: /);
    keep(screen, 'join-mistyped-word', columns, rows);
    screen.enter(`${code.replaceAll('-', ' ').toUpperCase()} @ ${rig.listening.address}`);
    expect(await screen.exit).toBe(0);
    expect(screen.lines.join('\n')).toContain('joined lab at 127.0.0.1:');
  });

  test('joins from the command line, and says so as for a ticket', async () => {
    const { code } = await askServer(rig.state, { verb: 'code', role: 'ro' });
    await using screen = joining([`${code}@${rig.listening.address}`, '--as', 'lab'], 'given');
    expect(await screen.exit).toBe(0);
    expect(screen.lines.join(' ').replace(/\s+/g, ' ')).toMatch(/^joined lab at 127\.0\.0\.1:\d+ fingerprint sha256:\S+ this device is \S+ there: read only/);
    keep(screen, 'join-by-code', columns, rows);
  });
});
