/** A ticket or a code while it is typed. */
import { describe, expect, test } from 'vitest';
import { NOTHING_TYPED, press, type Typing, typedRows } from '../../../src/cli/meet/typing.ts';
import { loadWidths } from '../../../src/cli/width.ts';
import { decodeTicket, encodeTicket, type Ticket } from '../../../src/ticket.ts';
import { Secret } from '../../../src/secret.ts';

await loadWidths();
/** With the secret in the open, so that it is compared too. */
const opened = ({ secret, ...rest }: Ticket): object => ({ ...rest, secret: secret.reveal() });
const TICKET = encodeTicket({ addresses: [{ host: '192.168.1.20', port: 9437 }], pin: new Uint8Array(16).fill(5), secret: new Secret(new Uint8Array(16).fill(9)) });

const typed = (text: string, from: Typing = NOTHING_TYPED): Typing =>
  text.split('').reduce((typing, letter) => (letter === '\r' || letter === '\n' ? press(typing, letter, { name: letter === '\r' ? 'return' : 'enter' }) : press(typing, letter, { name: letter })), from);
const shown = (typing: Typing, width = 400): string => typedRows(typing, width, (text) => `<${text}>`).join('\n');

describe('a ticket', () => {
  test('is shown as it was printed, dashes come by themselves, and Enter ends it', () => {
    const plain = TICKET.replaceAll('-', '').toLowerCase();
    expect(shown(typed(plain))).toBe(`ticket or code: ${TICKET}_`);
    const done = typed(`${plain}\r`);
    expect(done.ended).toBe('done');
    expect(opened(decodeTicket(done.text))).toEqual(opened(decodeTicket(TICKET)));
  });

  test.each([['with its dashes', TICKET], ['with spaces', TICKET.replaceAll('-', ' ')], ['broken into lines', TICKET.replace(/(.{30})/g, '$1\r')]])('may be pasted %s', (_what, text) => {
    const done = typed(`${text}\r`);
    expect(done).toMatchObject({ ended: 'done' });
    expect(opened(decodeTicket(done.text))).toEqual(opened(decodeTicket(TICKET)));
  });

  test('has a wrong group marked as soon as it is complete, and only that', () => {
    const [prefix, first, second, third] = TICKET.split('-') as [string, string, string, string];
    const mistyped = second.slice(0, 4) + (second.endsWith('7') ? '8' : '7');
    expect(shown(typed(`${prefix}${first}${mistyped.slice(0, 4)}`))).not.toContain('<');
    const wrong = typed(`${prefix}${first}${mistyped}`);
    expect(shown(wrong)).toBe(`ticket or code: ${prefix}-${first}<-${mistyped}?>_`);
    expect(shown(typed(third, wrong))).toBe(`ticket or code: ${prefix}-${first}<-${mistyped}?>-${third}_`);
    expect(shown(typed(second.slice(4), press(wrong, undefined, { name: 'backspace' })))).not.toContain('<');
  });

  test('has letters read as they were meant: O is 0, I and L are 1', () => {
    expect(shown(typed('wherry1OIL'))).toBe('ticket or code: wherry1-011_');
  });

  test('is not ended by Enter while it is right so far and not complete', () => {
    const half = typed(`${TICKET.slice(0, 40)}\r`);
    expect(half.ended).toBeUndefined();
    expect(shown(half)).toContain('the rest of the ticket is missing');
    expect(shown(typed('7', half))).not.toContain('missing');
  });

  test.each([80, 40, 20])('fits %d columns', (width) => {
    for (const row of typedRows(typed(TICKET), width, (text) => text)) expect(row.length).toBeLessThan(width);
  });
});

describe('a code', () => {
  test('is shown as it is typed, and a word that is in none is marked when it is finished', () => {
    expect(shown(typed('7 Crater lantr'))).toBe('ticket or code: 7 Crater lantr_');
    expect(shown(typed('7-cratr-lan'))).toBe('ticket or code: 7-<cratr?>-lan_');
    expect(shown(typed('7-crater-lantrn@host'))).toBe('ticket or code: 7-crater-<lantrn?>@host_');
    expect(typed('7-crater-lantern@host:1\r')).toEqual({ text: '7-crater-lantern@host:1', ended: 'done' });
  });
});

test('^C leaves, ^U begins anew, ^D leaves nothing, and control characters are not taken', () => {
  expect(press(typed('wherry1'), '\u0003', { name: 'c', ctrl: true }).ended).toBe('left');
  expect(press(typed('wherry1'), '\u0015', { name: 'u', ctrl: true })).toEqual({ text: '' });
  expect(press(NOTHING_TYPED, '\u0004', { name: 'd', ctrl: true })).toEqual({ text: '', ended: 'done' });
  expect(press(typed('7'), '\u001b', { name: 'escape' })).toEqual({ text: '7' });
});
