/**
 * Watch: what a running server keeps and tells about itself: its audit, its numbers and its health, as one.
 *
 * It counts every event, records those that the log hears, and every request of the owner's commands; it decides nothing, and nothing that is
 * served waits for it. Closed last of all that serves, so that it sees the stop too.
 */
import { Failure } from '../errors.ts';
import { Audit } from './audit/audit.ts';
import type { Config } from './config.ts';
import type { ServerEvent } from './log.ts';
import { WatchedFolder } from './metrics/folder.ts';
import { type Health, healthOf } from './metrics/health.ts';
import { type Listener, openListener } from './metrics/listener.ts';
import { Measured } from './metrics/measured.ts';
import { Registry } from './metrics/registry.ts';
import type { AdminRequest } from './requests.ts';
import type { Service } from './service.ts';

export interface WatchOptions {
  readonly config: Config;
  /** Undefined until it is open. */
  service(): Service | undefined;
  isListening(): boolean;
  isDraining(): boolean;
  onEvent(event: ServerEvent): void;
}

export class Watch implements AsyncDisposable {
  /** For whoever has more to count. */
  readonly registry = new Registry();
  readonly health: () => Promise<Health>;
  readonly #options: WatchOptions;
  readonly #folder: WatchedFolder;
  readonly #measured: Measured;
  #audit: Audit | undefined;
  #listener: Listener | undefined;
  /** Where records go while another process has the audit. */
  #elsewhere: ((event: ServerEvent) => void) | undefined;

  private constructor(options: WatchOptions) {
    this.#options = options;
    const { config: { dir, number }, service, isListening, isDraining, onEvent } = options;
    this.#folder = new WatchedFolder({ dir, number, onTrouble: (message) => onEvent({ event: 'warning', message }) });
    this.#measured = new Measured({ registry: this.registry, loads: () => service()?.loads() ?? [], memory: () => service()?.memory ?? 0, folder: () => this.#folder.isThere, audit: () => this.#audit });
    this.health = healthOf({ folder: () => this.#folder.look(), isListening, isDraining, audit: () => this.#audit });
  }

  /** Opens the audit and the listener, where they are wanted. Throws when one of them cannot be had. */
  static async open(options: WatchOptions): Promise<Watch> {
    const watch = new Watch(options);
    try {
      await watch.#open();
    } catch (error) {
      await watch[Symbol.asyncDispose]();
      throw error;
    }
    return watch;
  }

  /** Where the metrics are listened for, as bound. */
  get address(): string | undefined { return this.#listener?.address; }
  metrics(): string { return this.registry.text(); }

  /** For the numbers: every event by itself, before any are told of as one. */
  count(event: ServerEvent): void {
    this.#measured.event(event);
  }

  /** For the audit: what the log hears, and what happened in another process of this server. */
  record(event: ServerEvent): void {
    if (this.#elsewhere === undefined) this.#audit?.event(event);
    else this.#elsewhere(event);
  }

  /** Closes what there can be only one of; what happens from now on is told to `elsewhere`. */
  async leave(elsewhere: (event: ServerEvent) => void): Promise<void> {
    this.#elsewhere = elsewhere;
    await this.#close();
  }

  /** Opens that again, with what happened meanwhile. */
  async retake(meanwhile: readonly ServerEvent[]): Promise<void> {
    await this.#open();
    this.#elsewhere = undefined;
    for (const event of meanwhile) this.record(event);
  }

  /** Answers a request of the owner by `answer`, and records it. */
  async answered<T>(request: AdminRequest, answer: () => Promise<T>): Promise<T> {
    try {
      const answered = await answer();
      this.#audit?.act(request);
      return answered;
    } catch (error) {
      this.#audit?.act(request, Failure.from(error));
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#folder[Symbol.dispose]();
    this.#measured[Symbol.dispose]();
    await this.#close();
  }

  async #close(): Promise<void> {
    const audit = this.#audit;
    this.#audit = undefined; // what is told from now on is told too late
    await this.#listener?.[Symbol.asyncDispose]();
    this.#listener = undefined;
    await audit?.[Symbol.asyncDispose]();
  }

  async #open(): Promise<void> {
    const { config: { audit, metrics, state }, onEvent } = this.#options;
    if (audit) this.#audit = await Audit.open(state, { onTrouble: (message) => onEvent({ event: 'warning', message }) });
    if (metrics === undefined) return;
    this.#listener = await openListener({ at: metrics, metrics: () => this.metrics(), health: this.health });
    onEvent({ event: 'metrics', address: this.#listener.address });
  }
}
