/**
 * Living: which process a staged file belongs to, written into the file's name, and whether that process still runs.
 *
 * A mark is `machine-pid-start`: process numbers are used again, so the start time goes with them, and they mean
 * something within one boot and one container only, so a mark from elsewhere cannot be judged (`undefined`).
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { digestOf, hex } from '../../digest.ts';

/** proc(5): `starttime` is the 22nd field of /proc/PID/stat, the 20th after the command's closing bracket. */
const START_FIELD = 19;

let machine: string | undefined;
let own: string | undefined;

/** Worked out when first needed: whoever only asks a server never does. */
function thisMachine(): string {
  return (machine ??= hex(digestOf(Buffer.from(whichMachine()))).slice(0, 8));
}

/** The mark of this process. */
export function ownMark(): string {
  return (own ??= `${thisMachine()}-${process.pid}-${startOf(process.pid) ?? 'x'}`);
}

/** Whether the process of `mark` runs; undefined when it ran on another machine or in another container. */
export function isLiving(mark: string): boolean | undefined {
  const [where, pid, start] = mark.split('-');
  if (where !== thisMachine()) return undefined;
  if (mark === ownMark()) return true;
  return /^\d{1,10}$/.test(pid ?? '') && startOf(Number(pid)) === start;
}

function startOf(pid: number): string | undefined {
  if (process.platform !== 'linux') return isSignalled(pid) ? 'x' : undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie holds no files any more.
    return fields[0] === 'Z' ? undefined : fields[START_FIELD];
  } catch {
    return undefined;
  }
}

function isSignalled(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function whichMachine(): string {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1')} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}
