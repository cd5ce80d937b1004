/**
 * Owed: what was taken away from somebody and is not on the disk yet, and when writing it is tried again.
 *
 * It holds in the running server already; should that be killed before it is written, it would hold no longer after the next start.
 * So it is tried again until it is written, less and less often, and told when it begins and when it is over. Writes nothing itself.
 */
import { Failure } from '../errors.ts';

/** Until the first further try (ms); each pause is twice the one before. */
const FIRST_MS = 1000;
/** A try writes a file of some MiB at most: once a minute costs nothing, and no room is missed for longer. */
const MOST_MS = 60_000;
/** How many are told by name. What has to be written is the book as it is then, however many there are. */
const MAX_NAMED = 20;

export interface OwedOptions {
  /** Tries to write it; resolves in any case. */
  again(): Promise<unknown>;
  /** It cannot be written, or is written now. */
  onTrouble?: ((message: string) => void) | undefined;
  firstMs?: number | undefined;
}

export class Owed implements Disposable {
  readonly #options: OwedOptions;
  readonly #what = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #pauseMs: number;
  #isTold = false;

  constructor(options: OwedOptions) {
    this.#options = options;
    this.#pauseMs = options.firstMs ?? FIRST_MS;
  }

  get isOwed(): boolean { return this.#what.size > 0; }

  /** `what` holds from now on, in words: "the token a is revoked". */
  add(what: string): void {
    if (this.#what.size < MAX_NAMED) this.#what.add(what);
  }

  /** All of it is on the disk. */
  paid(): void {
    if (this.#isTold) this.#options.onTrouble?.(`on the disk now: ${this.#names()}`);
    this[Symbol.dispose]();
    this.#what.clear();
    this.#isTold = false;
    this.#pauseMs = this.#options.firstMs ?? FIRST_MS;
  }

  /** It could not be written: told once, and tried again in a while. */
  failed({ message }: Failure): void {
    if (!this.#isTold) this.#options.onTrouble?.(`${this.#names()}, but not on the disk yet, which is tried again: ${message}`);
    this.#isTold = true;
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#options.again();
    }, this.#pauseMs).unref();
    this.#pauseMs = Math.min(2 * this.#pauseMs, MOST_MS);
  }

  /** The server ends, and it is not on the disk. */
  lost(): void {
    this.#options.onTrouble?.(`not on the disk, and holds no longer after the next start: ${this.#names()}; make room for the state folder and do it again then`);
  }

  /** Tries no more by itself. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #names(): string { return [...this.#what].join(', '); }
}

/** For the owner, who has taken `what` away, and has to know what of that is not done. */
export function notStored(what: string, { code, message, path }: Failure): Failure {
  return new Failure(code, `${what} in the running server, but not on its disk yet: ${message}`, {
    path, who: 'server', hint: 'make room for the state folder (df); it is tried again by itself at least once a minute, and when the server ends. If the server is killed before, do it again',
  });
}
