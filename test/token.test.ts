import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Failure } from '../src/errors.ts';
import { publicBytes } from '../src/identity.ts';
import { Secret } from '../src/secret.ts';
import { formatToken, parseToken, TOKEN_SECRET_BYTES, tokenKey } from '../src/token.ts';

const secret = fc.uint8Array({ minLength: TOKEN_SECRET_BYTES, maxLength: TOKEN_SECRET_BYTES });
const wrapped = (bytes: Uint8Array): Secret<Uint8Array> => new Secret(bytes);

describe('a token', () => {
  test('is read back as it was written, white space around it or not', () => {
    fc.assert(fc.property(secret, (bytes) => {
      expect(parseToken(formatToken(wrapped(bytes))).reveal()).toEqual(new Uint8Array(bytes));
      expect(parseToken(` ${formatToken(wrapped(bytes))}\n`).reveal()).toEqual(new Uint8Array(bytes));
    }));
  });

  test('with one letter wrong, missing or more is told apart from one that is unknown', () => {
    const token = formatToken(wrapped(new Uint8Array(TOKEN_SECRET_BYTES).fill(7)));
    for (let at = 0; at < token.length; at += 1) {
      const other = token[at] === 'x' ? 'y' : 'x';
      expect(() => parseToken(token.slice(0, at) + other + token.slice(at + 1))).toThrow(Failure);
      expect(() => parseToken(token.slice(0, at) + token.slice(at + 1))).toThrow('this is not a token');
      expect(() => parseToken(token.slice(0, at) + other + token.slice(at))).toThrow('this is not a token');
    }
  });

  test.each(['', 'wherry_', 'wherry1-AAAAA', 'WHERRY_' + 'A'.repeat(48)])('%j is none', (text) => {
    expect(() => parseToken(text)).toThrow('this is not a token');
  });

  test('makes the same key each time, and another one for another secret', () => {
    const [one, two] = [wrapped(new Uint8Array(32).fill(1)), wrapped(new Uint8Array(32).fill(2))];
    expect(publicBytes(tokenKey(one))).toEqual(publicBytes(tokenKey(one)));
    expect(publicBytes(tokenKey(one))).not.toEqual(publicBytes(tokenKey(two)));
  });
});
