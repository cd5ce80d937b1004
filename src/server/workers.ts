/**
 * Workers: the connections of a server spread over several processes of this machine, as one service.
 *
 * This process accepts, and reads nothing; which worker gets a connection is for `seating.ts`. Whatever there must be
 * only one of stays here: the devices and tickets, the log, the start and the stop. A worker that ends is replaced, and
 * nobody signs in before the uploads it had under way rest for whoever continues them. Workers that keep ending are
 * a fault that starting again does not mend, so that the whole server gives up then.
 */
import type { Socket } from 'node:net';
import type { Adjustments } from '../doors/limits.ts';
import { addressOf } from '../doors/peer.ts';
import type { StrangersHere } from '../doors/strangers.ts';
import { Failure } from '../errors.ts';
import { DEFAULT_BUDGET } from '../session/budget.ts';
import { Fork, type Front } from './fork.ts';
import type { ServerLimits } from './limits.ts';
import type { Load } from './metrics/measured.ts';
import { Seating } from './seating.ts';
import type { Arrival, Host, Service, ServiceSettings } from './service.ts';

export interface WorkersHost extends Host {
  /** Puts to rest what a process that is gone has left in the staging folder. */
  recover(): Promise<void>;
  /** Called once, when workers keep ending. */
  onGiveUp(failure: Failure): void;
  readonly strangers: StrangersHere;
}

/** Workers that may end within a minute and be replaced. */
const MAX_ENDS = 5;
const MINUTE_MS = 60_000;

/** Starts `count` workers. Rejects, with none left, when one of them cannot open the folder. */
export async function openWorkers(count: number, settings: ServiceSettings, host: WorkersHost): Promise<Service> {
  const workers = new Workers(count, settings, host);
  try {
    await workers.start();
  } catch (error) {
    await workers[Symbol.asyncDispose]();
    throw error;
  }
  return workers;
}

/** With what ends it, once it was handed on. */
interface Waiting { readonly socket: Socket; readonly arrival: Arrival; end: () => void }
/** A worker, and what came while it was being replaced; the port bounds how much that is. */
interface Place { fork: Fork; readonly waiting: Set<Waiting> }

class Workers implements Service {
  readonly memory: number;
  #front: Front;
  readonly #host: WorkersHost;
  readonly #seating: Seating;
  readonly #places: Place[] = [];
  /** When workers ended, in the last minute. */
  #ends: number[] = [];
  #recovered: Promise<void> = Promise.resolve();
  #stopping = false;

  constructor(count: number, given: ServiceSettings, host: WorkersHost) {
    this.memory = given.memory ?? DEFAULT_BUDGET;
    const settings = { ...given, memory: Math.floor(this.memory / count) };
    this.#host = host;
    this.#seating = new Seating(count);
    this.#front = {
      settings, count,
      who: async (credentials, peer) => {
        await this.#recovered;
        return host.who(credentials, peer);
      },
      answerCode: (point, exporter, peer) => host.answerCode(point, exporter, peer),
      accounting: host.accounting, strangers: host.strangers,
      onEvent: (event) => host.onEvent(event),
      active: () => this.#places.reduce((sum, { fork }) => sum + fork.sessions, 0),
    };
  }

  async start(): Promise<void> {
    const first = this.#front.settings.firstSession ?? 1;
    for (let place = 1; place <= this.#front.count; place += 1) this.#places.push({ fork: new Fork(place, this.#front, first + place - 1), waiting: new Set() });
    await Promise.all(this.#places.map(({ fork }) => this.#opened(fork)));
    for (const place of this.#places) this.#watch(place);
  }

  accept(socket: Socket, arrival: Arrival): () => void {
    if (this.#stopping) {
      this.#host.onEvent({ event: 'refused', address: addressOf(socket), code: 'SHUTDOWN', reason: 'the server is stopping' });
      socket.destroy();
      arrival.gone();
      return () => {};
    }
    const seat = this.#seating.seat(addressOf(socket));
    const seated = { ...arrival, gone: () => { seat.leave(); arrival.gone(); } };
    const { fork, waiting } = this.#places[seat.place]!;
    if (fork.listens) return fork.take(socket, seated);
    const one: Waiting = { socket, arrival: seated, end: () => { if (waiting.delete(one)) turnAway(new Set([one])); } };
    waiting.add(one);
    return () => one.end();
  }

  async recheck(): Promise<void> {
    await Promise.all(this.#places.map(({ fork }) => fork.recheck()));
  }

  adjust(changes: Adjustments<ServerLimits>): void {
    // For the workers that take the place of others, too.
    this.#front = { ...this.#front, settings: { ...this.#front.settings, ...changes } };
    for (const { fork } of this.#places) fork.adjust(changes);
  }

  loads(): readonly (readonly [worker: number, load: Load])[] {
    return this.#places.map(({ fork }) => [fork.place, fork.load] as const);
  }

  drain(graceMs: number, lingerMs = 0): Promise<void> {
    this.#stopping = true;
    for (const { waiting } of this.#places) turnAway(waiting);
    return Promise.all(this.#places.map(({ fork }) => fork.drain(graceMs, lingerMs))).then(() => undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.drain(0);
  }

  async #opened(fork: Fork): Promise<void> {
    const memory = await fork.open;
    this.#host.onEvent({ event: 'worker-started', worker: fork.place, pid: fork.pid, memory });
  }

  #watch(place: Place): void {
    const { fork } = place;
    void fork.parted.then(() => {
      if (!this.#stopping) this.#recovered = Promise.all([this.#recovered, fork.over.then(() => this.#host.recover())]).then(() => undefined);
    });
    void fork.over.then((how) => {
      if (!this.#stopping) this.#replace(place, how);
    });
  }

  #replace(place: Place, how: string): void {
    const { place: worker, pid, nextSession } = place.fork;
    this.#host.onEvent({ event: 'worker-ended', worker, pid, reason: how });
    const now = performance.now();
    this.#ends = [...this.#ends.filter((end) => now - end < MINUTE_MS), now];
    if (this.#ends.length > MAX_ENDS) return this.#giveUp(`${this.#ends.length} workers ended within a minute, the last one with ${how}`);
    try {
      place.fork = new Fork(worker, this.#front, nextSession);
    } catch (error) {
      return this.#giveUp(`no worker can be started: ${Failure.from(error).message}`);
    }
    this.#watch(place);
    void this.#opened(place.fork).catch(() => undefined); // told by its end
    for (const one of place.waiting) one.end = place.fork.take(one.socket, one.arrival);
    place.waiting.clear();
  }

  #giveUp(why: string): void {
    this.#stopping = true;
    for (const { waiting } of this.#places) turnAway(waiting);
    this.#host.onGiveUp(new Failure('INTERNAL', why, { who: 'here', hint: 'see what they said before, or serve without --workers' }));
  }
}

function turnAway(waiting: Set<Waiting>): void {
  for (const { socket, arrival } of waiting) {
    socket.destroy();
    arrival.gone();
  }
  waiting.clear();
}
