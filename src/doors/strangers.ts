/**
 * Strangers: sign-ins from addresses where nobody has signed in lately, so many at once and so many a second after that, for a whole server.
 *
 * Where there are several processes one of them has the allowance, and the others ask it, for one at a time: so what holds for
 * the server is not more with each process, and a crowd that is all at one of them has all of it. Whoever asks waits in line. Knows no protocol.
 */
import { Allowance } from '../allowance.ts';

/** What a gate asks. */
export interface Strangers {
  /** Takes one, if there is one. */
  take(): boolean;
  /** Resolves when there may be one. Asked once at a time. */
  wait(): Promise<void>;
}

export interface StrangerLimits {
  readonly strangersAtOnce: number;
  readonly strangersPerSecond: number;
}

/** Where the allowance is. */
export class StrangersHere implements Strangers {
  readonly #allowance: Allowance;
  /** One for each process at most. */
  readonly #line: (() => void)[] = [];
  #pausing = false;

  constructor({ strangersAtOnce, strangersPerSecond }: StrangerLimits) {
    this.#allowance = new Allowance(strangersAtOnce, strangersPerSecond);
  }

  /** From now on; what was saved up stays. */
  set limits({ strangersAtOnce, strangersPerSecond }: StrangerLimits) { this.#allowance.adjust(strangersAtOnce, strangersPerSecond); }

  take(): boolean { return this.#allowance.take(); }

  wait(): Promise<void> {
    return new Promise((resolve) => { setTimeout(resolve, Math.ceil(this.#allowance.waitMs)).unref(); });
  }

  /** Takes one for another process; resolves when it has it. */
  lend(): Promise<void> {
    return new Promise((resolve) => {
      this.#line.push(resolve);
      this.#serve();
    });
  }

  #serve(): void {
    while (this.#line.length > 0 && this.#allowance.take()) this.#line.shift()!();
    if (this.#line.length === 0 || this.#pausing) return;
    this.#pausing = true;
    void this.wait().then(() => {
      this.#pausing = false;
      this.#serve();
    });
  }
}

/** Where it is not: asks for one when it is needed, by `ask`. */
export class StrangersElsewhere implements Strangers {
  readonly #ask: () => Promise<void>;
  /** Was lent, and is not used: whoever it was for has gone. */
  #spare = 0;

  constructor(ask: () => Promise<void>) {
    this.#ask = ask;
  }

  take(): boolean {
    if (this.#spare === 0) return false;
    this.#spare -= 1;
    return true;
  }

  async wait(): Promise<void> {
    await this.#ask();
    this.#spare += 1;
  }
}
