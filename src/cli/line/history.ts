/**
 * History: the lines that were typed at the prompt of one server, newest first, also those of earlier sessions.
 *
 * One file for each server in the state folder of this device, mode 0600, oldest line first. Each new line is added to
 * what the file holds at that moment, under a lock, and the file is replaced in one step: several prompts at once lose
 * nothing of each other. A line that shows a secret, or has a space before it, is nowhere kept. What goes wrong
 * with the file is told once and never in the way.
 */
import { mkdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ServerInfo } from '../../client/api.ts';
import { Failure } from '../../errors.ts';
import { printable } from '../../printable.ts';
import { privateFolder, readPrivate, writePrivate } from '../../private.ts';
import { stateFolder } from '../state.ts';
import { showsSecret } from './secrets.ts';

/** Months of work; more would only be found by search, and slower. */
const MAX_LINES = 1_000;
/** Longer lines were not typed, and would fill the file: it stays below 4 MiB. */
const MAX_LINE = 4_096;
/** Writing a line takes milliseconds: a lock as old as this was left behind by a program that is gone. */
const STALE_MS = 10_000;
const RETRY_MS = 25;
const RETRIES = 400;

/** Whether a line may be kept at all. */
export function isKept(line: string): boolean {
  return /^\S/.test(line) && line.length <= MAX_LINE && !showsSecret(line) && printable(line) === line;
}

/** Where the lines typed at a server are. */
export function historyPath({ name, fingerprint }: Pick<ServerInfo, 'name' | 'fingerprint'>, home: string | undefined): string {
  return join(stateFolder(home), 'history', `${name ?? fingerprint.replace(/[^\w-]/g, '-')}.lines`);
}

export class History {
  readonly #path: string;
  readonly #trouble: (failure: Failure) => void;
  #lines: string[];
  #last: Promise<void> = Promise.resolve();
  #told = false;

  private constructor(path: string, trouble: (failure: Failure) => void) {
    this.#path = path;
    this.#trouble = trouble;
    this.#lines = [];
  }

  /** What the file holds; `trouble` hears of the first thing that goes wrong with it, now or later. */
  static async open(path: string, trouble: (failure: Failure) => void): Promise<History> {
    const history = new History(path, trouble);
    await history.#careful(async () => { history.#lines = (await readLines(path)).toReversed(); });
    return history;
  }

  /** Newest first. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Takes a line that was typed, and writes it to the file behind those that wait. */
  add(line: string): void {
    if (!isKept(line)) return;
    this.#lines = bounded([...this.#lines.toReversed(), line]).toReversed();
    this.#last = this.#last.then(() => this.#careful(() => addTo(this.#path, line)));
  }

  /** Resolves when all lines are in the file, or it is known why not. */
  settled(): Promise<void> {
    return this.#last;
  }

  async #careful(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (!this.#told) this.#trouble(Failure.from(error));
      this.#told = true;
    }
  }
}

/** Lines, oldest first, without repetitions in a row, as many as are kept. */
function bounded(lines: readonly string[]): string[] {
  return lines.filter((line, index) => line !== lines[index - 1]).slice(-MAX_LINES);
}

/** Oldest first. The file may have been edited: what could not have been typed is passed over. */
async function readLines(path: string): Promise<string[]> {
  return bounded(((await readPrivate(path)) ?? '').split('\n').filter(isKept));
}

async function addTo(path: string, line: string): Promise<void> {
  await privateFolder(dirname(path));
  const lock = `${path}.lock`;
  await take(lock);
  try {
    await writePrivate(path, `${bounded([...await readLines(path), line]).join('\n')}\n`);
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
}

/** A folder is made by exactly one of those who want to make it. */
async function take(lock: string): Promise<void> {
  for (let tries = 0; tries < RETRIES; tries += 1) {
    try {
      await mkdir(lock, { mode: 0o700 });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const since = await stat(lock).then(({ mtimeMs }) => mtimeMs, () => undefined);
    if (since !== undefined && Date.now() - since > STALE_MS) await rm(lock, { recursive: true, force: true });
    else await delay(RETRY_MS);
  }
  throw new Failure('IO', `${printable(lock)} is held by another program`, { path: lock, who: 'here', hint: 'remove it if no other prompt is open' });
}
