/**
 * Noted: how far the audit has come, in a small file beside its folder, `audit.last`: so that records which are there no more are missed at the next start.
 *
 *     {"seq":52416,"digest":"<SHA-256 of that line, hex>"}
 *
 * It may lag behind the audit, by a second or by what a crash took, and is never ahead of what is on the disk. Whoever can remove
 * records can remove it too: it shows what was lost and what was cleared away by mistake; against an attacker, digests have to be noted elsewhere.
 */
import { Failure } from '../../errors.ts';
import { readPrivate, writePrivate } from '../../private.ts';
import type { Head } from './record.ts';

export class Noted {
  readonly #path: string;
  readonly #onTrouble: (message: string) => void;
  #seq: number | undefined;
  #isTroubled = false;

  constructor(folder: string, onTrouble: (message: string) => void) {
    this.#path = `${folder}.last`;
    this.#onTrouble = onTrouble;
  }

  /** Undefined when nothing was noted, or what there is cannot be read, which is told. */
  async read(): Promise<Head | undefined> {
    try {
      const text = await readPrivate(this.#path);
      return text === undefined ? undefined : parse(text);
    } catch (error) {
      this.#onTrouble(`whether records of the audit are missing cannot be told: ${Failure.from(error).message}`);
      return undefined;
    }
  }

  /** Everything up to `head` is on the disk. A note that cannot be written keeps nothing from being recorded; it is told once. */
  async write(head: Head): Promise<void> {
    if (head.seq === this.#seq || head.seq === 0) return;
    try {
      await writePrivate(this.#path, `${JSON.stringify({ seq: head.seq, digest: head.digest })}\n`);
      this.#seq = head.seq;
      this.#isTroubled = false;
    } catch (error) {
      if (!this.#isTroubled) this.#onTrouble(`how far the audit has come cannot be noted: ${Failure.from(error).message}; it is written all the same`);
      this.#isTroubled = true;
    }
  }
}

function parse(text: string): Head {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const { seq, digest } = Object(value) as { seq?: unknown; digest?: unknown };
  if (Number.isSafeInteger(seq) && typeof digest === 'string' && /^[0-9a-f]{64}$/.test(digest)) return { seq: seq as number, digest };
  throw new Failure('IO', 'the file audit.last was changed');
}
