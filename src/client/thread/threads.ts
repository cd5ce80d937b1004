/**
 * Threads: where the lanes of one transfer are carried that are not carried here, and how many such threads there are.
 *
 * One starts when a lane needs it; a further lane goes to a new one, as long as there may be more, else to the one with the
 * fewest. One that dies takes its lanes with it, which is no failure of the transfer, and is not replaced.
 */
import { MessageChannel, Worker } from 'node:worker_threads';
import { clientBudget } from '../../session/budget.ts';
import { ThreadLane } from './lane.ts';
import { THREAD_BYTES, type Pass, type Purpose, type Task } from './words.ts';

/** What a thread may have of new objects, in MiB: a few small ones for each block, which are garbage at once. */
const YOUNG_MIB = 4;
/** How long one may take to end when its connections are closed (ms): longer than those wait for their peers. */
const END_MS = 5_000;

interface Thread { readonly worker: Worker; lanes: number }

export class Threads implements Disposable {
  readonly #most: number;
  readonly #all = new Set<Thread>();

  /** At most `most` of them. */
  constructor(most: number) {
    this.#most = most;
  }

  /** A lane, which is on its way to the server. */
  lane(pass: Pass, purpose: Purpose): ThreadLane {
    const thread = this.#thread();
    const { port1, port2 } = new MessageChannel();
    thread.worker.postMessage({ do: 'carry', pass, purpose, port: port2 } satisfies Task, [port2]);
    thread.lanes += 1;
    const lane = new ThreadLane(port1);
    void lane.closed.then(() => { thread.lanes -= 1; });
    return lane;
  }

  #thread(): Thread {
    const least = [...this.#all].reduce<Thread | undefined>((best, one) => (best === undefined || one.lanes < best.lanes ? one : best), undefined);
    if (least !== undefined && (least.lanes === 0 || this.#all.size >= this.#most)) return least;
    // The built file's own extension, so that the sources run as they are too.
    const worker = new Worker(new URL(import.meta.url.endsWith('.ts') ? './carrier.ts' : './carrier.js', import.meta.url), {
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB },
    });
    const thread = { worker, lanes: 0 };
    this.#all.add(thread);
    worker.unref(); // lanes that are open keep the process alive by their ports
    worker.on('error', () => {}); // told by the end of its lanes
    clientBudget.reserve(THREAD_BYTES, 0, () => {});
    worker.once('exit', () => {
      this.#all.delete(thread);
      clientBudget.release(THREAD_BYTES);
    });
    return thread;
  }

  /** They end by themselves, when their connections are closed. */
  [Symbol.dispose](): void {
    for (const { worker } of this.#all) {
      worker.postMessage({ do: 'leave' } satisfies Task);
      const timer = setTimeout(() => void worker.terminate(), END_MS).unref();
      worker.once('exit', () => clearTimeout(timer));
    }
  }
}
