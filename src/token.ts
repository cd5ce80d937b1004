/**
 * Token: the text by which a program comes in without a device of its own: `wherry_` and 48 letters.
 *
 *     wherry_ base64url( secret 32 bytes | first 4 bytes of SHA-256(secret) )
 *
 * The prefix and the checksum let people, and scanners that look for leaked secrets, tell a token from anything else, and a
 * mistyped one from an unknown one. Both ends derive an Ed25519 key from the secret; the server keeps the public half
 * only, so that its books let nobody in. Pure; what a token is good for is told by `access/tokens.ts`.
 */
import { createHash, type KeyObject } from 'node:crypto';
import { Failure } from './errors.ts';
import { keyFromSecret } from './identity.ts';
import { Secret } from './secret.ts';

const PREFIX = 'wherry_';
export const TOKEN_SECRET_BYTES = 32;
const CHECKSUM_BYTES = 4;

/** The one text that holds the secret. */
export function formatToken(secret: Secret<Uint8Array>): string {
  const bytes = secret.reveal();
  return `${PREFIX}${Buffer.concat([bytes, checksum(bytes)]).toString('base64url')}`;
}

/** The secret in a token; white space around it does not matter. Throws USAGE for anything `formatToken` does not make. */
export function parseToken(text: string): Secret<Uint8Array> {
  const trimmed = text.trim();
  const bytes = Buffer.from(trimmed.slice(PREFIX.length), 'base64url');
  const secret = new Secret(new Uint8Array(bytes.subarray(0, TOKEN_SECRET_BYTES)));
  if (bytes.byteLength !== TOKEN_SECRET_BYTES + CHECKSUM_BYTES || formatToken(secret) !== trimmed) {
    throw new Failure('USAGE', 'this is not a token', { who: 'here', hint: 'a token begins with wherry_ and has 48 more letters, digits, - or _; copy it whole' });
  }
  return secret;
}

/** The private key that a token stands for. */
export function tokenKey(secret: Secret<Uint8Array>): KeyObject {
  return keyFromSecret(secret, 'token');
}

function checksum(secret: Uint8Array): Buffer {
  return createHash('sha256').update(secret).digest().subarray(0, CHECKSUM_BYTES);
}
