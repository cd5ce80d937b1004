/**
 * PHC: how a hashed password is written down, `$scrypt$ln=16,r=8,p=1$SALT$HASH` or `$argon2id$v=19$m=65536,t=3,p=4$SALT$HASH`.
 *
 * Pure. One spelling for each value: parameters in this order, numbers without leading zeros, base64 without padding.
 * A string may come from another program, so its cost is bounded both ways: from above, so that no stored string can hang
 * the server; from below, so that a book that leaks is no list of passwords. No message repeats the string.
 */
import { Failure } from '../errors.ts';
import type { Recipe } from './derive.ts';

/** A hashed password, taken apart. */
export interface Phc { readonly recipe: Recipe; readonly hash: Uint8Array }

/** 128 MiB while it runs: twice our own, and the most that common advice asks for (scrypt with N=2^17, r=8). */
const MAX_MEMORY = 128 << 20;
/** What N·r·p may be. Ours is 2^19; the least is what Django uses (N=2^14, r=8), the most takes twice as long as ours. */
const SCRYPT_WORK = { least: 2 ** 17, most: 2 ** 20 };
/** What KiB times passes may be: the least is below the cheapest that OWASP recommends (7 MiB, 5 passes), the most takes about as long as scrypt's. */
const ARGON2_WORK = { least: 2 ** 15, most: 2 ** 19 };
/** Scrypt works its parts one after the other, Argon2 in lanes; more than 16 of either is no setting that anybody uses. */
const MAX_PARALLEL = 16;
/** Eight bytes of salt are what the PHC form asks for at least; longer ones than 64 gain nothing. */
const SALT = { least: 8, most: 64 };
const HASH = { least: 16, most: 64 };
/** The longest string within these bounds has about 230 characters; what is longer is not looked at. */
const MAX_TEXT = 256;

const NUMBER = '([1-9][0-9]{0,8})';
const TAIL = String.raw`\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$`;
const SCRYPT = new RegExp(String.raw`^\$scrypt\$ln=${NUMBER},r=${NUMBER},p=${NUMBER}${TAIL}`);
const ARGON2 = new RegExp(String.raw`^\$argon2id\$v=19\$m=${NUMBER},t=${NUMBER},p=${NUMBER}${TAIL}`);

/** Takes the string apart; USAGE when it is none, or outside the bounds. */
export function parsePhc(text: string): Phc {
  const short = text.length <= MAX_TEXT ? text : '';
  const scrypt = SCRYPT.exec(short);
  const argon2 = ARGON2.exec(short);
  const found = scrypt ?? argon2;
  if (found === null) throw unusable('the stored password is not in a known form', 'the forms are $scrypt$ln=16,r=8,p=1$SALT$HASH and $argon2id$v=19$m=65536,t=3,p=4$SALT$HASH');
  const [first, second, p] = [Number(found[1]), Number(found[2]), Number(found[3])];
  const salt = bytes(found[4]!, SALT);
  const hash = bytes(found[5]!, HASH);
  if (p > MAX_PARALLEL) throw tooCostly();
  if (scrypt === null) checkArgon2(first, second, p);
  else checkScrypt(first, second, p);
  const common = { salt, length: hash.length, p };
  return { hash, recipe: scrypt === null ? { kind: 'argon2id', m: first, t: second, ...common } : { kind: 'scrypt', ln: first, r: second, ...common } };
}

export function writePhc({ recipe, hash }: Phc): string {
  const cost = recipe.kind === 'scrypt' ? `scrypt$ln=${recipe.ln},r=${recipe.r}` : `argon2id$v=19$m=${recipe.m},t=${recipe.t}`;
  return `$${cost},p=${recipe.p}$${base64(recipe.salt)}$${base64(hash)}`;
}

function checkScrypt(ln: number, r: number, p: number): void {
  // 2^30 and more would leave the range in which the products below are exact, and every bound anyway.
  if (ln > 30 || 128 * r * 2 ** ln > MAX_MEMORY) throw tooCostly();
  within(2 ** ln * r * p, SCRYPT_WORK);
}

function checkArgon2(m: number, t: number, p: number): void {
  if (m * 1024 > MAX_MEMORY) throw tooCostly();
  // Each lane needs eight blocks of a KiB.
  if (m < 8 * p) throw unusable('the stored password asks for less memory than Argon2 works with', SET_ANEW);
  within(m * t, ARGON2_WORK);
}

const SET_ANEW = 'set a new password for the account instead';

function within(work: number, { least, most }: { least: number; most: number }): void {
  if (work > most) throw tooCostly();
  if (work < least) throw unusable('the stored password costs too little to guess', SET_ANEW);
}

function tooCostly(): Failure {
  return unusable('the stored password takes more memory or time than a login may', SET_ANEW);
}

function bytes(text: string, { least, most }: { least: number; most: number }): Uint8Array {
  // A copy of its own: small buffers of Node share their memory with others.
  const found = Uint8Array.from(Buffer.from(text, 'base64'));
  if (base64(found) !== text) throw unusable('the salt or the hash of the stored password is not base64', 'copy the whole string');
  if (found.length < least || found.length > most) throw unusable(`the salt or the hash of the stored password is shorter than ${least} or longer than ${most} bytes`, SET_ANEW);
  return found;
}

function base64(value: Uint8Array): string {
  return Buffer.from(value).toString('base64').replace(/=+$/, '');
}

function unusable(message: string, hint: string): Failure {
  return new Failure('USAGE', message, { hint });
}
