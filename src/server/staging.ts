/** Staging: what is done with the unfinished uploads of a served folder, and with what is kept for undo, beside the services that have it open. A server that cannot do it serves all the same. */
import { Failure } from '../errors.ts';
import { openDisk } from '../store/disk/disk.ts';
import type { Config } from './config.ts';
import type { ServerEvent } from './log.ts';

type Staging = Pick<Config, 'dir' | 'number' | 'keep' | 'sweepAgeMs'>;

/** What is kept may be so much older than it should be: as long as ten minutes, where that is little beside the time. */
const EVERY_MS = 600_000;
const SHARE = 10;

/** Forgets the uploads that nobody continued since `before` (ms since 1970), and what was kept too long; with 0 it only puts to rest the uploads of a process that is gone. */
export async function sweepStaging({ dir, number, keep }: Pick<Staging, 'dir' | 'number' | 'keep'>, before: number, onEvent: (event: ServerEvent) => void, workers = 0): Promise<void> {
  try {
    await using vault = await openDisk(dir, { number, keep, workers });
    const parts = await vault.sweep(before);
    if (parts > 0) onEvent({ event: 'swept', parts });
  } catch (error) {
    onEvent({ event: 'warning', message: `unfinished uploads could not be swept: ${Failure.from(error).message}` });
  }
}

/** Does so while the server runs, in a thread: removing what was kept can take a second. */
export function sweepNowAndThen(staging: Staging, onEvent: (event: ServerEvent) => void): AsyncDisposable {
  const every = Math.max(1000, Math.min(EVERY_MS, staging.keep.ms / SHARE));
  let sweeping = Promise.resolve();
  const timer = setInterval(() => {
    sweeping = sweeping.then(() => sweepStaging(staging, Date.now() - staging.sweepAgeMs, onEvent, 1));
  }, every).unref();
  return { async [Symbol.asyncDispose]() { clearInterval(timer); await sweeping; } };
}
