/** Password: what may be one. Told before anything is asked of a server, and again where it is hashed (`access/passwords.ts`). Pure. */
import { isUtf8 } from 'node:buffer';
import { Failure } from './errors.ts';

/** Nobody types more; a longer one is refused before anything is hashed, since hashing it is work that a stranger asks for. */
export const MAX_PASSWORD_BYTES = 1024;
/** The least that NIST SP 800-63B accepts for a password a person chose; tries are limited by bans, so it is not guessed online. */
const MIN_CHARACTERS = 8;
/** RFC 7617 bans control characters from Basic authentication: such a password would work at one door and not at the other. */
const CONTROL = (byte: number): boolean => byte < 0x20 || byte === 0x7f;

/** Throws LIMIT for one that is too long, and USAGE for what a new one may not be. */
export function mustBePassword(password: Uint8Array): void {
  if (password.byteLength > MAX_PASSWORD_BYTES) throw tooLong();
  if (!isUtf8(password)) throw new Failure('USAGE', 'the password is no valid UTF-8', { hint: 'type it on a terminal that is set to UTF-8' });
  if (password.some(CONTROL)) throw new Failure('USAGE', 'a password has no control characters, such as a line break or a tab', { hint: 'choose one without; from a file, end it without a line break' });
  // Every character of UTF-8 has one byte that does not continue another.
  const characters = password.reduce((sum, byte) => sum + ((byte & 0xc0) === 0x80 ? 0 : 1), 0);
  if (characters < MIN_CHARACTERS) throw new Failure('USAGE', `a password has at least ${MIN_CHARACTERS} characters`, { hint: 'four words are easy to remember and hard to guess' });
}

export function tooLong(): Failure {
  return new Failure('LIMIT', `a password has at most ${MAX_PASSWORD_BYTES} bytes`);
}
