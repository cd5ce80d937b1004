/**
 * The yard: the jobs of one agent at work. It begins what may begin, tries again what may pass, and keeps the book.
 *
 * Numbers decide who is first. So many run at the same time for each server, so many in all; jobs in line run one after the
 * other, and one that waits for another try holds the line, since what comes behind may build on it. Whatever ends a try,
 * the book knows before anybody is told.
 */
import type { Progress } from '../../client/api.ts';
import { Failure } from '../../errors.ts';
import { EXITS } from '../exits.ts';
import { Pace } from '../pace.ts';
import { attempt, type Outcome } from './attempt.ts';
import type { Book } from './book.ts';
import type { Diary } from './diary.ts';
import { clipped, isOver, saying, type Job, type Reached, type State, type Told, type Wish } from './job.ts';
import { Recall } from './recall.ts';
import { pauseBefore } from './retry.ts';

/** A large transfer fills the line alone; three keep it filled while one of them ends. */
const MAX_PER_SERVER = 3;
/** Each has connections, buffers and threads of its own. */
const MAX_RUNNING = 12;
/** How far a job is may be lost in a crash; it is not worth a flush each second. */
const NOTED_MS = 10_000;

interface Running {
  readonly controller: AbortController;
  readonly over: Promise<void>;
}

/** Why a try is ended from outside: what the job is then. */
class Halt extends Failure {
  readonly state: State;

  constructor(state: State) {
    super('CANCELLED', `the job is ${state}`);
    this.state = state;
  }
}

export class Yard {
  readonly #book: Book;
  readonly #home: string | undefined;
  readonly #diary: Diary;
  readonly #running = new Map<number, Running>();
  readonly #timers = new Map<number, NodeJS.Timeout>();
  readonly #heard = new Map<number, Set<(job: Job) => void>>();
  readonly #recall = new Recall();
  #closed = false;

  constructor(book: Book, home: string | undefined, diary: Diary) {
    this.#book = book;
    this.#home = home;
    this.#diary = diary;
  }

  /** Whether something runs, waits or is queued. */
  get isBusy(): boolean {
    return this.#book.all.some((job) => !isOver(job) && job.state !== 'paused');
  }

  get jobs(): readonly Job[] {
    return this.#book.all;
  }

  /** Takes up what an earlier agent left. */
  async resume(): Promise<void> {
    for (const job of this.#book.all) {
      if (job.state === 'running' || job.state === 'waiting') await this.#book.save({ ...job, state: 'queued', next: undefined });
    }
    this.#begin();
  }

  async add(wish: Wish): Promise<Job> {
    if (this.#closed) throw new Failure('SHUTDOWN', 'the agent for jobs is ending', { who: 'here', hint: 'run the same command again' });
    const job = await this.#book.add(wish, Date.now());
    this.#diary(`job ${job.number}: ${job.what}`);
    this.#begin();
    return job;
  }

  /** Throws NOTFOUND. */
  find(number: number): Job {
    const job = this.#book.get(number);
    if (job !== undefined) return job;
    throw new Failure('NOTFOUND', `there is no job ${number}`, { who: 'rule', hint: 'wherry jobs shows them' });
  }

  /** The job, when it is over. Throws LOST when nobody waits any more. */
  async whenOver(number: number, left: Promise<void>): Promise<Job> {
    const job = this.find(number);
    if (isOver(job)) return job;
    const heard = this.#heard.get(number) ?? new Set();
    this.#heard.set(number, heard);
    let hear: (job: Job) => void = () => undefined;
    try {
      return await Promise.race([new Promise<Job>((done) => { heard.add((hear = done)); }), left.then(() => { throw new Failure('LOST', 'nobody waits'); })]);
    } finally {
      heard.delete(hear);
      if (heard.size === 0) this.#heard.delete(number);
    }
  }

  async kill(number: number): Promise<void> {
    if (isOver(this.find(number))) throw over(number);
    await this.#halt(number, 'killed');
  }

  async pause(number: number): Promise<void> {
    if (isOver(this.find(number))) throw over(number);
    await this.#halt(number, 'paused');
  }

  /** A paused job goes on; one that waits tries at once. */
  async goOn(number: number): Promise<void> {
    const job = this.find(number);
    if (isOver(job)) throw over(number);
    if (job.state === 'running' || job.state === 'queued') return;
    this.#forgetTimer(number);
    await this.#book.save({ ...job, state: 'queued', next: undefined, fails: 0, failingSince: undefined });
    this.#begin();
  }

  async clear(): Promise<void> {
    for (const job of this.#book.all) if (isOver(job)) await this.#book.remove(job.number);
  }

  /** Stops all tries, so that they can go on. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const number of this.#timers.keys()) this.#forgetTimer(number);
    await Promise.all([...this.#running.keys()].map((number) => this.#halt(number, 'queued')));
  }

  async #halt(number: number, state: State): Promise<void> {
    this.#forgetTimer(number);
    const running = this.#running.get(number);
    running?.controller.abort(new Halt(state));
    await running?.over;
    const job = this.find(number);
    // It may have ended by itself meanwhile.
    if (running === undefined && job.state !== state && !isOver(job)) await this.#keep(ended(job, state));
    this.#begin();
  }

  #begin(): void {
    if (this.#closed) return;
    const line = this.#book.all.find((job) => job.inLine && !isOver(job) && job.state !== 'paused');
    for (const job of this.#book.all) {
      if (job.state !== 'queued' || this.#running.has(job.number) || (job.inLine && job !== line)) continue;
      const there = [...this.#running.keys()].filter((number) => this.#book.get(number)?.server === job.server).length;
      if (this.#running.size >= MAX_RUNNING) return;
      if (there < MAX_PER_SERVER) this.#start(job);
    }
  }

  #start(job: Job): void {
    const controller = new AbortController();
    const over = this.#run(job, controller.signal)
      .catch((error: unknown) => this.#diary(`job ${job.number}: ${Failure.from(error).message}`))
      .finally(() => {
        this.#running.delete(job.number);
        this.#begin();
      });
    this.#running.set(job.number, { controller, over });
  }

  async #run({ number }: Job, signal: AbortSignal): Promise<void> {
    const before = this.find(number);
    await this.#keep({ ...before, state: 'running', begun: before.begun ?? Date.now(), tries: before.tries + 1 });
    const pace = new Pace();
    let noted = performance.now();
    const outcome = await attempt(this.find(number), {
      home: this.#home, signal, remembered: this.#recall.of(number, performance.now()),
      say: (line) => line.split('\n').forEach((one) => this.#book.note(saying(this.find(number), one))),
      onProgress: (progress) => {
        const now = performance.now();
        pace.take(progress, now);
        const reached = reachedAt(progress, pace);
        // What resume kept is no step forward.
        const moved = progress.bytes > progress.kept ? { fails: 0, failingSince: undefined } : {};
        const job = { ...this.find(number), ...moved, reached };
        this.#book.note(job);
        if (now - noted < NOTED_MS) return;
        noted = now;
        void this.#book.save(job).catch((error: unknown) => this.#diary(`job ${number}: ${Failure.from(error).message}`));
      },
      settle: async (words) => this.#book.save({ ...this.find(number), ...words }),
    });
    this.#recall.ended(number, performance.now());
    await this.#keep(this.#after(without(this.find(number), outcome.left), outcome, signal));
  }

  /** What the job is after a try. */
  #after(job: Job, { exit, failure }: Outcome, signal: AbortSignal): Job {
    const halted: unknown = signal.reason;
    if (signal.aborted && failure !== undefined) return ended(job, halted instanceof Halt ? halted.state : 'queued');
    if (failure === undefined) return { ...job, state: 'done', exit, ended: Date.now(), failure: undefined, next: undefined };
    const now = Date.now();
    const fails = job.fails + 1;
    const failingSince = job.failingSince ?? now;
    const told: Told = { code: failure.code, message: clipped(failure.message), hint: failure.hint === undefined ? undefined : clipped(failure.hint) };
    const pause = pauseBefore(failure, fails, now - failingSince, Math.random());
    if (pause === undefined) return { ...job, state: 'failed', exit, ended: now, failure: told, fails, failingSince, next: undefined };
    return { ...job, state: 'waiting', failure: told, fails, failingSince, next: now + pause };
  }

  /** Writes the book, then tells who waits. */
  async #keep(job: Job): Promise<void> {
    try {
      await this.#book.save(job);
    } catch (error) {
      // A full disk: what is known is told all the same.
      this.#diary(`job ${job.number}: ${Failure.from(error).message}`);
    }
    this.#diary(`job ${job.number}: ${job.state}${job.state === 'waiting' || job.state === 'failed' ? `: ${job.failure?.message ?? ''}` : ''}`);
    if (job.state === 'waiting') this.#wake(job);
    if (!isOver(job)) return;
    this.#recall.forget(job.number);
    for (const hear of this.#heard.get(job.number) ?? []) hear(job);
  }

  #wake({ number, next = 0 }: Job): void {
    if (this.#closed) return;
    const turn = async (): Promise<void> => {
      this.#timers.delete(number);
      await this.#book.save({ ...this.find(number), state: 'queued', next: undefined });
      this.#begin();
    };
    this.#timers.set(number, setTimeout(() => void turn().catch((error: unknown) => this.#diary(`job ${number}: ${Failure.from(error).message}`)), Math.max(0, next - Date.now())));
  }

  #forgetTimer(number: number): void {
    clearTimeout(this.#timers.get(number));
    this.#timers.delete(number);
  }
}

function reachedAt({ name, bytes, files, totalBytes, totalFiles }: Progress, { rate = 0 }: Pace): Reached {
  return { name: name.slice(0, 1000), bytes, files, totalBytes, totalFiles, rate: Math.round(rate) };
}

/** The job with the sources that are left, so that one that is done is not in the way of the next try (`--if-absent`); several went into a folder, and so does the last. */
function without(job: Job, left: readonly string[]): Job {
  const kept = job.sources.flatMap((source, index) => (left.includes(source) ? [index] : []));
  if (kept.length === 0 || kept.length === job.sources.length) return job;
  const of = (words: readonly string[]): string[] => kept.map((index) => words[index]!);
  const answers = job.answers === undefined ? undefined : kept.map((index) => job.answers![index]!);
  return { ...job, sources: of(job.sources), typed: of(job.typed), answers, target: job.target.endsWith('/') ? job.target : `${job.target}/` };
}

function ended(job: Job, state: State): Job {
  const still = { ...job, state, next: undefined };
  return state === 'killed' ? { ...still, exit: EXITS.TERMINATED, ended: Date.now() } : still;
}

function over(number: number): Failure {
  return new Failure('NOTFOUND', `job ${number} is over`, { who: 'rule', hint: `wherry jobs -l ${number} shows what became of it` });
}
