import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hasArgon2 } from '../../src/access/derive.ts';
import { Hashing, MAX_WAITING, MAX_WAITING_OF_ONE } from '../../src/access/hashing.ts';
import { checkPhc, Passwords } from '../../src/access/passwords.ts';
import { Failure } from '../../src/errors.ts';

/** A quarter of our own cost, so that the tests of the queue are not long: the third vector of RFC 7914, section 12. */
const RFC = { password: 'pleaseletmein', phc: '$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw' };

/** From Python's hashlib.scrypt, which is OpenSSL's: n=65536, r=8, p=1, dklen=32, salt=bytes(range(16)). */
const PYTHON = { password: 'correct horse battery staple ✓', phc: '$scrypt$ln=16,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$5AUB74vrRlLv03xTeJbMPoN8DNa7Qh20pQa6KaKND6k' };

/** From the tests of the reference implementation of Argon2 (test.c): version 19, t=2, m=2^16, p=1. */
const ARGON2 = { password: 'password', phc: '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc' };

let passwords: Passwords;

beforeEach(() => { passwords = new Passwords(); });
afterEach(() => passwords[Symbol.asyncDispose]());

async function refusal(attempt: Promise<unknown>): Promise<Failure> {
  return attempt.then(() => { throw new Error('was accepted'); }, (error: unknown) => {
    if (error instanceof Failure) return error;
    throw error;
  });
}

describe('a password that was set', () => {
  test('is verified, and no other is', async () => {
    const phc = await passwords.hash('Grüße, Wörld 7');
    expect(phc).toMatch(/^\$scrypt\$ln=16,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(() => { checkPhc(phc); }).not.toThrow();
    expect(await passwords.verify(phc, 'Grüße, Wörld 7')).toBe(true);
    expect(await passwords.verify(phc, 'grüße, Wörld 7')).toBe(false);
    expect(await passwords.verify(phc, '')).toBe(false);
  });

  test('is the same as text and as bytes, and the bytes of whoever asks stay as they are', async () => {
    const bytes = Buffer.from('Grüße, Wörld 7');
    const phc = await passwords.hash(bytes);
    expect(await passwords.verify(phc, 'Grüße, Wörld 7')).toBe(true);
    expect(await passwords.verify(phc, bytes)).toBe(true);
    expect(bytes.toString()).toBe('Grüße, Wörld 7');
  });

  test('is another one in another normal form of Unicode', async () => {
    const phc = await passwords.hash('pass-caf\u00e9');
    expect(await passwords.verify(phc, 'pass-cafe\u0301')).toBe(false);
  });

  test('has a salt of its own each time', async () => {
    const [one, other] = await Promise.all([passwords.hash('the same words'), passwords.hash('the same words')]);
    expect(one).not.toBe(other);
  });

  test.each<[string, string | Uint8Array, string]>([
    ['of seven characters, though more bytes', 'äöüäöüß', 'at least 8 characters'],
    ['that is empty', '', 'at least 8 characters'],
    ['with a line break', 'from a file\n', 'no control characters'],
    ['with a NUL', 'eight\0eight', 'no control characters'],
    ['that is no UTF-8', Uint8Array.of(0x80, 0xff, 1, 2, 3, 4, 5, 6, 7, 8), 'no valid UTF-8'],
    ['with half a surrogate pair', 'eight eight \ud800', 'no valid text'],
  ])('is not one %s', async (_, password, why) => {
    const failure = await refusal(passwords.hash(password));
    expect(failure).toMatchObject({ code: 'USAGE' });
    expect(failure.message).toContain(why);
    if (password.length > 0) expect(`${failure.message} ${failure.hint}`).not.toContain(password);
  });

  test('has at most a kilobyte, and is refused before it takes a place in the queue', async () => {
    const logins = Array.from({ length: 1 + MAX_WAITING }, (_, at) => passwords.verify(RFC.phc, 'x', { from: `192.0.2.${at}` }));
    for (const tooLong of ['x'.repeat(1025), 'ä'.repeat(513), new Uint8Array(1025).fill(0x78)]) {
      expect(await refusal(passwords.hash(tooLong))).toMatchObject({ code: 'LIMIT', retry: false });
      expect(await refusal(passwords.verify(RFC.phc, tooLong))).toMatchObject({ code: 'LIMIT', retry: false });
    }
    await Promise.all(logins);
    const longest = 'ä'.repeat(512);
    expect(await passwords.verify(await passwords.hash(longest), longest)).toBe(true);
  });
});

describe('a login without anything to compare to', () => {
  test.each([
    ['no account, or none with a password', undefined],
    ['a string that is none', 'x'],
    ['a string that would take a gigabyte', PYTHON.phc.replace('ln=16', 'ln=20')],
  ])('is wrong, whatever the password: %s', async (_, phc) => {
    expect(await passwords.verify(phc, PYTHON.password)).toBe(false);
    expect(await passwords.verify(phc, '')).toBe(false);
  });
});

describe('a string of another program', () => {
  test.each([['the RFC', RFC], ['Python', PYTHON]])('is verified: %s', async (_, { phc, password }) => {
    checkPhc(phc);
    expect(await passwords.verify(phc, password)).toBe(true);
    expect(await passwords.verify(phc, `${password} `)).toBe(false);
  });

  test.runIf(hasArgon2())('is verified: Argon2, where Node has it', async () => {
    checkPhc(ARGON2.phc);
    expect(await passwords.verify(ARGON2.phc, ARGON2.password)).toBe(true);
    expect(await passwords.verify(ARGON2.phc, 'passwore')).toBe(false);
  });

  test.runIf(!hasArgon2())('is refused when it is stored: Argon2, where Node does not have it; a login is wrong', async () => {
    expect(() => { checkPhc(ARGON2.phc); }).toThrow(expect.objectContaining({ code: 'USAGE', hint: expect.stringContaining('24.7') }));
    expect(await passwords.verify(ARGON2.phc, ARGON2.password)).toBe(false);
  });
});

describe('the queue', () => {
  test('holds sixteen logins behind the one that is worked; the next is told at once to try again', async () => {
    const done: number[] = [];
    const logins = Array.from({ length: 1 + MAX_WAITING }, (_, at) => passwords.verify(RFC.phc, RFC.password, { from: `192.0.2.${at}` }).then((right) => { done.push(at); return right; }));
    expect(await refusal(passwords.verify(RFC.phc, RFC.password, { from: '198.51.100.1' }))).toMatchObject({ code: 'BUSY', retry: true, who: 'server' });
    expect(done).toEqual([]);
    expect(await Promise.all(logins)).toEqual(logins.map(() => true));
    expect(done).toEqual(logins.map((_, at) => at));
    expect(await passwords.verify(RFC.phc, RFC.password, { from: '198.51.100.1' })).toBe(true);
  });

  test('gives one source four of its places, and the others to others', async () => {
    const flood = Array.from({ length: 20 }, () => passwords.verify(RFC.phc, 'guess', { from: '192.0.2.1' }));
    const other = passwords.verify(RFC.phc, RFC.password, { from: '192.0.2.2' });
    const ends = await Promise.allSettled(flood);
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1 + MAX_WAITING_OF_ONE);
    for (const end of ends) if (end.status === 'rejected') expect(end.reason).toMatchObject({ code: 'BUSY' });
    expect(await other).toBe(true);
  });

  test('lets the owner set a password first, however many log in; and no more than four wait for that', async () => {
    const done: string[] = [];
    const logins = Array.from({ length: 1 + MAX_WAITING }, (_, at) => passwords.verify(RFC.phc, 'x', { from: `192.0.2.${at}` }).then(() => done.push('login')));
    const set = Array.from({ length: 4 }, (_, at) => passwords.hash('a new password').then(() => done.push(`set ${at}`)));
    expect(await refusal(passwords.hash('a new password'))).toMatchObject({ code: 'BUSY' });
    await Promise.all([...logins, ...set]);
    expect(done.slice(0, 6)).toEqual(['login', 'set 0', 'set 1', 'set 2', 'set 3', 'login']);
  });

  test('D12: leaves the disk alone: 200 calls of stat during 40 logins are answered before the eighth hash is', async () => {
    // In libuv's pool, which both share, no stat would begin before all but four of the hashes had ended. Here the calls need
    // milliseconds, and eight hashes more than a second; what is compared is which comes first, not how long it takes.
    let hashes = 0;
    const logins = Array.from({ length: 40 }, (_, at) => passwords.verify(undefined, 'x', { from: `192.0.2.${at}` }).then(() => { hashes += 1; }));
    const settled = Promise.allSettled(logins);
    await Promise.all(Array.from({ length: 200 }, () => stat(import.meta.filename)));
    expect(hashes).toBeLessThan(8);
    expect((await settled).filter(({ status }) => status === 'fulfilled')).toHaveLength(1 + MAX_WAITING);
    expect(hashes).toBe(1 + MAX_WAITING);
  });

  test('goes on after a hash that failed, and has taken the password in either case', async () => {
    await using hashing = new Hashing();
    const [failing, working] = [new Uint8Array(8).fill(1), new Uint8Array(8).fill(1)];
    const recipe = { kind: 'scrypt', r: 8, p: 1, salt: new Uint8Array(16), length: 32 } as const;
    // N=1 is no N of scrypt; no string that is read has it.
    const failed = refusal(hashing.derive({ ...recipe, ln: 0 }, failing, 'owner'));
    const key = hashing.derive({ ...recipe, ln: 10 }, working, 'owner');
    expect(await failed).toMatchObject({ code: 'INTERNAL', who: 'server' });
    expect(await key).toHaveLength(32);
    expect([failing.length, working.length]).toEqual([0, 0]);
  });

  test('zeroes a password that it refuses', async () => {
    const hashing = new Hashing();
    await hashing[Symbol.asyncDispose]();
    const password = new Uint8Array(8).fill(1);
    expect(await refusal(hashing.derive({ kind: 'scrypt', ln: 10, r: 8, p: 1, salt: new Uint8Array(16), length: 32 }, password, 'owner'))).toMatchObject({ code: 'SHUTDOWN' });
    expect(password).toEqual(new Uint8Array(8));
  });
});

describe('the end', () => {
  test('in the middle of a hash is SHUTDOWN for it and for what waits, and for all that is asked later', async () => {
    expect(await passwords.verify(RFC.phc, RFC.password)).toBe(true);
    const logins = [1, 2, 3].map(() => refusal(passwords.verify(PYTHON.phc, PYTHON.password)));
    const set = refusal(passwords.hash('a new password'));
    await turn();
    await passwords[Symbol.asyncDispose]();
    for (const failure of await Promise.all([...logins, set])) expect(failure.code).toBe('SHUTDOWN');
    expect((await refusal(passwords.verify(RFC.phc, RFC.password))).code).toBe('SHUTDOWN');
    expect((await refusal(passwords.hash('a new password'))).code).toBe('SHUTDOWN');
    await passwords[Symbol.asyncDispose]();
  });

  const module = pathToFileURL(join(resolve(import.meta.dirname, '../..', process.env['WHERRY_DIST'] ?? 'dist'), 'access', 'passwords.js')).href;
  /** Runs this as a program; one that does not end in half the time after which an idle thread would is ended and a failure. */
  const run = (body: string): Promise<unknown> => promisify(execFile)(process.execPath, ['-e', `import(${JSON.stringify(module)}).then(async ({ Passwords }) => {${body}});`], { timeout: 30_000 });

  test('of a process does not wait for the thread to have been idle long enough', async () => {
    await run(`await new Passwords().verify(undefined, 'x');`);
  });

  test.runIf(process.platform === 'linux')('of the thread comes when it was idle, and the next login has another', async () => {
    // Its timer keeps the process alive until there are as many threads as before.
    await run(`
      const { readdirSync } = require('node:fs');
      const threads = () => readdirSync('/proc/self/task').length;
      const without = threads();
      const passwords = new Passwords({ idleMs: 1 });
      for (const _ of [1, 2]) {
        const login = passwords.verify(undefined, 'x');
        if (threads() === without) throw new Error('no thread was started');
        await login;
        await new Promise((gone) => {
          const timer = setInterval(() => { if (threads() === without) { clearInterval(timer); gone(); } }, 5);
        });
      }
    `);
  });
});
