/**
 * Folder: whether the served folder is at its place and can be read, looked at once a second and when somebody asks.
 *
 * The log hears when it goes and when it is back: until then all requests fail. A disk that hangs must not hang whoever asks, nor the
 * threads of the process: one look goes on at a time, and one that takes too long counts as a no.
 */
import { opendir } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { fromErrno } from '../../errors.ts';
import { whyOther } from '../../store/disk/number.ts';

export interface FolderOptions {
  readonly dir: string;
  /** Its number at the start; undefined where its disk gives none. */
  readonly number: string | undefined;
  /** It is gone, or back. */
  onTrouble(message: string): void;
}

/** Longer than any disk that works takes (ms), shorter than what asks for health waits. */
const LOOK_MS = 2000;
/** What is there in the second between two looks is refused all the same: each request looks by itself. */
const EVERY_MS = 1000;

export class WatchedFolder implements Disposable {
  readonly #options: FolderOptions;
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<string> | undefined;
  /** What the last look found. */
  #why = '';

  constructor(options: FolderOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.look(), EVERY_MS).unref();
  }

  /** Whether it could be read when it was last looked at. */
  get isThere(): boolean { return this.#why === ''; }

  /** Why it cannot be used; an empty text when it can. */
  async look(): Promise<string> {
    this.#looking ??= this.#look().finally(() => { this.#looking = undefined; });
    const why = await Promise.race([this.#looking, pause(LOOK_MS, `the served folder does not answer within ${LOOK_MS / 1000} s`, { ref: false })]);
    if (why !== '' && this.#why === '') this.#options.onTrouble(`${why}; requests fail until it is back: mount it or put it back, or where the new one is meant, start the server again`);
    if (why === '' && this.#why !== '') this.#options.onTrouble('the served folder is there again');
    this.#why = why;
    return why;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  /** Compares it, opens it and reads one name. */
  async #look(): Promise<string> {
    const { dir, number } = this.#options;
    const other = number === undefined ? undefined : await whyOther(dir, number);
    if (other !== undefined) return `the served folder is not the one that was there at the start: ${other.why}${other.numbers === undefined ? '' : ` (${other.numbers})`}`;
    try {
      const folder = await opendir(dir);
      try {
        await folder.read();
      } finally {
        await folder.close();
      }
      return '';
    } catch (error) {
      return `the served folder cannot be read: ${fromErrno(error).message}`;
    }
  }
}
