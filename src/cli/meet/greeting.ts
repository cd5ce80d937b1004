/**
 * Greeting: what a server says when it starts: what it serves, to whom it is open, where it is reached, and what to type elsewhere.
 *
 * Pure. Every line fits the terminal, but for the ticket and the fingerprint, which are one word each, to be copied whole.
 */
import { printable } from '../../printable.ts';
import type { Role } from '../../rights.ts';
import type { Reachable, Server } from '../../server/server.ts';
import { formatDuration, plural } from '../measures.ts';
import { columnsOf, pad, wrap } from '../width.ts';

/** A role as a property of a server or a ticket. */
export const ROLE_TEXT: Readonly<Record<Role, string>> = { ro: 'read only', rw: 'read and write', drop: 'add new files only', owner: 'everything, and hand it on' };
/** What somebody can, in words for whoever decides about it. */
const ROLE_WORDS: Readonly<Record<Role, string>> = {
  ro: 'list and read everything in it, and change nothing',
  rw: 'list, read, add, replace, rename and delete everything in it',
  drop: 'add new files, and neither see nor change what is there',
  owner: 'do everything with the files in it, and hand that on to others',
};

const AGAIN = '"wherry invite" prints another. ^C stops the server.';
/** Where no ticket was made. */
const NONE = 'To let a device in: "wherry invite" prints a ticket. ^C stops the server.';

/** Then it depends on the ticket that comes. */
const BY_INVITE = 'who joins by a ticket of "wherry invite" without --account';

const INDENT = 2;
/** Rows of addresses that are shown: a machine with more has them in `--json`. */
const MAX_ROWS = 12;

export interface Greeting {
  readonly server: Pick<Server, 'addresses' | 'code' | 'fingerprint' | 'reachable' | 'ticket'>;
  readonly dir: string;
  readonly role: Role;
  /** How long the ticket can be used. */
  readonly ticketMs: number;
  readonly width: number;
}

export function greetingLines({ server, dir, role, ticketMs, width }: Greeting): string[] {
  const say = (text: string): string[] => wrap(text, width, INDENT);
  return [
    ...say(`serving ${printable(dir)}, ${ROLE_TEXT[role]}`),
    ...say(`${server.ticket === '' && server.code === undefined ? BY_INVITE : 'who joins'} can ${ROLE_WORDS[role]}`),
    ...server.addresses.flatMap((address) => say(`listening on ${address}`)),
    ...reachLines(server.reachable, width, server.ticket !== '' || server.code !== undefined),
    `fingerprint ${server.fingerprint}`,
    '',
    ...(server.code === undefined ? [] : [...say(codeLine(server.code, server.reachable, server.addresses)), '']),
    ...(server.ticket === '' ? say(NONE) : [
      ...say('On the other machine run:  wherry join   then paste:'),
      '',
      server.ticket,
      '',
      ...say(`It works once, for ${lifeOf(ticketMs)}; ${AGAIN}`),
    ]),
  ];
}

function lifeOf(milliseconds: number): string {
  return milliseconds % 60_000 === 0 && milliseconds < 7_200_000 ? plural(milliseconds / 60_000, 'minute') : formatDuration(milliseconds);
}

/** What to type for a code: where it is announced, the code alone; where the server is reached from this machine only, with its address. */
function codeLine(code: string, reachable: readonly Reachable[], addresses: readonly string[]): string {
  return reachable.some(({ kind }) => kind !== 'loopback') ? `same network:  wherry join ${code}` : `this machine:  wherry join ${code}@${addresses[0]!}`;
}

/** Where it is reached; that it is not, where it listens to this machine alone. */
export function reachLines(reachable: readonly Reachable[], width: number, hasTicket = true): string[] {
  const outside = reachable.filter(({ kind }) => kind !== 'loopback');
  if (outside.length === 0) return wrap(`reachable from this machine only${hasTicket ? ': the ticket works nowhere else' : ''}`, width, INDENT);
  const shown = outside.slice(0, MAX_ROWS);
  const widest = shown.reduce((most, { address }) => Math.max(most, columnsOf(address)), 0);
  const rows = shown.flatMap((one) => row(one, widest, width, hasTicket));
  const more = outside.length > MAX_ROWS ? wrap(`  and ${outside.length - MAX_ROWS} more; --json has all of them`, width, INDENT) : [];
  return ['reachable at', ...rows, ...more];
}

function row({ address, interface: name, kind, inTicket }: Reachable, widest: number, width: number, hasTicket: boolean): string[] {
  const about = [...(name === undefined ? [] : [printable(name)]), ...(name === kind ? [] : [kind]), ...(address.startsWith('[') ? ['IPv6'] : []), ...(hasTicket ? [inTicket ? 'in the ticket' : 'not in the ticket'] : [])].join(', ');
  const line = `  ${pad(address, widest)}  ${about}`;
  // On a narrow terminal what it is stands below it.
  return columnsOf(line) <= width ? [line] : [`  ${address}`, ...wrap(about, width - 2 * INDENT).map((part) => `    ${part}`)];
}
