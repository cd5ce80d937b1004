/**
 * Post: what only one process of a state folder may hold: the socket for the owner's commands, the link by which they find it,
 * the audit and the listener for metrics. Whoever holds the socket holds all of it.
 *
 * It can be left to another process, and taken back when that one does not serve after all.
 */
import { type Admin, openAdmin } from './admin.ts';
import type { ServerEvent } from './log.ts';
import type { AdminRequest, AnswerTo } from './requests.ts';
import { announceOrWarn } from './running.ts';
import { Watch, type WatchOptions } from './watch.ts';

export interface PostOptions extends WatchOptions {
  answer(request: AdminRequest): Promise<AnswerTo<AdminRequest>>;
}

export class Post implements AsyncDisposable {
  readonly #options: PostOptions;
  readonly #open: AsyncDisposable[] = [];
  #admin: Admin | undefined;
  #link: AsyncDisposable | undefined;
  #watch: Watch | undefined;

  private constructor(options: PostOptions) {
    this.#options = options;
  }

  /** Rejects with BUSY where another process holds it. */
  static async take(options: PostOptions): Promise<Post> {
    const post = new Post(options);
    try {
      await post.#take();
      post.#watch = await Watch.open(options);
    } catch (error) {
      await post[Symbol.asyncDispose]();
      throw error;
    }
    return post;
  }

  get watch(): Watch { return this.#watch!; }

  /** What happens from now on is told to `elsewhere`. Who has asked something is answered still. */
  async leave(elsewhere: (event: ServerEvent) => void): Promise<void> {
    await this.watch.leave(elsewhere);
    await this.#link?.[Symbol.asyncDispose]();
    this.#admin?.leave();
  }

  async retake(meanwhile: readonly ServerEvent[]): Promise<void> {
    await this.#take();
    await this.watch.retake(meanwhile);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watch?.[Symbol.asyncDispose]();
    await this.#link?.[Symbol.asyncDispose]();
    for (const admin of this.#open) await admin[Symbol.asyncDispose]();
  }

  async #take(): Promise<void> {
    const { config: { servers, state }, answer, onEvent } = this.#options;
    // First of all: two servers must not share one book of devices.
    this.#admin = await openAdmin(state, answer);
    this.#open.push(this.#admin);
    this.#link = await announceOrWarn(servers, state, onEvent);
  }
}
