/**
 * Crew: has `Operations` performed, in this thread or in workers, and gives the answers as promises and async iterators.
 *
 * Work with the same key goes to the same worker, in the order asked for; the rest to the worker with the least to do.
 * Workers start on first use, do not keep the process alive while they have nothing to do, and are replaced when they die;
 * what they were doing then fails with INTERNAL. In this thread every step waits for one turn of the event loop, so that
 * long work lets sockets be read.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Failure } from '../../errors.ts';
import { isFolder } from './number.ts';
import { Operations, type Setup } from './operations.ts';
import { Runner, type Arguments, type InputOf, type LastOf, type LongName, type Reply, type Request, type Result, type ShortName, type StepOf } from './runner.ts';

/**
 * What a worker may have of new objects, in MiB: names and results go as soon as they are answered, so that more is garbage that waits.
 * V8 would take 48, on Node 24 96, for each worker in a long listing.
 */
const YOUNG_MIB = 12;

/** Whoever answers requests, one after the other. */
interface Lane {
  readonly pending: number;
  send(request: Request, transfer?: readonly ArrayBuffer[]): Promise<Reply>;
  close(): Promise<void>;
}

export class Crew {
  readonly #lanes: readonly Lane[];
  #ids = 0;

  /** `workers` 0 works in this thread. The root is opened now, here or not at all, so that a bad one is found at once; one that is away may come back. */
  constructor(setup: Setup, workers: number) {
    const here = new Operations(setup);
    if (setup.number === undefined || isFolder(setup.root, setup.number)) here.ready();
    if (workers === 0) this.#lanes = [new Here(new Runner(here))];
    else {
      here[Symbol.dispose]();
      this.#lanes = Array.from({ length: workers }, () => new Thread(setup));
    }
  }

  async call<K extends ShortName>(name: K, ...args: Arguments<K>): Promise<Result<K>> {
    this.#ids += 1;
    return valueOf(await this.#lane(undefined).send({ id: this.#ids, do: 'call', name, args })) as Result<K>;
  }

  /**
   * Runs a long operation. `answer` is asked for what a step wants to know before the next one; `key` orders
   * operations; the buffers of `transfer` are this thread's no longer. One step is made ahead of the one in use, no more,
   * and none before `room` says so.
   */
  async *steps<K extends LongName>(name: K, args: Arguments<K>, options: StepOptions<K> = {}): AsyncGenerator<StepOf<K>, LastOf<K>, void> {
    this.#ids += 1;
    const id = this.#ids;
    const lane = this.#lane(options.key);
    let reply = await lane.send({ id, do: 'start', name, args }, options.transfer);
    let coming: Promise<Reply> | undefined;
    let [ended, left] = [false, false];
    try {
      for (;;) {
        ended = !('done' in reply) || reply.done;
        const value = valueOf(reply);
        if (ended) return value as LastOf<K>;
        const step = value as StepOf<K>;
        const input = await options.answer?.(step);
        coming = options.room === undefined ? lane.send({ id, do: 'next', input }) : options.room().then((room) => (left ? NOTHING : lane.send({ id, do: 'next', input: room }, room instanceof ArrayBuffer ? [room] : [])));
        // Whoever leaves here never asks for it; it must not be a rejection that nobody heard.
        coming.catch(() => undefined);
        yield step;
        reply = await coming;
      }
    } finally {
      left = true;
      if (!ended) await lane.send({ id, do: 'stop' });
    }
  }

  /** Runs a long operation to its end. */
  async finish<K extends LongName>(name: K, args: Arguments<K>, options: StepOptions<K> = {}): Promise<LastOf<K>> {
    const steps = this.steps(name, args, options);
    for (;;) {
      const { value, done } = await steps.next();
      if (done === true) return value;
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.close()));
  }

  #lane(key: string | undefined): Lane {
    if (key === undefined) return this.#lanes.reduce((least, lane) => (lane.pending < least.pending ? lane : least));
    let sum = 0;
    for (let at = 0; at < key.length; at += 1) sum = (sum * 31 + key.charCodeAt(at)) >>> 0;
    return this.#lanes[sum % this.#lanes.length]!;
  }
}

export interface StepOptions<K extends LongName> {
  readonly key?: string;
  readonly transfer?: readonly ArrayBuffer[];
  readonly answer?: (step: StepOf<K>) => Promise<InputOf<K>>;
  /** Asked before each step but the first, in place of `answer`; a buffer is handed over. While it waits, the step before is in use already. */
  readonly room?: (() => Promise<InputOf<K>>) | undefined;
}

/** In place of a step that nobody asks for any more. */
const NOTHING: Reply = { id: 0, value: undefined, done: true };

function valueOf(reply: Reply): unknown {
  if ('value' in reply) return reply.value;
  const { code, message, ...details } = reply.failure;
  throw new Failure(code, message, details);
}

class Here implements Lane {
  readonly pending = 0;
  readonly #runner: Runner;
  #closed = false;

  constructor(runner: Runner) {
    this.#runner = runner;
  }

  async send(request: Request): Promise<Reply> {
    await turn();
    if (this.#closed) throw closed();
    return this.#runner.run(request);
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#runner[Symbol.dispose]();
    return Promise.resolve();
  }
}

/** Descriptors of a closed vault may be somebody else's by now: nothing is done on them. */
function closed(): Failure {
  return new Failure('SHUTDOWN', 'the folder was closed');
}

interface Waiting { readonly resolve: (reply: Reply) => void; readonly reject: (failure: Failure) => void }

class Thread implements Lane {
  readonly #setup: Setup;
  /** One answer comes for each request, in the order of the requests. */
  readonly #waiting: Waiting[] = [];
  #worker: Worker | undefined;
  #closed = false;

  constructor(setup: Setup) {
    this.#setup = setup;
  }

  get pending(): number {
    return this.#waiting.length;
  }

  send(request: Request, transfer: readonly ArrayBuffer[] = []): Promise<Reply> {
    if (this.#closed) return Promise.reject(closed());
    const worker = (this.#worker ??= this.#start());
    return new Promise((resolve, reject) => {
      worker.postMessage(request, [...transfer]);
      if (this.#waiting.push({ resolve, reject }) === 1) worker.ref();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    const worker = this.#worker;
    if (worker === undefined) return;
    this.#worker = undefined;
    worker.ref();
    const gone = new Promise((resolve) => { worker.once('exit', resolve); });
    worker.postMessage('close');
    await gone;
  }

  #start(): Worker {
    // The built file's own extension, so that the sources run as they are too.
    const worker = new Worker(new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url), {
      workerData: this.#setup,
      // Descriptors opened there are used and closed here; the worker must not take them for its own.
      trackUnmanagedFds: false,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB },
    });
    worker.unref();
    worker.on('message', (reply: Reply) => {
      this.#waiting.shift()?.resolve(reply);
      if (this.#waiting.length === 0 && this.#worker === worker) worker.unref();
    });
    worker.on('error', (error) => { this.#lost(worker, error); });
    worker.on('exit', () => { this.#lost(worker, undefined); });
    return worker;
  }

  #lost(worker: Worker, cause: unknown): void {
    if (this.#worker === worker) this.#worker = undefined;
    for (const { reject } of this.#waiting.splice(0)) reject(new Failure('INTERNAL', 'the disk worker stopped unexpectedly', { cause }));
  }
}
