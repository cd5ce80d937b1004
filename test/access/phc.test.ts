import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Recipe } from '../../src/access/derive.ts';
import { parsePhc, writePhc } from '../../src/access/phc.ts';
import { Failure } from '../../src/errors.ts';

const SALT = 'AAECAwQFBgcICQoLDA0ODw';
const HASH = '5AUB74vrRlLv03xTeJbMPoN8DNa7Qh20pQa6KaKND6k';

function refusal(text: string): Failure {
  try {
    parsePhc(text);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('was accepted');
}

describe('the written form of a password', () => {
  test('has the algorithm, its cost, the salt and the hash', () => {
    const { recipe, hash } = parsePhc(`$scrypt$ln=16,r=8,p=1$${SALT}$${HASH}`);
    expect(recipe).toEqual({ kind: 'scrypt', ln: 16, r: 8, p: 1, salt: Uint8Array.from({ length: 16 }, (_, at) => at), length: 32 });
    expect(hash).toHaveLength(32);
    expect(parsePhc(`$argon2id$v=19$m=65536,t=3,p=4$${SALT}$${HASH}`).recipe).toMatchObject({ kind: 'argon2id', m: 65_536, t: 3, p: 4 });
  });

  const size = (min: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: min, maxLength: 64 });
  const scrypt = fc.record({ kind: fc.constant('scrypt' as const), ln: fc.constant(14), r: fc.integer({ min: 8, max: 32 }), p: fc.constantFrom(1, 2) });
  const argon2 = fc.record({ kind: fc.constant('argon2id' as const), m: fc.integer({ min: 32_768, max: 131_072 }), t: fc.integer({ min: 1, max: 4 }), p: fc.integer({ min: 1, max: 16 }) });

  test('is read as it was written, whatever the cost, the salt and the hash', () => {
    fc.assert(fc.property(fc.oneof(scrypt, argon2), size(8), size(16), (cost, salt, hash) => {
      const recipe: Recipe = { ...cost, salt, length: hash.length };
      expect(parsePhc(writePhc({ recipe, hash }))).toEqual({ recipe, hash });
    }));
  });

  test('is nothing but USAGE when it is anything else, and the message does not repeat it', () => {
    fc.assert(fc.property(fc.string({ minLength: 3, maxLength: 300 }), (noise) => {
      const failure = refusal(`$scrypt$ln=16,r=8,p=1$${SALT}$${HASH}$${noise}`);
      expect(failure.code).toBe('USAGE');
      expect(`${failure.message} ${failure.hint}`).not.toContain(HASH);
    }));
  });

  test.each([
    ['nothing', ''],
    ['a password in clear', 'correct horse battery staple'],
    ['another algorithm', '$2b$12$GhvMmNVjRW29ulnudl.LbuAnUtN/LRfe1JsBm1Xu6LE3059z5Tr8m'],
    ['Argon2 of another kind', `$argon2i$v=19$m=65536,t=3,p=4$${SALT}$${HASH}`],
    ['Argon2 of an old version', `$argon2id$v=16$m=65536,t=3,p=4$${SALT}$${HASH}`],
    ['parameters in another order', `$scrypt$r=8,ln=16,p=1$${SALT}$${HASH}`],
    ['a number with a leading zero', `$scrypt$ln=016,r=8,p=1$${SALT}$${HASH}`],
    ['a line break at the end', `$scrypt$ln=16,r=8,p=1$${SALT}$${HASH}\n`],
  ])('is not %s', (_, text) => {
    expect(refusal(text)).toMatchObject({ code: 'USAGE', message: 'the stored password is not in a known form' });
  });

  test.each([
    ['padding', `$scrypt$ln=16,r=8,p=1$${SALT}==$${HASH}`, 'known form'],
    ['bits that mean nothing', `$scrypt$ln=16,r=8,p=1$${SALT.slice(0, -1)}x$${HASH}`, 'not base64'],
    ['a salt of six bytes', `$scrypt$ln=16,r=8,p=1$AAECAwQF$${HASH}`, 'shorter than 8'],
    ['a hash of eight bytes', `$scrypt$ln=16,r=8,p=1$${SALT}$AAECAwQFBgc`, 'shorter than 16'],
    ['the 1 GiB of the last vector of RFC 7914', `$scrypt$ln=20,r=8,p=1$${SALT}$${HASH}`, 'more memory or time'],
    ['a logarithm that no number holds', `$scrypt$ln=999999999,r=8,p=1$${SALT}$${HASH}`, 'more memory or time'],
    ['little memory for very long', `$scrypt$ln=10,r=8,p=999999999$${SALT}$${HASH}`, 'more memory or time'],
    ['more work than a login may be', `$scrypt$ln=16,r=8,p=3$${SALT}$${HASH}`, 'more memory or time'],
    ['next to no work', `$scrypt$ln=10,r=8,p=1$${SALT}$${HASH}`, 'too little'],
    ['the 4 TiB that Argon2 allows', `$argon2id$v=19$m=999999999,t=1,p=1$${SALT}$${HASH}`, 'more memory or time'],
    ['a million passes of Argon2', `$argon2id$v=19$m=1024,t=1000000,p=1$${SALT}$${HASH}`, 'more memory or time'],
    ['one cheap pass of Argon2', `$argon2id$v=19$m=1024,t=1,p=1$${SALT}$${HASH}`, 'too little'],
    ['more lanes than memory', `$argon2id$v=19$m=64,t=1024,p=16$${SALT}$${HASH}`, 'less memory'],
  ])('may not have %s', (_, text, why) => {
    const failure = refusal(text);
    expect(failure.code).toBe('USAGE');
    expect(failure.message).toContain(why);
    expect(failure.hint).toBeDefined();
  });
});
