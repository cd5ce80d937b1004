/**
 * Lanes, decided here: over how many connections one large file goes, and in which threads these are.
 *
 * One connection carries at most what the kernel lets be on the way in one round trip, and begins with little; at a long distance
 * that is less than the line. So for a large file far away three further ones are opened at once, and then four more, which
 * are closed again unless the file became faster by a tenth. Near by, one connection is held to what one thread can encrypt: where
 * there are processors to spare, one further connection is tried for a very large file, and then another one, on the same condition.
 * Each signs in like the first one, to the address that answered, and carries nothing but this file, in a thread of its own where
 * there are processors for that. A lane that fails, or cannot be opened, is no failure of the transfer.
 */
import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { Lanes, type Lane } from '../transfer/lanes.ts';
import { LANE_KEY_BYTES } from '../wire/messages.ts';
import type { Dialled, Distance } from './dial.ts';
import type { Threads } from './thread/threads.ts';
import type { Pass } from './thread/words.ts';

/** Below this distance one connection is not held to less than the processors can do: 4 MiB on the way, Linux's default, are 400 MB/s at 10 ms. */
const FAR_MS = 10;
/**
 * Less than this is there as soon over one connection. That needs 9 round trips to get up to 4 MiB on the way and one for
 * each further 4 MiB; further connections need 3 to be there, and then 9 for 32 MiB together.
 */
const FAR_BYTES = 32 << 20;
/** Near by this takes half a second: time to start a thread, and to measure twice. */
const NEAR_BYTES = 256 << 20;
/** Further connections, one step after the other. */
const FAR_STEPS = [3, 4];
const NEAR_STEPS = [1, 1];
/** What those of a step must gain: far away those of the first need not, since one connection at its beginning cannot be measured. */
const GAIN = 1.1;
/** Processors with which one at least is idle while this thread, a lane's, and the system's disk threads are busy; and with which that is so on a server of the same kind on this machine too. */
const FAR_CORES = 3;
const NEAR_CORES = 4;
/** Threads for one transfer: each takes some megabytes by itself, and four are more than a server that receives in one can take. */
const MAX_THREADS = 4;
/** Round trips until a new connection is no longer at its beginning (TCP doubles in each what it has on the way, from some 14 KB: 0.9 MB after 6), and then of measuring. */
const WARM_TRIPS = 6;
const MEASURED_TRIPS = 4;
/** At short distances a few round trips are too little to measure in (ms). */
const MEASURED_MS = 200;
/** How long a server may take to confirm the end of a lane of which everything is here (ms): a round trip to the other end of the world, and some. */
const SIGN_OFF_MS = 1_000;

type Way = 'put' | 'get';

/** How a client dials the same server once more. */
export interface Redial {
  /** How far away it is. */
  readonly distance: Distance;
  again(signal: AbortSignal): Promise<Dialled>;
  /** What another thread needs for it; left out: only this thread may. */
  readonly pass?: Pass;
  /** The processors there are; left out: those that there are. */
  readonly cores?: number;
  /** Ways in which a further connection near by was found to gain nothing: it is not tried for every file again. */
  readonly vain: Set<Way>;
}

interface Plan {
  readonly far: boolean;
  readonly steps: readonly number[];
  /** With less of the file left than this no step is worth it. */
  readonly least: number;
  /** 0: in this one. */
  readonly threads: number;
}

/** The lanes of one file that is about to be moved; undefined where they cannot pay. Dispose them when it is over. */
export function lanesFor(way: Way, size: number, redial: Redial | undefined, onLanes: (lanes: number) => void): FileLanes | undefined {
  const plan = redial === undefined ? undefined : planFor(way, redial);
  return plan === undefined || size < plan.least ? undefined : new FileLanes(way, size, redial!, plan, onLanes);
}

function planFor(way: Way, { distance, pass, cores = availableParallelism(), vain }: Redial): Plan | undefined {
  const threads = pass === undefined || cores < FAR_CORES ? 0 : Math.min(cores - 1, MAX_THREADS);
  if (distance.leastMs >= FAR_MS) return { far: true, steps: FAR_STEPS, least: FAR_BYTES, threads };
  if (threads === 0 || cores < NEAR_CORES || vain.has(way)) return undefined;
  return { far: false, steps: NEAR_STEPS, least: NEAR_BYTES, threads };
}

/** A lane that is open. */
interface Opened {
  readonly lane: Lane;
  /** Resolves when its connection is gone. */
  close(): Promise<void>;
}

export class FileLanes implements AsyncDisposable {
  /** What the request for the file names them by. */
  readonly key = new Uint8Array(randomBytes(LANE_KEY_BYTES));
  /** Where they meet the transfer. */
  readonly lanes = new Lanes();
  readonly #way: Way;
  readonly #redial: Redial;
  readonly #plan: Plan;
  readonly #told: (lanes: number) => void;
  readonly #stop = new AbortController();
  readonly #open = new Map<Lane, Promise<void>>();
  #threads: Threads | undefined;
  #running: Promise<void> | undefined;
  #left: number;
  #sent = 0;

  constructor(way: Way, size: number, redial: Redial, plan: Plan, told: (lanes: number) => void) {
    this.#way = way;
    this.#told = told;
    this.#left = size;
    this.#redial = redial;
    this.#plan = plan;
  }

  /** The request is made: connections are opened from now on. */
  begin(): void {
    this.#running ??= this.#widen().catch(() => {}); // ended by dispose, or there can be no more
  }

  /** Bytes of the file are dealt with, over whichever connection; `kept` of them were not sent. */
  moved(bytes: number, kept: number): void {
    this.#left -= bytes;
    this.#sent += bytes - kept;
  }

  async #widen(): Promise<void> {
    const { far, steps, least } = this.#plan;
    let rate = far ? 0 : await this.#rate();
    for (const more of steps) {
      // What was found worth beginning with is worth going on with half of, where that goes fast.
      if (this.#left < (far ? least : least / 2)) return;
      const opened = (await Promise.all(Array.from({ length: more }, () => this.#lane()))).filter((lane) => lane !== undefined);
      if (opened.length === 0) return;
      const wider = await this.#rate();
      if (wider < rate * GAIN) {
        for (const lane of opened) this.#retire(lane);
        if (!far && this.#open.size === opened.length) this.#redial.vain.add(this.#way);
        return;
      }
      rate = wider;
    }
  }

  /** Bytes a millisecond, after what was opened last has got up to speed. */
  async #rate(): Promise<number> {
    const { leastMs: roundTripMs } = this.#redial.distance;
    await this.#wait(WARM_TRIPS * roundTripMs);
    const before = this.#sent;
    const began = performance.now();
    await this.#wait(Math.max(MEASURED_TRIPS * roundTripMs, MEASURED_MS));
    return (this.#sent - before) / (performance.now() - began);
  }

  async #wait(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.#stop.signal, ref: false });
  }

  /** Opens a lane and has the transfer use it; undefined when there can be none. */
  async #lane(): Promise<Lane | undefined> {
    try {
      const opened = await (this.#plan.threads > 0 ? this.#there() : this.#here());
      this.#open.set(opened.lane, this.#use(opened).finally(() => {
        this.#open.delete(opened.lane);
        this.#told(this.#open.size);
      }));
      this.#told(this.#open.size);
      return opened.lane;
    } catch {
      return undefined;
    }
  }

  /** In this thread. */
  async #here(): Promise<Opened> {
    const { connection, closed } = await this.#redial.again(this.#stop.signal);
    // A server that says nothing must not hold up the end of a transfer that was given up.
    const stop = (): void => connection.end(undefined);
    this.#stop.signal.addEventListener('abort', stop, { once: true });
    try {
      this.#stop.signal.throwIfAborted();
      const lane = connection.request({ kind: this.#way === 'put' ? 'putLane' : 'getLane', key: this.key });
      await lane.expect('lent');
      return {
        lane,
        close: async () => {
          lane[Symbol.dispose]();
          await connection.drain(0);
          await closed;
        },
      };
    } catch (error) {
      stop();
      throw error;
    } finally {
      this.#stop.signal.removeEventListener('abort', stop);
    }
  }

  /** In another thread. */
  async #there(): Promise<Opened> {
    const module = await import('./thread/threads.ts'); // for nothing that is small or near
    this.#stop.signal.throwIfAborted();
    this.#threads ??= new module.Threads(this.#plan.threads);
    const lane = this.#threads.lane(this.#redial.pass!, { way: this.#way, key: this.key });
    const stop = (): void => void lane.close();
    this.#stop.signal.addEventListener('abort', stop, { once: true });
    try {
      await lane.opened;
      return { lane, close: () => lane.close() };
    } catch (error) {
      await lane.close();
      throw error;
    } finally {
      this.#stop.signal.removeEventListener('abort', stop);
    }
  }

  async #use({ lane, close }: Opened): Promise<void> {
    try {
      await this.lanes.join(lane);
      if (this.#way === 'get') {
        lane.say({ kind: 'landed' });
        // `done`, or why not: it is over in any case, and whoever says nothing is not waited for.
        await Promise.race([lane.next(), pause(SIGN_OFF_MS, undefined, { ref: false })]);
      }
    } catch {
      // What it was behind with goes over the others.
    } finally {
      await close();
    }
  }

  /** Has a lane end when what is on its way has arrived. */
  #retire(lane: Lane): void {
    if (this.#way === 'put') this.lanes.leave(lane);
    else lane.say({ kind: 'enough' });
  }

  /** Resolves when all lanes are closed. The transfer must be over. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.lanes[Symbol.dispose]();
    this.#stop.abort();
    await this.#running;
    await Promise.all(this.#open.values());
    this.#threads?.[Symbol.dispose]();
  }
}
