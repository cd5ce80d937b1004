/**
 * Strace: runs a program so that every system call that matters to its files is written down, and reads that down
 * again: calls with their arguments, results, and when they were entered and when they had returned.
 *
 * The traced program keeps its own process (`-D`), so that whoever starts and ends it need not know that it is traced.
 * Order is that of the lines: a call that another thread's came into is two lines, one that was not is one.
 */
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { until } from '../e2e/traces.ts';

export const missing = spawnSync('strace', ['--version']).error !== undefined;

/** Everything that changes a file, a name or a folder, and what tells which descriptor is which. */
const CALLS = 'open,openat,close,write,pwrite64,writev,pwritev,pwritev2,truncate,ftruncate,fallocate,copy_file_range,sendfile,ioctl,fdatasync,fsync,syncfs,sync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat,rmdir';

export interface Call {
  readonly name: string;
  /** As strace writes them; descriptors as `7</what/it/is/open/on>`. */
  readonly args: string;
  /** -1 for an error, whose name is `error`. */
  readonly result: number;
  readonly error: string | undefined;
  /** What a returned descriptor is open on. */
  readonly opened: string | undefined;
  /** The lines of its beginning and its end; the same when nothing came between. */
  readonly entered: number;
  readonly returned: number;
  /** The same two moments, in seconds since 1970. */
  readonly began: number;
  readonly ended: number;
}

/** The words before a program that has its calls written to `file`. `more` goes to strace as well. */
export function traced(file: string, more: readonly string[] = []): string[] {
  return ['strace', '-D', '-f', '-y', '-ttt', '-T', '-s', '64', '-e', `trace=${CALLS}`, '-e', 'signal=none', '-o', file, ...more];
}

/** The calls in `file` of a program that has ended, by the time of their return. Those that never returned are left out. */
export async function callsOf(file: string, pid: number): Promise<Call[]> {
  let text = '';
  const ended = new RegExp(`^${pid} .*\\+\\+\\+ (exited|killed)`, 'm');
  await until(async () => ended.test((text = await readFile(file, 'utf8'))), () => `strace did not see the end of ${pid}`);
  const calls: Call[] = [];
  const open = new Map<string, { head: string; line: number; at: number }>();
  for (const [line, whole] of text.split('\n').entries()) {
    const [, thread, time, rest] = /^(\d+) +(\d+\.\d+) (.*)$/.exec(whole) ?? [];
    if (thread === undefined || rest!.startsWith('+++')) continue;
    const at = Number(time);
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest!)?.[1];
    if (rest!.endsWith('<unfinished ...>')) open.set(thread, { head: rest!.slice(0, -'<unfinished ...>'.length), line, at });
    else if (resumed === undefined) add(calls, rest!, { entered: line, returned: line, began: at, ended: at + lasted(rest!) });
    else {
      const { head, line: entered, at: began } = open.get(thread)!;
      open.delete(thread);
      add(calls, head + resumed, { entered, returned: line, began, ended: at });
    }
  }
  return calls;
}

function add(calls: Call[], text: string, when: Pick<Call, 'entered' | 'returned' | 'began' | 'ended'>): void {
  const found = /^(\w+)\((.*)\) += (-?\d+|\?)(?:<(.*?)>(?= <\d))?(?: (E[A-Z0-9]+))?/.exec(text);
  if (found === null) throw new Error(`a line of strace that is not understood: ${text}`);
  const [, name, args, result, opened, error] = found;
  if (result !== '?') calls.push({ name: name!, args: args!, result: Number(result), error, opened, ...when });
}

/** Seconds between entry and return, at the end of the line. */
function lasted(text: string): number {
  return Number(/<(\d+\.\d+)>$/.exec(text)?.[1] ?? 0);
}

/** The descriptor a call is about: its first argument, but for copies, where it is the third. */
export function descriptorOf({ name, args }: Call): number | undefined {
  const text = name === 'copy_file_range' ? /^\d+<.*?>, [^,]*, (\d+)</.exec(args) : /^(\d+)</.exec(args);
  return text === null ? undefined : Number(text[1]);
}

/** The texts among the arguments. Names in these tests need no escaping. */
export function textsOf({ args }: Call): string[] {
  return [...args.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text]) => text!);
}
