/**
 * Recent: what accounts that may not replace files have put where lately, so that a folder whose upload was cut can be sent once more.
 *
 * To such an account a name that is taken says nothing, and must not: it would be a way to try what others' files hold. Who may not read is a
 * device or token by itself, who may read the account as a whole: that is what an account is called here. Of what it put there itself it
 * knows the bytes already, so it may be told that they are still there. Forgotten after a week, or when there is no more room: then a name is taken, as before. Digests only, no names. Held in memory; a
 * server keeps what is in it in its state folder, too.
 */
import { digestOf } from '../digest.ts';
import { PART_DAYS } from '../keeping.ts';
import type { RemotePath } from '../path.ts';
import type { Level } from '../store/vault.ts';

/** Files of one account, some 10 MB: more than anybody sends again one by one, in packs some minutes. */
const MAX_OF_ACCOUNT = 65_536;
/** Files of all accounts, some 40 MB. */
const MAX_FILES = 4 * MAX_OF_ACCOUNT;
/** Files of one account, and of all. */
export interface Most { readonly account: number; readonly files: number }
export const MOST: Most = { account: MAX_OF_ACCOUNT, files: MAX_FILES };
/** As long as the rest of a cut upload is kept. */
const KEPT_MS = PART_DAYS * 86_400_000;
/** Of a digest: what is alike by chance is so once in 2^128. */
const KEY_BYTES = 16;

/** What a drive asks. */
export interface Memory {
  note(owner: string, path: RemotePath, digest: Uint8Array, level: Level): void;
  has(owner: string, path: RemotePath, digest: Uint8Array, level: Level): boolean | Promise<boolean>;
}

interface Put { readonly at: number; readonly level: Level }

export class Recent implements Memory {
  readonly #accounts = new Map<string, Map<string, Put>>();
  readonly now: () => number;
  readonly #most: Most;
  #files = 0;

  /** `now` in ms since 1970; `most` files of one account, and of all. */
  constructor(now: () => number = Date.now, most: Most = MOST) {
    this.now = now;
    this.#most = most;
  }

  /** The account has put a file with this digest at `path`, and was promised so much of it. */
  note(account: string, path: RemotePath, digest: Uint8Array, level: Level): void { this.noteKey(account, putKey(path, digest), level); }

  /** The same by `putKey`; it may have been before. False: there was no room. */
  noteKey(account: string, key: string, level: Level, at = this.now()): boolean {
    if (at > this.now() || this.now() - at >= KEPT_MS) return false;
    const own = this.#accounts.get(account) ?? new Map<string, Put>();
    this.#accounts.set(account, own);
    if (own.delete(key)) this.#files -= 1;
    this.#forgetOld(own);
    if (own.size >= this.#most.account) this.#forget(own, own.keys().next().value!);
    if (this.#files >= this.#most.files) for (const each of this.#accounts.values()) this.#forgetOld(each);
    if (this.#files >= this.#most.files) return false; // who came first stays
    own.set(key, { at, level });
    this.#files += 1;
    return true;
  }

  /** Whether it has, and was promised as much. */
  has(account: string, path: RemotePath, digest: Uint8Array, level: Level): boolean { return this.hasKey(account, putKey(path, digest), level); }

  hasKey(account: string, key: string, level: Level): boolean {
    const put = this.#accounts.get(account)?.get(key);
    return put !== undefined && this.now() - put.at < KEPT_MS && (level === 'visible' || put.level === 'durable');
  }

  /** They are in the order in which they came. */
  #forgetOld(own: Map<string, Put>): void {
    for (const [key, { at }] of own) {
      if (this.now() - at < KEPT_MS) return;
      this.#forget(own, key);
    }
  }

  #forget(own: Map<string, Put>, key: string): void {
    own.delete(key);
    this.#files -= 1;
  }
}

/** What is remembered of a file: its digest and its path, as one. */
export function putKey(path: RemotePath, digest: Uint8Array): string {
  return Buffer.from(digestOf(Buffer.concat([digest, Buffer.from(path)])).subarray(0, KEY_BYTES)).toString('latin1');
}
