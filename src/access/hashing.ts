/**
 * Hashing: the one thread in which passwords are worked, and the queue before it.
 *
 * One at a time, so that all logins together take 64 MiB and one core, whatever comes. The thread starts at the first
 * need, ends when it had nothing to do for a minute, and keeps no process alive while it is idle. What waits is bounded,
 * in all and for each source; beyond that the answer is BUSY at once, and what the owner asks for goes first, in places
 * of its own, so that a flood of logins cannot keep the owner from setting a password.
 * Each password given here is zeroed here or in the thread, however it ends.
 */
import { Worker } from 'node:worker_threads';
import { Failure } from '../errors.ts';
import type { Recipe } from './derive.ts';
import type { Answer, Order } from './hasher.ts';

/** Logins that wait: at a fifth of a second each, the last one is answered after three. More would wait longer than people do. */
export const MAX_WAITING = 16;
/** Of these from one source: a quarter, so that it takes four sources to fill the queue. */
export const MAX_WAITING_OF_ONE = 4;
/** What the owner asks for comes one by one from commands; more than four is a script that should wait. */
const MAX_OWNER = 4;
/** Starting the thread costs some 30 ms, keeping it a few MiB. */
const IDLE_MS = 60_000;

/** On whose behalf: the owner of the server, or a login from a source (an address, or nothing that is known). */
export type Caller = 'owner' | { readonly from: string | undefined };

interface Job extends Order {
  readonly caller: Caller;
  readonly resolve: (key: Uint8Array) => void;
  readonly reject: (failure: Failure) => void;
}

export class Hashing implements AsyncDisposable {
  readonly #idleMs: number;
  readonly #waiting: Job[] = [];
  #current: Job | undefined;
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(idleMs = IDLE_MS) {
    this.#idleMs = idleMs;
  }

  /** The key of this password, whose memory is not the caller's any more. It must be a buffer of its own. */
  derive(recipe: Recipe, password: Uint8Array<ArrayBuffer>, caller: Caller): Promise<Uint8Array> {
    const refused = this.#refusal(caller);
    if (refused !== undefined) {
      password.fill(0);
      return Promise.reject(refused);
    }
    return new Promise((resolve, reject) => {
      const job: Job = { recipe, password, caller, resolve, reject };
      // Before the logins, after what the owner asked for earlier.
      const at = caller === 'owner' ? this.#waiting.findIndex((other) => other.caller !== 'owner') : -1;
      this.#waiting.splice(at < 0 ? this.#waiting.length : at, 0, job);
      this.#next();
    });
  }

  /** What waits or is being worked ends with SHUTDOWN at once; the thread ends with the hash it is at. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const job of this.#waiting.splice(0)) end(job, closed());
    this.#current?.reject(closed());
    await this.#stop();
  }

  #refusal(caller: Caller): Failure | undefined {
    if (this.#closed) return closed();
    if (this.#current === undefined) return undefined;
    if (caller === 'owner') return this.#count((other) => other === 'owner') < MAX_OWNER ? undefined : busy('passwords are being set');
    if (this.#count((other) => other !== 'owner') >= MAX_WAITING) return busy('people are logging in');
    const { from } = caller;
    if (from !== undefined && this.#count((other) => other !== 'owner' && other.from === from) >= MAX_WAITING_OF_ONE) return busy('logins of this address are waiting');
    return undefined;
  }

  #count(whose: (caller: Caller) => boolean): number {
    return this.#waiting.filter((job) => whose(job.caller)).length;
  }

  #next(): void {
    if (this.#current !== undefined) return;
    const job = this.#waiting.shift();
    if (job === undefined) {
      this.#rest();
      return;
    }
    clearTimeout(this.#idle);
    this.#current = job;
    const worker = (this.#worker ??= this.#start());
    worker.ref();
    const order: Order = { recipe: job.recipe, password: job.password };
    worker.postMessage(order, [job.password.buffer as ArrayBuffer]);
  }

  /** Nothing to do: the process may end, and after a while the thread does. */
  #rest(): void {
    this.#worker?.unref();
    this.#idle = setTimeout(() => { void this.#stop(); }, this.#idleMs).unref();
  }

  #start(): Worker {
    // The built file's own extension, so that the sources run as they are too.
    const worker = new Worker(new URL(import.meta.url.endsWith('.ts') ? './hasher.ts' : './hasher.js', import.meta.url));
    worker.on('message', (answer: Answer) => { this.#answered(worker, answer); });
    worker.on('error', (error) => { this.#lost(worker, error.message); });
    worker.on('exit', () => { this.#lost(worker, 'its thread stopped unexpectedly'); });
    return worker;
  }

  /** A thread that died, by an error or without one, is replaced with the next job. */
  #lost(worker: Worker, failure: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#answered(undefined, { failure });
  }

  /** Of a thread that was stopped in the meantime nothing is taken. */
  #answered(worker: Worker | undefined, answer: Answer): void {
    if (worker !== this.#worker) {
      if ('key' in answer) answer.key.fill(0);
      return;
    }
    const job = this.#current;
    this.#current = undefined;
    if ('key' in answer) job?.resolve(answer.key);
    else job?.reject(new Failure('INTERNAL', `a password could not be worked: ${answer.failure}`, { who: 'server' }));
    this.#next();
  }

  async #stop(): Promise<void> {
    clearTimeout(this.#idle);
    const worker = this.#worker;
    if (worker === undefined) return;
    this.#worker = undefined;
    worker.ref();
    const gone = new Promise((resolve) => { worker.once('exit', resolve); });
    worker.postMessage('close');
    await gone;
  }
}

function end(job: Job, failure: Failure): void {
  job.password.fill(0);
  job.reject(failure);
}

function busy(why: string): Failure {
  return new Failure('BUSY', `too many ${why} at this moment`, { who: 'server', hint: 'try again in a few seconds' });
}

function closed(): Failure {
  return new Failure('SHUTDOWN', 'the server is shutting down', { who: 'server' });
}
