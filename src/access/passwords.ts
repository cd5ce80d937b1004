/**
 * Passwords: what may be one, how it is hashed for the book, and whether a password is the one that was hashed.
 *
 * For the doors whose clients know nothing better. Hashed by scrypt (N=2^16, r=8, p=1) in a thread of its own
 * (`hashing.ts`). Who has no account, or none with a password, is refused after the same work as who has one and is wrong.
 * A password is the bytes that were given, as UTF-8, and never normalised: hashes from other programs were made of the
 * bytes as typed, and normalising takes a string, which cannot be zeroed. It is in no message; copies made here are zeroed.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { Failure } from '../errors.ts';
import { MAX_PASSWORD_BYTES, mustBePassword, tooLong } from '../password.ts';
import { hasArgon2, type Scrypt } from './derive.ts';
import { Hashing } from './hashing.ts';
import { parsePhc, type Phc, writePhc } from './phc.ts';

/** 64 MiB and about a fifth of a second. */
function freshRecipe(): Scrypt {
  return { kind: 'scrypt', ln: 16, r: 8, p: 1, salt: Uint8Array.from(randomBytes(16)), length: 32 };
}

/** USAGE when this string cannot be verified here: asked when it is stored or read, since a login only says no. */
export function checkPhc(text: string): void {
  verifiable(text);
}

function verifiable(text: string): Phc {
  const phc = parsePhc(text);
  if (phc.recipe.kind === 'scrypt' || hasArgon2()) return phc;
  throw new Failure('USAGE', `the stored password was made by Argon2, which Node ${process.versions.node} does not have`, {
    hint: 'run the server with Node 24.7 or newer, or set a new password for the account',
  });
}

export class Passwords implements AsyncDisposable {
  readonly #hashing: Hashing;
  /** Stands for the hash that an unknown account does not have. */
  readonly #dummy: Phc = { recipe: freshRecipe(), hash: Uint8Array.from(randomBytes(32)) };

  constructor(options: { readonly idleMs?: number } = {}) {
    this.#hashing = new Hashing(options.idleMs);
  }

  /** The PHC string of a new password; USAGE or LIMIT when it may not be one, BUSY when too many are being set. */
  async hash(password: Uint8Array | string): Promise<string> {
    const own = ownBytes(password);
    try {
      mustBePassword(own);
    } catch (error) {
      own.fill(0);
      throw error;
    }
    const recipe = freshRecipe();
    const hash = await this.#hashing.derive(recipe, own, 'owner');
    return writePhc({ recipe, hash });
  }

  /**
   * Whether this is the password of that string. No string, or one that cannot be verified here, costs the same and is
   * false. `from` is the source whose share of the queue is used, such as an address. LIMIT when too long, BUSY when too
   * many wait: both say nothing of the account.
   */
  async verify(phc: string | undefined, password: Uint8Array | string, options: { readonly from?: string } = {}): Promise<boolean> {
    const own = ownBytes(password);
    const known = usable(phc);
    const { recipe, hash } = known ?? this.#dummy;
    const key = await this.#hashing.derive(recipe, own, { from: options.from });
    const equal = timingSafeEqual(key, hash);
    key.fill(0);
    return equal && known !== undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#hashing[Symbol.asyncDispose]();
  }
}

function usable(phc: string | undefined): Phc | undefined {
  if (phc === undefined) return undefined;
  try {
    return verifiable(phc);
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

/** The password in memory of our own, which can be moved to the thread and zeroed; Node's small buffers share theirs. */
function ownBytes(password: Uint8Array | string): Uint8Array<ArrayBuffer> {
  // A character is at least a byte, so a string that is too long is known before it is encoded.
  if (password.length > MAX_PASSWORD_BYTES || Buffer.byteLength(password) > MAX_PASSWORD_BYTES) throw tooLong();
  if (typeof password !== 'string') return Uint8Array.from(password);
  // Half a pair would become the same replacement character as any other half.
  if (!password.isWellFormed()) throw new Failure('USAGE', 'the password is no valid text');
  return new TextEncoder().encode(password);
}
