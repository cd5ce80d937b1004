/**
 * The book of jobs: one file for each, in a folder that only its user can open. The agent alone writes it.
 *
 * Every write replaces the file in one step and is on the disk before it resolves, so that what is known of a job
 * survives a power cut. A file that cannot be understood is left alone and its number not used again. Jobs that are over
 * are kept for some days, so that one can still see what became of them, and then swept.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../errors.ts';
import { privateFolder, readPrivate, writePrivate } from '../../private.ts';
import { isOver, MAX_NUMBER, readJob, type Job, type Wish } from './job.ts';

/** Bounds the folder and every list of jobs: more than a person can look through. */
export const MAX_JOBS = 1000;
/** Long enough to come back from a week away. */
const KEPT_MS = 7 * 86_400_000;

const FILE = /^([1-9]\d{0,5})\.json$/;
/** What a write that was cut leaves behind. */
const DRAFT = /^\.[0-9a-f]{16}\.new$/;

/** The jobs in `folder`, by number, or only some of them; empty where there is no folder. `broken` is told of files that are none. */
export async function readJobs(folder: string, broken: (name: string) => void = () => undefined, some?: ReadonlySet<number>): Promise<Map<number, Job>> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const jobs = new Map<number, Job>();
  const numbers = names.map((name) => Number(FILE.exec(name)?.[1] ?? 0)).filter((number) => number > 0 && some?.has(number) !== false).sort((a, b) => a - b);
  for (const number of numbers.slice(-MAX_JOBS)) {
    try {
      const job = readJob(JSON.parse((await readPrivate(fileOf(folder, number))) ?? ''));
      if (job.number === number) jobs.set(number, job);
      else broken(`${number}.json`);
    } catch {
      broken(`${number}.json`);
    }
  }
  return jobs;
}

function fileOf(folder: string, number: number): string {
  return join(folder, `${number}.json`);
}

export class Book {
  readonly #folder: string;
  readonly #jobs: Map<number, Job>;
  /** Files that are no jobs hold their numbers. */
  readonly #spoilt: ReadonlySet<number>;
  /** One write at a time for each job, so that the newest is the last. */
  readonly #writing = new Map<number, Promise<void>>();

  private constructor(folder: string, jobs: Map<number, Job>, spoilt: ReadonlySet<number>) {
    this.#folder = folder;
    this.#jobs = jobs;
    this.#spoilt = spoilt;
  }

  static async open(folder: string, broken: (name: string) => void): Promise<Book> {
    await privateFolder(folder);
    for (const name of await readdir(folder)) if (DRAFT.test(name)) await rm(join(folder, name), { force: true });
    const spoilt = new Set<number>();
    const jobs = await readJobs(folder, (name) => {
      spoilt.add(parseInt(name, 10));
      broken(name);
    });
    return new Book(folder, jobs, spoilt);
  }

  get all(): readonly Job[] {
    return [...this.#jobs.values()];
  }

  get(number: number): Job | undefined {
    return this.#jobs.get(number);
  }

  /** Adds a job under the next number. Throws LIMIT when there are too many that are not over. */
  async add(wish: Wish, now: number): Promise<Job> {
    if (this.#jobs.size + this.#spoilt.size >= MAX_JOBS) await this.#makeRoom();
    const job: Job = { ...wish, number: this.#nextNumber(), created: now, asked: wish.sources.length, state: 'queued', tries: 0, fails: 0, said: [], unsaid: 0 };
    await this.save(job);
    return job;
  }

  /** Takes a job's new state; resolves when it is on the disk. */
  save(job: Job): Promise<void> {
    this.#jobs.set(job.number, job);
    const before = this.#writing.get(job.number) ?? Promise.resolve();
    // What is newest when its turn comes is written.
    const turn = before.catch(() => undefined).then(async () => {
      const newest = this.#jobs.get(job.number);
      if (newest !== undefined) await writePrivate(fileOf(this.#folder, job.number), `${JSON.stringify(newest)}\n`);
    });
    const settled = turn.finally(() => { if (this.#writing.get(job.number) === settled) this.#writing.delete(job.number); });
    this.#writing.set(job.number, settled);
    return settled;
  }

  /** Takes a job's new state, which the next `save` writes: for what may be lost, such as how far it is. */
  note(job: Job): void {
    this.#jobs.set(job.number, job);
  }

  async remove(number: number): Promise<void> {
    await this.#writing.get(number)?.catch(() => undefined);
    this.#jobs.delete(number);
    await rm(fileOf(this.#folder, number), { force: true });
  }

  /** Removes what has been over for long. */
  async sweep(now: number): Promise<void> {
    for (const job of this.all) if (isOver(job) && (job.ended ?? job.created) < now - KEPT_MS) await this.remove(job.number);
  }

  async #makeRoom(): Promise<void> {
    const oldest = this.all.filter(isOver).sort((a, b) => (a.ended ?? 0) - (b.ended ?? 0))[0];
    if (oldest === undefined) throw new Failure('LIMIT', `there are ${MAX_JOBS} jobs already`, { who: 'here', hint: 'wait for some of them, or kill some: wherry jobs shows them' });
    await this.remove(oldest.number);
  }

  /** One more than the highest, so that a number means one job for as long as anybody remembers it; small again once all are gone. */
  #nextNumber(): number {
    const used = new Set([...this.#jobs.keys(), ...this.#spoilt]);
    const next = Math.max(0, ...used) + 1;
    if (next <= MAX_NUMBER) return next;
    let free = 1;
    while (used.has(free)) free += 1;
    return free;
  }
}
