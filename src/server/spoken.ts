/**
 * Spoken codes of a running server: opened on request, told as events, announced on the local network for as long as they are open.
 *
 * `access/codes.ts` decides; this connects it to time, to the log and to the network. A code that cannot be announced is open all the
 * same: it is used by address then.
 */
import { type CodeChange, type CodeEnd, Codes, type CodesOptions, type CodeWish, type Spoken } from '../access/codes.ts';
import { type From, Starts } from '../access/starts.ts';
import { Failure } from '../errors.ts';
import type { Credentials } from '../identity.ts';
import { networkInterfaces } from 'node:os';
import { reachableAt } from './addresses.ts';
import type { Listen } from './listen.ts';
import type { ServerEvent } from './log.ts';

export interface SpokenOptions extends Omit<CodesOptions, 'onChange' | 'starts'> {
  /** Tells the network that a code with this number is open here, until it is disposed; undefined: there is no network. */
  announce(number: number): Promise<AsyncDisposable | undefined>;
  /** Where a code has to be taken by address, since no network has a way here. */
  onlyAt(): string | undefined;
  onEvent(event: ServerEvent): void;
}

/** Announces codes of a server that listens there; nothing is announced where there is nobody to tell. */
export function announcerOf(bound: () => Listen[]): SpokenOptions['announce'] {
  return async (number) => {
    if (reachableAt(bound(), networkInterfaces()).every(({ kind }) => kind === 'loopback')) return undefined;
    return (await import('../nearby/announce.ts')).announce({ number, bound: bound() });
  };
}

/** The address of a server that this machine alone reaches; undefined for others. */
export function onlyHere(bound: readonly Listen[]): string | undefined {
  const ways = reachableAt(bound, networkInterfaces());
  return ways.every(({ kind }) => kind === 'loopback') ? ways[0]?.address : undefined;
}

/** The longest that a timer of Node can wait (ms): one that is longer would fire at once. Later a code is refused by its time all the same. */
const LONGEST_MS = 2 ** 31 - 1;

const CLOSED: Readonly<Record<CodeEnd, string>> = {
  used: 'the code was used', expired: 'the code has expired', guessed: 'the code was tried wrongly too often and is gone', withdrawn: 'the code was withdrawn',
};

export class SpokenCodes implements AsyncDisposable {
  readonly #codes: Codes;
  readonly #options: SpokenOptions;
  #timer: NodeJS.Timeout | undefined;
  /** What is announced, and what is being taken back, one after the other. */
  #announced: Promise<AsyncDisposable | undefined> = Promise.resolve(undefined);

  constructor(options: SpokenOptions) {
    this.#options = options;
    this.#codes = new Codes({ ...options, starts: new Starts(), onChange: (change) => this.#changed(change) });
  }

  /** A new code, in place of the one that is open. */
  async open(wanted: CodeWish): Promise<{ code: string; expires: number; at: string | undefined }> {
    const { text, expires } = await this.#codes.renew(wanted);
    return { code: text, expires, at: this.#options.onlyAt() };
  }

  /** As `Codes.start`. */
  start(session: number, exporter: Uint8Array, point: Uint8Array, from: From): Uint8Array { return this.#codes.start(session, exporter, point, from); }
  /** As `Codes.finish`. */
  finish(session: number, credentials: Credentials): Promise<Spoken> { return this.#codes.finish(session, credentials); }
  /** As `Codes.forget`. */
  forget(session: number): boolean { return this.#codes.forget(session); }

  /** Closes a code whose invite was withdrawn, and announces it no more. */
  recheck(): void { this.#codes.expire(); }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    this.#silence();
    await this.#announced;
  }

  #changed(change: CodeChange): void {
    clearTimeout(this.#timer);
    this.#silence();
    if (change.is === 'open') {
      const { code, text, role, account, expires } = change;
      const now = (this.#options.now ?? Date.now)();
      this.#timer = setTimeout(() => this.#codes.expire(), Math.min(expires - now + 1, LONGEST_MS)).unref();
      this.#options.onEvent({ event: 'code', spoken: text, at: this.#options.onlyAt(), ...(account === undefined ? { role } : { account }), expires: new Date(expires).toISOString() });
      this.#announced = this.#announced.then(() => this.#announce(code.number));
      return;
    }
    const { why, follows } = change;
    const next = follows || why === 'used' ? '' : '; for another: wherry invite --code';
    this.#options.onEvent({ event: 'code-closed', reason: why, message: CLOSED[why] + next });
  }

  #silence(): void {
    this.#announced = this.#announced.then(async (announced) => {
      await announced?.[Symbol.asyncDispose]();
      return undefined;
    });
  }

  async #announce(number: number): Promise<AsyncDisposable | undefined> {
    try {
      return await this.#options.announce(number);
    } catch (error) {
      const { message } = Failure.from(error);
      this.#options.onEvent({ event: 'warning', message: `the code is not announced on the network: ${message}; it works by address: wherry join CODE@HOST` });
      return undefined;
    }
  }
}
