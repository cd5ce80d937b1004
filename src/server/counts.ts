/** Counts: the calls of `Accounting` between a process that needs them and the one that keeps the counts, at both ends. */
import { Failure } from '../errors.ts';
import type { Accounting } from './accounting.ts';
import { type Answering, type Asking, failureOf, told } from './talk.ts';
import { Takings } from './takings.ts';

/** Calls that may wait for their answer: each upload and download of a worker has at most one or two. */
const MAX_ASKED = 10_000;

/** Where they are asked. */
export class AskedCounts {
  readonly #say: (asking: Asking) => void;
  readonly #waiting = new Map<number, { resolve(value: number | undefined): void; reject(failure: Failure): void }>();
  #numbered = 0;

  constructor(say: (asking: Asking) => void) {
    this.#say = say;
  }

  readonly accounting: Accounting = {
    keep: async (...given) => (await this.#ask('keep', given)) ?? 0,
    probe: async (...given) => (await this.#ask('probe', given)) ?? 0,
    extend: async (...given) => void (await this.#ask('extend', given)),
    end: async (...given) => void (await this.#ask('end', given)),
    change: async (...given) => void (await this.#ask('change', given)),
    spend: async (...given) => void (await this.#ask('spend', given)),
    pace: async (...given) => void (await this.#ask('pace', given)),
    left: (...given) => this.#ask('left', given),
    quota: (...given) => this.#ask('quota', given),
    remember: async (...given) => void (await this.#ask('remember', given)),
    recall: async (...given) => (await this.#ask('recall', given)) ?? 0,
  };

  answered({ asked, value, failure }: Answering): void {
    const waiting = this.#waiting.get(asked);
    this.#waiting.delete(asked);
    if (failure === undefined) waiting?.resolve(value);
    else waiting?.reject(failureOf(failure));
  }

  /** Nobody answers any more. */
  over(): void {
    for (const { reject } of this.#waiting.values()) reject(new Failure('LOST', 'the process that keeps the counts has ended', { who: 'server', hint: 'run the same command again' }));
    this.#waiting.clear();
  }

  #ask(call: keyof Accounting, given: readonly unknown[]): Promise<number | undefined> {
    if (this.#waiting.size >= MAX_ASKED) return Promise.reject(new Failure('BUSY', 'too many transfers are being counted', { who: 'server', hint: 'try again in a moment' }));
    this.#numbered += 1;
    const asked = this.#numbered;
    return new Promise((resolve, reject) => {
      this.#waiting.set(asked, { resolve, reject });
      this.#say({ asked, call, given });
    });
  }
}

/** In the process that keeps the counts, for one worker. */
export class AnsweredCounts {
  readonly #accounting: Accounting;
  readonly #answer: (answering: Answering) => void;
  /** Room that is kept for this worker, and whether the disk is measured there, for when it is gone. */
  readonly #kept = new Set<number>();
  readonly #takings = new Takings();

  constructor(accounting: Accounting, answer: (answering: Answering) => void) {
    this.#accounting = accounting;
    this.#answer = answer;
  }

  hear({ asked, call, given }: Asking): void {
    const answer = (this.#accounting[call] as (...words: readonly unknown[]) => Promise<number | undefined | void>)(...given);
    void answer.then(
      (value) => {
        if ((call === 'keep' || call === 'probe') && typeof value === 'number' && value !== 0) this.#kept.add(value);
        if (call === 'end') this.#kept.delete(given[0] as number);
        if (call === 'spend') this.#takings.note(...(given as Parameters<Accounting['spend']>));
        this.#answer({ asked, value: typeof value === 'number' ? value : undefined });
      },
      (error: unknown) => this.#answer({ asked, failure: told(error) }),
    );
  }

  /** The worker has ended: what it was about to receive rests, uncounted until it is counted anew. */
  over(): void {
    for (const number of this.#kept) void this.#accounting.end(number, 0);
    this.#kept.clear();
    this.#takings.giveBack(this.#accounting);
  }
}
