/**
 * Derive: the key of a password, by a recipe. Synchronous and slow on purpose (a fifth of a second, 64 MiB), so it runs
 * in the thread of `hasher.ts` and nowhere else: the asynchronous forms take turns with the file system in libuv's pool,
 * where 40 logins at once made one `stat` wait for seconds. Whoever made the recipe has seen to its bounds (`phc.ts`).
 */
import * as crypto from 'node:crypto';

interface Common { readonly salt: Uint8Array; /** Bytes of the key. */ readonly length: number }
export interface Scrypt extends Common { readonly kind: 'scrypt'; /** The logarithm of N, to the base of 2. */ readonly ln: number; readonly r: number; readonly p: number }
export interface Argon2id extends Common { readonly kind: 'argon2id'; /** Memory in KiB. */ readonly m: number; readonly t: number; readonly p: number }

/** How a password is made a key: everything but the password. */
export type Recipe = Scrypt | Argon2id;

type Argon2Sync = (algorithm: 'argon2id', options: {
  message: Uint8Array; nonce: Uint8Array; parallelism: number; tagLength: number; memory: number; passes: number;
}) => Uint8Array;

/** Node has it from 24.7 on. */
const { argon2Sync } = crypto as { argon2Sync?: Argon2Sync };

export function hasArgon2(): boolean {
  return argon2Sync !== undefined;
}

export function derive(recipe: Recipe, password: Uint8Array): Uint8Array {
  if (recipe.kind === 'scrypt') {
    const { salt, length, ln, r, p } = recipe;
    // Node's own limit of 32 MiB is below what we need; scrypt takes 128 bytes for each of N, p and two more, times r.
    return crypto.scryptSync(password, salt, length, { N: 2 ** ln, r, p, maxmem: 128 * r * (2 ** ln + p + 2) });
  }
  if (argon2Sync === undefined) throw new Error('this Node has no Argon2');
  const { salt, length, m, t, p } = recipe;
  return argon2Sync('argon2id', { message: password, nonce: salt, parallelism: p, tagLength: length, memory: m, passes: t });
}
