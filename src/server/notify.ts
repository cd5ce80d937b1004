/**
 * Notify: what a server tells the service manager that started it, in the words of sd_notify(3): that it is ready, reads its
 * configuration again, stops, has left its place to another process, and lives.
 *
 * Node has no datagram sockets of Unix, so each message is said by `systemd-notify`, one after the other and in order; it
 * comes from a child of the server then, which the unit has to allow (`NotifyAccess=all`). Where there is no manager nothing
 * is done. A message that cannot be said is a warning, once, and nothing that is served waits for it.
 */
import { execFile } from 'node:child_process';
import { Failure } from '../errors.ts';

/** By name: the path is that of the service, as for any program it starts. */
const SAYER = 'systemd-notify';
/** It waits 5 s at most until the manager has read the message. */
const SAY_MS = 10_000;
/** Messages that may wait for their turn: a manager that reads nothing must not fill the memory. */
const MAX_WAITING = 100;
/** Longer intervals than this are no watchdog, and no timer of Node. */
const MAX_USEC = 2 ** 31 * 1000;

type Environment = Record<string, string | undefined>;

export interface NotifyOptions {
  /** What is for the manager is taken out of it: other programs that this process starts have no part in it. */
  readonly env: Environment;
  /** What it is doing, in words, when it says that it lives. */
  status(): string;
  onTrouble(message: string): void;
}

export class Notify implements AsyncDisposable {
  readonly #options: NotifyOptions;
  readonly #socket: string | undefined;
  /** How often it says that it lives (µs); undefined: nobody asks. */
  readonly #watchdog: number | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  #isLeft = false;
  #said: Promise<void> = Promise.resolve();
  #waiting = 0;
  #failed = false;

  constructor(options: NotifyOptions) {
    const { env } = options;
    this.#options = options;
    this.#socket = env['NOTIFY_SOCKET'] || undefined;
    const usec = Number(env['WATCHDOG_USEC'] ?? 0);
    const isOurs = env['WATCHDOG_PID'] === undefined || env['WATCHDOG_PID'] === String(process.pid);
    this.#watchdog = isOurs && usec > 0 && usec < MAX_USEC ? usec : undefined;
    for (const key of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[key];
    if (this.#socket === undefined || this.#watchdog === undefined) return;
    // At half of the time in which it has to, as sd_watchdog_enabled(3) recommends.
    this.#timer = setInterval(() => this.#live(), this.#watchdog / 2000).unref();
  }

  /** What has to be in the environment of a process that takes this one's place. */
  get env(): Readonly<Record<string, string>> {
    return { ...(this.#socket !== undefined && { NOTIFY_SOCKET: this.#socket }), ...(this.#watchdog !== undefined && { WATCHDOG_USEC: String(this.#watchdog) }) };
  }

  /** It serves, from the start or again; `isMain`: it has taken the place of the process that the manager knows. */
  ready(isMain = false): void {
    this.#say('READY=1', ...(isMain ? [`MAINPID=${process.pid}`] : []), this.#status);
  }

  /** Another process is the main one: that this one stops is nothing to tell. */
  leave(): void {
    this.#isLeft = true;
    clearInterval(this.#timer);
  }

  /** It reads its configuration again, until `ready`. */
  reloading(): void {
    this.#say('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
  }

  stopping(): void {
    this.#say('STOPPING=1', 'STATUS=stopping: what runs is let end');
  }

  /** Resolves when all is said, or cannot be. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#said;
  }

  get #status(): string {
    // A line break would begin another word.
    return `STATUS=${this.#options.status().replace(/[\r\n]+/g, ' ')}`;
  }

  /** One that waits already says the same. */
  #live(): void {
    if (this.#waiting === 0) this.#say('WATCHDOG=1', this.#status);
  }

  #say(...words: readonly string[]): void {
    if (this.#isLeft || this.#socket === undefined || this.#waiting >= MAX_WAITING) return;
    this.#waiting += 1;
    this.#said = this.#said.then(() => this.#tell(words)).finally(() => { this.#waiting -= 1; });
  }

  #tell(words: readonly string[]): Promise<void> {
    return new Promise((resolve) => {
      execFile(SAYER, words, { env: { ...this.#options.env, NOTIFY_SOCKET: this.#socket }, timeout: SAY_MS }, (error) => {
        if (error !== null && !this.#failed) {
          this.#failed = true;
          this.#options.onTrouble(`the service manager cannot be told that ${words[0]}: ${reason(error)}`);
        }
        resolve();
      });
    });
  }
}

function reason(error: Error & { readonly code?: unknown }): string {
  if (error.code === 'ENOENT') return `there is no program ${SAYER}, which is part of systemd`;
  return Failure.from(error).message;
}
