/**
 * Waits: a clock of what a transfer waits for at this end, and from it what limits the transfer at present.
 *
 * Whoever waits says for what, when the wait begins, changes and ends; a transfer that never waits costs nothing here.
 * Several may wait at once: a moment is shared among what they wait for, and a wait for the other side in general counts
 * as what is known better of the others. A limit is named when one thing had most of the last interval, else none is.
 * It knows no disk and no socket, only the names of what is waited for; all it says is about this end.
 */

/** What can be waited for: the disk here; the network; the server; or the other side, network or server. */
export type Cause = 'disk' | 'network' | 'server' | 'peer';
export type Limit = Cause | 'cpu';

/** Three clocks that only run forward (ms): time, the time this thread was not idle, and what all threads computed. */
export interface Clocks { now(): number; busy(): number; computed(): number }

const CLOCKS: Clocks = {
  now: () => performance.now(),
  busy: () => performance.eventLoopUtilization().active,
  computed: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
};

/** Shorter intervals would follow single bursts (ms). */
const INTERVAL_MS = 1_000;
/** The share of an interval that names a limit: what has more is clearly the most. */
const MOST = 0.5;
/** A thread, or a processor, with less than a tenth to spare is used up. */
const USED_UP = 0.9;

export class Waits {
  readonly #clocks: Clocks;
  /** How many wait for each now, and the time that each had since the interval began. */
  readonly #waiting: Record<Cause, number> = { disk: 0, network: 0, server: 0, peer: 0 };
  readonly #spent: Record<Cause, number> = { disk: 0, network: 0, server: 0, peer: 0 };
  #settled: number;
  #began: { readonly now: number; readonly busy: number; readonly computed: number };
  #limit: Limit | undefined;

  constructor(clocks = CLOCKS) {
    this.#clocks = clocks;
    this.#began = { now: clocks.now(), busy: clocks.busy(), computed: clocks.computed() };
    this.#settled = this.#began.now;
  }

  /** One wait changes; undefined: none. */
  change(from: Cause | undefined, to: Cause | undefined): void {
    this.#settle();
    if (from !== undefined) this.#waiting[from] -= 1;
    if (to !== undefined) this.#waiting[to] += 1;
  }

  /** What limited the transfer in the last whole interval; undefined when nothing had most of it. Begins the next one when it is time. */
  limit(): Limit | undefined {
    const now = this.#settle();
    const length = now - this.#began.now;
    if (length < INTERVAL_MS) return this.#limit;
    const clocks = { now, busy: this.#clocks.busy(), computed: this.#clocks.computed() };
    this.#limit = this.#judge(length, (clocks.busy - this.#began.busy) / length, (clocks.computed - this.#began.computed) / length);
    this.#began = clocks;
    for (const cause of ['disk', 'network', 'server', 'peer'] as const) this.#spent[cause] = 0;
    return this.#limit;
  }

  #judge(length: number, busy: number, computed: number): Limit | undefined {
    const { disk, network, server, peer } = this.#spent;
    const most = MOST * length;
    // Reads in this thread keep it busy without computing, and a worker that computes looks like a disk from here.
    if (disk > most) return computed >= USED_UP ? 'cpu' : 'disk';
    // A thread that has no time does not take what has come: its waits for others are its own.
    if (busy >= USED_UP) return 'cpu';
    if (network > most) return 'network';
    if (server > most) return 'server';
    return network + server + peer > most ? 'peer' : undefined;
  }

  /** Shares the time since the last change among what is waited for. */
  #settle(): number {
    const now = this.#clocks.now();
    const passed = now - this.#settled;
    this.#settled = now;
    const { disk, network, server, peer } = this.#waiting;
    const all = disk + network + server + peer;
    if (all === 0 || passed === 0) return now;
    const each = passed / all;
    this.#spent[network > 0 ? 'network' : server > 0 ? 'server' : 'peer'] += each * peer;
    this.#spent.disk += each * disk;
    this.#spent.network += each * network;
    this.#spent.server += each * server;
    return now;
  }
}

/** One place that waits, for one thing at a time. */
export class Wait {
  readonly #waits: Waits;
  #cause: Cause | undefined;

  constructor(waits: Waits) {
    this.#waits = waits;
  }

  /** For what it waits from now on; undefined: it goes on. */
  for(cause: Cause | undefined): void {
    if (cause === this.#cause) return;
    this.#waits.change(this.#cause, cause);
    this.#cause = cause;
  }
}

/** The same steps, with the time that they take counted as waiting for `cause`, where somebody counts. */
export async function* awaited<T>(steps: AsyncIterable<T>, cause: Cause, waits: Waits | undefined): AsyncGenerator<T> {
  const wait = waits === undefined ? undefined : new Wait(waits);
  try {
    wait?.for(cause);
    for await (const step of steps) {
      wait?.for(undefined);
      yield step;
      wait?.for(cause);
    }
  } finally {
    wait?.for(undefined);
  }
}
