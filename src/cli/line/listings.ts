/**
 * Listings of remote folders, kept for completion: asked for ahead of time, answered within a moment or not at all.
 *
 * Bounded by folders, names and age. What this session changes is for whoever runs its commands to say (`forget`);
 * what others change is seen when a listing is old. Nothing here is ever shown as the state of the server: `ls` asks.
 */
import type { Entry, ListPage } from '../../client/api.ts';
import type { RemotePath } from '../../path.ts';

/** How long a key may take. */
export const PATIENCE_MS = 150;
/** Younger than this, a listing is used as it is; older, it is asked for again, and used when the answer takes too long. */
const FRESH_MS = 30_000;
/** Older than this, nothing is better than what is known. */
const KEPT_MS = 600_000;
/** As many folders as one visits in a session, and less than 30 MB of names. */
const MAX_FOLDERS = 64;
const MAX_NAMES = 100_000;
/** A folder with more is completed among so many of its names. */
const MAX_NAMES_OF_ONE = 50_000;
/** Questions on their way at once: a newer one is about where somebody is now. */
const MAX_ASKING = 2;

interface Kept {
  readonly entries: readonly Entry[];
  readonly at: number;
}

export interface KeptFolder {
  readonly folder: RemotePath;
  readonly names: number;
  readonly age: number;
}

export type Ask = (folder: RemotePath, signal: AbortSignal) => AsyncIterable<ListPage>;

export class Listings {
  readonly #ask: Ask;
  readonly #now: () => number;
  /** In the order of their use, the latest last. */
  readonly #kept = new Map<RemotePath, Kept>();
  readonly #asking = new Map<RemotePath, { readonly stop: AbortController; readonly answer: Promise<readonly Entry[]> }>();

  constructor(ask: Ask, now: () => number = Date.now) {
    this.#ask = ask;
    this.#now = now;
  }

  /** The entries of a folder; none where it cannot be listed; undefined when that would take longer than `patience`. */
  async look(folder: RemotePath, patience = PATIENCE_MS): Promise<readonly Entry[] | undefined> {
    const kept = this.#find(folder);
    if (kept !== undefined && this.#now() - kept.at < FRESH_MS) return kept.entries;
    return (await within(patience, this.#fetch(folder))) ?? kept?.entries;
  }

  /** Asks for a folder that will be looked at. */
  prefetch(folder: RemotePath): void {
    const kept = this.#find(folder);
    if (kept === undefined || this.#now() - kept.at >= FRESH_MS) void this.#fetch(folder);
  }

  /** Questions on their way are given up: a command comes first. */
  rest(): void {
    for (const { stop } of this.#asking.values()) stop.abort();
    this.#asking.clear();
  }

  /** Forgets everything, since it may have changed; resolves how many folders that were. */
  forget(): number {
    this.rest();
    const folders = this.#kept.size;
    this.#kept.clear();
    return folders;
  }

  /** What is kept, the latest used last. */
  get folders(): KeptFolder[] {
    return [...this.#kept].map(([folder, { entries, at }]) => ({ folder, names: entries.length, age: this.#now() - at }));
  }

  #find(folder: RemotePath): Kept | undefined {
    const kept = this.#kept.get(folder);
    if (kept === undefined) return undefined;
    this.#kept.delete(folder);
    if (this.#now() - kept.at >= KEPT_MS) return undefined;
    this.#kept.set(folder, kept);
    return kept;
  }

  /** Asks once, however many wait. Never rejects: what cannot be listed has nothing to offer. */
  #fetch(folder: RemotePath): Promise<readonly Entry[]> {
    const running = this.#asking.get(folder);
    if (running !== undefined) return running.answer;
    const stop = new AbortController();
    const answer = this.#collect(folder, stop.signal).then((entries) => {
      if (!stop.signal.aborted) this.#keep(folder, entries);
      return entries;
    }, () => []).finally(() => {
      if (this.#asking.get(folder)?.stop === stop) this.#asking.delete(folder);
    });
    for (const [oldest, { stop: end }] of this.#asking) {
      if (this.#asking.size < MAX_ASKING) break;
      end.abort();
      this.#asking.delete(oldest);
    }
    this.#asking.set(folder, { stop, answer });
    return answer;
  }

  async #collect(folder: RemotePath, signal: AbortSignal): Promise<readonly Entry[]> {
    const entries: Entry[] = [];
    for await (const page of this.#ask(folder, signal)) {
      entries.push(...page.entries);
      if (entries.length >= MAX_NAMES_OF_ONE) break;
    }
    return entries.slice(0, MAX_NAMES_OF_ONE);
  }

  #keep(folder: RemotePath, entries: readonly Entry[]): void {
    this.#kept.delete(folder);
    this.#kept.set(folder, { entries, at: this.#now() });
    let names = this.folders.reduce((sum, one) => sum + one.names, 0);
    for (const [oldest, kept] of this.#kept) {
      if (this.#kept.size <= MAX_FOLDERS && names <= MAX_NAMES) break;
      this.#kept.delete(oldest);
      names -= kept.entries.length;
    }
  }
}

/** What `answer` resolves with, or undefined after so many milliseconds. */
export async function within<T>(milliseconds: number, answer: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<undefined>((resolve) => { timer = setTimeout(() => resolve(undefined), milliseconds); });
  try {
    return await Promise.race([answer, over]);
  } finally {
    clearTimeout(timer);
  }
}
