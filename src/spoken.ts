/**
 * Spoken: a code that is said across a room instead of a ticket: `7-crater-lantern`.
 *
 * The number finds the server on the local network, where it is announced, and is no secret. The two words are: 18 bits, too
 * few against guesses that can be tried in private, and enough for an exchange that allows three (`agreement.ts`, `access/codes.ts`).
 * So a code is worth something only where that runs. A word that is not in the list is found here, before anybody is asked.
 */
import { randomInt } from 'node:crypto';
import { domainToASCII } from 'node:url';
import { CODE_WORDS } from './codewords.ts';
import { Failure } from './errors.ts';
import { DEFAULT_PORT, type Address } from './ticket.ts';

export interface SpokenCode {
  /** 1 to 99. */
  readonly number: number;
  readonly words: readonly [string, string];
}

/** Two digits are quick to say, and few servers of one network have a code open at the same time. */
const MAX_NUMBER = 99;
/** A code, and a host name of full length behind it. */
const MAX_TEXT = 512;

/** A new code, every one as likely as any other. */
export function newCode(): SpokenCode {
  const word = (): string => CODE_WORDS[randomInt(CODE_WORDS.length)]!;
  return { number: 1 + randomInt(MAX_NUMBER), words: [word(), word()] };
}

/** As it is shown and said. */
export function formatCode({ number, words }: SpokenCode): string {
  return [number, ...words].join('-');
}

/** Whether somebody means a code, rather than a ticket: it begins with a digit. */
export function isCode(text: string): boolean {
  return /^\s*\d/.test(text);
}

/** What was typed, in any letter case and with any spaces or dashes; behind an `@` there may be where the server is. Throws USAGE, with the word that is not one as its path. */
export function parseCode(text: string): { readonly code: SpokenCode; readonly at: Address | undefined } {
  if (text.length > MAX_TEXT) throw wrong('this is far too long for a code');
  const [plain = '', where, ...more] = text.trim().split('@');
  if (more.length > 0) throw wrong('a code has at most one address behind it');
  const [digits = '', ...words] = plain.toLowerCase().split(/[\s\p{Pd}.,_]+/u).filter((part) => part !== '');
  const number = Number(digits);
  if (!/^\d{1,2}$/.test(digits) || number < 1) throw wrong(`a code begins with a number from 1 to ${MAX_NUMBER}`);
  for (const word of words) {
    if (!CODE_WORDS.includes(word)) throw new Failure('USAGE', `"${word.slice(0, 40)}" is not a word of a code`, { path: word.slice(0, 40), who: 'here' });
  }
  const [first, second] = words;
  if (first === undefined || second === undefined || words.length > 2) throw wrong('a code has two words behind its number');
  return { code: { number, words: [first, second] }, at: where === undefined ? undefined : addressOf(where.trim()) };
}

function addressOf(text: string): Address {
  const [, ipv6, plain, digits] = /^(?:\[([0-9a-f:.]+)\]|([^\s:[\]@]+))(?::(\d{1,5}))?$/i.exec(text) ?? [];
  const host = ipv6 ?? (plain === undefined ? '' : domainToASCII(plain));
  const port = Number(digits ?? DEFAULT_PORT);
  if (host === '' || port < 1 || port > 65535) throw new Failure('USAGE', 'what stands behind the @ is no address', { who: 'here', hint: 'for example: wherry join 7-crater-lantern@192.168.1.5, or …@host:9437, …@[2001:db8::1]:9437' });
  return { host, port };
}

function wrong(message: string): Failure {
  return new Failure('USAGE', message, { who: 'here', hint: 'a code reads like 7-crater-lantern; "wherry serve --code" shows it' });
}
