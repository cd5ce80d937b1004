/**
 * InOrder: jobs that run side by side, of which the outcomes are dealt with one after the other, in the order the jobs were begun.
 *
 * So a disk gets its next pack while the answer for the last one is on its way, and answers stay in the order of the
 * questions. The first job or outcome that fails is the end: nothing is dealt with after it, and `onFailure` is told at
 * once, because whoever feeds jobs may be waiting for something else.
 */
import { Failure } from '../errors.ts';
import { Wait, type Waits } from '../session/waits.ts';

export class InOrder {
  readonly #most: number;
  readonly #onFailure: (failure: Failure) => void;
  readonly #wait: Wait | undefined;
  /** One for each job that is not dealt with yet, in order. */
  readonly #pending: Promise<void>[] = [];
  #failure: Failure | undefined;

  /** At most `most` jobs are under way: each holds memory. `waits` is told when one must end before the next may begin: they are the disk's. */
  constructor(most: number, onFailure: (failure: Failure) => void, waits?: Waits) {
    this.#most = most;
    this.#onFailure = onFailure;
    this.#wait = waits === undefined ? undefined : new Wait(waits);
  }

  /** Begins `job` when there is room for it; `deal` is called with its outcome in turn. Rejects when one before has failed. */
  async add<T>(job: () => Promise<T>, deal: (outcome: T) => Promise<void>): Promise<void> {
    while (this.#pending.length >= this.#most) {
      this.#wait?.for('disk');
      await this.#pending[0];
    }
    this.#wait?.for(undefined);
    if (this.#failure !== undefined) throw this.#failure;
    const before = this.#pending.at(-1);
    const done = this.#run(job(), before, deal).finally(() => this.#pending.splice(this.#pending.indexOf(done), 1));
    this.#pending.push(done);
  }

  /** Resolves when all jobs that were begun by now have ended, however they did. */
  async soFar(): Promise<void> {
    await Promise.all(this.#pending);
  }

  /** Resolves when all jobs have been dealt with. Rejects when one has failed, after the others have ended. */
  async idle(): Promise<void> {
    await Promise.all(this.#pending);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Never rejects. */
  async #run<T>(job: Promise<T>, before: Promise<void> | undefined, deal: (outcome: T) => Promise<void>): Promise<void> {
    try {
      const [outcome] = await Promise.all([job, before]);
      if (this.#failure === undefined) await deal(outcome);
    } catch (error) {
      await before;
      if (this.#failure !== undefined) return;
      this.#failure = Failure.from(error);
      this.#onFailure(this.#failure);
    }
  }
}
