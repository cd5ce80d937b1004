/**
 * Elder: the process before this one as the system sees it, for the case that it hangs and does not end by itself.
 *
 * Numbers of processes are given again, so that a number alone is nobody's: what is ended here was the parent of this process, and
 * is told from any later one by the time of its start. Only Linux says that (proc(5)); elsewhere nothing is ever ended.
 */
import { readFileSync } from 'node:fs';

/** The field of `/proc/PID/stat` with the time of the start, in ticks since the machine started; counted from behind the name. */
const START_FIELD = 19;

export class Elder {
  readonly pid: number;
  readonly #started: string;

  private constructor(pid: number, started: string) {
    this.pid = pid;
    this.#started = started;
  }

  /** The process with this number, if it is the one that started this one. */
  static of(pid: unknown): Elder | undefined {
    if (typeof pid !== 'number' || pid !== process.ppid || pid <= 1) return undefined;
    const started = startOf(pid);
    return started === undefined ? undefined : new Elder(pid, started);
  }

  /** Ends it at once, if it is still the same. False: it is not there any more. */
  end(): boolean {
    if (startOf(this.pid) !== this.#started) return false;
    try {
      return process.kill(this.pid, 'SIGKILL');
    } catch {
      return false; // it has ended, or belongs to somebody else now
    }
  }
}

function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[START_FIELD]; // the name may have anything in it
  } catch {
    return undefined;
  }
}
